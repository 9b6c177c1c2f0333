/* Running the blocks, leaves, loops and sinks, and the traffic with the host. */
#include "cpu.h"
#include <omp.h>
#include <string.h>

static int fill_const(struct inn_exec *e, uint32_t i, void *arg)
{
	float c = (float)inn_op_value(e->p, i);

	(void)arg;
	for (size_t j = 0; j < e->count[i]; j++)
		e->at[i][j] = c;
	return INN_OK;
}

static int fill_iota(struct inn_exec *e, uint32_t i, void *arg)
{
	(void)arg;
	for (size_t j = 0; j < e->count[i]; j++)
		e->at[i][j] = (float)j;
	return INN_OK;
}

static int copy(struct inn_exec *e, uint32_t i, void *arg)
{
	(void)arg;
	memcpy(e->at[i], e->at[src_of(e, i, 0)], e->count[i] * sizeof(float));
	return INN_OK;
}

static uint32_t iteration(const struct inn_exec *e, uint32_t i, uint32_t k) { return e->iter[src_of(e, i, k)]; }

static int loop_sum(struct inn_exec *e, uint32_t i, void *arg)
{
	const float *x = e->at[src_of(e, i, 0)];
	float *y = e->at[i];
	size_t n = e->count[i], k = e->count[src_of(e, i, 0)] / n; /* iterations side by side */
	bool first = !iteration(e, i, 1);

	(void)arg;
#pragma omp parallel for num_threads(threads_for(e, n * k)) schedule(static)
	for (size_t j = 0; j < n; j++) {
		float sum = first ? x[j] : y[j];

		for (size_t m = first; m < k; m++)
			sum += x[m * n + j];
		y[j] = sum;
	}
	return INN_OK;
}

static int loop_stack(struct inn_exec *e, uint32_t i, void *arg)
{
	const struct inn_shape *s = &op_of(e, i)->shape;
	const float *x = e->at[src_of(e, i, 0)];
	size_t rows = s->dim[0], n = rows && s->dim[1] ? e->count[i] / rows / s->dim[1] : 0;
	size_t k = n ? e->count[src_of(e, i, 0)] / rows / n : 0; /* iterations side by side */

	(void)arg;
	for (size_t r = 0; n && r < rows * k; r++)
		memcpy(e->at[i] + (r % rows * s->dim[1] + iteration(e, i, 1) * k + r / rows) * n, x + r * n, n * sizeof(*x));
	return INN_OK;
}

/* What the next iteration reads stands apart from the arena, so that carries may exchange their values. */
static int carry(struct inn_exec *e, uint32_t i, void *arg)
{
	const float *from = arg && iteration(e, i, 1) ? arg : e->at[src_of(e, i, 0)];

	memcpy(e->at[i], from, e->count[i] * sizeof(*from));
	return INN_OK;
}

static int loop_last(struct inn_exec *e, uint32_t i, void *arg)
{
	const float *next = e->at[src_of(e, i, 0)];

	memcpy(arg, next, e->count[i] * sizeof(*next));
	memcpy(e->at[i], next, e->count[i] * sizeof(*next));
	return INN_OK;
}

static int accumulate(struct inn_exec *e, uint32_t i, void *arg)
{
	const float *x = e->at[src_of(e, i, 0)];

	(void)arg;
	double *state = e->state[i];
	size_t n = e->count[i];

#pragma omp parallel for num_threads(threads_for(e, n)) schedule(static)
	for (size_t j = 0; j < n; j++)
		state[j] += (double)x[j];
	return INN_OK;
}

int cpu_loop(struct inn_exec *e, uint32_t i)
{
	struct step *s = &e->step[i];

	s->op = i;
	if (!e->count[i])
		return INN_OK;
	switch (op_of(e, i)->code) {
	case INN_OP_PARAM: return cpu_param(e, i);
	case INN_OP_CONST: s->fn = e->need[i] ? fill_const : NULL; break;
	case INN_OP_IOTA: s->fn = e->need[i] ? fill_iota : NULL; break;
	case INN_OP_OUTPUT: s->fn = copy; break;
	case INN_OP_LOOP_SUM: s->fn = loop_sum; break;
	case INN_OP_LOOP_STACK: s->fn = loop_stack; break;
	case INN_OP_CARRY:
		s->fn = carry;
		break;
	case INN_OP_LOOP_LAST:
		s->fn = loop_last;
		if (!(s->arg = cpu_alloc(e, e->count[i], sizeof(float))))
			return INN_ENOMEM;
		e->step[inn_plan_src(e->p, i, 1)].arg = s->arg;
		e->state_size += e->count[i] * sizeof(float);
		break;
	case INN_OP_ACCUMULATE:
		s->fn = accumulate;
		if (!(e->state[i] = cpu_alloc(e, e->count[i], sizeof(double))))
			return INN_ENOMEM;
		e->state_size += e->count[i] * sizeof(double);
		break;
	default: break;
	}
	return INN_OK;
}

/* One step, its result in the other layout where somebody reads that, and the weights made of it. */
static int run_step(struct inn_exec *e, uint32_t i)
{
	double start = cpu_now(e);
	int s = INN_OK;

	if (e->step[i].fn) {
		s = e->step[i].fn(e, i, e->step[i].arg);
		cpu_spend(e, i, AS_STEP, start);
	}
	for (const struct twin *t = e->after[i].next; !s && t; t = t->next) {
		start = cpu_now(e);
		s = cpu_run_product(e, t->op, t->product);
		cpu_spend(e, t->op, AS_TWIN, start);
	}
	return s ? s : cpu_run_once(e, i);
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
		if (b >= 2 && op_of(e, k->index)->code == INN_OP_INDEX) {
			e->iter[k->index] = it;
			*e->at[k->index] = (float)it;
			if (inn_cancelled(e->ctx))
				return inn_fail(e->ctx, INN_ECANCEL, NULL, "cpu: stopped");
		}
		s = pass(e, b);
	}
	return s;
}

int cpu_run(inn_ctx *ctx, inn_exec *e)
{
	int s = INN_OK;

	e->ctx = ctx;
	omp_set_num_threads(e->dev->threads);
	if (!e->ready && e->p->n_blocks) {
		e->next_once = 0;
		s = run_block(e, 0);
		e->ready = !s;
	}
	return s || e->p->n_blocks < 2 ? s : run_block(e, 1);
}

static int fits(inn_ctx *ctx, const struct inn_exec *e, uint32_t i, const struct inn_tensor *t)
{
	char a[INN_SHAPE_STR], b[INN_SHAPE_STR];

	if (i >= e->n_ops)
		return inn_fail(ctx, INN_EBUG, NULL, "cpu: the plan has no operation %u", i);
	if (!inn_shape_eq(&t->shape, &op_of(e, i)->shape))
		return inn_fail(ctx, INN_ESHAPE, NULL, "cpu: %s wants %s, the tensor is %s", inn_op_name(op_of(e, i)->code),
				inn_shape_str(&op_of(e, i)->shape, a), inn_shape_str(&t->shape, b));
	return INN_OK;
}

int cpu_write(inn_ctx *ctx, inn_exec *e, uint32_t i, const struct inn_tensor *t)
{
	int s = fits(ctx, e, i, t);

	if (s)
		return s;
	uint32_t code = op_of(e, i)->code;

	if (code == INN_OP_ACCUMULATE) {
		inn_convert(t->data, t->dtype, e->state[i], INN_F64, e->count[i]);
		return INN_OK;
	}
	if (code != INN_OP_INPUT && code != INN_OP_PARAM)
		return inn_fail(ctx, INN_EBUG, NULL, "cpu: %s cannot be written", inn_op_name(code));
	if (code == INN_OP_PARAM) {
		*(struct inn_tensor *)e->step[i].arg = *t;
		return INN_OK;
	}
	/* Sample ids are no floats: all 32 bits count. */
	bool ids = op_of(e, i)->n_attr > 1 && attr_of(e, i)[1] == 1;

	inn_convert(t->data, t->dtype, e->at[i], ids ? INN_U32 : INN_F32, e->count[i]);
	return INN_OK;
}

int cpu_share(inn_ctx *ctx, inn_exec *e, uint32_t i, double *sums)
{
	if (i >= e->n_ops || op_of(e, i)->code != INN_OP_ACCUMULATE)
		return inn_fail(ctx, INN_EBUG, NULL, "cpu: operation %u is no sum", i);
	e->state[i] = sums;
	return INN_OK;
}

int cpu_read(inn_ctx *ctx, inn_exec *e, uint32_t i, struct inn_tensor *t)
{
	int s = fits(ctx, e, i, t);

	if (s)
		return s;
	uint32_t code = op_of(e, i)->code;

	if ((code != INN_OP_OUTPUT && code != INN_OP_ACCUMULATE) || (t->dtype != INN_F32 && t->dtype != INN_F64))
		return inn_fail(ctx, INN_EBUG, NULL, "cpu: %s cannot be read as %s", inn_op_name(code), inn_dtype_name(t->dtype));
	if (code == INN_OP_ACCUMULATE)
		inn_convert(e->state[i], INN_F64, t->data, t->dtype, e->count[i]);
	else
		inn_convert(e->at[i], INN_F32, t->data, t->dtype, e->count[i]);
	return INN_OK;
}
