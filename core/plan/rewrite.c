/* Rewrites R2-R5, applied while recording: the result is an operand, a constant or the operation itself, so any
 * recorded value can still be differentiated. */
#include "value.h"

double inn__eval(uint32_t code, double x, double y, double z)
{
	switch (code) {
	case INN_OP_ABS: return fabs(x);
	case INN_OP_EXP: return exp(x);
	case INN_OP_LOG: return log(x);
	case INN_OP_SQRT: return sqrt(x);
	case INN_OP_TANH: return tanh(x);
	case INN_OP_SIGMOID: return 1 / (1 + exp(-x));
	case INN_OP_ERF: return erf(x);
	case INN_OP_FLOOR: return floor(x);
	case INN_OP_ADD: return x + y;
	case INN_OP_SUB: return x - y;
	case INN_OP_MUL: return x * y;
	case INN_OP_DIV: return x / y;
	case INN_OP_MAX: return x > y ? x : y;
	case INN_OP_MIN: return x < y ? x : y;
	case INN_OP_POW: return pow(x, y);
	case INN_OP_GT: return x > y;
	case INN_OP_GE: return x >= y;
	case INN_OP_EQ: return x == y;
	case INN_OP_SELECT: return x != 0 ? y : z;
	default: return NAN;
	}
}

/* x in the result's shape. */
static inn_val fit(inn_build *b, uint32_t x, const struct inn_shape *shape)
{
	if (inn_shape_eq(&val(b, x)->op.shape, shape))
		return (inn_val){ x };
	return inn__record(b, INN_OP_EXPAND, &x, 1, NULL, 0, shape);
}

static inn_val none(void) { return (inn_val){ 0 }; }

static inn_val of_constants(inn_build *b, const struct args *a)
{
	double c[3] = { 0 };

	for (uint32_t i = 0; i < a->n; i++) {
		if (!val(b, a->src[i])->uniform)
			return none();
		c[i] = val(b, a->src[i])->c;
	}
	double r = inn__eval(a->code, c[0], c[1], c[2]);

	return isfinite(r) ? inn__const(b, r, &a->shape) : none();
}

static inn_val select_of(inn_build *b, const struct args *a)
{
	const uint32_t *s = a->src;

	if (val(b, s[0])->uniform)
		return fit(b, val(b, s[0])->c != 0 ? s[1] : s[2], &a->shape);
	if (s[1] == s[2])
		return fit(b, s[1], &a->shape);
	return none();
}

static inn_val by_sign(inn_build *b, const struct args *a)
{
	uint32_t x = a->src[0], y = a->src[1];
	bool above = nonneg(b, x) && nonpos(b, y), below = nonpos(b, x) && nonneg(b, y);

	switch (a->code) {
	case INN_OP_MAX:
		return x == y || above ? fit(b, x, &a->shape) : below ? fit(b, y, &a->shape) : none();
	case INN_OP_MIN:
		return x == y || below ? fit(b, x, &a->shape) : above ? fit(b, y, &a->shape) : none();
	case INN_OP_GT:
		return below || x == y ? inn__const(b, 0, &a->shape) : none();
	case INN_OP_GE:
		return above || x == y ? inn__const(b, 1, &a->shape) : none();
	default:
		return none();
	}
}

static inn_val arithmetic(inn_build *b, const struct args *a)
{
	uint32_t x = a->src[0], y = a->src[1];

	switch (a->code) {
	case INN_OP_ADD:
		if (is_uniform(b, y, 0))
			return fit(b, x, &a->shape);
		return is_uniform(b, x, 0) ? fit(b, y, &a->shape) : none();
	case INN_OP_SUB:
		if (is_uniform(b, y, 0))
			return fit(b, x, &a->shape);
		return x == y ? inn__const(b, 0, &a->shape) : none();
	case INN_OP_MUL:
		if (is_uniform(b, x, 0) || is_uniform(b, y, 0))
			return inn__const(b, 0, &a->shape);
		if (is_uniform(b, y, 1))
			return fit(b, x, &a->shape);
		return is_uniform(b, x, 1) ? fit(b, y, &a->shape) : none();
	case INN_OP_DIV:
		if (is_uniform(b, x, 0) && !is_uniform(b, y, 0))
			return inn__const(b, 0, &a->shape);
		return is_uniform(b, y, 1) ? fit(b, x, &a->shape) : none();
	case INN_OP_POW:
		return is_uniform(b, y, 1) ? fit(b, x, &a->shape) : none();
	default:
		return by_sign(b, a);
	}
}

/* A view that changes nothing. */
static bool same_view(const inn_build *b, const struct args *a)
{
	const struct inn_shape *x = &val(b, a->src[0])->op.shape;

	if (a->code == INN_OP_CONCAT)
		return a->n == 1;
	if (!inn_shape_eq(x, &a->shape))
		return false;
	for (uint32_t d = 0; d < x->rank; d++)
		if (a->code == INN_OP_PERMUTE ? a->attr[d] != d : a->code == INN_OP_PAD && x->dim[d] > 1 && a->attr[3 * d + 2] != 1)
			return false;
	return true;
}

static inn_val moved(inn_build *b, const struct args *a)
{
	const struct value *x = val(b, a->src[0]);
	bool equal = true;

	if (a->code != INN_OP_GATHER && a->code != INN_OP_SCATTER && same_view(b, a))
		return (inn_val){ a->src[0] };
	for (uint32_t i = 0; a->code == INN_OP_CONCAT && i < a->n; i++)
		equal &= is_uniform(b, a->src[i], x->c);
	if (!x->uniform || !equal)
		return none();
	if ((a->code == INN_OP_PAD || a->code == INN_OP_SCATTER) && x->c != 0)
		return none();
	return inn__const(b, x->c, &a->shape);
}

static inn_val reduced(inn_build *b, const struct args *a)
{
	const struct value *x = val(b, a->src[0]);
	double n = 1;

	for (uint32_t d = 0; a->code == INN_OP_SUM && d < x->op.shape.rank; d++)
		if (a->attr[0] >> d & 1)
			n *= x->op.shape.dim[d];
	if (a->code != INN_OP_SUM && a->code != INN_OP_RMAX)
		return none();
	if (inn_shape_eq(&x->op.shape, &a->shape))
		return (inn_val){ a->src[0] };
	return x->uniform ? inn__const(b, x->c * n, &a->shape) : none();
}

inn_val inn__simplify(inn_build *b, const struct args *a)
{
	inn_val r = none();

	switch (inn_op_class(a->code)) {
	case 'U':
		r = of_constants(b, a);
		if (!r.id && a->code == INN_OP_ABS && nonneg(b, a->src[0]))
			r.id = a->src[0];
		return r;
	case 'E':
		r = of_constants(b, a);
		return r.id ? r : a->code == INN_OP_SELECT ? select_of(b, a) : arithmetic(b, a);
	case 'R':
		return reduced(b, a);
	case 'M':
		return moved(b, a);
	case 'P':
		if (is_uniform(b, a->src[0], 0) || is_uniform(b, a->src[1], 0))
			return inn__const(b, 0, &a->shape);
		return r;
	case 'W':
		return is_uniform(b, a->src[0], 0) ? inn__const(b, 0, &a->shape) : r;
	default:
		break;
	}
	if (a->code == INN_OP_LOOP_SUM && !(val(b, a->src[0])->op.home & val(b, a->src[1])->op.home)) {
		double n = attr_of(b, a->src[1])[0];

		return inn_mulc(b, (inn_val){ a->src[0] }, n);
	}
	return r;
}
