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

void ocl_times(struct inn_exec *e)
{
	for (size_t i = 0; i < e->n_pending; i++) {
		cl_ulong from, to;
		cl_event ev = e->pending[i].event;

		if (!clGetEventProfilingInfo(ev, CL_PROFILING_COMMAND_START, sizeof(from), &from, NULL) &&
		    !clGetEventProfilingInfo(ev, CL_PROFILING_COMMAND_END, sizeof(to), &to, NULL))
			add(e, e->pending[i].name, (double)(to - from) * 1e-6);
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
	if (!e->n_timing)
		return;
	qsort(e->timing, e->n_timing, sizeof(*e->timing), slower);
	inn_warn(e->ctx, NULL, "opencl: %.2f ms in kernels", all);
	for (uint32_t k = 0; k < e->n_timing; k++)
		inn_warn(e->ctx, NULL, "opencl: %9.2f ms %5.1f %% %6u x %s", e->timing[k].ms, 100 * e->timing[k].ms / all, e->timing[k].n,
			 e->timing[k].name);
}
