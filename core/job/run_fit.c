/* Fitting within a run: analyzers that have no state get one from the data set of `fit:`, in the run's folder. */
#include "config.h"
#include <string.h>

#define CHECKPOINT 60 /* seconds */

/* The analyzer before i that has the same state, or i. */
static size_t same_state(inn_job *job, const struct inn__run *r, size_t i)
{
	const char *identity = inn__fit_identity(job->ctx, &r->analyzers.v[i]);

	for (size_t k = 0; k < i; k++)
		if (inn__fitted(&r->analyzers.v[k]) && !strcmp(identity, inn__fit_identity(job->ctx, &r->analyzers.v[k])))
			return k;
	return i;
}

static int open_data(inn_job *job, struct inn__run *r, struct inn_model *m, struct inn__samples *s)
{
	int status = inn__samples_for(m, false, r->fit->input, r->fit->n_input, &r->fit->pre, s);

	inn__samples_first(s, r->fit->samples);
	return status < 0 ? inn_while(job->ctx, status, NULL, "in the data to fit") : status;
}

/* The state of analyzer i, into *inst: 1 if it needs none. */
static int fit_one(inn_job *job, struct inn__run *r, struct inn_model *m, size_t i, enum inn__fit_how how, struct inn__samples *s, struct inn_inst *inst)
{
	const char *path = inn_printf(job->ctx, "%s/%s.state.%s", r->output.dir, inst->label, job->def.archive);
	struct inn__fit f = { .model = m, .analyzer = &r->analyzers.v[i], .pre = &r->fit->pre, .samples = s, .batch = (uint32_t)r->fit->batch,
			      .interval = CHECKPOINT, .reuse = how == INN__FIT, .only_check = how == INN__FIT_CHECK, .optional = true };
	int status = path ? INN_OK : INN_ENOMEM;

	if (status == INN_OK && how != INN__FIT_CHECK)
		status = inn__make_folder(job->ctx, r->output.dir);
	if (status == INN_OK && !s->n)
		status = open_data(job, r, m, s);
	if (status == INN_OK && (status = inn__fit(job, &f, path)) == INN_OK)
		inst->state = path;
	return status;
}

int inn__run_fit(inn_job *job, struct inn__run *r, struct inn_model *m, enum inn__fit_how how)
{
	struct inn_inst *v = inn_alloc(job->ctx, r->analyzers.n + 1, sizeof(*v)), *kept = inn_alloc(job->ctx, r->analyzers.n + 1, sizeof(*kept));
	struct inn__samples s = { 0 };
	int status = v && kept ? INN_OK : INN_ENOMEM;
	size_t n = 0;

	for (size_t i = 0; status >= 0 && i < r->analyzers.n; i++) {
		bool needed = r->fit && inn__fitted(&r->analyzers.v[i]);
		size_t k = needed ? same_state(job, r, i) : i;

		v[i] = r->analyzers.v[i];
		if (k < i)
			v[i].state = v[k].state;
		else if (needed)
			status = fit_one(job, r, m, i, how, &s, &v[i]);
		if (how != INN__FIT_CHECK || !needed || !v[i].state)
			kept[n++] = v[i];
	}
	inn__samples_free(&s);
	if (status < 0)
		return status;
	r->analyzers = (struct inn_insts){ n, kept };
	return INN_OK;
}
