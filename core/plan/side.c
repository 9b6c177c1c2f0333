/* Whether a loop can run with iterations side by side, one batch k times as long in place of k: every value that depends on it counts
 * samples along axis 0, or none at all and goes only into elementwise work and noise. */
#include "widen.h"
#include <string.h>

/* Operand k of i, which stands in a row of the result by broadcasting from the right. */
static enum inn__take aligned(const struct inn_plan *p, uint32_t i, uint32_t k)
{
	const struct inn_shape *s = &inn_plan_op(p, inn_plan_src(p, i, k))->shape, *y = &inn_plan_op(p, i)->shape;

	return s->rank == y->rank && s->dim[0] == p->batch && p->batch > 1 ? INN__REPEATED : INN__AS_IS;
}

/* Operand k of an operation whose result counts samples along axis 0. */
enum inn__take inn__takes(const struct widen *w, uint32_t i, uint32_t k)
{
	const struct inn_plan *p = w->p;
	const struct inn_op *o = inn_plan_op(p, i);
	const uint32_t *a = p->attr + o->attr;
	bool depends = w->depends[inn_plan_src(p, i, k)];

	switch (inn_op_class(o->code)) {
	case 'U': case 'E':
		return depends ? INN__ROWS : aligned(p, i, k);
	case 'N':
		return depends ? INN__ROWS : INN__AS_IS;
	case 'R':
		return o->code == INN_OP_ARGMAX ? a[0] ? INN__ROWS : INN__REFUSED : o->code == INN_OP_RANK || !(a[0] & 1) ? INN__ROWS : INN__REFUSED;
	case 'W':
		return depends ? INN__ROWS : INN__REPEATED;
	case 'O': /* of an inner loop, or of this one */
		return k ? INN__AS_IS : o->code == INN_OP_LOOP_SUM || o->code == INN_OP_LOOP_STACK ? INN__ROWS : INN__REFUSED;
	default:
		break;
	}
	switch (o->code) {
	case INN_OP_RESHAPE: case INN_OP_EXPAND: case INN_OP_PAD: case INN_OP_SLICE:
		return INN__ROWS;
	case INN_OP_PERMUTE:
		return a[0] ? INN__REFUSED : INN__ROWS;
	case INN_OP_CONCAT:
		return !a[0] ? INN__REFUSED : depends ? INN__ROWS : INN__REPEATED;
	case INN_OP_GATHER: case INN_OP_SCATTER:
		return a[0] && k == (uint32_t)!depends ? depends ? INN__ROWS : INN__AS_IS : INN__REFUSED;
	case INN_OP_MATMUL:
		if (o->shape.rank > 2)
			return depends ? INN__ROWS : aligned(p, i, k);
		return k ? depends ? INN__REFUSED : INN__AS_IS : depends && !a[0] ? INN__ROWS : INN__REFUSED;
	case INN_OP_CONV: case INN_OP_CONV_DX:
		return depends == !k ? depends ? INN__ROWS : INN__AS_IS : INN__REFUSED;
	default:
		return INN__REFUSED;
	}
}

/* A dependent operand that is taken by rows counts samples, or is one that elementwise work and noise can take by itself. */
static bool fits(const struct widen *w, uint32_t i, uint32_t k, enum inn__take t)
{
	const struct inn_op *o = inn_plan_op(w->p, i), *s = inn_plan_op(w->p, inn_plan_src(w->p, i, k));
	char c = inn_op_class(o->code);

	if (t != INN__ROWS || !w->depends[inn_plan_src(w->p, i, k)])
		return t != INN__REFUSED;
	if (counts(w->p, s))
		return s->shape.rank == o->shape.rank || (c != 'E' && o->code != INN_OP_MATMUL);
	if (s->rows != 'U' || (c != 'E' && c != 'U' && !(c == 'N' && k)))
		return false;
	return s->shape.rank < o->shape.rank || c == 'N' || s->shape.dim[0] == 1 || s->shape.dim[0] == w->p->batch;
}

bool inn__side_by_side(struct widen *w)
{
	const struct inn_plan *p = w->p;
	const struct inn_block *b = &p->blocks[w->block];

	memset(w->depends, 0, p->n_ops * sizeof(*w->depends));
	memset(w->repeat, 0, p->n_ops * sizeof(*w->repeat));
	for (uint32_t i = b->first; i < b->first + b->n; i++) {
		const struct inn_op *o = inn_plan_op(p, i);
		bool closes = (o->code == INN_OP_LOOP_SUM || o->code == INN_OP_LOOP_STACK) && inn_plan_src(p, i, 1) == b->index;

		w->depends[i] = i == b->index;
		for (uint32_t k = 0; k < o->n_src; k++)
			w->depends[i] |= w->depends[inn_plan_src(p, i, k)];
		if (!w->depends[i] || i == b->index)
			continue;
		if (o->code == INN_OP_CARRY || o->code == INN_OP_LOOP_LAST || o->code == INN_OP_OUTPUT || o->code == INN_OP_ACCUMULATE ||
		    !(counts(p, o) || (o->rows == 'U' && !closes && inn_op_class(o->code) != 'O')))
			return false;
		for (uint32_t k = 0; counts(p, o) && k < o->n_src; k++) {
			enum inn__take t = inn__takes(w, i, k);

			if (!fits(w, i, k, t))
				return false;
			w->repeat[inn_plan_src(p, i, k)] |= t == INN__REPEATED && !w->depends[inn_plan_src(p, i, k)];
		}
		if (closes) /* the result is the same for every iteration */
			w->depends[i] = false;
	}
	return true;
}
