/* Plans on the device: how many iterations run side by side, within the memory that is allowed. */
#include "job.h"
#include <stdio.h>
#include <string.h>

/* Where inputs and outputs ended up in the closed plan. */
void inn__exec_locate(struct inn__exec *e)
{
	const struct inn_plan *p = e->plan;
	uint32_t k;

	for (uint32_t i = 0; i < p->n_ops; i++) {
		const struct inn_op *o = inn_plan_op(p, i);
		const uint32_t *a = p->attr + o->attr;

		if (o->code == INN_OP_OUTPUT && sscanf(p->names[a[0]], "%u", &k) == 1 && k < e->n_out)
			e->out[k] = i;
		if (o->code != INN_OP_INPUT)
			continue;
		if (a[1])
			*(a[1] == 1 ? &e->ids : &e->valid) = i;
		else if (!strcmp(p->names[a[0]], "pick"))
			e->pick = i;
		else if (sscanf(p->names[a[0]], "%u", &k) == 1 && k < e->n_x)
			e->x[k] = i;
	}
}

static void replace(struct inn__exec *e, struct inn_plan *p)
{
	inn__plan_free(e->plan);
	e->plan = p;
	inn__exec_locate(e);
}

/* Follows from the plan, the device and the limit alone. */
int inn__exec_settle(inn_job *job, struct inn__exec *e)
{
	uint32_t before = inn__errors(job->ctx), rows;
	int status = e->settled ? INN_OK : inn__backend_open(job);

	if (e->settled || status < 0)
		return status;
	for (rows = job->ops->rows ? job->ops->rows(job->dev, e->plan) : 0; rows > e->batch; rows /= 2) {
		struct inn_plan *wide;

		if ((status = inn__widen(job->ctx, e->plan, rows, &wide)) < 0)
			return status;
		if (!wide)
			break;
		status = job->memory ? inn__backend_compile(job, wide, &e->exec) : INN_OK;
		if (status == INN_OK) {
			replace(e, wide);
			break;
		}
		inn__plan_free(wide);
		if (status != INN_ELIMIT || before)
			return status;
		inn__errors_clear(job->ctx);
	}
	e->settled = true;
	return job->memory && !e->exec ? inn__backend_compile(job, e->plan, &e->exec) : INN_OK;
}

int inn__exec_load(inn_job *job, struct inn__exec *e)
{
	int status = inn__exec_settle(job, e);

	return status < 0 || e->exec ? status : inn__backend_compile(job, e->plan, &e->exec);
}

int inn__exec_run(inn_job *job, struct inn__exec *e)
{
	int status = job->ops->run(job->ctx, e->exec);

	if (status == INN_OK && !e->read && (status = inn__file_same(job->ctx, &e->model->file, INN_EMODEL)) == INN_OK)
		e->read = true;
	return status;
}

void inn__exec_forget(struct inn__exec *e)
{
	for (size_t i = 0; e->layers && i < e->n_layers; i++)
		inn__probe_free(&e->layers[i].probe);
	e->n_layers = 0;
}

void inn__exec_free(inn_job *job, struct inn__exec *e)
{
	if (!e)
		return;
	inn__prep_free(job, e->prep);
	if (e->exec && job->ops->release)
		job->ops->release(e->exec);
	inn__plan_free(e->plan);
	inn__exec_forget(e);
	e->prep = NULL;
	e->exec = NULL;
	e->plan = NULL;
}
