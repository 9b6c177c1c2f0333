/* Rewrites G1-G3, G5 and G6, for plans that are being closed: they look past an operand. */
#include "value.h"
#include <stdlib.h>

static inn_val none(void) { return (inn_val){ 0 }; }

/* a = max(z, 0): gives z, else 0. */
static uint32_t rectified(const inn_build *b, uint32_t a)
{
	return val(b, a)->op.code == INN_OP_MAX && is_uniform(b, src_of(b, a, 1), 0) ? src_of(b, a, 0) : 0;
}

struct probe { inn_build *b; uint32_t z, a; unsigned steps; bool found, ok; };

/* The elementwise expression f at z = 0; p->ok is cleared if it reads anything but z and constants. */
static double at_zero(struct probe *p, uint32_t f)
{
	const struct value *v = val(p->b, f);
	double x[3] = { 0 };

	if (f == p->z) {
		p->found = true;
		return 0;
	}
	if (v->uniform)
		return v->c;
	if (!elementwise(v->op.code) || f < p->z || ++p->steps > 64) {
		p->ok = false;
		return 0;
	}
	for (uint32_t k = 0; p->ok && k < v->op.n_src; k++)
		x[k] = at_zero(p, src_of(p->b, f, k));
	return inn__eval(v->op.code, x[0], x[1], x[2]);
}

/* f with z replaced by a. */
static uint32_t replaced(struct probe *p, uint32_t f)
{
	struct inn_op o = val(p->b, f)->op;
	uint32_t s[3];

	if (f == p->z)
		return p->a;
	if (val(p->b, f)->uniform)
		return f;
	for (uint32_t k = 0; k < o.n_src; k++)
		if (!(s[k] = replaced(p, src_of(p->b, f, k))))
			return 0;
	return inn__record(p->b, o.code, s, o.n_src, NULL, 0, NULL).id;
}

/* G2: the factor, divisor or condition e(z) read only where a = relu(z) lives becomes e(a). */
static uint32_t of_rectified(inn_build *b, uint32_t r, uint32_t e, bool divisor)
{
	struct value *v = val(b, r);
	uint32_t n = v->n_support, member[MAX_SUPPORT + 1];

	for (uint32_t i = 0; i < n; i++)
		member[i] = v->support[i];
	member[n++] = r;
	for (uint32_t i = 0; i < n; i++) {
		struct probe p = { .b = b, .z = rectified(b, member[i]), .a = member[i], .ok = true };

		if (!p.z || e == p.a)
			continue;
		double f = at_zero(&p, e);

		if (p.ok && p.found && isfinite(f) && !(divisor && f == 0))
			return replaced(&p, e);
	}
	return 0;
}

/* G3: gt(a, 0) with a >= 0 in the support of r changes nothing. */
static bool idle_mask(const inn_build *b, uint32_t r, uint32_t m)
{
	const struct value *v = val(b, r), *g = val(b, m);

	if (g->op.code != INN_OP_GT || !is_uniform(b, src_of(b, m, 1), 0))
		return false;
	uint32_t a = src_of(b, m, 0);

	for (uint32_t i = 0; i < v->n_support; i++)
		if (v->support[i] == a)
			return nonneg(b, a);
	return false;
}

static inn_val masked(inn_build *b, const struct args *a)
{
	for (uint32_t k = 0; k < (a->code == INN_OP_MUL ? 2u : 1u); k++) {
		uint32_t r = a->src[k], e = a->src[1 - k];

		if (a->code == INN_OP_SELECT) { /* select(e, r, 0) */
			if (!is_uniform(b, a->src[2], 0))
				return none();
			r = a->src[1];
			e = a->src[0];
		}
		if (!inn_shape_eq(&val(b, r)->op.shape, &a->shape))
			continue;
		if (a->code != INN_OP_DIV && idle_mask(b, r, e))
			return (inn_val){ r };
		uint32_t q = of_rectified(b, r, e, a->code == INN_OP_DIV);

		if (q && q != e) {
			uint32_t s[3] = { a->code == INN_OP_SELECT ? q : r, a->code == INN_OP_SELECT ? r : q, a->src[2 * (a->n == 3)] };

			return inn__record(b, a->code, s, a->n, NULL, 0, NULL);
		}
	}
	return none();
}

/* G5: equal weights see only the sum over outputs. */
static inn_val flat_weights(inn_build *b, const struct args *a)
{
	const struct value *w = val(b, a->src[1]);
	inn_val g = { a->src[0] };
	struct inn_shape ws = w->op.shape;
	uint32_t attr[MAX_ATTR];
	double c = w->c;

	if (!w->uniform || !(val(b, g.id)->op.home & BATCH))
		return none();
	if (a->code == INN_OP_MATMUL && !a->attr[0] && !a->attr[1] && ws.dim[ws.rank - 1] > 1) {
		inn_val s = inn_mulc(b, inn_sum(b, g, 1u << (val(b, g.id)->op.shape.rank - 1)), c);

		return inn_expand(b, s, &a->shape);
	}
	if (a->code != INN_OP_CONV_DX || a->attr[a->n_attr - 1] != 1 || ws.dim[1] < 2)
		return none();
	struct inn_shape one = a->shape;

	for (uint32_t i = 0; i < a->n_attr; i++)
		attr[i] = a->attr[i];
	ws.dim[0] = ws.dim[1] = one.dim[1] = 1;
	uint32_t s[2] = { inn_sum(b, g, 2).id, inn__const(b, c, &ws).id };

	return inn_expand(b, inn__record(b, INN_OP_CONV_DX, s, 2, attr, a->n_attr, &one), &a->shape);
}

/* G1: what is above 0 is so rectified. */
static inn_val of_relu(inn_build *b, const struct args *a)
{
	struct args relu = { .code = INN_OP_MAX, .n = 2, .src = a->src, .shape = a->shape };
	uint32_t r = is_uniform(b, a->src[1], 0) ? inn__lookup(b, &relu) : 0, s[2] = { r, a->src[1] };

	return r && r != a->src[0] ? inn__record(b, INN_OP_GT, s, 2, NULL, 0, NULL) : none();
}

/* G6: whether x is above c, or below, is seen in min(x, top) too, if c is below top, or not above. */
static inn_val of_clipped(inn_build *b, const struct args *a)
{
	for (uint32_t k = 0; k < 2; k++) {
		uint32_t y = val(b, a->src[k])->clipped, s[2] = { a->src[0], a->src[1] };
		const struct value *c = val(b, a->src[1 - k]);

		if (!y || !c->uniform)
			continue;
		double top = val(b, src_of(b, y, 1))->c;

		s[k] = y;
		if (k ? c->c <= top : c->c < top)
			return inn__record(b, INN_OP_GT, s, 2, NULL, 0, NULL);
	}
	return none();
}

inn_val inn__simplify_final(inn_build *b, const struct args *a)
{
	switch (a->code) {
	case INN_OP_GT: {
		inn_val r = of_relu(b, a);

		return r.id ? r : of_clipped(b, a);
	}
	case INN_OP_MUL:
	case INN_OP_DIV:
	case INN_OP_SELECT:
		return masked(b, a);
	case INN_OP_MATMUL:
	case INN_OP_CONV_DX:
		return flat_weights(b, a);
	case INN_OP_RESHAPE:
		if (val(b, a->src[0])->op.code == INN_OP_RESHAPE) {
			uint32_t x = src_of(b, a->src[0], 0);

			return inn__record(b, INN_OP_RESHAPE, &x, 1, NULL, 0, &a->shape);
		}
		return none();
	default:
		return none();
	}
}
