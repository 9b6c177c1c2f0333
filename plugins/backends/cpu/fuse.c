/* Tails: what a convolution or a pool's adjoint does on its way to memory, where nobody else reads what stands between. */
#include "product.h"

struct readers { uint32_t *count, *only, *last; }; /* how many read an operation; one of them; by group: its last member */

static bool count_readers(struct inn_exec *e, struct readers *r)
{
	r->count = cpu_alloc(e, (size_t)e->n_ops + 1, sizeof(*r->count));
	r->only = cpu_alloc(e, (size_t)e->n_ops + 1, sizeof(*r->only));
	r->last = cpu_alloc(e, (size_t)e->n_ops + 1, sizeof(*r->last));
	if (!r->count || !r->only || !r->last)
		return false;
	for (uint32_t i = 0; i < e->n_ops; i++)
		r->last[e->group[i]] = i;
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

/* The number that i takes the minimum of `of` and of; 0: it is none. */
static float bound_of(const struct inn_exec *e, uint32_t i, uint32_t of)
{
	uint32_t top = inn_plan_src(e->p, i, 1);

	return inn_plan_src(e->p, i, 0) == of && op_of(e, top)->code == INN_OP_CONST ? (float)inn_op_value(e->p, top) : 0;
}

uint32_t cpu_block_of(const struct inn_exec *e, uint32_t i)
{
	uint32_t in = 0;

	for (uint32_t k = 0; k < e->p->n_blocks; k++)
		if (i >= e->p->blocks[k].first && i - e->p->blocks[k].first < e->p->blocks[k].n)
			in = k;
	return in;
}

/* The only reader of `end` if it does `code` and may run there: it belongs to no tail yet and stands in i's block. */
static uint32_t next_of(const struct inn_exec *e, const struct readers *r, uint32_t i, uint32_t end, uint32_t code)
{
	uint32_t n = r->only[end];

	return r->count[end] == 1 && op_of(e, n)->code == code && !e->head[n] && cpu_block_of(e, n) == cpu_block_of(e, i) &&
	       inn_shape_eq(&op_of(e, n)->shape, &op_of(e, i)->shape) ? n : NONE;
}

static uint32_t other(const struct inn_exec *e, uint32_t op, uint32_t than) { return inn_plan_src(e->p, op, 0) == than ? 1 : 0; }

/* Source k of `op` stands in memory, in blocks if need be, when the step at `op` runs: it is no constant, and its group does not wait
 * for a later member. */
static bool in_time(const struct inn_exec *e, const struct readers *r, uint32_t op, uint32_t k, uint32_t end)
{
	uint32_t root = root_of(e, op, k);

	return op_of(e, root)->code != INN_OP_CONST && cpu_can_block(e, op, k) && (!e->group[root] || r->last[e->group[root]] <= end);
}

static void claim(struct inn_exec *e, uint32_t i, uint32_t op)
{
	e->head[op] = i + 1;
	e->group[op] = 0;
}

/* What the step that makes i can do besides. */
struct skill { bool sum, more, mask, clip; };

static struct skill skill_of(const struct inn_exec *e, uint32_t i)
{
	uint32_t code = op_of(e, i)->code;
	struct conv c;

	if (code == INN_OP_POOL_MAX_DX)
		return (struct skill){ .mask = true };
	if ((code != INN_OP_CONV && code != INN_OP_CONV_DX) || !e->count[i])
		return (struct skill){ 0 };
	cpu_conv(e, i, i, &c);

	enum way way = cpu_way(e, &c);
	bool own = way == TILES_2 || way == TILES_4 || way == PANELS || way == DEPTHWISE, sum = own || (c.code == INN_OP_CONV && way != NARROW);

	return (struct skill){ sum, own || (sum && cpu_on_blocks(e, &c) && cpu_block_shape(e, &c.shape[X])), own,
			       own || (way == DIRECT && sum) };
}

/* n multiplies `end` by a mask of the same shape, a > 0 (k = 0) or a number > a (k = 1): the mask's number, else NONE. A pool's adjoint
 * knows its own operand alone. */
static uint32_t mask_of(const struct inn_exec *e, const struct readers *r, uint32_t i, uint32_t n, uint32_t end, uint32_t k)
{
	uint32_t gt = n == NONE ? NONE : inn_plan_src(e->p, n, other(e, n, end)), c;

	if (gt == NONE || op_of(e, gt)->code != INN_OP_GT || e->head[gt] || cpu_block_of(e, gt) != cpu_block_of(e, i))
		return NONE;
	c = inn_plan_src(e->p, gt, 1 - k);
	if (op_of(e, c)->code != INN_OP_CONST || (k ? inn_op_value(e->p, c) <= 0 : inn_op_value(e->p, c) != 0) ||
	    !inn_shape_eq(src_shape(e, gt, k), &op_of(e, i)->shape))
		return NONE;
	if (op_of(e, i)->code == INN_OP_POOL_MAX_DX)
		return root_of(e, gt, k) == root_of(e, i, op_of(e, i)->n_src - 1) ? gt : NONE;
	return in_time(e, r, gt, k, n) ? gt : NONE;
}

/* A mask above 0 behind `end`, and another in front of it: what the gradient of a clipped ReLU is multiplied by. Gives the new end. */
static uint32_t masks(struct inn_exec *e, const struct readers *r, uint32_t i, uint32_t end, bool two, struct tail *t)
{
	uint32_t n = next_of(e, r, i, end, INN_OP_MUL), below = two ? mask_of(e, r, i, n, end, 1) : NONE;
	uint32_t last = below == NONE ? n : next_of(e, r, i, n, INN_OP_MUL), by = mask_of(e, r, i, last, below == NONE ? end : n, 0);

	if (by == NONE || (below != NONE && root_of(e, below, 1) != root_of(e, by, 0)))
		return end;
	t->by = by;
	t->below = below;
	if (r->count[by] == 1)
		claim(e, i, by);
	if (below != NONE && r->count[below] == 1)
		claim(e, i, below);
	return last;
}

/* As far as they follow one another: bias, a value of the same shape, ReLU, clipped or not, masks. */
static void follow(struct inn_exec *e, const struct readers *r, uint32_t i)
{
	struct skill can = skill_of(e, i);
	struct tail t = { .add = NONE, .more = NONE, .by = NONE, .below = NONE };
	uint32_t end = i, n = can.sum ? next_of(e, r, i, end, INN_OP_ADD) : NONE;

	if (n != NONE && is_bias(e, inn_plan_src(e->p, n, other(e, n, end)), &op_of(e, i)->shape)) {
		t.add = n;
		t.k = other(e, n, end);
		end = n;
		n = next_of(e, r, i, end, INN_OP_ADD);
	}
	if (n != NONE && can.more && inn_plan_src(e->p, n, 0) != inn_plan_src(e->p, n, 1) &&
	    inn_shape_eq(src_shape(e, n, other(e, n, end)), &op_of(e, i)->shape) && in_time(e, r, n, other(e, n, end), n)) {
		t.more = n;
		t.k_more = other(e, n, end);
		end = n;
	}
	n = can.sum ? next_of(e, r, i, end, INN_OP_MAX) : NONE;
	t.relu = n != NONE && (end != i || can.mask) && is_relu(e, n, end);
	if (t.relu) {
		end = n;
		n = can.clip ? next_of(e, r, i, end, INN_OP_MIN) : NONE;
		if (n != NONE && bound_of(e, n, end) > 0) {
			t.top = bound_of(e, n, end);
			end = n;
		}
	}
	if (can.mask)
		end = masks(e, r, i, end, can.clip, &t);
	if (end == i)
		return;
	t.at = end;
	e->tail[i] = t;
	for (uint32_t op = i; op != end; op = r->only[op])
		claim(e, i, r->only[op]);
}

int cpu_finish(struct inn_exec *e, const struct conv *c, struct finish *f)
{
	const struct tail *t = c->tail;

	*f = (struct finish){ .bias = NONE, .more = NONE, .by = NONE, .n_bias = op_of(e, c->at)->shape.dim[1] };
	if (!t)
		return INN_OK;
	if ((t->add != NONE && (f->bias = cpu_dense(e, c->step, t->add, t->k)) == NONE) ||
	    (t->more != NONE && (f->more = cpu_block(e, c->step, t->more, t->k_more)) == NONE) ||
	    (t->by != NONE && (f->by = cpu_block(e, c->step, t->by, 0)) == NONE))
		return INN_ENOMEM;
	f->relu = t->relu;
	f->clips = t->top > 0;
	f->top = t->top;
	f->both = t->below != NONE;
	f->below = f->both ? (float)inn_op_value(e->p, inn_plan_src(e->p, t->below, 0)) : 0;
	return INN_OK;
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
		follow(e, &r, i);
	return INN_OK;
}
