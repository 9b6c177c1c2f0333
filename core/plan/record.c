/* The builder's calls: attributes packed, operands handed on. */
#include "value.h"
#include <string.h>

static inn_val fail0(inn_build *b, inn_val v, const char *what)
{
	if (!v.id && !b->failed)
		inn__fail_op(b, INN_EBUG, "%s: an operand is absent", what);
	return (inn_val){ 0 };
}
/* True if v may be looked at. */
static bool usable(inn_build *b, inn_val v, const char *what)
{
	if (!b->failed && v.id && v.id < b->n)
		return true;
	fail0(b, v, what);
	return false;
}

const struct inn_shape *inn_shape_of(inn_build *b, inn_val v)
{
	static const struct inn_shape none;

	return v.id && v.id < b->n ? &b->v[v.id].op.shape : &none;
}

uint32_t inn_dim(inn_build *b, inn_val v, uint32_t axis)
{
	const struct inn_shape *s = inn_shape_of(b, v);

	return axis < s->rank ? s->dim[axis] : 0;
}

double inn_known(inn_build *b, inn_val v) { return v.id && v.id < b->n && b->v[v.id].uniform ? b->v[v.id].c : NAN; }
bool inn_is_nonneg(inn_build *b, inn_val v) { return v.id && v.id < b->n && nonneg(b, v.id); }

inn_val inn_const(inn_build *b, double value, const struct inn_shape *shape)
{
	return b->failed || !inn__sized(b, INN_OP_CONST, shape) ? (inn_val){ 0 } : inn__const(b, value, shape);
}

inn_val inn_scalar(inn_build *b, double value) { return inn_const(b, value, &(struct inn_shape){ 0 }); }

static inn_val named(inn_build *b, uint32_t code, const char *name, const struct inn_shape *shape, uint32_t kind, uint32_t sign)
{
	uint32_t attr[3] = { 0, kind, sign };

	if (b->failed || (attr[0] = inn__name(b, name)) == UINT32_MAX)
		return (inn_val){ 0 };
	return inn__record(b, code, NULL, 0, attr, code == INN_OP_INPUT ? 3 : 1, shape);
}

inn_val inn__input(inn_build *b, const char *name, const struct inn_shape *shape, uint32_t sign, uint32_t kind)
{
	return named(b, INN_OP_INPUT, name, shape, kind, sign);
}

inn_val inn__placeholder(inn_build *b, const char *name, const struct inn_shape *shape)
{
	return named(b, INN_OP_PARAM, name, shape, 0, 0);
}

inn_val inn_param_of(inn_build *b, const char *name, const struct inn_tensor *data)
{
	size_t n;

	if (b->failed)
		return (inn_val){ 0 };
	if (!inn_shape_count(&data->shape, &n))
		return inn__fail_op(b, INN_ELIMIT, "%s is too large", name);
	if (n == 1) /* one number: let it fold */
		return inn__const(b, inn_tensor_real(data, 0), &data->shape);
	inn_val v = named(b, INN_OP_PARAM, name, &data->shape, 0, 0);

	if (v.id)
		b->data[attr_of(b, v.id)[0]] = data;
	return v;
}

inn_val inn_iota(inn_build *b, uint32_t n)
{
	return inn__record(b, INN_OP_IOTA, NULL, 0, NULL, 0, &(struct inn_shape){ .rank = 1, .dim = { n } });
}

inn_val inn_op1(inn_build *b, uint32_t code, inn_val x) { return inn__record(b, code, &x.id, 1, NULL, 0, NULL); }

inn_val inn_op2(inn_build *b, uint32_t code, inn_val x, inn_val y)
{
	return inn__record(b, code, (uint32_t[]){ x.id, y.id }, 2, NULL, 0, NULL);
}

inn_val inn_select(inn_build *b, inn_val c, inn_val x, inn_val y)
{
	return inn__record(b, INN_OP_SELECT, (uint32_t[]){ c.id, x.id, y.id }, 3, NULL, 0, NULL);
}

static inn_val with1(inn_build *b, uint32_t code, inn_val x, uint32_t attr) { return inn__record(b, code, &x.id, 1, &attr, 1, NULL); }
inn_val inn_sum(inn_build *b, inn_val x, uint32_t axes) { return with1(b, INN_OP_SUM, x, axes); }

/* One axis after the other, the last one first: its derivative then goes to the first maximum in row-major order. */
inn_val inn_rmax(inn_build *b, inn_val x, uint32_t axes)
{
	for (uint32_t d = INN_MAX_RANK; d-- > 0;)
		if (axes >> d & 1)
			x = with1(b, INN_OP_RMAX, x, 1u << d);
	return axes >> INN_MAX_RANK ? inn__fail_op(b, INN_ESHAPE, "rmax: no such axis") : x;
}

inn_val inn_argmax(inn_build *b, inn_val x, uint32_t axis) { return with1(b, INN_OP_ARGMAX, x, axis); }
inn_val inn_rank(inn_build *b, inn_val x) { return inn__record(b, INN_OP_RANK, &x.id, 1, NULL, 0, NULL); }

inn_val inn_reshape(inn_build *b, inn_val x, const struct inn_shape *to)
{
	return inn__record(b, INN_OP_RESHAPE, &x.id, 1, NULL, 0, to);
}

inn_val inn_expand(inn_build *b, inn_val x, const struct inn_shape *to)
{
	return inn__record(b, INN_OP_EXPAND, &x.id, 1, NULL, 0, to);
}

inn_val inn_flatten(inn_build *b, inn_val x, uint32_t axis)
{
	struct inn_shape s = { .rank = 2, .dim = { 1, 1 } };

	if (!usable(b, x, "flatten"))
		return (inn_val){ 0 };
	for (uint32_t d = 0; d < inn_shape_of(b, x)->rank; d++)
		s.dim[d >= axis] *= inn_dim(b, x, d);
	return inn_reshape(b, x, &s);
}

inn_val inn_permute(inn_build *b, inn_val x, const uint32_t *order)
{
	return usable(b, x, "permute") ? inn__record(b, INN_OP_PERMUTE, &x.id, 1, order, inn_shape_of(b, x)->rank, NULL) : (inn_val){ 0 };
}

/* slice and pad act on one axis here; the operation has three numbers for each. */
static inn_val along(inn_build *b, uint32_t code, inn_val x, uint32_t axis, const uint32_t t[3])
{
	uint32_t attr[3 * INN_MAX_RANK];

	if (!usable(b, x, inn_op_name(code)))
		return (inn_val){ 0 };
	uint32_t rank = inn_shape_of(b, x)->rank;

	if (axis >= rank)
		return inn__fail_op(b, INN_ESHAPE, "%s: no axis %u in rank %u", inn_op_name(code), axis, rank);
	for (uint32_t d = 0; d < rank; d++) {
		attr[3 * d] = 0;
		attr[3 * d + 1] = code == INN_OP_SLICE ? inn_dim(b, x, d) : 0;
		attr[3 * d + 2] = 1;
	}
	memcpy(attr + 3 * axis, t, 3 * sizeof(*t));
	return inn__record(b, code, &x.id, 1, attr, 3 * rank, NULL);
}

inn_val inn_slice(inn_build *b, inn_val x, uint32_t axis, uint32_t from, uint32_t to, uint32_t step)
{
	return along(b, INN_OP_SLICE, x, axis, (uint32_t[]){ from, to, step });
}

inn_val inn_pad(inn_build *b, inn_val x, uint32_t axis, uint32_t before, uint32_t after, uint32_t dilation)
{
	return along(b, INN_OP_PAD, x, axis, (uint32_t[]){ before, after, dilation });
}

inn_val inn_concat(inn_build *b, const inn_val *x, uint32_t n, uint32_t axis)
{
	return inn__record(b, INN_OP_CONCAT, &x->id, n, &axis, 1, NULL);
}

inn_val inn_gather(inn_build *b, inn_val x, inn_val index, uint32_t axis)
{
	return inn__record(b, INN_OP_GATHER, (uint32_t[]){ x.id, index.id }, 2, &axis, 1, NULL);
}

inn_val inn_scatter(inn_build *b, inn_val x, inn_val index, uint32_t axis, uint32_t n)
{
	struct inn_shape s = { 0 };

	if (!usable(b, x, "scatter") || !usable(b, index, "scatter"))
		return (inn_val){ 0 };
	const struct inn_shape *xs = inn_shape_of(b, x);
	uint32_t r = inn_shape_of(b, index)->rank;

	if (axis > xs->rank || (!r && xs->rank == INN_MAX_RANK))
		return inn__fail_op(b, INN_ESHAPE, "scatter: no axis %u in rank %u", axis, xs->rank);
	for (uint32_t d = 0; d < xs->rank; d++)
		if (d < axis || d >= axis + r)
			s.dim[s.rank++] = xs->dim[d];
		else if (d == axis)
			s.dim[s.rank++] = n;
	if (!r) { /* a scalar index: the axis is new */
		memmove(s.dim + axis + 1, s.dim + axis, (s.rank - axis) * sizeof(*s.dim));
		s.dim[axis] = n;
		s.rank++;
	}
	return inn__record(b, INN_OP_SCATTER, (uint32_t[]){ x.id, index.id }, 2, &axis, 1, &s);
}

inn_val inn_matmul(inn_build *b, inn_val x, inn_val y, bool tx, bool ty)
{
	return inn__record(b, INN_OP_MATMUL, (uint32_t[]){ x.id, y.id }, 2, (uint32_t[]){ tx, ty }, 2, NULL);
}

static inn_val window(inn_build *b, uint32_t code, const uint32_t *src, uint32_t n, const struct inn_window *w, const uint32_t *spatial)
{
	uint32_t attr[MAX_ATTR], k = 0;
	bool pool = inn_op_class(code) == 'W';
	struct inn_shape s = { 0 };

	if (w->n < 1 || w->n > 3 || (src[0] && src[0] < b->n && b->v[src[0]].op.shape.rank != w->n + 2))
		return inn__fail_op(b, INN_ESHAPE, "%s: a window of %u axes does not fit", inn_op_name(code), w->n);
	const uint32_t *field[5] = { w->size, w->stride, w->before, w->after, w->dilation };

	for (uint32_t f = pool ? 0 : 1; f < 5; f++)
		for (uint32_t i = 0; i < w->n; i++)
			attr[k++] = field[f][i];
	attr[k++] = pool ? w->count_pad : w->groups;
	for (uint32_t i = 0; spatial && i < w->n; i++)
		s.dim[2 + i] = spatial[i];
	return inn__record(b, code, src, n, attr, k, &s);
}

inn_val inn_conv(inn_build *b, inn_val x, inn_val w, const struct inn_window *win)
{
	return window(b, INN_OP_CONV, (uint32_t[]){ x.id, w.id }, 2, win, NULL);
}

inn_val inn_conv_dx(inn_build *b, inn_val g, inn_val w, const struct inn_window *win, const uint32_t *spatial)
{
	return window(b, INN_OP_CONV_DX, (uint32_t[]){ g.id, w.id }, 2, win, spatial);
}

inn_val inn_conv_dw(inn_build *b, inn_val x, inn_val g, const struct inn_window *win, const uint32_t *spatial)
{
	return window(b, INN_OP_CONV_DW, (uint32_t[]){ x.id, g.id }, 2, win, spatial);
}

inn_val inn_pool_max(inn_build *b, inn_val v, inn_val by, const struct inn_window *win)
{
	return window(b, INN_OP_POOL_MAX, (uint32_t[]){ v.id, by.id }, 2, win, NULL);
}

inn_val inn_pool_max_dx(inn_build *b, inn_val g, inn_val by, const struct inn_window *win)
{
	return window(b, INN_OP_POOL_MAX_DX, (uint32_t[]){ g.id, by.id }, 2, win, NULL);
}

inn_val inn_pool_avg(inn_build *b, inn_val x, const struct inn_window *win) { return window(b, INN_OP_POOL_AVG, &x.id, 1, win, NULL); }

inn_val inn_pool_avg_dx(inn_build *b, inn_val g, const struct inn_window *win, const uint32_t *spatial)
{
	return window(b, INN_OP_POOL_AVG_DX, &g.id, 1, win, spatial);
}

inn_val inn_valid(inn_build *b)
{
	return inn__input(b, "@valid", &(struct inn_shape){ .rank = 1, .dim = { b->batch } }, INN_NONNEG, 2);
}

static inn_val noise(inn_build *b, uint32_t code, inn_val like, uint64_t seed, uint32_t draw)
{
	uint32_t src[9], n = 0;

	if (!usable(b, like, inn_op_name(code)))
		return (inn_val){ 0 };
	src[n++] = inn__input(b, "@ids", &(struct inn_shape){ .rank = 1, .dim = { b->batch } }, INN_NONNEG, 1).id;
	for (uint32_t i = 0; i < b->n_open; i++)
		src[n++] = b->open[i];
	struct inn_shape s = *inn_shape_of(b, like);

	return inn__record(b, code, src, n, (uint32_t[]){ (uint32_t)seed, (uint32_t)(seed >> 32), draw }, 3, &s);
}

inn_val inn_uniform(inn_build *b, inn_val like, uint64_t seed, uint32_t draw) { return noise(b, INN_OP_UNIFORM, like, seed, draw); }
inn_val inn_normal(inn_build *b, inn_val like, uint64_t seed, uint32_t draw) { return noise(b, INN_OP_NORMAL, like, seed, draw); }

inn_val inn__output(inn_build *b, const char *name, inn_val v)
{
	uint32_t attr;

	if (!usable(b, v, "output") || (attr = inn__name(b, name)) == UINT32_MAX)
		return (inn_val){ 0 };
	struct inn_shape s = *inn_shape_of(b, v);

	uint8_t rows = val(b, v.id)->op.rows;

	b->mixes = b->batch > 1 && rows == 'M';
	if (b->mixes)
		return inn__fail_op(b, INN_EUNSUP, "output %s mixes the samples of a batch; only batches of 1 are supported", name);
	if (b->batch > 1 && (rows == 'A' || rows == 'X' || (s.rank && s.dim[0] != 1 && s.dim[0] != b->batch))) {
		b->untracked = true;
		return inn__fail_op(b, INN_EUNSUP, "axis 0 of output %s does not count samples", name);
	}
	if (val(b, v.id)->op.home & ~(uint64_t)BATCH)
		return inn__fail_op(b, INN_EBUG, "output %s depends on a loop that was never summed", name);
	if (s.rank && s.dim[0] == 1)
		s.dim[0] = b->batch;
	v = inn_expand(b, v, &s);
	return inn__record(b, INN_OP_OUTPUT, &v.id, 1, &attr, 1, NULL);
}
