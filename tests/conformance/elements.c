/* Elementwise operations over broadcast shapes, matrix products and reductions. */
#include "conform.h"
#include <math.h>

static double apply(uint32_t code, double a, double b, double c)
{
	switch (code) {
	case INN_OP_ABS: return fabs(a);
	case INN_OP_EXP: return exp(a);
	case INN_OP_LOG: return log(a);
	case INN_OP_SQRT: return sqrt(a);
	case INN_OP_TANH: return tanh(a);
	case INN_OP_SIGMOID: return 1 / (1 + exp(-a));
	case INN_OP_ERF: return erf(a);
	case INN_OP_FLOOR: return floor(a);
	case INN_OP_ADD: return a + b;
	case INN_OP_SUB: return a - b;
	case INN_OP_MUL: return a * b;
	case INN_OP_DIV: return a / b;
	case INN_OP_MAX: return a > b ? a : b;
	case INN_OP_MIN: return a < b ? a : b;
	case INN_OP_POW: return pow(a, b);
	case INN_OP_GT: return a > b;
	case INN_OP_GE: return a >= b;
	case INN_OP_EQ: return a == b;
	default: return a != 0 ? b : c;
	}
}

static inn_val make_element(inn_build *b, const inn_val *x, const struct spec *s)
{
	if (s->n_in == 1)
		return inn_op1(b, s->a[0], x[0]);
	return s->n_in == 2 ? inn_op2(b, s->a[0], x[0], x[1]) : inn_select(b, x[0], x[1], x[2]);
}

/* Position in an operand of shape x, broadcast, of element j of shape y. */
static size_t seen(const struct inn_shape *y, const struct inn_shape *x, size_t j)
{
	size_t off = 0, step = 1;

	for (uint32_t back = 1; back <= y->rank; back++) {
		size_t at = j % y->dim[y->rank - back];

		j /= y->dim[y->rank - back];
		if (back > x->rank)
			continue;
		off += x->dim[x->rank - back] == 1 ? 0 : at * step;
		step *= x->dim[x->rank - back];
	}
	return off;
}

static void element(const struct spec *s, const double *const *x, double *y)
{
	for (size_t j = 0; j < count_of(&s->out); j++) {
		double v[3] = { 0 };

		for (uint32_t k = 0; k < s->n_in; k++)
			v[k] = x[k][seen(&s->out, &s->in[k], j)];
		y[j] = apply(s->a[0], v[0], v[1], v[2]);
	}
}

static const struct inn_shape pairs[][2] = {
	{ SHAPE(2, 3, 5, 4), SHAPE(2, 3, 5, 4) }, { SHAPE(2, 3, 5, 4), SHAPE(1, 3, 1, 1) }, { SHAPE(2, 3, 5, 4), SHAPE(4) },
	{ SHAPE(2, 1, 5, 1), SHAPE(1, 3, 1, 4) }, { SHAPE(2, 3), { 0 } }, { { 0 }, SHAPE(2, 3) }, { { 0 }, { 0 } },
	{ SHAPE(1, 2, 1, 3, 1, 2, 1, 2), SHAPE(2, 1, 2, 1, 2, 1, 2, 1) }, { SHAPE(3, 17), SHAPE(3, 1) }, { SHAPE(3, 0), SHAPE(3, 1) },
	{ SHAPE(1, 70, 3, 3), SHAPE(1, 1, 3, 3) },
};

static void unary(struct bench *t)
{
	for (uint32_t code = INN_OP_ABS; code <= INN_OP_FLOOR; code++) {
		bool positive = code == INN_OP_LOG || code == INN_OP_SQRT;
		struct spec s = { .name = inn_op_name(code), .make = make_element, .oracle = element, .n_in = 1, .a = { code },
				  .fill = { positive ? POSITIVE : SMOOTH }, .grads = code != INN_OP_FLOOR };

		for (size_t i = 0; i < sizeof(pairs) / sizeof(*pairs); i++) {
			s.in[0] = pairs[i][0];
			conform(t, &s);
		}
		s.fill[0] = positive ? POSITIVE : COARSE;
		s.grads = 0;
		conform(t, &s);
	}
}

static void binary(struct bench *t)
{
	for (uint32_t code = INN_OP_ADD; code <= INN_OP_EQ; code++) {
		bool step = code >= INN_OP_GT;
		struct spec s = { .name = inn_op_name(code), .make = make_element, .oracle = element, .n_in = 2, .a = { code },
				  .fill = { code == INN_OP_POW ? POSITIVE : SMOOTH, code == INN_OP_DIV ? POSITIVE : SMOOTH },
				  .grads = step ? 0 : 3 };

		for (size_t i = 0; i < sizeof(pairs) / sizeof(*pairs); i++) {
			s.in[0] = pairs[i][0];
			s.in[1] = pairs[i][1];
			conform(t, &s);
		}
		if (code == INN_OP_DIV || code == INN_OP_POW)
			continue;
		s.in[0] = s.in[1] = pairs[0][0];
		s.fill[0] = s.fill[1] = COARSE;
		s.grads = 0;
		conform(t, &s);
	}
}

static void three(struct bench *t)
{
	struct spec s = { .name = "select", .make = make_element, .oracle = element, .n_in = 3, .a = { INN_OP_SELECT },
			  .fill = { COARSE, SMOOTH, SMOOTH }, .grads = 6 };

	for (size_t i = 0; i < sizeof(pairs) / sizeof(*pairs); i++) {
		s.in[0] = pairs[i][1];
		s.in[1] = pairs[i][0];
		s.in[2] = pairs[i][1];
		conform(t, &s);
		s.in[2] = (struct inn_shape){ 0 };
		conform(t, &s);
	}
}

static inn_val make_matmul(inn_build *b, const inn_val *x, const struct spec *s)
{
	return inn_matmul(b, x[0], x[1], s->a[0], s->a[1]);
}

static void matmul(const struct spec *s, const double *const *x, double *y)
{
	struct inn_shape lead[3] = { s->in[0], s->in[1], s->out };
	const struct inn_shape *p = &s->in[0], *q = &s->in[1];
	size_t m = s->out.dim[s->out.rank - 2], n = s->out.dim[s->out.rank - 1], k = p->dim[p->rank - (s->a[0] ? 2 : 1)];

	(void)q;
	for (int i = 0; i < 3; i++)
		lead[i].rank -= 2;
	for (size_t j = 0; j < count_of(&s->out); j++) {
		size_t t = j / (m * n), r = j / n % m, c = j % n;
		const double *u = x[0] + seen(&lead[2], &lead[0], t) * m * k, *v = x[1] + seen(&lead[2], &lead[1], t) * k * n;

		y[j] = 0;
		for (size_t l = 0; l < k; l++)
			y[j] += (s->a[0] ? u[l * m + r] : u[r * k + l]) * (s->a[1] ? v[c * k + l] : v[l * n + c]);
	}
}

static void products(struct bench *t)
{
	static const struct { struct inn_shape a, b; } lead[] = {
		{ SHAPE(0), { 0 } }, { SHAPE(3, 4), SHAPE(3, 4) }, { SHAPE(3, 1), SHAPE(1, 4) }, { SHAPE(4), { 0 } }, { { 0 }, SHAPE(2, 2) },
	};

	for (size_t i = 0; i < sizeof(lead) / sizeof(*lead); i++)
		for (uint32_t f = 0; f < 8; f++) {
			struct spec s = { .name = "matmul", .make = make_matmul, .oracle = matmul, .n_in = 2, .grads = 3,
					  .a = { f & 1, f >> 1 & 1 }, .in = { i ? lead[i].a : lead[i].b, lead[i].b } };
			uint32_t m = f & 4 ? 1 : 5, n = f & 4 ? 3 : 6, k = f & 4 ? 1 : 7;

			s.in[0].dim[s.in[0].rank++] = s.a[0] ? k : m;
			s.in[0].dim[s.in[0].rank++] = s.a[0] ? m : k;
			s.in[1].dim[s.in[1].rank++] = s.a[1] ? n : k;
			s.in[1].dim[s.in[1].rank++] = s.a[1] ? k : n;
			conform(t, &s);
		}
}

static inn_val make_reduce(inn_build *b, const inn_val *x, const struct spec *s)
{
	switch (s->a[0]) {
	case INN_OP_SUM: return inn_sum(b, x[0], s->a[1]);
	case INN_OP_RMAX: return inn_rmax(b, x[0], s->a[1]);
	case INN_OP_ARGMAX: return inn_argmax(b, x[0], s->a[1]);
	default: return inn_rank(b, x[0]);
	}
}

/* Element j of x belongs to this element of the reduced result; *at: index along `axis`. */
static size_t goes_to(const struct inn_shape *x, uint32_t axes, size_t j, uint32_t axis, size_t *at)
{
	size_t off = 0, step = 1;

	for (uint32_t d = x->rank; d--; j /= x->dim[d]) {
		if (d == axis)
			*at = j % x->dim[d];
		if (axes >> d & 1)
			continue;
		off += j % x->dim[d] * step;
		step *= x->dim[d];
	}
	return off;
}

static void reduce(const struct spec *s, const double *const *x, double *y)
{
	const struct inn_shape *in = &s->in[0];
	bool arg = s->a[0] == INN_OP_ARGMAX;
	double best[4096];
	size_t at = 0;

	for (size_t j = 0; j < count_of(&s->out); j++) {
		y[j] = s->a[0] == INN_OP_RMAX ? -INFINITY : 0;
		best[j % 4096] = -INFINITY;
	}
	for (size_t j = 0; s->a[0] != INN_OP_RANK && j < count_of(in); j++) {
		size_t o = goes_to(in, arg ? 1u << s->a[1] : s->a[1], j, arg ? s->a[1] : 99, &at);

		if (s->a[0] == INN_OP_SUM)
			y[o] += x[0][j];
		else if (!arg)
			y[o] = fmax(y[o], x[0][j]);
		else if (x[0][j] > best[o % 4096]) {
			best[o % 4096] = x[0][j];
			y[o] = (double)at;
		}
	}
	size_t n = in->rank ? in->dim[in->rank - 1] : 1;

	for (size_t j = 0; s->a[0] == INN_OP_RANK && j < count_of(in); j++)
		for (size_t k = j / n * n; k < j / n * n + n; k++)
			y[j] += x[0][k] > x[0][j] || (x[0][k] == x[0][j] && k < j);
}

static void reductions(struct bench *t)
{
	static const struct inn_shape in[] = { SHAPE(2, 3, 4, 5), SHAPE(7), SHAPE(1, 6, 1), SHAPE(2, 3, 2, 1, 3, 2) };

	for (uint32_t code = INN_OP_SUM; code <= INN_OP_RANK; code++)
		for (size_t i = 0; i < sizeof(in) / sizeof(*in); i++)
			for (uint32_t f = 0; f < 1u << in[i].rank; f++) {
				struct spec s = { .name = inn_op_name(code), .make = make_reduce, .oracle = reduce, .n_in = 1,
						  .in = { in[i] }, .a = { code, f }, .fill = { f & 1 ? COARSE : SMOOTH } };

				if ((code == INN_OP_ARGMAX && f >= in[i].rank) || (code == INN_OP_RANK && f > 1))
					continue;
				s.grads = code == INN_OP_SUM || (code == INN_OP_RMAX && !(f & (f - 1)) && s.fill[0] == SMOOTH);
				conform(t, &s);
			}
	/* Rows so long that a device may add them up in pieces, the last of them shorter. */
	for (uint32_t code = INN_OP_SUM; code <= INN_OP_RMAX; code++)
		conform(t, &(struct spec){ .name = inn_op_name(code), .make = make_reduce, .oracle = reduce, .n_in = 1, .in = { SHAPE(3, 40000) },
					   .a = { code, 2 }, .fill = { SMOOTH } });
}

void conform_elements(struct bench *t)
{
	unary(t);
	binary(t);
	three(t);
	products(t);
	reductions(t);
}
