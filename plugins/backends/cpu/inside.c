/* Values inside of others: where everything in front of the axis has length 1, a concatenation is made of what its operands have
 * written already, and a slice is a piece of what it is cut from. Neither moves anything. */
#include "cpu.h"

uint32_t cpu_host(const struct inn_exec *e, uint32_t at, size_t *shift)
{
	while (at < e->n_ops && e->inside[at].of) {
		*shift += e->inside[at].shift;
		at = e->inside[at].of - 1;
	}
	return at;
}

/* Pieces of blocks are whole vectors by their shape. */
static bool aligned(const struct inn_exec *e, uint32_t i, size_t shift) { return e->blocked[i] || shift * sizeof(float) % ALIGN == 0; }

static bool in_front(const struct inn_shape *s, uint32_t axis)
{
	for (uint32_t d = 0; d < axis; d++)
		if (s->dim[d] != 1)
			return false;
	return true;
}

bool cpu_cut(struct inn_exec *e, uint32_t i, uint32_t from, size_t shift)
{
	const struct inn_shape *x = src_shape(e, i, 0), *y = &op_of(e, i)->shape;
	const uint32_t *t = attr_of(e, i);
	uint32_t axis = 0;

	while (axis < y->rank && x->dim[axis] == 1)
		axis++;
	for (uint32_t d = 0; d < y->rank; d++)
		if (d != axis ? y->dim[d] != x->dim[d] : t[3 * d + 2] != 1)
			return false;
	if (in_prologue(e, i) || !aligned(e, i, shift)) /* what is cut from weights outlives them */
		return false;
	e->inside[i] = (struct inside){ from + 1, shift };
	return true;
}

/* Operands k, k+1, ... of concatenation i are those of concatenation h. */
static bool begins(const struct inn_exec *e, uint32_t i, uint32_t k, uint32_t h)
{
	uint32_t n = op_of(e, h)->n_src;
	bool same = op_of(e, h)->code == INN_OP_CONCAT && attr_of(e, h)[0] == attr_of(e, i)[0] && n <= op_of(e, i)->n_src - k;

	for (uint32_t j = 0; same && j < n; j++)
		same = inn_plan_src(e->p, h, j) == inn_plan_src(e->p, i, k + j);
	return same;
}

/* The value at location `from` may stand in the memory of i: its step writes it for nobody but readers. */
static bool movable(const struct inn_exec *e, uint32_t i, uint32_t from)
{
	char c = from < e->n_ops ? inn_op_class(op_of(e, from)->code) : 'L';

	return c != 'L' && c != 'O' && !e->inside[from].of && e->blocked[from] == e->blocked[i] && cpu_block_of(e, from) == cpu_block_of(e, i);
}

bool cpu_join(struct inn_exec *e, uint32_t i, uint32_t k, uint32_t from, size_t shift)
{
	size_t at = 0;

	if (!e->need[i] || !in_front(&op_of(e, i)->shape, attr_of(e, i)[0]))
		return false;
	if (movable(e, i, from) && aligned(e, i, shift)) {
		e->inside[from] = (struct inside){ i + 1, shift };
		return true;
	}
	/* An earlier concatenation of the same values: all of it moves here. */
	uint32_t host = cpu_host(e, from, &at);

	if (host != i && host < e->n_ops && movable(e, i, host) && begins(e, i, k, host) && aligned(e, i, shift)) {
		e->inside[host] = (struct inside){ i + 1, shift };
		return at == 0;
	}
	return host == i && at == shift;
}
