/* Bias and ReLU that a convolution does on its way to memory, where nobody else reads what stands between. */
#include "cpu.h"

struct readers { uint32_t *count, *only; }; /* how many read an operation; one of them */

static bool count_readers(struct inn_exec *e, struct readers *r)
{
	r->count = cpu_alloc(e, (size_t)e->n_ops + 1, sizeof(*r->count));
	r->only = cpu_alloc(e, (size_t)e->n_ops + 1, sizeof(*r->only));
	if (!r->count || !r->only)
		return false;
	for (uint32_t i = 0; i < e->n_ops; i++)
		for (uint32_t k = 0; k < op_of(e, i)->n_src; k++) {
			r->count[inn_plan_src(e->p, i, k)]++;
			r->only[inn_plan_src(e->p, i, k)] = i;
		}
	return true;
}

/* One number a channel, the same for every batch. */
static bool is_bias(const struct inn_exec *e, uint32_t b, const struct inn_shape *y)
{
	const struct inn_shape *s = &op_of(e, b)->shape;
	bool ok = s->rank == y->rank && s->dim[1] == y->dim[1] && !op_of(e, b)->home && op_of(e, b)->code != INN_OP_CONST;

	for (uint32_t d = 0; ok && d < s->rank; d++)
		ok = d == 1 || s->dim[d] == 1;
	return ok;
}

static bool is_relu(const struct inn_exec *e, uint32_t i, uint32_t of)
{
	uint32_t zero = op_of(e, i)->code == INN_OP_MAX ? inn_plan_src(e->p, i, 1) : NONE;

	return zero != NONE && inn_plan_src(e->p, i, 0) == of && op_of(e, zero)->code == INN_OP_CONST && inn_op_value(e->p, zero) == 0;
}

static uint32_t block_of(const struct inn_exec *e, uint32_t i)
{
	uint32_t in = 0;

	for (uint32_t k = 0; k < e->p->n_blocks; k++)
		if (i >= e->p->blocks[k].first && i - e->p->blocks[k].first < e->p->blocks[k].n)
			in = k;
	return in;
}

static void follow(struct inn_exec *e, const struct readers *r, uint32_t i)
{
	uint32_t add = r->only[i], k, end;

	if (r->count[i] != 1 || op_of(e, add)->code != INN_OP_ADD || !e->count[i])
		return;
	k = inn_plan_src(e->p, add, 0) == i ? 1 : 0;
	if (!is_bias(e, inn_plan_src(e->p, add, k), &op_of(e, i)->shape) || !inn_shape_eq(&op_of(e, add)->shape, &op_of(e, i)->shape))
		return;
	end = r->count[add] == 1 && is_relu(e, r->only[add], add) ? r->only[add] : add;
	if (block_of(e, i) != block_of(e, end))
		return;
	e->tail[i] = (struct tail){ .at = end, .add = add, .k = k, .relu = end != add };
	e->head[add] = e->head[end] = i + 1;
	e->group[add] = e->group[end] = 0;
}

int cpu_fuse(struct inn_exec *e)
{
	struct readers r;

	for (uint32_t i = 0; i < e->n_ops; i++)
		if (!inn_shape_count(&op_of(e, i)->shape, &e->count[i]))
			e->count[i] = 0; /* refused later */
	if (!count_readers(e, &r))
		return INN_ENOMEM;
	for (uint32_t i = 0; i < e->n_ops; i++)
		if (op_of(e, i)->code == INN_OP_CONV)
			follow(e, &r, i);
	return INN_OK;
}
