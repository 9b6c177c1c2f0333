/* Loops whose iterations run side by side: every operation that a body may have gives what it gives one iteration at a time, and
 * bodies that cannot be run so are left alone. */
#include "conform.h"
#include <stdlib.h>

/* In front of every body: x moves with the iteration and its noise. */
static inn_val moved(inn_build *b, inn_val x, inn_val i)
{
	return inn_add(b, inn_mul(b, x, inn_tanh(b, inn_addc(b, i, 1))), inn_normal(b, x, 7, 0));
}

static struct inn_tensor weights(const struct spec *s)
{
	return (struct inn_tensor){ .shape = { .rank = 4, .dim = { 4, 4, 3, 3 } }, .dtype = INN_F64, .data = s->user };
}

static inn_val windows(inn_build *b, const inn_val *x, const struct spec *s, inn_val i)
{
	static struct inn_tensor t;
	struct inn_window c = { .n = 2, .stride = { 1, 1 }, .before = { 1, 1 }, .after = { 1, 1 }, .dilation = { 1, 1 }, .groups = 1 };
	struct inn_window p = { .n = 2, .size = { 2, 2 }, .stride = { 2, 2 }, .dilation = { 1, 1 }, .groups = 1 };

	t = weights(s);
	inn_val w = inn_param_of(b, "w", &t), v = moved(b, x[0], i), y = inn_conv(b, v, w, &c);
	inn_val a = inn_pool_max(b, y, y, &p), d = inn_pool_max(b, v, x[0], &p), e = inn_pool_avg(b, y, &p);
	inn_val g = inn_pool_max_dx(b, inn_add(b, inn_add(b, a, d), e), x[0], &p);

	g = inn_add(b, g, inn_pool_avg_dx(b, a, &p, (uint32_t[]){ 6, 6 }));
	return inn_mul(b, inn_conv_dx(b, inn_mul(b, g, inn_gtc(b, y, 0)), w, &c, (uint32_t[]){ 6, 6 }), x[0]);
}

static inn_val products(inn_build *b, const inn_val *x, const struct spec *s, inn_val i)
{
	static struct inn_tensor t;

	t = weights(s);
	inn_val w = inn_reshape(b, inn_param_of(b, "w", &t), &(struct inn_shape)SHAPE(144, 1)), v = moved(b, x[0], i);
	inn_val flat = inn_flatten(b, v, 1), left = inn_reshape(b, v, &(struct inn_shape)SHAPE(2, 4, 36));
	inn_val right = inn_reshape(b, x[0], &(struct inn_shape)SHAPE(2, 4, 36)), square = inn_matmul(b, left, right, 0, 1);
	inn_val p = inn_softmax(b, inn_matmul(b, square, square, 1, 0), 2), big = inn_onehot(b, inn_argmax(b, p, 2), 4);
	inn_val back = inn_matmul(b, inn_add(b, p, big), left, 0, 0);

	back = inn_add(b, inn_reshape(b, back, &(struct inn_shape)SHAPE(2, 144)), inn_matmul(b, inn_matmul(b, flat, w, 0, 0), w, 0, 1));
	return inn_reshape(b, inn_mul(b, back, inn_rank(b, flat)), &s->in[0]);
}

static inn_val movements(inn_build *b, const inn_val *x, const struct spec *s, inn_val i)
{
	inn_val v = moved(b, x[0], i), turned = inn_permute(b, v, (uint32_t[]){ 0, 2, 3, 1 }), three = inn_iota(b, 3);
	inn_val part = inn_slice(b, turned, 1, 1, 6, 2), few = inn_gather(b, part, three, 2), many = inn_scatter(b, few, three, 2, 6);
	inn_val wide = inn_pad(b, many, 1, 1, 2, 1), both = inn_concat(b, (inn_val[]){ wide, inn_permute(b, x[0], (uint32_t[]){ 0, 2, 3, 1 }) }, 2, 3);
	inn_val sum = inn_sum(b, both, 1u << 3), most = inn_expand(b, inn_rmax(b, sum, 1u << 1 | 1u << 2), inn_shape_of(b, turned));

	(void)s;
	return inn_permute(b, inn_add(b, inn_mul(b, most, sum), inn_uniform(b, turned, 3, 1)), (uint32_t[]){ 0, 3, 1, 2 });
}

/* An inner loop, of which either is fit. */
static inn_val inner(inn_build *b, const inn_val *x, const struct spec *s, inn_val i)
{
	inn_val v = moved(b, x[0], i), k = inn_loop_begin(b, 3), n = inn_normal(b, x[0], 1, 2);
	inn_val y = inn_loop_sum(b, inn_tanh(b, inn_add(b, inn_mul(b, v, n), inn_mul(b, i, k))), k);

	(void)s;
	inn_loop_end(b);
	return inn_mul(b, y, v);
}

/* Noise on weights: the product of each iteration has weights of its own. */
static inn_val own_weights(inn_build *b, const inn_val *x, const struct spec *s, inn_val i)
{
	static struct inn_tensor t;
	struct inn_window c = { .n = 2, .stride = { 1, 1 }, .before = { 1, 1 }, .after = { 1, 1 }, .dilation = { 1, 1 }, .groups = 1 };

	t = weights(s);
	return inn_conv(b, x[0], inn_mul(b, inn_param_of(b, "w", &t), inn_addc(b, i, 1)), &c);
}

static inn_val step(inn_build *b, const inn_val *x, const struct spec *s, inn_val i)
{
	inn_val c = inn_carry(b, x[0], i), last = inn_loop_last(b, inn_tanh(b, inn_add(b, c, i)), c, i);

	(void)s;
	(void)last;
	return inn_mul(b, c, x[0]);
}

static inn_val (*const body[])(inn_build *, const inn_val *, const struct spec *, inn_val) = { windows, products, movements, inner, own_weights, step };

static inn_val make_sum(inn_build *b, const inn_val *x, const struct spec *s)
{
	inn_val i = inn_loop_begin(b, s->a[0]), y = inn_loop_sum(b, body[s->a[1]](b, x, s, i), i);

	inn_loop_end(b);
	return y;
}

static inn_val make_stack(inn_build *b, const inn_val *x, const struct spec *s)
{
	inn_val i = inn_loop_begin(b, s->a[0]), y = inn_loop_stack(b, body[s->a[1]](b, x, s, i), i);

	inn_loop_end(b);
	return y;
}

void conform_side(struct bench *t)
{
	static const char *const name[] = { "windows side by side", "products side by side", "movements side by side", "nested loops side by side",
					    "own weights", "a state" };
	double *w = numbers(144, SMOOTH, 11);

	for (uint32_t k = 0; w && k < sizeof(body) / sizeof(*body); k++) {
		struct spec s = { .name = name[k], .make = make_sum, .n_in = 1, .in = { SHAPE(2, 4, 6, 6) }, .batch = 2, .user = w,
				  .a = { 8, k }, .side = k == 3 ? 3 : k > 3 ? 1 : 4 };

		conform(t, &s);
		s.make = make_stack;
		conform(t, &s);
		s.make = make_sum;
		s.a[0] = 7; /* no divisor of it fits into 8 rows of 2 samples */
		s.side = k == 3 ? 3 : 1;
		conform(t, &s);
		s.a[0] = 6;
		s.side = k > 3 ? 1 : 3;
		conform(t, &s);
	}
	free(w);
}
