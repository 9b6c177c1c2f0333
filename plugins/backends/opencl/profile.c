/* Where the time went: sums over the launches of each kernel, said when the executable is released. */
#include "opencl.h"
#include <stdlib.h>
#include <string.h>

static void add(struct inn_exec *e, const char *name, double ms)
{
	uint32_t k = 0;

	while (k < e->n_timing && strcmp(e->timing[k].name, name))
		k++;
	if (k == e->n_timing) {
		size_t cap = e->cap_timing;

		if (!ocl_room(e, &e->timing, k, 1, &cap, sizeof(*e->timing)))
			return;
		e->cap_timing = (uint32_t)cap;
		e->timing[e->n_timing++] = (struct timing){ .name = name };
	}
	e->timing[k].ms += ms;
	e->timing[k].n++;
}

static void spend(struct inn_exec *e, const struct pending *p, double ms)
{
	add(e, p->name, ms);
	if (e->spent)
		e->spent[p->step].seconds += ms * 1e-3;
}

void ocl_times(struct inn_exec *e)
{
	for (size_t i = 0; i < e->n_pending; i++) {
		cl_ulong from, to;
		cl_event ev = e->pending[i].event;

		if (!clGetEventProfilingInfo(ev, CL_PROFILING_COMMAND_START, sizeof(from), &from, NULL) &&
		    !clGetEventProfilingInfo(ev, CL_PROFILING_COMMAND_END, sizeof(to), &to, NULL))
			spend(e, &e->pending[i], (double)(to - from) * 1e-6);
		clReleaseEvent(ev);
	}
	e->n_pending = 0;
}

static int slower(const void *a, const void *b)
{
	const struct timing *p = a, *q = b;

	return p->ms < q->ms ? 1 : p->ms > q->ms ? -1 : strcmp(p->name, q->name);
}

void ocl_report(struct inn_exec *e)
{
	double all = 0;

	for (uint32_t k = 0; k < e->n_timing; k++)
		all += e->timing[k].ms;
	if (!e->n_timing || !e->dev->report)
		return;
	qsort(e->timing, e->n_timing, sizeof(*e->timing), slower);
	inn_warn(e->ctx, NULL, "opencl: %.2f ms in kernels", all);
	for (uint32_t k = 0; k < e->n_timing; k++)
		inn_warn(e->ctx, NULL, "opencl: %9.2f ms %5.1f %% %6u x %s", e->timing[k].ms, 100 * e->timing[k].ms / all, e->timing[k].n,
			 e->timing[k].name);
}

/* Launches are measured by a queue that was made for it. */
static int measure(struct inn_exec *e)
{
	cl_command_queue queue;
	cl_int code;

	if (e->dev->profile)
		return INN_OK;
	queue = clCreateCommandQueue(e->dev->context, e->dev->id, CL_QUEUE_PROFILING_ENABLE, &code);
	if (code)
		return ocl_check(e->ctx, NULL, NONE, "making a queue that measures", code);
	clFinish(e->dev->queue);
	clReleaseCommandQueue(e->dev->queue);
	e->dev->queue = queue;
	e->dev->profile = true;
	return INN_OK;
}

int ocl_profile(inn_ctx *ctx, inn_exec *e, void (*show)(void *user, const struct inn_timing *t), void *user)
{
	uint32_t *with;

	e->ctx = ctx;
	if (!e->spent)
		return (e->spent = ocl_alloc(e, (size_t)e->n_ops + 1, sizeof(*e->spent))) ? measure(e) : INN_ENOMEM;
	if (!(with = calloc((size_t)e->n_ops + 1, sizeof(*with))))
		return inn_nomem(ctx);
	clFinish(e->dev->queue);
	ocl_times(e);
	for (uint32_t i = 0; i < e->n_ops; i++) {
		struct inn_timing t = { .op = i, .with = with, .how = "", .runs = e->spent[i].runs, .seconds = e->spent[i].seconds };

		e->spent[i] = (struct spent){ 0 };
		for (uint32_t j = 0; t.runs && j < i; j++)
			if (is_map(op_of(e, j)->code) && e->last[j] == i)
				with[t.n_with++] = j;
		if (t.runs)
			show(user, &t);
	}
	free(with);
	return INN_OK;
}
