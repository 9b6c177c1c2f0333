/* What metrics measured, as tables and pictures. Private to core/job. */
#ifndef INN_JOB_REPORT_H
#define INN_JOB_REPORT_H
#include "config.h"

struct inn__interval { double mean, low, high; }; /* low, high: NaN if there is one sample */
/* Of the columns of t [n] or [n,points], at a confidence of 95 %. */
void inn__intervals(const struct inn_tensor *t, struct inn__interval *out);
double inn__t_quantile(size_t freedom); /* the factor at that confidence; freedom > 0 */

enum inn__verdict { INN__CONTROL, INN__ABOVE, INN__BELOW, INN__OVERLAPS, INN__UNKNOWN };
struct inn__entry { /* one analyzer under one metric */
	const struct inn_inst *analyzer;
	struct inn__interval score;
	enum inn__verdict verdict; /* of its interval and the control's */
};
struct inn__series { const struct inn__measure *of; struct inn__interval *v; }; /* of->n_at points, or one */
struct inn__report {
	inn_job *job;
	const struct inn__run *run;
	const struct inn__exec *exec;
	const struct inn_tensor *out; /* all outputs */
	const struct inn_inst *analyzers;
	size_t n_analyzers, control, samples;
	struct inn__series *series;   /* one for each of exec->measure */
	struct inn__entry *entry;     /* n_analyzers of each metric, the best first */
};
/* All numbers of the report. */
int inn__report_make(struct inn__report *r) INN_MUST;
/* metrics.json, metrics.csv, curves.csv, the samples' numbers and the pictures of curves, in the run's folder. */
int inn__report_write(struct inn__report *r) INN_MUST;
void inn__report_json(const struct inn__report *r, struct inn__text *t); /* what metrics.json holds */
/* The ranked tables. */
void inn__report_print(const struct inn__report *r, FILE *out);
/* The files it writes are there. */
bool inn__report_there(inn_job *job, const struct inn__run *run);
#endif
