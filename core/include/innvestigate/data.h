/* Formats, stages, fills and metrics: what stands between files, pictures, numbers and the network. */
#ifndef INNVESTIGATE_DATA_H
#define INNVESTIGATE_DATA_H

#include <innvestigate/analyzer.h>

/* A file as the formats see it: mapped for reading, or what inn_stream_put writes to. */
struct inn_stream {
	const char *path;           /* for messages, and for files that stand beside it */
	const uint8_t *data;        /* reading: the whole file, read-only, until the job ends */
	size_t size;
	uint8_t *out;               /* writing: grown by inn_stream_put, owned by core */
	size_t out_size, out_cap;   /* out_size: bytes put so far */
	void *sink;                 /* writing: core's, where the bytes go at once; NULL: they are kept in `out` */
	void *map;                  /* reading: core's */
};
/* The file at a relative path beneath the folder of `s`, mapped as long as `s`; no link is followed, and nothing leads out of the
 * folder. The same path is the same mapping. */
INN_API int inn_stream_beside(inn_ctx *ctx, const struct inn_stream *s, const char *location, const struct inn_stream **other) INN_MUST;
INN_API int inn_stream_put(inn_ctx *ctx, struct inn_stream *s, const void *bytes, size_t n) INN_MUST;

struct inn_named { const char *name; struct inn_tensor t; };
struct inn_listed { const char *path; int64_t label; }; /* label: a class, or INN_NO_INT */
struct inn_format_ops {
	struct inn_class cls;
	const char *const *suffixes;                     /* ".npy", NULL-terminated */
	int (*probe)(const uint8_t *head, size_t n);     /* 0 no ... 100 certain */
	int (*read_graph)(inn_ctx *ctx, struct inn_stream *s, const void *opts, inn_graph *g);
	/* One tensor: arrays as stored; images u8 or u16 [H,W,C], C = 1 or 3. Gives heap memory. Called from reader threads
	 * with a context of their own: no state outside the arguments. */
	int (*read_tensor)(inn_ctx *ctx, struct inn_stream *s, const void *opts, struct inn_tensor *t);
	/* Several named tensors (.npz); `v` by inn_alloc, each t heap memory. Neither `v` nor `n` is set by an error. */
	int (*read_named)(inn_ctx *ctx, struct inn_stream *s, const void *opts, struct inn_named **v, uint32_t *n);
	/* Images: u8 [H,W,3] or [H,W,1]. */
	int (*write_tensor)(inn_ctx *ctx, struct inn_stream *s, const void *opts, const struct inn_tensor *t);
	int (*write_named)(inn_ctx *ctx, struct inn_stream *s, const void *opts, const struct inn_named *v, uint32_t n);
	/* A list of files with samples: paths as written (relative ones from the list's folder), v and they by inn_alloc. */
	int (*read_list)(inn_ctx *ctx, struct inn_stream *s, const void *opts, struct inn_listed **v, size_t *n);
};
struct inn_stage_ops {
	struct inn_class cls;
	/* Either: fixed shape, recorded into the plan (x f32 [N,...]); or one host image that changes size or becomes a
	 * picture (gives heap memory in out). [any thread, with its own ctx] */
	inn_val (*build)(inn_build *b, inn_val x, const void *opts);
	int (*apply)(inn_ctx *ctx, const struct inn_tensor *in, struct inn_tensor *out, const void *opts);
	/* Optional: the interval [low, high] that follows from an interval before this stage, per channel c. */
	void (*bounds)(const void *opts, uint32_t c, double *low, double *high);
};
struct inn_fill_ops { /* what stands in the place of what a perturbation takes away */
	struct inn_class cls;
	/* Values of x's shape, or broadcast to it, of which those count where mask is 1. x [N,C,...] is the clean input,
	 * mask [N,1,...] or [N,C,...] has 0 and 1; `region` tells how x divides into regions: size = stride, and what the
	 * first and the last of an axis lack. */
	inn_val (*build)(inn_build *b, inn_val x, inn_val mask, const struct inn_window *region, const void *opts);
};

enum inn_better { INN_HIGHER, INN_LOWER };
struct inn_subject { /* whose maps are measured */
	uint32_t size;
	const struct inn_query *q;       /* the clean inputs and the pick */
	const struct inn_inst *analyzer; /* for maps of other inputs, by inn_nested */
	const inn_val *map;              /* of the clean inputs: one for each, of its shape */
	inn_val y;                       /* the network's output for them, [N,n] */
};
struct inn_metric_ops {
	struct inn_class cls;
	int better;       /* enum inn_better: which scores are good */
	const char *axis; /* what a curve is drawn against; NULL: the metric has no curves */
	/* Records what is measured, by inn_measure. One value of shape [N] is named "score". */
	void (*build)(inn_build *b, const struct inn_subject *s, const void *opts);
};
/* One number [N], or one curve [N,n_at] at the positions `at` (copied), for every sample. Core gives the mean over the
 * samples, its interval and the ranking. Only while a metric builds. */
INN_API void inn_measure(inn_build *b, const char *name, inn_val v, const double *at, uint32_t n_at);
#endif
