/* What the command asks of core beyond the public interface. Private to core/cli and core/job. */
#ifndef INN_JOB_RUN_H
#define INN_JOB_RUN_H
#include <innvestigate/innvestigate.h>
#include <stdio.h>

enum inn__verbosity { INN__SAY_ERRORS, INN__SAY_NORMAL, INN__SAY_ALL };
typedef void (*inn__progress_fn)(void *user, size_t done, size_t total, double seconds);

INN_API void inn__job_verbosity(inn_job *job, enum inn__verbosity v);
INN_API void inn__job_threads(inn_job *job, uint32_t threads);
INN_API void inn__job_progress(inn_job *job, inn__progress_fn fn, void *user);

struct inn__show { /* what `plan` says besides layers and costs */
	bool dump, profile, json; /* json: of the profile */
	const char *floor;        /* a file of floors to put beside it; NULL: none */
};
struct inn__request { /* one analyze, predict, plan or check; NULL and 0: not given. Borrowed */
	const char *model, *analyzer, *target, *preprocess, *output, *labels;
	const char *const *input; /* PATH or NAME=PATH */
	size_t n_input;
	const char *const *layer; /* globs: relevance there is written too */
	size_t n_layer;
	int64_t batch, top;
	double checkpoint;        /* fit: seconds */
	bool json, force, audit;
	double audit_limit;       /* NaN: none */
	struct inn__show show;
	const char *shard;        /* fit: K/N */
	const char *const *file;  /* fit: files of sums to merge */
	size_t n_file;
};
INN_API int inn__request_analyze(inn_job *job, const struct inn__request *r, FILE *out) INN_MUST;
INN_API int inn__request_predict(inn_job *job, const struct inn__request *r, FILE *out) INN_MUST;
INN_API int inn__request_fit(inn_job *job, const struct inn__request *r, FILE *out) INN_MUST;
INN_API int inn__request_merge(inn_job *job, const struct inn__request *r, FILE *out) INN_MUST;
INN_API int inn__request_plan(inn_job *job, const struct inn__request *r, FILE *out) INN_MUST;
INN_API int inn__request_check(inn_job *job, const struct inn__request *r, FILE *out) INN_MUST;

struct inn__config { /* a run's file and the assignments that overlay it; borrowed */
	const char *path;
	const char *const *set;
	size_t n_set;
	bool json, force;
	struct inn__show show;
};
INN_API int inn__config_run(inn_job *job, const struct inn__config *c, FILE *out) INN_MUST;
INN_API int inn__config_check(inn_job *job, const struct inn__config *c, FILE *out) INN_MUST;
INN_API int inn__config_plan(inn_job *job, const struct inn__config *c, FILE *out) INN_MUST;
INN_API int inn__plugin_check(inn_job *job, const char *path, FILE *out) INN_MUST;

/* kind NULL: all. */
INN_API int inn__list(inn_job *job, const char *kind, bool json, FILE *out) INN_MUST;
/* Backends with their devices, and which `auto` takes; tuning of the backend that was chosen. */
INN_API int inn__devices(inn_job *job, bool json, FILE *out) INN_MUST;
INN_API int inn__tune(inn_job *job) INN_MUST;
INN_API int inn__help(inn_job *job, const char *name, FILE *out) INN_MUST;
#endif
