/* Convolutions whose weights are the same for every batch: backends keep these in layouts of their own, transform them, and fuse
 * what follows. */
#include "conform.h"
#include <math.h>
#include <stdlib.h>

/* CLIPPED: a ReLU with an upper bound. BOTH_READ: the sum before the ReLU is read too. MORE: another value is added, CONSTANT: a number,
 * MASKED: a mask follows. ADJOINT_CLIPPED: that of a clipped ReLU follows; ADJOINT_GUIDED: and what is below 0 is left out first. Behind
 * TAILS: an image with zeros and one large pixel, by the network's weights, by weights as a rule changes them, and as a quotient. */
enum tail {
	PLAIN, BIAS, RELU, CLIPPED, BOTH_READ, CONSTANT, MORE, MASKED, ADJOINT, ADJOINT_MORE, ADJOINT_MASKED, ADJOINT_CLIPPED, ADJOINT_GUIDED,
	TAILS,
	SPIKE = TAILS, SPIKE_PARTS, SPIKE_QUOTIENT
};

struct kept { struct inn_tensor w, bias, mask; enum tail tail; };

static inn_val make(inn_build *b, const inn_val *x, const struct spec *s)
{
	const struct kept *u = s->user;
	inn_val w = inn_param_of(b, "w", &u->w), c = inn_channel(b, inn_param_of(b, "c", &u->bias), s->in[0].rank);

	if (u->tail >= ADJOINT && u->tail < TAILS) {
		inn_val g = inn_conv_dx(b, x[0], w, &s->w, s->a);

		if (u->tail == ADJOINT_GUIDED)
			g = inn_pos_part(b, g);
		if (u->tail == ADJOINT_CLIPPED || u->tail == ADJOINT_GUIDED)
			return inn_mul(b, inn_mul(b, g, inn_gt(b, inn_scalar(b, 0.5), x[1])), inn_gtc(b, x[1], 0));
		g = u->tail == ADJOINT ? g : inn_add(b, x[1], g);
		return u->tail == ADJOINT_MASKED ? inn_mul(b, g, inn_gtc(b, x[2], 0)) : g;
	}
	if (u->tail >= SPIKE) {
		inn_val v = inn_mul(b, x[0], inn_param_of(b, "m", &u->mask));

		return inn_conv(b, u->tail == SPIKE_QUOTIENT ? inn_div(b, v, x[0]) : v, u->tail == SPIKE_PARTS ? inn_pos_part(b, w) : w, &s->w);
	}
	inn_val y = inn_conv(b, x[0], w, &s->w), z;

	switch (u->tail) {
	case PLAIN: return y;
	case BIAS: return inn_add(b, c, y);
	case CONSTANT: return inn_add(b, inn_add(b, y, c), inn_const(b, 0.5, inn_shape_of(b, y)));
	case MORE: return inn_pos_part(b, inn_add(b, x[1], inn_add(b, y, c)));
	case MASKED: return inn_mul(b, inn_gtc(b, x[1], 0), y);
	case CLIPPED: return inn_mulc(b, inn_minc(b, inn_pos_part(b, inn_add(b, y, c)), 0.5), 2);
	case RELU: return inn_mulc(b, inn_pos_part(b, inn_add(b, y, c)), 2);
	default:
		z = inn_add(b, y, c);
		return inn_add(b, inn_pos_part(b, z), inn_mulc(b, z, 0.5));
	}
}

static void free_numbers(struct kept *u)
{
	free(u->w.data);
	free(u->bias.data);
	free(u->mask.data);
}

/* Zeros in three rows of four, and two large pixels. */
static bool spike(struct kept *u, const struct inn_shape *x)
{
	size_t plane;
	double *v;

	u->mask = (struct inn_tensor){ .shape = *x, .dtype = INN_F64 };
	u->mask.shape.dim[0] = u->mask.shape.dim[1] = 1;
	plane = count_of(&u->mask.shape);
	if (!(v = u->mask.data = calloc(plane, sizeof(*v))))
		return false;
	for (size_t i = 0; i < plane; i++)
		v[i] = i < plane / 4;
	v[plane / 8] = v[plane / 2] = 1e6;
	return true;
}

static void one(struct bench *t, const char *name, struct inn_window w, const uint32_t *in, const uint32_t *ker, uint32_t c, uint32_t k, enum tail tail)
{
	struct inn_shape x = { .rank = w.n + 2, .dim = { 2, c } }, y = { .rank = w.n + 2, .dim = { 2, k } };
	struct kept u = { .tail = tail, .w = { .shape = { .rank = w.n + 2, .dim = { k, c / w.groups } }, .dtype = INN_F64 },
			  .bias = { .shape = { .rank = 1, .dim = { k } }, .dtype = INN_F64 } };
	struct spec s = { .name = name, .make = make, .n_in = 1, .w = w, .user = &u, .batch = 2, .fast = true, .alone = true,
			  .less = tail == PLAIN && ker[0] == 3 && in[0] >= 20, .each = tail < SPIKE ? 0 : tail == SPIKE ? INFINITY : 1e-5 };

	for (uint32_t d = 0; d < w.n; d++) {
		s.a[d] = x.dim[2 + d] = in[d];
		u.w.shape.dim[2 + d] = ker[d];
		y.dim[2 + d] = steps(in[d], ker[d], &w, d);
	}
	s.in[0] = tail >= ADJOINT && tail < TAILS ? y : x;
	s.in[1] = s.in[2] = tail >= ADJOINT ? x : y;
	s.n_in = tail == ADJOINT_MASKED ? 3 : tail == MORE || tail == MASKED || tail == ADJOINT_MORE || tail == ADJOINT_CLIPPED || tail == ADJOINT_GUIDED ? 2 : 1;
	s.fill[0] = tail < SPIKE ? SMOOTH : POSITIVE;
	u.w.data = numbers(count_of(&u.w.shape), tail == SPIKE_QUOTIENT ? POSITIVE : SMOOTH, 3);
	u.bias.data = numbers(k, SMOOTH, 4);
	if (u.w.data && u.bias.data && (tail < SPIKE || spike(&u, &x)))
		conform(t, &s);
	free_numbers(&u);
}

/* Pools of what a convolution makes, and their adjoints with a mask. */
static inn_val pooled(inn_build *b, const inn_val *x, const struct spec *s)
{
	const struct kept *u = s->user;
	const struct inn_window plain = { .n = 2, .groups = 1, .stride = { 1, 1 }, .dilation = { 1, 1 } };
	inn_val v = inn_conv(b, x[0], inn_param_of(b, "w", &u->w), &plain);

	switch (s->a[0]) {
	case 0: return inn_pool_max(b, v, v, &s->w);
	case 1: return inn_pool_max(b, inn_abs(b, v), v, &s->w);
	case 2: return inn_pool_avg(b, v, &s->w);
	case 3: return inn_pool_avg_dx(b, inn_pool_avg(b, v, &s->w), &s->w, s->a + 1);
	case 4: return inn_pool_max_dx(b, inn_pool_max(b, v, v, &s->w), v, &s->w);
	default: return inn_mul(b, inn_pool_max_dx(b, inn_pool_max(b, inn_abs(b, v), v, &s->w), v, &s->w), inn_gtc(b, v, 0));
	}
}

static void pools(struct bench *t)
{
	for (uint32_t f = 0; f < 6 * 8; f++) {
		uint32_t size = 2 + (f / 6 & 1), stride = f / 6 & 2 ? 1 : 2, pad = f / 6 >> 2;
		struct kept u = { .w = { .shape = { .rank = 4, .dim = { 32, 16, 1, 1 } }, .dtype = INN_F64 } };
		struct spec s = { .name = "a pool behind a convolution", .make = pooled, .n_in = 1, .user = &u, .batch = 2, .fast = true,
				  .in = { { .rank = 4, .dim = { 2, 16, 8, 10 } } }, .a = { f % 6, 8, 10 },
				  .w = { .n = 2, .size = { size, size }, .stride = { stride, stride }, .before = { pad, 0 }, .after = { 0, pad },
					 .dilation = { 1, 1 + (stride & pad) }, .count_pad = pad } };

		if ((u.w.data = numbers(count_of(&u.w.shape), SMOOTH, 6)))
			conform(t, &s);
		free_numbers(&u);
	}
}

/* Rows with zeros, as rectifiers leave them, times a matrix that is read in either direction. */
static inn_val rectified(inn_build *b, const inn_val *x, const struct spec *s)
{
	const struct kept *u = s->user;

	return inn_matmul(b, inn_pos_part(b, x[0]), inn_param_of(b, "w", &u->w), false, s->a[0]);
}

static void matrices(struct bench *t)
{
	static const uint32_t rows[] = { 1, 2, 4, 5 };

	for (uint32_t n = 0; n < 8; n++) {
		uint32_t k = n & 1 ? 300 : 37, c = n & 1 ? 21 : 9000;
		bool turned = n & 1;
		struct kept u = { .w = { .shape = { .rank = 2, .dim = { turned ? c : k, turned ? k : c } }, .dtype = INN_F64 } };
		struct spec s = { .name = "rows times a kept matrix", .make = rectified, .n_in = 1, .user = &u, .batch = rows[n / 2], .fast = true,
				  .in = { { .rank = 2, .dim = { rows[n / 2], k } } }, .a = { turned } };

		if ((u.w.data = numbers(count_of(&u.w.shape), SMOOTH, 5)))
			conform(t, &s);
		free_numbers(&u);
	}
}

/* As large as what backends take their largest tiles for. */
static void large(struct bench *t)
{
	static const enum tail tails[] = { PLAIN, RELU, MORE, MASKED, ADJOINT_MORE };
	const struct inn_window w = { .n = 2, .stride = { 1, 1 }, .before = { 1, 1 }, .after = { 1, 1 }, .dilation = { 1, 1 }, .groups = 1 };
	const uint32_t image[3] = { 61, 68, 1 }, three[3] = { 3, 3, 3 };

	for (size_t k = 0; k < sizeof(tails) / sizeof(*tails); k++)
		one(t, "3x3, a large product", w, image, three, 128, 160, tails[k]);
	one(t, "a spike, a large product", w, image, three, 128, 160, SPIKE);
}

void conform_kept(struct bench *t)
{
	static const uint32_t image[3] = { 9, 12, 5 }, tile[3] = { 7, 7, 7 }, tiles[3] = { 8, 8, 1 }, larger[3] = { 22, 25, 1 }, small[3] = { 3, 2, 1 };
	static const uint32_t three[3] = { 3, 3, 3 }, wide[3] = { 5, 4, 1 }, single[3] = { 1, 1, 1 }, runs[3] = { 13, 11, 1 };

	matrices(t);
	pools(t);
	large(t);
	for (int tail = PLAIN; tail < TAILS; tail++) {
		struct inn_window same = { .n = 2, .stride = { 1, 1 }, .before = { 1, 1 }, .after = { 1, 1 }, .dilation = { 1, 1 }, .groups = 1 };
		struct inn_window w = same;

		one(t, "3x3, many channels", w, image, three, 64, 80, tail);
		one(t, "3x3, few pixels", w, tile, three, 96, 64, tail);
		one(t, "3x3, few tiles, many weights", w, tiles, three, 96, 112, tail);
		one(t, "3x3, many channels, larger", w, larger, three, 64, 80, tail);
		one(t, "3x3, 32 channels", w, image, three, 32, 48, tail);
		one(t, "3x3, few channels", w, image, three, 3, 16, tail);
		w.before[0] = 0;
		w.after[1] = 2;
		one(t, "3x3, uneven padding", w, image, three, 64, 64, tail);
		w = same;
		w.stride[0] = w.stride[1] = 2;
		one(t, "strided", w, image, three, 32, 16, tail);
		one(t, "strided, few pixels, many channels", w, tile, three, 96, 160, tail);
		one(t, "strided, channels that fill no whole blocks", w, image, three, 40, 24, tail);
		w.stride[1] = 3;
		w.dilation[0] = 2;
		w.before[1] = 0;
		one(t, "strided unevenly, dilated", w, image, wide, 32, 48, tail);
		w = same;
		for (uint32_t c = 1; c <= 4; c++) {
			w.before[0] = c;
			w.after[1] = 5 - c;
			w.dilation[1] = 1 + c / 3;
			one(t, "a first layer", w, image, wide, c, 32, tail);
		}
		w = same;
		w.groups = 32;
		one(t, "depthwise", w, image, three, 32, 32, tail);
		one(t, "depthwise, larger", w, larger, wide, 32, 32, tail);
		one(t, "depthwise, an image smaller than the kernel", w, small, wide, 32, 32, tail);
		w.stride[0] = w.stride[1] = 2;
		one(t, "depthwise, strided", w, larger, three, 32, 32, tail);
		w.stride[1] = 3;
		w.dilation[0] = 2;
		w.before[1] = 0;
		one(t, "depthwise, strided unevenly, dilated", w, image, wide, 32, 32, tail);
		w = (struct inn_window){ .n = 2, .stride = { 1, 1 }, .dilation = { 1, 3 }, .groups = 32 };
		one(t, "depthwise, nothing beside the image", w, image, three, 32, 32, tail);
		w = same;
		w.groups = 24;
		one(t, "depthwise, channels that fill no whole blocks", w, image, three, 24, 24, tail);
		one(t, "channels that fill no whole blocks", same, image, three, 40, 72, tail);
		one(t, "an image smaller than the kernel", same, small, three, 16, 32, tail);
		w = (struct inn_window){ .n = 2, .stride = { 1, 1 }, .dilation = { 1, 1 }, .groups = 1 };
		one(t, "1x1", w, image, single, 16, 48, tail);
		one(t, "1x1, channels that fill no whole blocks", w, image, single, 24, 40, tail);
		one(t, "1x1, two runs of pixels, 35 panels", w, runs, single, 16, 1120, tail);
		one(t, "1x1, many weights", w, tile, single, 544, 272, tail);
		w.stride[0] = w.stride[1] = 2;
		one(t, "1x1, strided", w, image, single, 48, 32, tail);
		w = (struct inn_window){ .n = 2, .stride = { 1, 1 }, .before = { 1, 0 }, .after = { 0, 2 }, .dilation = { 1, 1 }, .groups = 1 };
		one(t, "1x1, padded", w, image, single, 32, 32, tail);
		w = (struct inn_window){ .n = 1, .stride = { 1 }, .before = { 1 }, .after = { 1 }, .dilation = { 1 }, .groups = 1 };
		one(t, "one axis", w, image, three, 16, 16, tail);
		w = (struct inn_window){ .n = 3, .stride = { 1, 1, 1 }, .before = { 1, 1, 1 }, .after = { 1, 1, 1 }, .dilation = { 1, 1, 1 }, .groups = 1 };
		one(t, "three axes", w, image, three, 4, 16, tail);
	}
	for (int tail = SPIKE; tail <= SPIKE_QUOTIENT; tail++) {
		struct inn_window w = { .n = 2, .stride = { 1, 1 }, .before = { 1, 1 }, .after = { 1, 1 }, .dilation = { 1, 1 }, .groups = 1 };

		one(t, "a spike", w, image, three, 64, 64, tail);
		one(t, "a spike, larger", w, larger, three, 64, 64, tail);
		w.stride[0] = w.stride[1] = 2;
		one(t, "a spike, strided", w, image, three, 64, 64, tail);
	}
	struct inn_window w = { .n = 2, .stride = { 1, 1 }, .before = { 1, 0 }, .after = { 1, 1 }, .dilation = { 1, 1 }, .groups = 1 };

	one(t, "a spike, few channels", w, (const uint32_t[]){ 20, 22 }, three, 32, 33, SPIKE);
	one(t, "a spike, few channels", w, (const uint32_t[]){ 7, 9 }, three, 33, 32, SPIKE_PARTS);
}
