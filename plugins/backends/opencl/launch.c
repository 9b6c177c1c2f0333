/* Launches: kernels with their arguments, copies and fills, recorded while a plan is compiled. */
#include "opencl.h"
#include <stdlib.h>
#include <string.h>

#define SPAN 4096u /* elements of a row that one work-item of a processor takes */

static struct launch *append(struct inn_exec *e, uint32_t op)
{
	struct launch *l = ocl_alloc(e, 1, sizeof(*l));
	struct step *s = &e->step[e->into];

	if (!l)
		return &e->none;
	l->op = op;
	l->last = &l->args;
	l->local[0] = l->local[1] = l->local[2] = 1;
	*(s->last ? s->last : &s->first) = l;
	s->last = &l->next;
	return l;
}

int ocl_note(struct inn_exec *e, const char *name, cl_event event)
{
	if (!ocl_room(e, &e->pending, e->n_pending, 1, &e->cap_pending, sizeof(*e->pending))) {
		clReleaseEvent(event);
		return INN_ENOMEM;
	}
	e->pending[e->n_pending++] = (struct pending){ event, name, e->running };
	return INN_OK;
}

static int enqueued(struct inn_exec *e, const struct launch *l, const char *name, cl_int code, cl_event event)
{
	int s = ocl_check(e->ctx, e, l->op, name, code);

	return s || !event ? s : ocl_note(e, name, event);
}

static int run_kernel(struct inn_exec *e, struct launch *l)
{
	cl_event event = NULL;
	cl_int code = clEnqueueNDRangeKernel(e->dev->queue, l->kernel, 3, NULL, l->global, l->local, 0, NULL, e->dev->profile ? &event : NULL);

	return enqueued(e, l, l->name, code, event);
}

struct launch *ocl_launch(struct inn_exec *e, uint32_t op, const char *name)
{
	struct launch *l = append(e, op);

	l->run = run_kernel;
	l->name = name;
	return l;
}

static void add_arg(struct inn_exec *e, struct launch *l, struct arg a)
{
	struct arg *p = ocl_alloc(e, 1, sizeof(*p));

	if (!p || l == &e->none)
		return;
	*p = a;
	*l->last = p;
	l->last = &p->next;
}

void ocl_arg(struct inn_exec *e, struct launch *l, const void *data, size_t size)
{
	void *copy = ocl_alloc(e, 1, size);

	if (copy)
		add_arg(e, l, (struct arg){ .size = size, .data = memcpy(copy, data, size) });
}

void ocl_int(struct inn_exec *e, struct launch *l, size_t v)
{
	cl_int i = (cl_int)v;

	ocl_arg(e, l, &i, sizeof(i));
}

void ocl_at(struct inn_exec *e, struct launch *l, struct loc at) { add_arg(e, l, (struct arg){ .loc = at }); }

void ocl_grid(struct inn_exec *e, struct launch *l, size_t x, size_t y, size_t z)
{
	l->local[0] = e->dev->local;
	l->global[0] = round_up(x, e->dev->local);
	l->global[1] = y;
	l->global[2] = z;
	if (!x || !y || !z)
		l->run = NULL; /* nothing to do */
}

static void split(struct inn_exec *e, struct launch *l, size_t n, size_t rows)
{
	size_t per = e->dev->lanes == 1 ? 1 : n < SPAN ? n : SPAN;

	ocl_int(e, l, per);
	ocl_grid(e, l, per ? (n + per - 1) / per : 0, rows, 1);
}

void ocl_rows(struct inn_exec *e, struct launch *l, size_t n, size_t rows)
{
	ocl_int(e, l, rows);
	split(e, l, n, rows);
}

void ocl_flat(struct inn_exec *e, struct launch *l, size_t n)
{
	ocl_int(e, l, n);
	split(e, l, n, 1);
}

static int run_copy(struct inn_exec *e, struct launch *l)
{
	struct mem from = ocl_mem(e, l->from), to = ocl_mem(e, l->to);
	cl_event event = NULL;
	cl_int code = clEnqueueCopyBuffer(e->dev->queue, from.mem, to.mem, from.at * sizeof(float), to.at * sizeof(float),
					  l->count * sizeof(float), 0, NULL, e->dev->profile ? &event : NULL);

	return enqueued(e, l, "copying", code, event);
}

static int run_fill(struct inn_exec *e, struct launch *l)
{
	struct mem to = ocl_mem(e, l->to);
	cl_event event = NULL;
	cl_int code = clEnqueueFillBuffer(e->dev->queue, to.mem, &l->value, sizeof(l->value), to.at * sizeof(float), l->count * sizeof(float), 0,
					  NULL, e->dev->profile ? &event : NULL);

	return enqueued(e, l, "filling", code, event);
}

void ocl_copy(struct inn_exec *e, uint32_t op, enum when when, struct loc from, struct loc to, size_t count)
{
	if (!count)
		return;
	struct launch *l = append(e, op);

	l->run = run_copy;
	l->when = when;
	l->from = from;
	l->to = to;
	l->count = count;
}

void ocl_fill(struct inn_exec *e, uint32_t op, struct loc to, size_t count, float value)
{
	if (!count)
		return;
	struct launch *l = append(e, op);

	l->run = run_fill;
	l->to = to;
	l->count = count;
	l->value = value;
}

struct loc ocl_scratch(struct inn_exec *e, size_t count)
{
	struct loc l = { AT_SCRATCH, 0, e->scratch_top };

	e->scratch_top += round_up(count, ALIGN);
	if (e->scratch_top > e->scratch_size)
		e->scratch_size = e->scratch_top;
	return l;
}

struct loc ocl_keep(struct inn_exec *e, size_t count)
{
	struct loc l = { AT_KEPT, 0, e->kept_size };

	e->kept_size += round_up(count, ALIGN);
	return l;
}

static int set_args(struct inn_exec *e, struct launch *l)
{
	cl_uint k = 0;
	cl_int code = CL_SUCCESS;

	for (const struct arg *a = l->args; !code && a; a = a->next) {
		if (a->data) {
			code = clSetKernelArg(l->kernel, k++, a->size, a->data);
			continue;
		}
		struct mem m = ocl_mem(e, a->loc);

		code = clSetKernelArg(l->kernel, k++, sizeof(m.mem), &m.mem);
		if (!code && !l->program)
			code = clSetKernelArg(l->kernel, k++, sizeof(m.at), &m.at);
	}
	return ocl_check(e->ctx, e, l->op, "setting the arguments of a kernel", code);
}

/* A device may allow fewer work-items for a kernel than it does in general. */
static int fit_group(struct inn_exec *e, struct launch *l)
{
	size_t most = 0;
	cl_int code = clGetKernelWorkGroupInfo(l->kernel, e->dev->id, CL_KERNEL_WORK_GROUP_SIZE, sizeof(most), &most, NULL);

	while (!code && l->local[0] > 1 && l->local[0] > most)
		l->local[0] /= 2;
	if (!code && !most)
		code = CL_OUT_OF_RESOURCES;
	return ocl_check(e->ctx, e, l->op, "asking for the work-group size", code);
}

int ocl_bind(struct inn_exec *e)
{
	int s = INN_OK;

	for (uint32_t i = 0; !s && i < e->n_ops; i++)
		for (struct launch *l = e->step[i].first; !s && l; l = l->next) {
			cl_int code;

			if (!l->name || !l->run)
				continue;
			l->kernel = clCreateKernel(l->program ? l->program : e->dev->program, l->name, &code);
			s = ocl_check(e->ctx, e, l->op, l->name, code);
			if (!s)
				s = set_args(e, l);
			if (!s)
				s = fit_group(e, l);
		}
	return s;
}
