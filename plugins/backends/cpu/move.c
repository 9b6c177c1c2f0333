/* Movement: strided copies, concatenation, gather and scatter. */
#include "cpu.h"
#include <string.h>

struct move { /* to[...] = from[...] over merged axes */
	uint32_t nd, from;
	size_t dim[INN_MAX_RANK], ds[INN_MAX_RANK], ss[INN_MAX_RANK], to_off, from_off, count;
	bool clear;
};
struct moves { uint32_t n; struct move m[]; };

static void add_axis(struct move *m, size_t n, size_t ds, size_t ss)
{
	uint32_t d = m->nd;

	if (n == 1)
		return;
	if (d && m->ds[d - 1] == ds * n && m->ss[d - 1] == ss * n) {
		m->dim[d - 1] *= n;
		m->ds[d - 1] = ds;
		m->ss[d - 1] = ss;
		return;
	}
	m->dim[d] = n;
	m->ds[d] = ds;
	m->ss[d] = ss;
	m->nd++;
}

static void row(const struct move *m, float *y, const float *x, size_t r)
{
	uint32_t last = m->nd - 1;
	size_t n = m->dim[last], ds = m->ds[last], ss = m->ss[last];

	for (uint32_t d = last; d-- > 0;) {
		size_t k = r % m->dim[d];

		r /= m->dim[d];
		y += k * m->ds[d];
		x += k * m->ss[d];
	}
	if (ds == 1 && ss == 1)
		memcpy(y, x, n * sizeof(*y));
	else if (ds == 1 && ss == 0)
		for (size_t j = 0; j < n; j++)
			y[j] = *x;
	else
		for (size_t j = 0; j < n; j++)
			y[j * ds] = x[j * ss];
}

static int run_moves(struct inn_exec *e, uint32_t i, void *arg)
{
	const struct moves *q = arg;

	for (uint32_t k = 0; k < q->n; k++) {
		const struct move *m = &q->m[k];
		float *y = e->at[i] + m->to_off;
		const float *x = e->at[m->from] + m->from_off;

		if (m->clear)
			memset(e->at[i], 0, e->count[i] * sizeof(float));
		size_t rows = m->count ? m->count / m->dim[m->nd - 1] : 0;
#pragma omp parallel for num_threads(threads_for(e, m->count)) schedule(static)
		for (size_t r = 0; r < rows; r++)
			row(m, y, x, r);
	}
	return INN_OK;
}

static void dense(const struct inn_shape *s, size_t *stride)
{
	size_t n = 1;

	for (uint32_t d = s->rank; d-- > 0; n *= s->dim[d])
		stride[d] = n;
}

static void permute(struct move *m, const struct inn_shape *x, const struct inn_shape *y, const uint32_t *order)
{
	size_t xs[INN_MAX_RANK], ys[INN_MAX_RANK];

	dense(x, xs);
	dense(y, ys);
	for (uint32_t d = 0; d < y->rank; d++)
		add_axis(m, y->dim[d], ys[d], xs[order[d]]);
}

static void expand(struct move *m, const struct inn_shape *x, const struct inn_shape *y)
{
	size_t xs[INN_MAX_RANK], ys[INN_MAX_RANK];

	cpu_strides(x, y, xs);
	dense(y, ys);
	for (uint32_t d = 0; d < y->rank; d++)
		add_axis(m, y->dim[d], ys[d], xs[d]);
}

static void slice(struct move *m, const struct inn_shape *x, const struct inn_shape *y, const uint32_t *t)
{
	size_t xs[INN_MAX_RANK], ys[INN_MAX_RANK];

	dense(x, xs);
	dense(y, ys);
	for (uint32_t d = 0; d < y->rank; d++) {
		m->from_off += t[3 * d] * xs[d];
		add_axis(m, y->dim[d], ys[d], xs[d] * t[3 * d + 2]);
	}
}

static void pad(struct move *m, const struct inn_shape *x, const struct inn_shape *y, const uint32_t *t)
{
	size_t xs[INN_MAX_RANK], ys[INN_MAX_RANK];

	dense(x, xs);
	dense(y, ys);
	m->clear = true;
	for (uint32_t d = 0; d < x->rank; d++) {
		m->to_off += t[3 * d] * ys[d];
		add_axis(m, x->dim[d], ys[d] * t[3 * d + 2], xs[d]);
	}
}

static void close_move(struct move *m, uint32_t from, size_t count)
{
	m->from = from;
	m->count = count;
	if (!m->nd) {
		m->nd = 1;
		m->dim[0] = m->ds[0] = m->ss[0] = 1;
	}
}

/* A move for each operand that does not stand there yet. */
static int concat(struct inn_exec *e, uint32_t i, struct moves *q)
{
	const struct inn_shape *y = &op_of(e, i)->shape;
	uint32_t axis = attr_of(e, i)[0];
	size_t at = 0, ys[INN_MAX_RANK], xs[INN_MAX_RANK];

	dense(y, ys);
	for (uint32_t k = 0; k < op_of(e, i)->n_src; k++) {
		const struct inn_shape *x = src_shape(e, i, k);
		struct move *m = &q->m[q->n];
		uint32_t from = e->blocked[i] ? cpu_block(e, i, i, k) : cpu_dense(e, i, i, k);

		if (from == NONE)
			return INN_ENOMEM;
		m->to_off = at * ys[axis];
		at += x->dim[axis];
		if (cpu_join(e, i, k, from, m->to_off))
			continue;
		dense(x, xs);
		for (uint32_t d = 0; d < y->rank; d++)
			add_axis(m, x->dim[d], ys[d], xs[d]);
		close_move(m, from, e->count[inn_plan_src(e->p, i, k)]);
		q->n++;
	}
	return INN_OK;
}

/* x [outer, n, inner] by index [k] to y [outer, k, inner], or back with additions. */
struct take { size_t outer, n, k, inner; };

static int bad_index(struct inn_exec *e, uint32_t i, size_t j, double v)
{
	const struct inn_op *o = op_of(e, i);

	return inn_fail(e->ctx, INN_EDATA, NULL, "%s (%s): index %g at position %zu is outside the axis", inn_op_name(o->code), o->from, v, j);
}

static int run_take(struct inn_exec *e, uint32_t i, void *arg)
{
	const struct take *t = arg;
	const float *x = e->at[src_of(e, i, 0)], *index = e->at[src_of(e, i, 1)];
	float *y = e->at[i];
	bool back = op_of(e, i)->code == INN_OP_SCATTER;

	for (size_t j = 0; j < t->k; j++)
		if (!(index[j] >= 0 && index[j] < (float)t->n))
			return bad_index(e, i, j, index[j]);
	if (back)
		memset(y, 0, e->count[i] * sizeof(*y));
#pragma omp parallel for num_threads(threads_for(e, t->outer * t->k * t->inner)) schedule(static)
	for (size_t o = 0; o < t->outer; o++)
		for (size_t j = 0; j < t->k; j++) {
			size_t p = (o * t->n + (size_t)index[j]) * t->inner, q = (o * t->k + j) * t->inner;

			if (!back)
				memcpy(y + q, x + p, t->inner * sizeof(*y));
			else
				for (size_t c = 0; c < t->inner; c++)
					y[p + c] += x[q + c];
		}
	return INN_OK;
}

static int take(struct inn_exec *e, uint32_t i)
{
	struct take *t = cpu_alloc(e, 1, sizeof(*t));
	uint32_t axis = attr_of(e, i)[0];
	const struct inn_shape *s = op_of(e, i)->code == INN_OP_SCATTER ? &op_of(e, i)->shape : src_shape(e, i, 0);

	if (!t)
		return INN_ENOMEM;
	*t = (struct take){ .outer = 1, .n = s->dim[axis], .k = e->count[src_of(e, i, 1)], .inner = 1 };
	for (uint32_t d = 0; d < axis; d++)
		t->outer *= s->dim[d];
	for (uint32_t d = axis + 1; d < s->rank; d++)
		t->inner *= s->dim[d];
	e->step[i] = (struct step){ .fn = run_take, .arg = t, .op = i };
	return INN_OK;
}

/* Concatenating or cutting whole blocks of channels moves the same bytes in both layouts. */
static bool keeps_blocks(const struct inn_exec *e, uint32_t i)
{
	const struct inn_op *o = op_of(e, i);
	const uint32_t *t = attr_of(e, i);
	bool any = false;

	if (!cpu_whole_blocks(e, &o->shape) || (o->code == INN_OP_CONCAT ? t[0] > 1 : o->code != INN_OP_SLICE))
		return false;
	for (uint32_t k = 0; k < o->n_src; k++) {
		if (!cpu_can_block(e, i, k) || !cpu_whole_blocks(e, src_shape(e, i, k)))
			return false;
		any |= cpu_is_block(e, i, k);
	}
	for (uint32_t d = 0; o->code == INN_OP_SLICE && d < o->shape.rank; d++)
		if (d == 1 ? t[3] % e->dev->lanes || t[4] % e->dev->lanes || t[5] != 1 : d > 1 && o->shape.dim[d] != src_shape(e, i, 0)->dim[d])
			return false;
	return any;
}

int cpu_move(struct inn_exec *e, uint32_t i)
{
	const struct inn_op *o = op_of(e, i);
	const struct inn_shape *x = src_shape(e, i, 0), *y = &o->shape;
	struct moves *q;
	uint32_t at = src_of(e, i, 0);

	if (o->code == INN_OP_GATHER || o->code == INN_OP_SCATTER)
		return take(e, i);
	if (!(q = cpu_alloc(e, 1, sizeof(*q) + o->n_src * sizeof(q->m[0]))))
		return INN_ENOMEM;
	e->blocked[i] = keeps_blocks(e, i);
	if (o->code == INN_OP_SLICE && (at = e->blocked[i] ? cpu_block(e, i, i, 0) : cpu_dense(e, i, i, 0)) == NONE)
		return INN_ENOMEM;
	switch (o->code) {
	case INN_OP_PERMUTE: permute(&q->m[0], x, y, attr_of(e, i)); break;
	case INN_OP_EXPAND: expand(&q->m[0], x, y); break;
	case INN_OP_SLICE: slice(&q->m[0], x, y, attr_of(e, i)); break;
	case INN_OP_PAD: pad(&q->m[0], x, y, attr_of(e, i)); break;
	default:
		if (concat(e, i, q))
			return INN_ENOMEM;
	}
	if (o->code == INN_OP_SLICE && e->count[i] && cpu_cut(e, i, at, q->m[0].from_off))
		return INN_OK;
	if (o->code != INN_OP_CONCAT)
		close_move(&q->m[q->n++], at, o->code == INN_OP_PAD ? e->count[inn_plan_src(e->p, i, 0)] : e->count[i]);
	if (e->count[i] && q->n)
		e->step[i] = (struct step){ .fn = run_moves, .arg = q, .op = i };
	return INN_OK;
}
