/* Shapes of results, checked when an operation is recorded. */
#include "value.h"

void inn__window_of(const uint32_t *attr, uint32_t code, uint32_t n, struct inn_window *w)
{
	bool pool = inn_op_class(code) == 'W';

	*w = (struct inn_window){ .n = n };
	for (uint32_t i = 0; pool && i < n; i++)
		w->size[i] = *attr++;
	for (uint32_t i = 0; i < n; i++) {
		w->stride[i] = attr[i];
		w->before[i] = attr[n + i];
		w->after[i] = attr[2 * n + i];
		w->dilation[i] = attr[3 * n + i];
	}
	if (pool)
		w->count_pad = attr[4 * n];
	else
		w->groups = attr[4 * n];
}

static bool misfit(inn_build *b, const struct args *a)
{
	char s[3][INN_SHAPE_STR] = { "" };

	for (uint32_t i = 0; i < a->n && i < 3; i++)
		inn_shape_str(&val(b, a->src[i])->op.shape, s[i]);
	inn__fail_op(b, INN_ESHAPE, "%s: %s%s%s%s%s do not fit", inn_op_name(a->code), s[0], a->n > 1 ? " and " : "", s[1],
		     a->n > 2 ? " and " : "", s[2]);
	return false;
}

/* Output length of a window along one axis, or 0. */
static uint32_t steps(uint64_t in, uint32_t k, const struct inn_window *w, uint32_t i)
{
	uint64_t reach = (uint64_t)w->dilation[i] * (k - 1) + 1, len = in + w->before[i] + w->after[i];

	if (!k || !w->stride[i] || !w->dilation[i] || len < reach)
		return 0;
	uint64_t n = (len - reach) / w->stride[i] + 1;

	return n > UINT32_MAX ? 0 : (uint32_t)n;
}

/* conv(x, w) -> shape of the result; false if they do not fit. */
static bool conv_shape(const struct inn_shape *x, const struct inn_shape *w, const struct inn_window *win, struct inn_shape *out)
{
	if (x->rank < 3 || x->rank > 5 || w->rank != x->rank || !win->groups || w->dim[0] % win->groups ||
	    (uint64_t)w->dim[1] * win->groups != x->dim[1])
		return false;
	out->rank = x->rank;
	out->dim[0] = x->dim[0];
	out->dim[1] = w->dim[0];
	for (uint32_t i = 0; i < win->n; i++)
		if (!(out->dim[2 + i] = steps(x->dim[2 + i], w->dim[2 + i], win, i)))
			return false;
	return true;
}

static bool products(inn_build *b, struct args *a)
{
	const struct inn_shape *p = &val(b, a->src[0])->op.shape, *q = &val(b, a->src[1])->op.shape;
	struct inn_shape y;
	struct inn_window w;

	if (p->rank < 3 || p->rank > 5 || q->rank != p->rank)
		return misfit(b, a);
	inn__window_of(a->attr, a->code, p->rank - 2, &w);
	if (a->code == INN_OP_CONV)
		return conv_shape(p, q, &w, &a->shape) || misfit(b, a);
	if (a->code == INN_OP_CONV_DX) { /* a->shape: result [N, C, spatial] */
		a->shape.rank = p->rank;
		a->shape.dim[0] = p->dim[0];
		a->shape.dim[1] = q->dim[1] * w.groups;
		return (conv_shape(&a->shape, q, &w, &y) && inn_shape_eq(&y, p)) || misfit(b, a);
	}
	a->shape.rank = p->rank; /* conv_dw(x, g): result [K, C/g, kernel] */
	a->shape.dim[0] = q->dim[1];
	a->shape.dim[1] = w.groups ? p->dim[1] / w.groups : 0;
	return (conv_shape(p, &a->shape, &w, &y) && inn_shape_eq(&y, q)) || misfit(b, a);
}

static bool pool_shape(const struct inn_shape *x, const struct inn_window *w, struct inn_shape *out)
{
	*out = *x;
	for (uint32_t i = 0; i < w->n; i++)
		if (!(out->dim[2 + i] = steps(x->dim[2 + i], w->size[i], w, i)))
			return false;
	return true;
}

static bool pools(inn_build *b, struct args *a)
{
	const struct inn_shape *x = &val(b, a->src[0])->op.shape;
	const struct inn_shape *by = &val(b, a->src[a->n - 1])->op.shape;
	struct inn_shape y;
	struct inn_window w;

	if (x->rank < 3 || x->rank > 5)
		return misfit(b, a);
	inn__window_of(a->attr, a->code, x->rank - 2, &w);
	switch (a->code) {
	case INN_OP_POOL_MAX:
		return (inn_shape_eq(x, by) && pool_shape(x, &w, &a->shape)) || misfit(b, a);
	case INN_OP_POOL_AVG:
		return pool_shape(x, &w, &a->shape) || misfit(b, a);
	case INN_OP_POOL_MAX_DX:
		a->shape = *by;
		break;
	default: /* POOL_AVG_DX: spatial sizes given */
		a->shape.rank = x->rank;
		a->shape.dim[0] = x->dim[0];
		a->shape.dim[1] = x->dim[1];
	}
	return (pool_shape(&a->shape, &w, &y) && inn_shape_eq(&y, x)) || misfit(b, a);
}

static bool matmul(inn_build *b, struct args *a)
{
	struct inn_shape p = val(b, a->src[0])->op.shape, q = val(b, a->src[1])->op.shape;

	if (p.rank < 2 || q.rank < 2)
		return misfit(b, a);
	uint32_t m = p.dim[p.rank - (a->attr[0] ? 1 : 2)], k = p.dim[p.rank - (a->attr[0] ? 2 : 1)];
	uint32_t k2 = q.dim[q.rank - (a->attr[1] ? 1 : 2)], n = q.dim[q.rank - (a->attr[1] ? 2 : 1)];

	p.rank -= 2;
	q.rank -= 2;
	if (k != k2 || !inn_shape_broadcast(&p, &q, &a->shape))
		return misfit(b, a);
	a->shape.dim[a->shape.rank++] = m;
	a->shape.dim[a->shape.rank++] = n;
	return true;
}

static bool concat(inn_build *b, struct args *a)
{
	uint32_t axis = a->attr[0];
	uint64_t total = 0;

	for (uint32_t i = 0; i < a->n; i++) {
		const struct inn_shape *s = &val(b, a->src[i])->op.shape;

		if (!i)
			a->shape = *s;
		if (axis >= s->rank || s->rank != a->shape.rank)
			return misfit(b, a);
		for (uint32_t d = 0; d < s->rank; d++)
			if (d != axis && s->dim[d] != a->shape.dim[d])
				return misfit(b, a);
		total += s->dim[axis];
	}
	if (!a->n || total > UINT32_MAX)
		return misfit(b, a);
	a->shape.dim[axis] = (uint32_t)total;
	return true;
}

static bool slices(inn_build *b, struct args *a)
{
	const struct inn_shape *x = &val(b, a->src[0])->op.shape;

	a->shape = *x;
	for (uint32_t d = 0; d < x->rank; d++) {
		const uint32_t *t = a->attr + 3 * d;

		if (a->code == INN_OP_SLICE) {
			if (t[0] > t[1] || t[1] > x->dim[d] || !t[2])
				return misfit(b, a);
			a->shape.dim[d] = (t[1] - t[0] + t[2] - 1) / t[2];
		} else {
			uint64_t n = (uint64_t)t[0] + t[1] + (x->dim[d] ? (uint64_t)(x->dim[d] - 1) * t[2] + 1 : 0);

			if (!t[2] || n > UINT32_MAX)
				return misfit(b, a);
			a->shape.dim[d] = (uint32_t)n;
		}
	}
	return true;
}

static bool gathers(inn_build *b, struct args *a)
{
	const struct inn_shape *x = &val(b, a->src[0])->op.shape, *i = &val(b, a->src[1])->op.shape;
	uint32_t axis = a->attr[0];

	if (a->code == INN_OP_SCATTER) { /* a->shape: result */
		struct inn_shape want = a->shape;

		if (axis >= want.rank || want.rank - 1 + i->rank != x->rank)
			return misfit(b, a);
		for (uint32_t d = 0; d < want.rank; d++)
			if (d != axis && want.dim[d] != x->dim[d < axis ? d : d - 1 + i->rank])
				return misfit(b, a);
		return true;
	}
	if (axis >= x->rank || x->rank - 1 + i->rank > INN_MAX_RANK)
		return misfit(b, a);
	a->shape.rank = 0;
	for (uint32_t d = 0; d < axis; d++)
		a->shape.dim[a->shape.rank++] = x->dim[d];
	for (uint32_t d = 0; d < i->rank; d++)
		a->shape.dim[a->shape.rank++] = i->dim[d];
	for (uint32_t d = axis + 1; d < x->rank; d++)
		a->shape.dim[a->shape.rank++] = x->dim[d];
	return true;
}

static bool reductions(inn_build *b, struct args *a)
{
	const struct inn_shape *x = &val(b, a->src[0])->op.shape;

	a->shape = *x;
	if (a->code == INN_OP_RANK)
		return x->rank ? true : misfit(b, a);
	if (a->code == INN_OP_ARGMAX) {
		if (a->attr[0] >= x->rank || !x->dim[a->attr[0]])
			return misfit(b, a);
		for (uint32_t d = a->attr[0]; d + 1 < x->rank; d++)
			a->shape.dim[d] = x->dim[d + 1];
		a->shape.rank--;
		return true;
	}
	for (uint32_t d = 0; d < x->rank; d++)
		if (a->attr[0] >> d & 1)
			a->shape.dim[d] = 1;
	return a->attr[0] >> x->rank ? misfit(b, a) : true;
}

static bool moves(inn_build *b, struct args *a)
{
	const struct inn_shape *x = &val(b, a->src[0])->op.shape;
	struct inn_shape y;
	size_t n, m;

	switch (a->code) {
	case INN_OP_RESHAPE:
		if (!inn_shape_count(x, &n) || !inn_shape_count(&a->shape, &m) || n != m) {
			char s[2][INN_SHAPE_STR];

			inn__fail_op(b, INN_ESHAPE, "reshape: %s does not fit into %s", inn_shape_str(x, s[0]),
				     inn_shape_str(&a->shape, s[1]));
			return false;
		}
		return true;
	case INN_OP_EXPAND:
		return (inn_shape_broadcast(x, &a->shape, &y) && inn_shape_eq(&y, &a->shape)) || misfit(b, a);
	case INN_OP_PERMUTE: {
		uint32_t seen = 0;

		a->shape.rank = x->rank;
		for (uint32_t d = 0; d < x->rank; d++) {
			if (a->attr[d] >= x->rank)
				return misfit(b, a);
			seen |= 1u << a->attr[d];
			a->shape.dim[d] = x->dim[a->attr[d]];
		}
		return seen == (1u << x->rank) - 1 ? true : misfit(b, a);
	}
	case INN_OP_SLICE:
	case INN_OP_PAD:
		return slices(b, a);
	case INN_OP_CONCAT:
		return concat(b, a);
	default:
		return gathers(b, a);
	}
}

static bool elements(inn_build *b, struct args *a)
{
	a->shape = val(b, a->src[0])->op.shape;
	for (uint32_t i = 1; i < a->n; i++)
		if (!inn_shape_broadcast(&a->shape, &val(b, a->src[i])->op.shape, &a->shape))
			return misfit(b, a);
	return true;
}

static bool loops(inn_build *b, struct args *a)
{
	bool sink = a->code == INN_OP_OUTPUT || a->code == INN_OP_ACCUMULATE;

	if ((!sink && val(b, a->src[a->n - 1])->op.code != INN_OP_INDEX) || (a->code == INN_OP_LOOP_LAST && val(b, a->src[1])->op.code != INN_OP_CARRY)) {
		inn__fail_op(b, INN_EBUG, "%s: neither an index of a loop nor what is carried through one", inn_op_name(a->code));
		return false;
	}
	a->shape = val(b, a->src[0])->op.shape;
	if (a->code == INN_OP_LOOP_STACK) {
		if (!a->shape.rank || a->shape.rank == INN_MAX_RANK)
			return misfit(b, a);
		for (uint32_t d = a->shape.rank++; d > 1; d--)
			a->shape.dim[d] = a->shape.dim[d - 1];
		a->shape.dim[1] = attr_of(b, a->src[1])[0];
	}
	if (a->code == INN_OP_LOOP_LAST && !inn_shape_eq(&a->shape, &val(b, a->src[1])->op.shape))
		return misfit(b, a);
	return true;
}

bool inn__sized(inn_build *b, uint32_t code, const struct inn_shape *s)
{
	char text[INN_SHAPE_STR];
	uint64_t most = inn_limit(b->ctx, INN_LIMIT_ELEMENTS);
	size_t n;

	if (inn_shape_count(s, &n) && n <= most)
		return true;
	inn_shape_str(s, text);
	return inn__fail_op(b, INN_ELIMIT, "%s: the result %s is larger than limits.elements, %llu", inn_op_name(code), text,
			    (unsigned long long)most).id;
}

bool inn__infer(inn_build *b, struct args *a)
{
	bool ok = true;

	switch (inn_op_class(a->code)) {
	case 'U':
	case 'E': ok = elements(b, a); break;
	case 'R': ok = reductions(b, a); break;
	case 'M': ok = moves(b, a); break;
	case 'P': ok = a->code == INN_OP_MATMUL ? matmul(b, a) : products(b, a); break;
	case 'W': ok = pools(b, a); break;
	case 'O': ok = loops(b, a); break;
	default: break; /* leaves and noise: given */
	}
	return ok && inn__sized(b, a->code, &a->shape);
}
