/* Movement: strided copies, concatenation, gather and scatter. */
#include "opencl.h"

void ocl_strides(const struct inn_shape *in, const struct inn_shape *out, size_t *stride)
{
	size_t s = 1;
	uint32_t shift = out->rank - in->rank;

	for (uint32_t d = out->rank; d-- > 0;) {
		stride[d] = d < shift || in->dim[d - shift] == 1 ? 0 : s;
		if (d >= shift)
			s *= in->dim[d - shift];
	}
}

static void dense(const struct inn_shape *s, size_t *stride)
{
	size_t n = 1;

	for (uint32_t d = s->rank; d-- > 0; n *= s->dim[d])
		stride[d] = n;
}

void ocl_axis(struct move *m, size_t n, size_t ds, size_t ss)
{
	int d = m->nd;

	if (n == 1)
		return;
	if (d && (size_t)m->ds[d - 1] == ds * n && (size_t)m->ss[d - 1] == ss * n) {
		m->dim[d - 1] *= (int)n;
		m->ds[d - 1] = (int)ds;
		m->ss[d - 1] = (int)ss;
		return;
	}
	m->dim[d] = (int)n;
	m->ds[d] = (int)ds;
	m->ss[d] = (int)ss;
	m->nd++;
}

void ocl_strided(struct inn_exec *e, uint32_t i, struct move *m, struct loc from, struct loc to)
{
	size_t rows = 1;

	if (!m->nd) {
		m->nd = 1;
		m->dim[0] = m->ds[0] = m->ss[0] = 1;
	}
	for (int d = 0; d + 1 < m->nd; d++)
		rows *= (size_t)m->dim[d];
	struct launch *l = ocl_launch(e, i, "copy");

	ocl_at(e, l, from);
	ocl_at(e, l, to);
	ocl_arg(e, l, m, sizeof(*m));
	ocl_rows(e, l, (size_t)m->dim[m->nd - 1], rows);
}

static void concat(struct inn_exec *e, uint32_t i)
{
	const struct inn_shape *y = &op_of(e, i)->shape;
	uint32_t axis = attr_of(e, i)[0];
	size_t at = 0, ys[INN_MAX_RANK], xs[INN_MAX_RANK];

	dense(y, ys);
	for (uint32_t k = 0; k < op_of(e, i)->n_src; k++) {
		const struct inn_shape *x = src_shape(e, i, k);
		struct move m = { 0 };

		dense(x, xs);
		for (uint32_t d = 0; d < y->rank; d++)
			ocl_axis(&m, x->dim[d], ys[d], xs[d]);
		if (src_count(e, i, k))
			ocl_strided(e, i, &m, src_of(e, i, k), moved(value_of(i), at * ys[axis]));
		at += x->dim[axis];
	}
}

/* x [outer, n, inner] by index [k] to y [outer, k, inner], or back with additions. */
static void take(struct inn_exec *e, uint32_t i)
{
	uint32_t axis = attr_of(e, i)[0];
	bool back = op_of(e, i)->code == INN_OP_SCATTER;
	const struct inn_shape *s = back ? &op_of(e, i)->shape : src_shape(e, i, 0);
	size_t outer = 1, inner = 1, k = src_count(e, i, 1);
	struct launch *l = ocl_launch(e, i, back ? "scatter" : "gather");

	for (uint32_t d = 0; d < axis; d++)
		outer *= s->dim[d];
	for (uint32_t d = axis + 1; d < s->rank; d++)
		inner *= s->dim[d];
	ocl_at(e, l, src_of(e, i, 0));
	ocl_at(e, l, src_of(e, i, 1));
	ocl_at(e, l, value_of(i));
	ocl_at(e, l, (struct loc){ .place = AT_FLAG });
	ocl_int(e, l, i + 1);
	ocl_int(e, l, s->dim[axis]);
	ocl_int(e, l, k);
	ocl_int(e, l, inner);
	if (back) {
		ocl_int(e, l, outer);
		ocl_grid(e, l, inner, outer, 1);
	} else {
		ocl_rows(e, l, inner, outer * k);
	}
}

void ocl_move(struct inn_exec *e, uint32_t i)
{
	const struct inn_op *o = op_of(e, i);
	const struct inn_shape *x = src_shape(e, i, 0), *y = &o->shape;
	const uint32_t *a = attr_of(e, i);
	size_t xs[INN_MAX_RANK], ys[INN_MAX_RANK], from = 0, to = 0;
	struct move m = { 0 };

	if (o->code == INN_OP_GATHER || o->code == INN_OP_SCATTER)
		take(e, i);
	if (o->code == INN_OP_CONCAT)
		concat(e, i);
	if (o->code == INN_OP_PAD)
		ocl_fill(e, i, value_of(i), e->count[i], 0);
	if (!e->count[i] || (o->code != INN_OP_PERMUTE && o->code != INN_OP_EXPAND && o->code != INN_OP_SLICE && o->code != INN_OP_PAD))
		return;
	dense(y, ys);
	dense(x, xs);
	if (o->code == INN_OP_EXPAND)
		ocl_strides(x, y, xs);
	for (uint32_t d = 0; d < y->rank; d++) {
		switch (o->code) {
		case INN_OP_PERMUTE: ocl_axis(&m, y->dim[d], ys[d], xs[a[d]]); break;
		case INN_OP_EXPAND: ocl_axis(&m, y->dim[d], ys[d], xs[d]); break;
		case INN_OP_SLICE:
			from += a[3 * d] * xs[d];
			ocl_axis(&m, y->dim[d], ys[d], xs[d] * a[3 * d + 2]);
			break;
		default: /* PAD */
			to += a[3 * d] * ys[d];
			ocl_axis(&m, x->dim[d], ys[d] * a[3 * d + 2], xs[d]);
			break;
		}
	}
	if (o->code != INN_OP_PAD || src_count(e, i, 0))
		ocl_strided(e, i, &m, moved(src_of(e, i, 0), from), moved(value_of(i), to));
}
