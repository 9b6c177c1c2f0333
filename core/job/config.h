/* A run's configuration, bound. Private to core/job. */
#ifndef INN_JOB_CONFIG_H
#define INN_JOB_CONFIG_H
#include "job.h"

struct inn__output { const char *dir, *sheet, *maps, *plots; int64_t columns; }; /* maps, plots: suffix, "none" or "" (the default) */
struct inn__run {
	const char *path, *model;
	struct inn_insts passes;  /* v NULL: the defaults */
	struct inn_strs outputs;
	bool audit;
	double audit_limit;      /* NaN: none */
	const char **input;
	size_t n_input;
	int64_t samples;         /* the first of them; 0: all */
	const char *labels;
	struct inn__pre pre;
	struct inn_target target;
	struct inn_insts analyzers, metrics;
	struct inn_inst control; /* of the metrics: measured beside the analyzers unless one of them is of its class */
	int64_t batch, threads;
	const char *memory;
	bool strict;
	int nonfinite;
	struct inn__output output;
	struct inn__run *fit;    /* its input, samples and batch: what analyzers without a state are fitted to; NULL: nothing */
	const struct inn__yaml *input_keys; /* names of the network's inputs, checked when it is known */
};
/* Binds all of it before a model or a device is opened. */
int inn__run_bind(inn_job *job, const struct inn__config *c, struct inn__run *r) INN_MUST;
/* run_fit.c: gives analyzers that must be fitted their states, made of the data of `fit:`. */
enum inn__fit_how { INN__FIT, INN__FIT_OVER, INN__FIT_CHECK }; /* OVER: over other states; CHECK: only whether it can be done, and
								* analyzers that have no state yet are left out of the run */
int inn__run_fit(inn_job *job, struct inn__run *r, struct inn_model *m, enum inn__fit_how how) INN_MUST;
/* manifest.c: what was computed from what, as JSON. */
struct inn__text;
void inn__manifest(inn_job *job, const struct inn__run *r, struct inn_model *m, const struct inn__samples *s,
		   const struct inn__exec *e, struct inn__text *t);
uint64_t inn__manifest_hash(const struct inn__text *t); /* of all of it: what an interrupted pass is known by */
enum inn__found { INN__NONE, INN__SAME, INN__OTHER };
enum inn__found inn__manifest_compare(const char *path, const struct inn__text *now);
#endif
