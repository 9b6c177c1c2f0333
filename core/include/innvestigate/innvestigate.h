/* Embedding: what the command does, a program can do. See tests/unit/test_embed.c for thirty lines that use it.
 * A job belongs to one thread at a time; different jobs may run in parallel. All functions: [job]. */
#ifndef INNVESTIGATE_H
#define INNVESTIGATE_H

#include <innvestigate/base.h>

typedef struct inn_job inn_job;
typedef struct inn_model inn_model;
typedef struct inn_analysis inn_analysis;
struct inn_target { /* which outputs; kind ALL: the sum of all, EACH: a map for every output */
	enum { INN_TARGET_MAX, INN_TARGET_INDEX, INN_TARGET_ALL, INN_TARGET_EACH } kind;
	const int64_t *index; /* INDEX: one for all samples (n_index 1) or one a sample; borrowed */
	size_t n_index;
};

INN_API inn_job *inn_job_new(void);        /* NULL if out of memory */
INN_API void inn_job_free(inn_job *job);   /* frees all that came from it; NULL ok */
INN_API inn_ctx *inn_job_ctx(inn_job *job);
INN_API void inn_job_stop(inn_job *job);   /* stop after the current batch; async-signal-safe */
/* YAML flow or name: "reference", "{type: cpu}". Before the first model. */
INN_API int inn_job_backend(inn_job *job, const char *yaml) INN_MUST;
/* YAML flow with keys of INN_LIMIT_MAP: "{nodes: 1000}". What files that nobody trusts may cost. */
INN_API int inn_job_limits(inn_job *job, const char *yaml) INN_MUST;
INN_API int inn_job_plugins(inn_job *job, const char *dir) INN_MUST; /* searched first */
/* Errors of the last call that opens, binds or computes. */
INN_API uint32_t inn_error_count(const inn_job *job);
/* Text of error i as printed ("file:line:col: error: ..."); NULL past the end. */
INN_API const char *inn_error(const inn_job *job, uint32_t i);
INN_API int inn_error_status(const inn_job *job); /* of the first error */
INN_API int inn_exit_code(int status);

/* Opens a model: a file's path, or YAML flow {path: FILE, passes: [...]}; without passes the default ones run. Gives *m, freed with
 * the job. */
INN_API int inn_model_open(inn_job *job, const char *path, inn_model **m) INN_MUST;
/* Binds an analyzer ("gradient", "{type: NAME, parameter: value}") to a model. */
INN_API int inn_analyzer(inn_job *job, inn_model *m, const char *yaml, inn_analysis **a) INN_MUST;
/* From now on inn_analyze gives the relevance that arrived at the outputs of these layers too, behind the maps in this order: exact
 * names of nodes or tensors. Copies them. */
INN_API int inn_analysis_layers(inn_analysis *a, const char *const *layer, size_t n) INN_MUST;
/* x: n_x tensors [S,...] of any dtype in the model's input order; r: as many, zeroed by the caller: shape is set and data
 * given (heap, inn_tensor_free), f64 if r[i].dtype is INN_F64, else f32. */
INN_API int inn_analyze(inn_analysis *a, const struct inn_tensor *x, uint32_t n_x, const struct inn_target *target,
			struct inn_tensor *r) INN_MUST;
/* Fits an analyzer that must be fitted (pattern.net ...) to x, writes its state to the file `state` and takes it. */
INN_API int inn_fit(inn_analysis *a, const struct inn_tensor *x, uint32_t n_x, const char *state) INN_MUST;
/* y: the first output, [S,...]; given like r above. */
INN_API int inn_predict(inn_model *m, const struct inn_tensor *x, uint32_t n_x, struct inn_tensor *y) INN_MUST;

#endif
