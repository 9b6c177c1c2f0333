/* One request from start to end. Private to core/job. */
#ifndef INN_JOB_JOB_H
#define INN_JOB_JOB_H
#include "run.h"
#include "../base/ctx.h"
#include "../load/load.h"
#include "../net/net.h"
#include <innvestigate/plugin.h>

struct inn__defaults { /* configs/defaults.yaml */
	struct inn_strs backends, pictures;
	struct inn_insts passes, predict_passes;
	const char *heat_map, *sheet, *plot, *preprocess, *labels, *maps, *archive, *plots, *control, *finish;
};
struct inn_job {
	inn_ctx *ctx;
	struct inn__registry *reg;
	struct inn__finder finds;
	const struct inn__finder *finder; /* &finds */
	struct inn__defaults def;
	struct inn__yaml *aliases;   /* suffix -> format */
	bool have_defaults;
	struct inn_inst backend;     /* cls NULL: chosen by score */
	bool backend_given;
	const struct inn_backend_ops *ops;
	inn_dev *dev;
	struct inn_model *models;
	struct inn_analysis *analyses;
	struct inn__archive *archives;
	uint64_t memory;
	uint32_t threads;
	bool strict, keep_nonfinite;
	uint32_t limits_given;       /* bit i: limit i stands on the command line, which wins */
	inn__progress_fn progress;
	void *progress_user;
};
struct inn_model {
	inn_job *job;
	struct inn_model *next;
	const char *path;
	struct inn_stream file;
	const struct inn_format_ops *format;
	struct inn_insts passes;     /* for analysis */
	inn_graph *graph, *plain;    /* for analysis; for predict, whose output is the file's own */
	struct inn__exec *predict;   /* of inn_predict, for batches of predict_batch; NULL until asked for */
	uint32_t predict_batch;
	bool settled[2];             /* graph, plain: resolved, and the passes are done */
	uint64_t hash;               /* 0: not yet known */
};
struct inn__pre {            /* preprocessing of pictures; n 0: none */
	const char *name;
	size_t n, n_apply;   /* the first n_apply stages run on the host */
	const struct inn_inst *stage;
};
struct inn__samples {
	inn_job *job;
	size_t n;
	uint32_t n_x;
	struct inn_tensor *array;           /* n_x of them [n,...], or NULL: pictures in files */
	bool own, stack;                    /* stack: array[0] holds pictures, u8 [n,H,W,C] */
	const char **path;                  /* n of them, or NULL */
	struct inn_inst *format;            /* of each path */
	const struct inn__pre *pre;
	bool declared;                      /* named: predict takes them as they are and never splits them */
	uint64_t key;                       /* of paths, sizes and times */
};
struct inn__what {           /* what one plan computes */
	struct inn_model *model;
	const struct inn_inst *analyzer;
	size_t n_analyzer, n_maps;   /* the first n_maps: their maps are outputs */
	const struct inn_inst *metric;
	size_t n_metric;
	const struct inn_target *target;
	const struct inn__pre *pre;
	bool logits, plain;      /* the flattened output too; only the outputs of the unchanged network */
	bool audit;              /* of every analyzer: where relevance stays */
	struct inn_strs watch;   /* layers whose relevance is an output too: globs */
	bool declared;           /* plain, and for the sizes of the graph's inputs: no axis counts samples */
	bool fit;                /* the statistics that the analyzer is fitted by, and no outputs */
	uint32_t batch;          /* 0: by the number of samples */
};
struct inn__layers {         /* what one analyzer says about layers, and which outputs hold it */
	struct inn__probe probe;
	uint32_t audit, first;   /* the audit's output, UINT32_MAX: none; that of watched[0] */
};
struct inn__measure {        /* one output that a metric gave a name */
	uint32_t metric, analyzer, out, n_at; /* n_at 0: a number for each sample, else a curve */
	const char *name;
	const double *at;
};
struct inn__exec {           /* a plan on the device */
	struct inn_model *model;
	inn_graph *graph;
	uint32_t batch, n_x, n_out, n_classes;
	struct inn_plan *plan;
	inn_exec *exec;
	uint32_t *x, *out;       /* operations; UINT32_MAX: not in the plan */
	bool declared;           /* one run, arrays and outputs of any shapes */
	bool read;               /* the first batch is done, and the model's weights were whole */
	bool settled;            /* the plan has the iterations side by side that it runs with */
	uint32_t ids, valid, pick;
	uint32_t n_maps, logits;  /* outputs [0, n_maps) are maps; UINT32_MAX: no logits */
	size_t map_rows;          /* samples whose maps are kept; 0: all */
	struct inn__measure *measure;
	uint32_t n_measures;
	struct inn__journal *journal; /* NULL: an interrupted pass begins anew */
	struct inn__prep *prep;  /* recorded stages, run before; NULL: none */
	const struct inn_target *target;
	struct inn__layers *layers; /* n_layers of them, one for each analyzer */
	size_t n_layers;
};
struct inn__prep { struct inn_plan *plan; inn_exec *exec; uint32_t in, out; struct inn_shape in_shape; };

/* map.c */
int inn__file_map(inn_ctx *ctx, const char *path, int status, struct inn_stream *s) INN_MUST;
void inn__file_unmap(struct inn_stream *s); /* and what was opened beside it */
/* After reading: `status` if the file, or one beside it, was cut off or changed since it was opened. */
int inn__file_same(inn_ctx *ctx, const struct inn_stream *s, int status) INN_MUST;
int inn__file_close(inn_ctx *ctx, struct inn_stream *s, int status) INN_MUST; /* unmaps; `status`, or INN_EDATA if it is not the same */
uint64_t inn__file_hash(const struct inn_stream *s); /* with what was opened beside it */
/* files.c */
const char *inn__suffix(const char *path); /* without the dot; "" if none */
/* The format of a file by suffix, then by what it contains. NULL after recording an error. */
const struct inn_format_ops *inn__format_of(inn_job *job, const char *path, const struct inn_stream *s);
/* The format that writes files of this suffix. */
const struct inn_format_ops *inn__format_for(inn_job *job, const char *path);
int inn__write_file(inn_ctx *ctx, const char *path, const void *data, size_t n) INN_MUST;
int inn__write_tensor(inn_job *job, const char *path, const struct inn_tensor *t) INN_MUST;
int inn__write_named(inn_job *job, const char *path, const struct inn_named *v, uint32_t n) INN_MUST;
int inn__make_folder(inn_ctx *ctx, const char *path) INN_MUST; /* and sweeps leftovers */
int inn__writable(inn_ctx *ctx, const char *path) INN_MUST;    /* before the work starts */

/* job.c */
int inn__defaults(inn_job *job) INN_MUST;
int inn__last_status(const inn_ctx *ctx);
int inn__bind_text(inn_job *job, uint32_t kind, const char *label, const char *text, struct inn_inst *out) INN_MUST;
/* limits.c: y NULL: none. `first`: over what was given before. */
int inn__limits_bind(inn_job *job, const struct inn__yaml *y, bool first) INN_MUST;
/* model.c */
/* passes->v NULL: the defaults. */
int inn__model_open(inn_job *job, const char *path, const struct inn_insts *passes, struct inn_model **m) INN_MUST;
/* A path, or {path, passes}. */
int inn__model_bind(inn_job *job, const struct inn__yaml *y, const char **path, struct inn_insts *passes) INN_MUST;
/* A path, or YAML flow text of that. */
int inn__model_of(inn_job *job, const char *text, struct inn_model **m) INN_MUST;
/* The graph for analysis, or the one for predict, as the file has it. NULL after recording an error. */
inn_graph *inn__model_read(struct inn_model *m, bool plain);
/* The same, resolved for its own sizes and with the passes done. */
inn_graph *inn__model_graph(struct inn_model *m, bool plain);
uint64_t inn__model_hash(struct inn_model *m); /* of its files, once they are read */
/* Of the files and of what the passes make of it: whose states are whose. */
uint64_t inn__model_key(struct inn_model *m);
/* backend.c */
int inn__backend_open(inn_job *job) INN_MUST;
int inn__backend_compile(inn_job *job, struct inn_plan *p, inn_exec **exec) INN_MUST;
void inn__backend_close(inn_job *job);
/* Until inn__finish_end, backend calls mean the backend that finishes fits. */
struct inn__other { struct inn_inst backend; const struct inn_backend_ops *ops; inn_dev *dev; };
int inn__finish_begin(inn_job *job, struct inn__other *main) INN_MUST;
void inn__finish_end(inn_job *job, struct inn__other *main);
/* compile.c */
int inn__plan_make(inn_job *job, const struct inn__what *w, size_t n_samples, struct inn__exec **e) INN_MUST;
uint32_t inn__batch_for(size_t n); /* of 1, 2, 4, 8 the largest that is not above n: the batch where none is asked for */
/* load.c: chooses the iterations side by side; under a memory limit also loads the plan, or refuses. */
int inn__exec_settle(inn_job *job, struct inn__exec *e) INN_MUST;
int inn__exec_load(inn_job *job, struct inn__exec *e) INN_MUST; /* to the device */
int inn__exec_run(inn_job *job, struct inn__exec *e) INN_MUST;  /* one batch; the first reads the weights, and the file must still be the same */
void inn__exec_locate(struct inn__exec *e); /* where inputs and outputs are in its plan */
void inn__exec_forget(struct inn__exec *e); /* what was asked about layers */
void inn__exec_free(inn_job *job, struct inn__exec *e);
/* measure.c: records the metrics of every analyzer; `out` counts the plan's outputs. map: n_x of each analyzer. */
int inn__measures_record(inn_job *job, const struct inn__what *w, struct inn__exec *e, inn_build *b, const struct inn_query *q,
			 const inn_val *map, inn_val y, uint32_t *out) INN_MUST;
/* prep.c */
void inn__offer_file(void *near, const char *name, const char *file); /* describe.c: inn__nearest_offer for inn__each_config */
int inn__pre_load(inn_job *job, const char *name, struct inn__pre *pre) INN_MUST;
int inn__pre_apply(inn_ctx *ctx, const struct inn__pre *pre, struct inn_tensor *image) INN_MUST;
int inn__pre_bounds(inn_build *b, const struct inn__pre *pre, const struct inn_shape *x) INN_MUST;
uint32_t inn__pre_sign(const struct inn__pre *pre, const struct inn_shape *x);
/* Records and loads the stages with a plan of their own for images of this shape. */
int inn__prep_make(inn_job *job, const struct inn__pre *pre, uint32_t batch, const struct inn_tensor *image,
		   const struct inn_shape *want, struct inn__prep **out) INN_MUST;
int inn__prep_run(inn_job *job, struct inn__prep *p, const struct inn_tensor *in, struct inn_tensor *out) INN_MUST;
void inn__prep_free(inn_job *job, struct inn__prep *p);
/* data.c */
/* Each input is PATH or, with the name of one of the network's inputs, NAME=PATH. */
int inn__samples_open(inn_job *job, const char *const *input, size_t n, const struct inn__pre *pre, const inn_graph *g,
		      struct inn__samples *s) INN_MUST;
/* Arrays have the shapes of the network's inputs and are finite. */
int inn__samples_fit(struct inn__samples *s, const inn_graph *g) INN_MUST;
/* All of that, and settles the network for them: the one that is analyzed or the plain one. Sizes that the model leaves free are
 * those of the arrays; of a plain one named arrays are taken as they are, and some become constants. */
int inn__samples_for(struct inn_model *m, bool plain, const char *const *input, size_t n, const struct inn__pre *pre,
		     struct inn__samples *s) INN_MUST;
void inn__samples_first(struct inn__samples *s, int64_t n); /* no more than that; 0: all */
void inn__samples_free(struct inn__samples *s);
/* execute.c: out[k] [n,...] are given; dtype INN_F64 of out[k] asks for doubles. */
int inn__execute(inn_job *job, struct inn__exec *e, const struct inn__samples *s, struct inn_tensor *out) INN_MUST;
struct inn__range { size_t first, last; int (*each)(void *user, size_t next); void *user; }; /* each: after a batch; NULL ok */
int inn__execute_range(inn_job *job, struct inn__exec *e, const struct inn__samples *s, const struct inn__range *range,
		       struct inn_tensor *out) INN_MUST;
/* journal.c: the rows of a pass as they come, so that an interrupted one goes on where it stopped; a record that did not
 * reach its file whole is dropped. `key` tells passes apart. */
struct inn__journal;
int inn__journal_new(inn_ctx *ctx, const char *path, uint64_t key, struct inn__journal **j) INN_MUST;
/* Rows of earlier passes into out[k]; *done: how many samples they are. */
int inn__journal_replay(struct inn__journal *j, struct inn__exec *e, struct inn_tensor *out, size_t *done) INN_MUST;
/* Samples [.., end) are in `out`. Never fails a pass: without a journal it only cannot be resumed. */
void inn__journal_add(struct inn__journal *j, size_t end, bool now);
void inn__journal_free(struct inn__journal *j, bool finished); /* finished: its file goes too; NULL ok */
/* image.c: a picture with its host stages applied ([H,W,C]). */
int inn__read_image(inn_ctx *ctx, const struct inn__samples *s, size_t i, struct inn_tensor *t) INN_MUST;
/* Pictures first ... first+batch-1 as one tensor, the last one repeated beyond the end; decoded by several threads. */
int inn__read_images(inn_ctx *ctx, const struct inn__samples *s, size_t first, uint32_t batch, uint32_t threads, struct inn_tensor *t) INN_MUST;
/* What sample i is called in messages and tables: its file's name, or its number. */
#define INN__SAMPLE_NAME 256
const char *inn__sample_name(const struct inn__samples *s, size_t i, char buf[INN__SAMPLE_NAME]);
/* reader.c */
struct inn__reader;
int inn__reader_new(const struct inn__samples *s, uint32_t batch, struct inn__reader **r) INN_MUST;
/* Rows [first, first+batch) of every input, the last one repeated beyond the end; valid until the next call. */
int inn__reader_get(struct inn__reader *r, size_t first, struct inn_tensor *x) INN_MUST;
void inn__reader_free(struct inn__reader *r);
/* target.c */
int inn__target_parse(inn_job *job, const char *text, struct inn_target *t) INN_MUST;
int inn__target_check(inn_ctx *ctx, const struct inn_target *t, size_t n_samples, uint32_t n_classes) INN_MUST;
/* picture.c */
int inn__heat_map(inn_job *job, const struct inn_tensor *map, size_t sample, struct inn_tensor *out) INN_MUST;
int inn__sheet(inn_job *job, struct inn_tensor *tile, size_t n, const char *const *label, uint32_t columns,
	       struct inn_tensor *out) INN_MUST;
/* Curves as a picture: v [K,P,3] are mean and interval of K labelled curves at the positions `at`. */
int inn__plot(inn_job *job, const struct inn_tensor *v, const char *const *label, const double *at, const char *title,
	      const char *axis, struct inn_tensor *out) INN_MUST;
/* predict.c */
struct inn__labels { size_t n; const char *const *v; };
int inn__labels_load(inn_job *job, const char *path, const struct inn_model *m, struct inn__labels *l) INN_MUST;
void inn__print_top(inn_job *job, const struct inn_tensor *y, const struct inn__samples *s, const struct inn__labels *l,
		    uint32_t k, bool json, FILE *out);
/* archive.c: files of several arrays that analyzers read, opened once */
struct inn__archive { struct inn__archive *next; const char *path; struct inn_named *v; uint32_t n; uint64_t hash; struct inn__head *head; };
int inn__archive_open(inn_job *job, const char *path, struct inn__archive **a) INN_MUST;
void inn__archive_close(struct inn__archive *a); /* its arrays; the job closes those that are still open */
void inn__archive_forget(inn_job *job, const char *path); /* the file was written anew */
const struct inn_tensor *inn__archive_find(const struct inn__archive *a, const char *name); /* NULL: not there */
/* head.c: what stands in a file of sums or of a state besides the arrays */
enum inn__head_kind { INN__STATE, INN__SUMS, INN__PART }; /* what build reads; sums of whole shards; an unfinished one */
struct inn__head {
	int kind;
	const char *fits, *configuration, *model, *model_key, *key, *data; /* key: of all that sums have in common; data: the files */
	int64_t samples, next, shards;                               /* next: PART, the sample to go on with */
	struct inn_ints have;                                        /* shards in these sums, from 1 */
};
int inn__head_write(inn_job *job, const char *path, const struct inn__head *h, const struct inn_named *v, uint32_t n) INN_MUST;
int inn__head_read(inn_job *job, const struct inn__archive *a, struct inn__head **h) INN_MUST; /* *h NULL: it has none */
/* state.c: lets analyzers of this builder find the states that they name. */
int inn__states_attach(inn_build *b, struct inn_model *m) INN_MUST;
/* fit.c */
struct inn__fit {
	struct inn_model *model;
	const struct inn_inst *analyzer;
	const struct inn__pre *pre;
	const struct inn__samples *samples;
	uint32_t batch, shard, shards;     /* shards 0: all, and the state is finished */
	double interval;                   /* seconds between checkpoints; 0: none */
	bool reuse;                        /* leave a state of the same fit as it is */
	bool only_check;                   /* stop before the first sample is read */
	bool optional;                     /* no error but 1 where there is nothing to fit */
};
int inn__fit(inn_job *job, const struct inn__fit *f, const char *path) INN_MUST;
bool inn__fitted(const struct inn_inst *analyzer); /* it has a fit, and no state yet */
/* What is the same for analyzers that can share a state. */
const char *inn__fit_identity(inn_ctx *ctx, const struct inn_inst *analyzer);
/* finish.c: from sums to the state */
int inn__fit_finish(inn_job *job, struct inn_model *m, const struct inn_inst *analyzer, struct inn__head *h, struct inn_named *sums,
		    uint32_t n, const char *path) INN_MUST;
/* merge.c; model NULL: the one that the sums name */
int inn__fit_merge(inn_job *job, const char *const *file, size_t n, const char *model, const char *path) INN_MUST;
/* text.c: a growing text */
struct inn__text { char *s; size_t n, cap; bool failed; };
void inn__text_add(struct inn__text *t, const char *fmt, ...) INN_PRINTF(2, 3);
void inn__text_json(struct inn__text *t, const char *s);
/* layers.c */
inn_val inn__audit_matrix(inn_build *b, const struct inn__probe *p); /* [N, numbers of all rows] */
int inn__layers_known(inn_job *job, const inn_graph *g, const struct inn_strs *watch) INN_MUST; /* every glob names a layer */
/* The audit's output t in words, largest leak first; most: rows, 0: all. */
enum inn__audit_form { INN__AUDIT_TABLE, INN__AUDIT_JSON, INN__AUDIT_CSV };
int inn__audit_text(inn_job *job, const struct inn__layers *l, const struct inn_tensor *t, enum inn__audit_form form, uint32_t most,
		    struct inn__text *out) INN_MUST;
/* What `run` writes beside the maps, LABEL.layers.npz and LABEL.audit.csv: relevance at layers, and the audit; whether they are there. */
bool inn__layers_there(inn_job *job, const char *dir, const char *label, const struct inn__layers *l);
int inn__layers_write(inn_job *job, const char *dir, const char *label, const struct inn__layers *l, const struct inn_tensor *t) INN_MUST;
/* Every layer that keeps more than `limit` of the output's relevance is an error. */
int inn__audit_limit(inn_job *job, const char *label, const struct inn__layers *l, const struct inn_tensor *t, double limit) INN_MUST;
/* request.c */
/* s: the samples of the request, possibly none. */
int inn__show_plan(inn_job *job, const struct inn__show *show, struct inn_model *m, struct inn__exec *e, struct inn__samples *s,
		   FILE *out) INN_MUST;
/* profile.c: what each part of a loaded plan takes for one batch of the samples (of noise, if there are none). */
struct inn__part {
	uint32_t op, n_with;
	const uint32_t *with;     /* the other operations computed there */
	const char *how;
	bool extra, once;         /* something else done for the operation; only before the first batch */
	uint64_t runs;
	double seconds, flops, bytes, floor; /* floor in seconds, 0: unknown */
};
struct inn__profile { struct inn__part *part; size_t n, cap; double wall, total; uint32_t batches; }; /* total: of parts that are not `once` */
/* floor: a file of floors, or NULL. */
int inn__profile(inn_job *job, struct inn__exec *e, struct inn__samples *s, const char *floor, struct inn__profile *p) INN_MUST;
int inn__profile_show(inn_job *job, const struct inn_plan *plan, const struct inn__profile *p, bool json, FILE *out) INN_MUST;
/* What a product is called in a file of floors, where times depend on nothing else but the number of threads. */
void inn__product_key(const struct inn_plan *p, uint32_t op, struct inn__text *t);
#endif
