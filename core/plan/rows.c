/* Which places of a value belong to which sample: those at index i of axis `axis` to sample (i / run) mod N, and they depend on that
 * sample alone. U: no samples; B: axis 0, one sample after the other; A: elsewhere; M: samples meet; X: not known. */
#include "value.h"
#include <string.h>

#define MAX_DEPTH 12

struct place { uint8_t rows, axis; uint32_t run; };

static const struct place mixed = { 'M', 0, 0 }, unknown = { 'X', 0, 0 };

static struct place at(int axis, uint32_t run) { return (struct place){ 'A', (uint8_t)axis, run }; }

static bool counts(const struct value *v) { return v->op.rows == 'B' || v->op.rows == 'A'; }

/* The same for numbers in memory: every part of an axis is its first. */
static bool data_same_along(const struct inn_tensor *t, int axis)
{
	size_t outer = 1, inner = t ? inn_dtype_size(t->dtype) : 0, n = t ? t->shape.dim[axis] : 0;

	if (!t || !t->data)
		return false;
	for (int d = 0; d < axis; d++)
		outer *= t->shape.dim[d];
	for (uint32_t d = (uint32_t)axis + 1; d < t->shape.rank; d++)
		inner *= t->shape.dim[d];
	for (size_t i = 0; i < outer * n; i++)
		if (memcmp((const char *)t->data + i * inner, (const char *)t->data + i / n * n * inner, inner))
			return false;
	return true;
}

/* Every place of the result along an axis is made alike, of the operands' same place there, aligned from the right. */
static bool alike_along(const inn_build *b, uint32_t id, uint32_t axis)
{
	const struct inn_op *o = &val(b, id)->op;

	switch (o->code) {
	case INN_OP_EXPAND: case INN_OP_SUM: case INN_OP_RMAX: return true;
	case INN_OP_SLICE: case INN_OP_PAD: return o->shape.dim[axis] == val(b, src_of(b, id, 0))->op.shape.dim[axis];
	case INN_OP_CONCAT: return attr_of(b, id)[0] != axis;
	case INN_OP_MATMUL: return axis + 2 < o->shape.rank;
	case INN_OP_POOL_MAX: case INN_OP_POOL_MAX_DX: case INN_OP_POOL_AVG: case INN_OP_POOL_AVG_DX: return axis < 2;
	default: return elementwise(o->code);
	}
}

/* Equal along an axis: whatever batch it is used in, every sample meets the same numbers. */
static bool same_along(const inn_build *b, uint32_t id, int axis, int depth)
{
	const struct value *v = val(b, id);
	const struct inn_shape *s = &v->op.shape;

	if (axis < 0 || v->uniform || s->dim[axis] == 1)
		return true;
	if (v->op.code == INN_OP_PARAM)
		return data_same_along(b->data[attr_of(b, id)[0]], axis);
	if (depth == MAX_DEPTH || !v->op.n_src)
		return false;
	const struct inn_shape *x = &val(b, src_of(b, id, 0))->op.shape;

	if (v->op.code == INN_OP_PERMUTE)
		return same_along(b, src_of(b, id, 0), (int)attr_of(b, id)[axis], depth + 1);
	if (v->op.code == INN_OP_RESHAPE) {
		for (int d = 0; d <= axis; d++)
			if ((uint32_t)d >= x->rank || x->dim[d] != s->dim[d])
				return false;
		return same_along(b, src_of(b, id, 0), axis, depth + 1);
	}
	if (!alike_along(b, id, (uint32_t)axis))
		return false;
	for (uint32_t k = 0; k < v->op.n_src; k++) {
		uint32_t src = src_of(b, id, k);

		if (!same_along(b, src, axis + (int)val(b, src)->op.shape.rank - (int)s->rank, depth + 1))
			return false;
	}
	return true;
}

/* Operands that align from the right, as in broadcasting: all count samples along the same axis, or are the same along it. */
static struct place aligned(const inn_build *b, uint32_t id, uint32_t n_src)
{
	const struct inn_op *o = &val(b, id)->op;
	uint32_t run = 0;
	int axis = -1;

	for (uint32_t k = 0; k < n_src; k++) {
		const struct value *s = val(b, src_of(b, id, k));
		int own = s->axis + (int)o->shape.rank - (int)s->op.shape.rank;

		if (!counts(s))
			continue;
		if (axis >= 0 && (axis != own || run != s->run))
			return mixed;
		if (s->op.shape.dim[s->axis] != o->shape.dim[own])
			return unknown;
		axis = own;
		run = s->run;
	}
	for (uint32_t k = 0; k < n_src; k++) {
		uint32_t src = src_of(b, id, k);

		if (!counts(val(b, src)) && !same_along(b, src, axis + (int)val(b, src)->op.shape.rank - (int)o->shape.rank, 0))
			return unknown;
	}
	return at(axis, run);
}

/* A reshape keeps the order of the elements, of which `stride` lie between two samples: the axis in which that falls, if whole
 * turns of the samples do. */
static struct place reshaped(const inn_build *b, const struct value *x, const struct inn_shape *y)
{
	uint64_t stride = x->run, step = 1;

	if (!x->axis && y->rank && y->dim[0] == x->op.shape.dim[0]) /* the sizes alone cannot tell this where one sample is all */
		return at(0, x->run);
	for (uint32_t d = x->axis + 1u; d < x->op.shape.rank; d++)
		stride *= x->op.shape.dim[d];
	for (uint32_t d = y->rank; d-- > 0 && step; step *= y->dim[d]) {
		uint64_t run = stride / step;

		if (run && stride % step == 0 && run * b->batch <= y->dim[d] && y->dim[d] % (run * b->batch) == 0)
			return at((int)d, (uint32_t)run);
	}
	return unknown;
}

/* p q: rows of p and columns of q may count samples if the other operand has none; leading axes align. */
static struct place product(const inn_build *b, uint32_t id)
{
	const uint32_t *t = attr_of(b, id);
	int rank = (int)val(b, id)->op.shape.rank;

	for (uint32_t k = 0; k < 2; k++) {
		const struct value *v = val(b, src_of(b, id, k)), *other = val(b, src_of(b, id, 1 - k));
		int r = (int)v->op.shape.rank, outer = (k != 0) ^ (t[k] != 0) ? r - 1 : r - 2; /* the axis that is not summed over */

		if (!counts(v) || (int)v->axis < r - 2)
			continue;
		if ((int)v->axis != outer || counts(other))
			return mixed;
		return at(rank - 2 + (int)k, v->run);
	}
	return aligned(b, id, 2);
}

static struct place joined(const inn_build *b, uint32_t id, int axis, uint32_t run)
{
	for (uint32_t k = 0; k < val(b, id)->op.n_src; k++) {
		const struct value *s = val(b, src_of(b, id, k));

		if (counts(s) ? s->axis != axis || s->run != run : !same_along(b, src_of(b, id, k), axis, 0))
			return unknown;
	}
	return (int)attr_of(b, id)[0] == axis ? unknown : at(axis, run);
}

/* Constant positions along an axis whose index i belongs to sample (i / run) mod N: as many for each sample, one sample after the
 * other, all its own? */
static bool own_positions(const inn_build *b, const struct value *i, uint32_t run)
{
	const struct inn_tensor *t = i->op.code == INN_OP_PARAM ? b->data[b->attr[i->op.attr]] : NULL;
	size_t count;

	if (!t || !t->data || !i->op.shape.rank || i->op.shape.dim[0] % b->batch || !inn_shape_count(&t->shape, &count))
		return false;
	for (size_t k = 0; k < count; k++)
		if ((uint64_t)inn_tensor_int(t, k) / run % b->batch != k / (count / b->batch))
			return false;
	return true;
}

static struct place gathered(const inn_build *b, uint32_t id, const struct value *x, const struct value *i)
{
	const struct inn_op *o = &val(b, id)->op;
	int axis = (int)attr_of(b, id)[0], rank = (int)i->op.shape.rank;

	if (counts(x) && counts(i))
		return mixed;
	if (o->code == INN_OP_SCATTER) {
		uint32_t each = o->shape.dim[axis] / b->batch;

		if (!counts(i) && x->axis == axis && each && x->run == i->op.shape.dim[0] / b->batch && own_positions(b, i, each))
			return at(axis, each);
		if (counts(i) || (x->axis >= axis && x->axis < axis + rank))
			return mixed;
		return at(x->axis < axis ? x->axis : x->axis - rank + 1, x->run);
	}
	if (counts(i))
		return at(axis + i->axis, i->run);
	if (x->axis == axis)
		return own_positions(b, i, x->run) ? at(axis, i->op.shape.dim[0] / b->batch) : mixed;
	return at(x->axis < axis ? x->axis : x->axis - 1 + rank, x->run);
}

/* Movement and reductions of one operand x, which counts samples along `axis`. */
static struct place moved(const inn_build *b, uint32_t id, const struct value *x)
{
	const struct inn_op *o = &val(b, id)->op;
	const uint32_t *a = attr_of(b, id);
	uint32_t run = x->run;
	int axis = x->axis;

	switch (o->code) {
	case INN_OP_SUM: case INN_OP_RMAX: return a[0] >> axis & 1 ? mixed : at(axis, run);
	case INN_OP_ARGMAX: return (int)a[0] == axis ? mixed : at(axis - (axis > (int)a[0]), run);
	case INN_OP_RANK: return axis + 1 == (int)o->shape.rank ? mixed : at(axis, run);
	case INN_OP_RESHAPE: return reshaped(b, x, &o->shape);
	case INN_OP_EXPAND: return aligned(b, id, 1);
	case INN_OP_PERMUTE:
		for (uint32_t d = 0; d < o->shape.rank; d++)
			if ((int)a[d] == axis)
				return at((int)d, run);
		return unknown;
	case INN_OP_SLICE: case INN_OP_PAD: return o->shape.dim[axis] == x->op.shape.dim[axis] ? at(axis, run) : mixed;
	case INN_OP_LOOP_STACK: return at(axis + (axis > 0), run);
	default: return at(axis, run);
	}
}

static struct place place_of(const inn_build *b, uint32_t id)
{
	const struct inn_op *o = &val(b, id)->op;
	const struct value *first = NULL;

	if (o->code == INN_OP_INPUT)
		return o->shape.rank && o->shape.dim[0] >= b->batch ? at(0, o->shape.dim[0] / b->batch) : unknown;
	for (uint32_t k = 0; k < o->n_src; k++) {
		const struct value *s = val(b, src_of(b, id, k));

		if (s->op.rows == 'M' || s->op.rows == 'X')
			return (struct place){ s->op.rows, 0, 0 };
		first = !first && counts(s) ? s : first;
	}
	if (!first)
		return (struct place){ 'U', 0, 0 };
	if (elementwise(o->code))
		return aligned(b, id, o->n_src);
	switch (o->code) {
	case INN_OP_CONCAT: return joined(b, id, first->axis, first->run);
	case INN_OP_MATMUL: return product(b, id);
	case INN_OP_GATHER: case INN_OP_SCATTER: return gathered(b, id, val(b, src_of(b, id, 0)), val(b, src_of(b, id, 1)));
	case INN_OP_CONV: case INN_OP_CONV_DX: return first->axis || counts(val(b, src_of(b, id, 1))) ? mixed : at(0, first->run);
	case INN_OP_CONV_DW: return mixed;
	case INN_OP_POOL_MAX: case INN_OP_POOL_MAX_DX: /* both operands count them, or the second is the same for all */
		if (first->axis > 1 || !counts(val(b, src_of(b, id, 0))) || val(b, src_of(b, id, 0))->axis != first->axis)
			return unknown;
		return counts(val(b, src_of(b, id, 1))) && val(b, src_of(b, id, 1))->axis != first->axis ? mixed : at(first->axis, first->run);
	case INN_OP_POOL_AVG: case INN_OP_POOL_AVG_DX: return first->axis > 1 ? mixed : at(first->axis, first->run);
	case INN_OP_UNIFORM: case INN_OP_NORMAL: return at(0, 1);
	default: return moved(b, id, first);
	}
}

void inn__rows(inn_build *b, uint32_t id)
{
	struct place p = place_of(b, id);

	const struct inn_shape *s = &val(b, id)->op.shape;

	if (p.rows == 'A' && !p.axis && p.run * b->batch == s->dim[0])
		p.rows = 'B';
	val(b, id)->op.rows = p.rows;
	val(b, id)->axis = p.axis;
	val(b, id)->run = p.run;
}
