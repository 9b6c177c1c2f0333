/* Loops, state across iterations, and noise. */
#include "conform.h"
#include <math.h>

/* mean over i of (i + 1) x */
static inn_val make_mean(inn_build *b, const inn_val *x, const struct spec *s)
{
	inn_val i = inn_loop_begin(b, s->a[0]);
	inn_val y = inn_loop_sum(b, inn_tanh(b, inn_mul(b, x[0], inn_addc(b, i, 1))), i);

	inn_loop_end(b);
	return inn_divc(b, y, s->a[0]);
}

static void mean(const struct spec *s, const double *const *x, double *y)
{
	for (size_t j = 0; j < count_of(&s->out); j++) {
		y[j] = 0;
		for (uint32_t i = 0; i < s->a[0]; i++)
			y[j] += tanh(x[0][j] * (i + 1));
		y[j] /= s->a[0];
	}
}

static inn_val make_stack(inn_build *b, const inn_val *x, const struct spec *s)
{
	inn_val i = inn_loop_begin(b, s->a[0]);
	inn_val y = inn_loop_stack(b, inn_add(b, x[0], i), i);

	inn_loop_end(b);
	return y;
}

static void stacked(const struct spec *s, const double *const *x, double *y)
{
	size_t rest = 1, n = s->a[0];

	for (uint32_t d = 1; d < s->in[0].rank; d++)
		rest *= s->in[0].dim[d];
	for (size_t j = 0; j < count_of(&s->out); j++)
		y[j] = x[0][j / (rest * n) * rest + j % rest] + (double)(j / rest % n);
}

/* sum over i of (i + sum over k of (k + 1) tanh(i x)) x, and the inner one reads a value of the outer body */
static inn_val make_nested(inn_build *b, const inn_val *x, const struct spec *s)
{
	inn_val i = inn_loop_begin(b, s->a[0]), t = inn_tanh(b, inn_mul(b, x[0], i));
	inn_val k = inn_loop_begin(b, s->a[1]);
	inn_val in = inn_loop_sum(b, inn_mul(b, inn_add(b, t, inn_exp(b, inn_mul(b, t, k))), inn_addc(b, k, 1)), k);

	inn_loop_end(b);
	inn_val y = inn_loop_sum(b, inn_mul(b, inn_add(b, in, t), x[0]), i);

	inn_loop_end(b);
	return y;
}

static void nested(const struct spec *s, const double *const *x, double *y)
{
	for (size_t j = 0; j < count_of(&s->out); j++) {
		y[j] = 0;
		for (uint32_t i = 0; i < s->a[0]; i++) {
			double t = tanh(x[0][j] * i), in = 0;

			for (uint32_t k = 0; k < s->a[1]; k++)
				in += (t + exp(t * k)) * (k + 1);
			y[j] += (in + t) * x[0][j];
		}
	}
}

/* The second sweep reads the first one's result: sum of squared deviations of sin-like values. */
static inn_val make_deviation(inn_build *b, const inn_val *x, const struct spec *s)
{
	inn_val i = inn_loop_begin(b, s->a[0]);
	inn_val v = inn_tanh(b, inn_mul(b, x[0], i)), m = inn_divc(b, inn_loop_sum(b, v, i), s->a[0]);
	inn_val d = inn_sub(b, v, m), y = inn_loop_sum(b, inn_mul(b, d, d), i);

	inn_loop_end(b);
	return inn_add(b, y, m);
}

static void deviation(const struct spec *s, const double *const *x, double *y)
{
	for (size_t j = 0; j < count_of(&s->out); j++) {
		double m = 0, d = 0;

		for (uint32_t i = 0; i < s->a[0]; i++)
			m += tanh(x[0][j] * i) / s->a[0];
		for (uint32_t i = 0; i < s->a[0]; i++)
			d += (tanh(x[0][j] * i) - m) * (tanh(x[0][j] * i) - m);
		y[j] = d + m;
	}
}

/* A logistic map, n steps from x / 2. */
static inn_val make_state(inn_build *b, const inn_val *x, const struct spec *s)
{
	inn_val i = inn_loop_begin(b, s->a[0]), c = inn_carry(b, inn_mulc(b, x[0], 0.5), i);
	inn_val next = inn_add(b, inn_mulc(b, inn_mul(b, c, inn_sub(b, inn_scalar(b, 1), c)), 2.5), inn_mulc(b, i, 0.001));
	inn_val y = inn_loop_last(b, next, c, i);

	inn_loop_end(b);
	return y;
}

static void state(const struct spec *s, const double *const *x, double *y)
{
	for (size_t j = 0; j < count_of(&s->out); j++) {
		y[j] = x[0][j] * 0.5;
		for (uint32_t i = 0; i < s->a[0]; i++)
			y[j] = 2.5 * y[j] * (1 - y[j]) + 0.001 * i;
	}
}

/* Two states that change places every time: a, b -> b, a; a is summed too. */
static inn_val make_swap(inn_build *b, const inn_val *x, const struct spec *s)
{
	inn_val i = inn_loop_begin(b, s->a[0]), p = inn_carry(b, x[0], i), q = inn_carry(b, inn_mulc(b, x[0], 3), i);
	inn_val y = inn_sub(b, inn_loop_last(b, q, p, i), inn_mulc(b, inn_loop_last(b, p, q, i), 10));

	y = inn_add(b, y, inn_loop_sum(b, p, i));
	inn_loop_end(b);
	return y;
}

static void swapped(const struct spec *s, const double *const *x, double *y)
{
	for (size_t j = 0; j < count_of(&s->out); j++) {
		double p = x[0][j], q = 3 * p, sum = 0;

		for (uint32_t i = 0; i < s->a[0]; i++) {
			double t = p;

			sum += p;
			p = q;
			q = t;
		}
		y[j] = p - 10 * q + sum;
	}
}

static inn_val make_noise(inn_build *b, const inn_val *x, const struct spec *s)
{
	uint64_t seed = (uint64_t)s->a[2] << 32 | s->a[1];

	return inn_add(b, inn_mulc(b, x[0], 0), s->a[0] ? inn_normal(b, x[0], seed, s->a[3]) : inn_uniform(b, x[0], seed, s->a[3]));
}

static inn_val make_loop_noise(inn_build *b, const inn_val *x, const struct spec *s)
{
	inn_val i = inn_loop_begin(b, 3), k = inn_loop_begin(b, 2), n = make_noise(b, x, s);
	inn_val y = inn_loop_sum(b, inn_tanh(b, inn_add(b, x[0], n)), k);

	inn_loop_end(b);
	y = inn_loop_sum(b, inn_mul(b, y, inn_normal(b, x[0], 9, 1)), i);
	inn_loop_end(b);
	return y;
}

/* Known answers of Philox4x32-10 of counter 0, key 0: 6627e8d5 e169c58d; the other elements are not looked at. */
static inn_val make_known(inn_build *b, const inn_val *x, const struct spec *s)
{
	inn_val ids = inn_mulc(b, x[0], 0);
	inn_val n = s->a[0] ? inn_normal(b, ids, 0, 0) : inn_uniform(b, ids, 0, 0);

	return n;
}

static void known(const struct spec *s, const double *const *x, double *y)
{
	double u = (0x6627e8d5u >> 8) * 0x1p-24;

	(void)x;
	y[0] = s->a[0] ? sqrt(-2 * log(((0x6627e8d5u >> 8) + 1) * 0x1p-24)) * cos(2 * 3.14159265358979323846 * (0xe169c58du >> 8) * 0x1p-24)
		       : u;
}

void conform_loops(struct bench *t)
{
	static const struct spec specs[] = {
		{ .name = "loop_sum", .make = make_mean, .oracle = mean, .a = { 7 }, .grads = 1 },
		{ .name = "loop_sum of one", .make = make_mean, .oracle = mean, .a = { 1 }, .grads = 1 },
		{ .name = "loop_stack", .make = make_stack, .oracle = stacked, .a = { 5 } },
		{ .name = "loop_stack of one", .make = make_stack, .oracle = stacked, .a = { 1 } },
		{ .name = "nested loops", .make = make_nested, .oracle = nested, .a = { 3, 4 }, .grads = 1 },
		{ .name = "nested loops of one length", .make = make_nested, .oracle = nested, .a = { 3, 3 }, .grads = 1 },
		{ .name = "two sweeps", .make = make_deviation, .oracle = deviation, .a = { 6 }, .grads = 1 },
		{ .name = "carry", .make = make_state, .oracle = state, .a = { 9 }, .fill = { POSITIVE } },
		{ .name = "carry once", .make = make_state, .oracle = state, .a = { 1 }, .fill = { POSITIVE } },
		{ .name = "carries that swap", .make = make_swap, .oracle = swapped, .a = { 5 } },
		{ .name = "uniform", .make = make_noise, .a = { 0, 1, 2, 3 }, .batch = 2 },
		{ .name = "normal", .make = make_noise, .a = { 1, 0xffffffffu, 0xfffffff0u, 1 }, .batch = 2 },
		{ .name = "noise in loops", .make = make_loop_noise, .a = { 0, 5, 0, 0 }, .batch = 2, .grads = 1 },
	};
	static const struct inn_shape in[] = { SHAPE(2, 3, 4), SHAPE(2, 33), SHAPE(2, 2, 3, 1, 2) };

	for (size_t i = 0; i < sizeof(specs) / sizeof(*specs); i++)
		for (size_t k = 0; k < sizeof(in) / sizeof(*in); k++) {
			struct spec s = specs[i];

			s.n_in = 1;
			s.in[0] = in[k];
			conform(t, &s);
		}
	for (uint32_t k = 0; k < 2; k++)
		conform(t, &(struct spec){ .name = "philox", .make = make_known, .oracle = known, .n_in = 1, .in = { SHAPE(1) }, .a = { k } });
}
