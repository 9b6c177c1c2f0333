/* From sums over a data set to the state of an analyzer: its `finish`, one part of the state at a time, in doubles. */
#include "job.h"
#include <stdlib.h>
#include <string.h>

struct finishing {
	inn_job *job;
	struct inn_named *sum, *kept;
	uint32_t n_sum, n_kept;
};

static const struct inn_tensor *find(void *user, const struct inn_inst *inst, const char *name, bool must)
{
	struct finishing *f = user;

	(void)inst;
	for (uint32_t i = 0; i < f->n_sum; i++)
		if (!strcmp(f->sum[i].name, name))
			return &f->sum[i].t;
	if (must && !inn_failed(f->job->ctx))
		inn_fail(f->job->ctx, INN_EBUG, NULL, "%s is no statistic of this fit", name);
	return NULL;
}

/* Runs a plan of one output. */
static int compute(struct finishing *f, struct inn_plan *p)
{
	inn_job *job = f->job;
	struct inn_named *k = &f->kept[f->n_kept];
	inn_exec *exec;
	uint32_t op = 0;
	int status = inn__backend_compile(job, p, &exec);

	while (op < p->n_ops && inn_plan_op(p, op)->code != INN_OP_OUTPUT)
		op++;
	if (status < 0)
		return status;
	const struct inn_op *o = inn_plan_op(p, op);

	k->name = inn_strdup(job->ctx, p->names[p->attr[o->attr]]);
	k->t = (struct inn_tensor){ .shape = o->shape, .dtype = INN_F64 };
	status = k->name ? inn_tensor_alloc(job->ctx, &k->t) : INN_ENOMEM;
	f->n_kept += status == INN_OK;
	if (status == INN_OK && (status = job->ops->run(job->ctx, exec)) == INN_OK)
		status = job->ops->read(job->ctx, exec, op, &k->t);
	job->ops->release(exec);
	if (status == INN_OK && inn_tensor_nonfinite(&k->t) != SIZE_MAX)
		status = inn_fail(job->ctx, INN_ENONFINITE, NULL, "%s of the state is not finite", k->name);
	return status;
}

static int compute_all(struct finishing *f, inn_build *b)
{
	uint32_t n = inn__sinks(b);
	int status = INN_OK;

	if (!(f->kept = inn_alloc(f->job->ctx, n + 1, sizeof(*f->kept))))
		return INN_ENOMEM;
	for (uint32_t i = 0; status == INN_OK && i < n; i++) {
		struct inn_plan *p = inn__close_sink(b, i);

		status = p ? compute(f, p) : inn__last_status(f->job->ctx);
		inn__plan_free(p);
	}
	return status;
}

static int record(struct finishing *f, struct inn_model *m, const struct inn_inst *a, inn_build *b)
{
	const struct inn_analyzer_ops *ops = (const struct inn_analyzer_ops *)(const void *)a->cls;
	struct inn__store store = { .user = f, .find = find };
	int status = inn__net_attach(b, m->graph);

	if (status < 0)
		return status;
	inn__net_store(b, &store, a);
	ops->finish(b, a->opts);
	inn__net_store(b, NULL, NULL);
	return inn_failed(f->job->ctx) ? inn_while(f->job->ctx, inn__last_status(f->job->ctx), &a->loc, "while finishing %s", a->label) : INN_OK;
}

int inn__fit_finish(inn_job *job, struct inn_model *m, const struct inn_inst *analyzer, struct inn__head *h, struct inn_named *sums, uint32_t n,
		    const char *path)
{
	struct finishing f = { .job = job, .sum = sums, .n_sum = n };
	struct inn__other main;
	inn_build *b = inn__build_new(job->ctx, 1);
	int status = b ? record(&f, m, analyzer, b) : INN_ENOMEM;

	if (status == INN_OK) {
		if ((status = inn__finish_begin(job, &main)) == INN_OK)
			status = compute_all(&f, b);
		inn__finish_end(job, &main);
	}
	inn__build_free(b);
	for (uint32_t i = 0; i < n; i++)
		inn_tensor_free(&sums[i].t);
	h->kind = INN__STATE;
	if (status == INN_OK)
		status = inn__head_write(job, path, h, f.kept, f.n_kept);
	for (uint32_t i = 0; i < f.n_kept; i++)
		inn_tensor_free(&f.kept[i].t);
	return status;
}
