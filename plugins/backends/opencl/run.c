/* Running the blocks, and the traffic with the host: one write and one read for each batch. */
#include "opencl.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool due(const struct inn_exec *e, const struct launch *l)
{
	uint32_t index, it;

	if (l->when == ALWAYS)
		return true;
	index = root_of(e, l->op, op_of(e, l->op)->n_src - 1);
	it = e->iter[index];
	return l->when == FIRST ? !it : l->when == LATER ? it > 0 : it + 1 == e->total[index];
}

static int run_step(struct inn_exec *e, uint32_t i)
{
	int s = INN_OK;

	e->running = i;
	for (struct launch *l = e->step[i].first; !s && l; l = l->next)
		if (l->run && due(e, l))
			s = l->run(e, l);
	if (e->spent && e->step[i].first)
		e->spent[i].runs++;
	return s;
}

static int run_block(struct inn_exec *e, uint32_t b);

/* One pass over a block: its own steps, and the blocks nested in it as they come. */
static int pass(struct inn_exec *e, uint32_t b)
{
	const struct inn_block *k = e->p->blocks;
	uint32_t end = k[b].first + k[b].n, child = b + 1;
	int s = INN_OK;

	for (uint32_t i = k[b].first; !s && i < end;) {
		while (child < e->p->n_blocks && (k[child].parent != b || k[child].first < i || child < 2))
			child++;
		if (child < e->p->n_blocks && k[child].first == i) {
			s = run_block(e, child);
			i += k[child++].n;
		} else {
			s = run_step(e, i++);
		}
	}
	return s;
}

static int run_block(struct inn_exec *e, uint32_t b)
{
	const struct inn_block *k = &e->p->blocks[b];
	uint32_t count = b < 2 ? 1 : k->count;
	int s = INN_OK;

	for (uint32_t it = 0; !s && it < count; it++) {
		if (b >= 2) {
			struct mem m = e->value[k->index];
			float at = (float)it;

			e->iter[k->index] = it;
			if (inn_cancelled(e->ctx))
				return inn_fail(e->ctx, INN_ECANCEL, NULL, "opencl: stopped");
			s = ocl_check(e->ctx, e, k->index, "setting an index",
				      clEnqueueFillBuffer(e->dev->queue, m.mem, &at, sizeof(at), m.at * sizeof(float), sizeof(at), 0, NULL, NULL));
		}
		if (!s)
			s = pass(e, b);
	}
	return s;
}

/* The previous batch's inputs may still be on their way. */
static int wait_written(struct inn_exec *e)
{
	cl_int code = e->written ? clWaitForEvents(1, &e->written) : CL_SUCCESS;

	if (e->written)
		clReleaseEvent(e->written);
	e->written = NULL;
	return ocl_check(e->ctx, NULL, NONE, "writing inputs", code);
}

static int send_inputs(struct inn_exec *e)
{
	int s = wait_written(e);

	if (s || !e->dirty || !e->in_size)
		return s;
	s = ocl_check(e->ctx, NULL, NONE, "writing inputs",
		      clEnqueueWriteBuffer(e->dev->queue, e->in, CL_FALSE, 0, e->in_size * sizeof(float), e->in_host, 0, NULL, &e->written));
	e->dirty = s != INN_OK;
	return s;
}

int ocl_run(inn_ctx *ctx, inn_exec *e)
{
	const cl_int none = 0;
	int s;

	e->ctx = ctx;
	e->fetched = false;
	s = send_inputs(e);
	if (!s && e->takes)
		s = ocl_check(ctx, NULL, NONE, "clearing the flag",
			      clEnqueueFillBuffer(e->dev->queue, e->out, &none, sizeof(none), (e->out_size - ALIGN) * sizeof(float), sizeof(none), 0,
						  NULL, NULL));
	if (!s && !e->ready && e->p->n_blocks)
		s = run_block(e, 0);
	e->ready = !s;
	if (!s && e->p->n_blocks > 1)
		s = run_block(e, 1);
	return s ? s : ocl_check(ctx, NULL, NONE, "starting the queue", clFlush(e->dev->queue));
}

/* Everything that happened since the last call comes back here, failures too. */
static int fetch(struct inn_exec *e)
{
	cl_int flag;
	int s;

	if (e->fetched)
		return INN_OK;
	s = ocl_check(e->ctx, NULL, NONE, "computing",
		      clEnqueueReadBuffer(e->dev->queue, e->out, CL_TRUE, 0, e->out_size * sizeof(float), e->out_host, 0, NULL, NULL));
	if (s)
		return s;
	ocl_times(e);
	memcpy(&flag, e->out_host + e->out_size - ALIGN, sizeof(flag));
	if (e->takes && flag > 0 && (uint32_t)flag <= e->n_ops) {
		const struct inn_op *o = op_of(e, (uint32_t)flag - 1);

		return inn_fail(e->ctx, INN_EDATA, NULL, "opencl: %s%s%s: an index lies outside its axis", inn_op_name(o->code),
				*o->from ? " of " : "", o->from);
	}
	e->fetched = true;
	return INN_OK;
}

/* The operation's code, or 0 after recording. */
static uint32_t port(struct inn_exec *e, uint32_t i, const struct inn_tensor *t)
{
	char a[INN_SHAPE_STR], b[INN_SHAPE_STR];

	if (i >= e->n_ops) {
		inn_fail(e->ctx, INN_EBUG, NULL, "opencl: the plan has no operation %u", i);
		return 0;
	}
	if (inn_shape_eq(&t->shape, &op_of(e, i)->shape))
		return op_of(e, i)->code;
	inn_fail(e->ctx, INN_ESHAPE, NULL, "opencl: %s wants %s, the tensor is %s", inn_op_name(op_of(e, i)->code),
		 inn_shape_str(&op_of(e, i)->shape, a), inn_shape_str(&t->shape, b));
	return 0;
}

static int write_param(struct inn_exec *e, uint32_t i, const struct inn_tensor *t)
{
	const void *data = t->data;
	float *copy = NULL;

	e->ready = false;
	if (!e->count[i])
		return INN_OK;
	if (t->dtype != INN_F32) {
		if (!(copy = malloc(e->count[i] * sizeof(*copy))))
			return inn_nomem(e->ctx);
		inn_convert(t->data, t->dtype, copy, INN_F32, e->count[i]);
		data = copy;
	}
	int s = ocl_check(e->ctx, e, i, "writing weights",
			  clEnqueueWriteBuffer(e->dev->queue, e->param[i], CL_TRUE, 0, e->count[i] * sizeof(float), data, 0, NULL, NULL));

	free(copy);
	return s;
}

/* A double as the two floats that read_state adds: what it gave comes back to the bit. */
static int write_state(struct inn_exec *e, uint32_t i, const struct inn_tensor *t)
{
	size_t n = e->count[i], low = round_up(n, ALIGN), room = low + n;
	struct mem m = ocl_mem(e, e->state[i]);
	float *both = calloc(room + 1, sizeof(*both));
	int s = both ? INN_OK : inn_nomem(e->ctx);

	for (size_t k = 0; !s && k < n; k++) {
		double v = inn_tensor_real(t, k);

		both[k] = (float)v;
		both[low + k] = (float)(v - (double)both[k]);
	}
	if (!s && n)
		s = ocl_check(e->ctx, e, i, "writing a sum",
			      clEnqueueWriteBuffer(e->dev->queue, m.mem, CL_TRUE, m.at * sizeof(float), room * sizeof(float), both, 0, NULL, NULL));
	free(both);
	return s;
}

int ocl_write(inn_ctx *ctx, inn_exec *e, uint32_t i, const struct inn_tensor *t)
{
	e->ctx = ctx;
	uint32_t code = port(e, i, t);
	int s;

	if (!code)
		return i >= e->n_ops ? INN_EBUG : INN_ESHAPE;
	if (code == INN_OP_PARAM)
		return write_param(e, i, t);
	if (code == INN_OP_ACCUMULATE)
		return write_state(e, i, t);
	if (code != INN_OP_INPUT)
		return inn_fail(ctx, INN_EBUG, NULL, "opencl: %s cannot be written", inn_op_name(code));
	if ((s = wait_written(e)))
		return s;
	/* Sample ids are no floats: all 32 bits count. */
	bool ids = op_of(e, i)->n_attr > 1 && attr_of(e, i)[1] == 1;

	inn_convert(t->data, t->dtype, e->in_host + e->value[i].at, ids ? INN_U32 : INN_F32, e->count[i]);
	e->dirty = true;
	return INN_OK;
}

/* The two floats of each sum. */
static int read_state(struct inn_exec *e, uint32_t i, struct inn_tensor *t)
{
	size_t n = e->count[i], room = round_up(n, ALIGN) + n;
	struct mem m = ocl_mem(e, e->state[i]);
	float *both = malloc(room * sizeof(*both) + 1);
	double *sum = malloc(n * sizeof(*sum) + 1);
	int s = both && sum ? INN_OK : inn_nomem(e->ctx);

	if (!s && n)
		s = ocl_check(e->ctx, e, i, "reading a sum",
			      clEnqueueReadBuffer(e->dev->queue, m.mem, CL_TRUE, m.at * sizeof(float), room * sizeof(float), both, 0, NULL, NULL));
	for (size_t k = 0; !s && k < n; k++)
		sum[k] = (double)both[k] + both[room - n + k];
	if (!s)
		inn_convert(sum, INN_F64, t->data, t->dtype, n);
	free(both);
	free(sum);
	return s;
}

int ocl_read(inn_ctx *ctx, inn_exec *e, uint32_t i, struct inn_tensor *t)
{
	e->ctx = ctx;
	uint32_t code = port(e, i, t);
	int s;

	if (!code)
		return i >= e->n_ops ? INN_EBUG : INN_ESHAPE;
	if ((code != INN_OP_OUTPUT && code != INN_OP_ACCUMULATE) || (t->dtype != INN_F32 && t->dtype != INN_F64))
		return inn_fail(ctx, INN_EBUG, NULL, "opencl: %s cannot be read as %s", inn_op_name(code), inn_dtype_name(t->dtype));
	if ((s = fetch(e)))
		return s;
	if (code == INN_OP_ACCUMULATE)
		return read_state(e, i, t);
	inn_convert(e->out_host + e->value[i].at, INN_F32, t->data, t->dtype, e->count[i]);
	return INN_OK;
}
