/* Formats, stages, fills and metrics: what stands between files, pictures, numbers and the network. */
#ifndef INNVESTIGATE_DATA_H
#define INNVESTIGATE_DATA_H

#include <innvestigate/analyzer.h>

/* A file as the formats see it: mapped for reading, or a growing buffer for writing. */
struct inn_stream {
	const char *path;           /* for messages, and for files that stand beside it */
	const uint8_t *data;        /* reading: the whole file, read-only, until the job ends */
	size_t size;
	uint8_t *out;               /* writing: grown by inn_stream_put, owned by core */
	size_t out_size, out_cap;
};
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
	/* Several named tensors (.npz); `v` by inn_alloc, each t heap memory. */
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
struct inn_fill_ops {
	struct inn_class cls;
	inn_val (*build)(inn_build *b, inn_val x, inn_val mask, const void *opts);
};
struct inn_metric_ops {
	struct inn_class cls;
	int (*build)(inn_build *b, const struct inn_query *q, inn_val map, const void *opts);
};
#endif
