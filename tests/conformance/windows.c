/* Convolutions, pooling and their adjoints against sums over every pair of positions. */
#include "conform.h"
#include <math.h>
#include <stdlib.h>

void taps(const struct inn_window *w, const struct inn_shape *x, const struct inn_shape *y, const uint32_t *ker, bool pairs, visit f,
	  void *user)
{
	size_t out = 1, in = 1, kernel = 1;

	for (uint32_t d = 0; d < w->n; d++) {
		out *= y->dim[2 + d];
		in *= x->dim[2 + d];
		kernel *= ker[d];
	}
	uint32_t cg = pairs ? x->dim[1] / w->groups : 1, kg = pairs ? y->dim[1] / w->groups : 1;

	for (size_t q = 0; q < (size_t)y->dim[0] * y->dim[1] * out; q++)
		for (size_t p = 0; p < cg * kernel; p++) {
			size_t o = q % out, k = q / out % y->dim[1], n = q / out / y->dim[1], e = p % kernel, off = 0, step = 1;
			size_t c = pairs ? k / kg * cg + p / kernel : k;
			struct tap at = { .n = n, .k = k, .c = c, .out = q };
			bool inside = true;

			for (uint32_t d = w->n; d--;) {
				long i = (long)(o % y->dim[2 + d] * w->stride[d] + e % ker[d] * w->dilation[d]) - (long)w->before[d];

				o /= y->dim[2 + d];
				e /= ker[d];
				inside = inside && i >= 0 && i < (long)x->dim[2 + d];
				off += (size_t)i * step;
				step *= x->dim[2 + d];
			}
			at.in = (n * x->dim[1] + c) * in + off;
			at.ker = (k * cg + p / kernel) * kernel + p % kernel;
			if (inside)
				f(&at, user);
		}
}

struct sums { int mode; const double *a, *b; double *y; };

static void add_tap(const struct tap *at, void *user)
{
	struct sums *s = user;

	if (s->mode == 0)
		s->y[at->out] += s->a[at->in] * s->b[at->ker];
	else if (s->mode == 1)
		s->y[at->in] += s->a[at->out] * s->b[at->ker];
	else
		s->y[at->ker] += s->a[at->in] * s->b[at->out];
}

static void conv(const struct spec *s, const double *const *x, double *y)
{
	struct sums u = { (int)s->a[0], x[0], x[1], y };
	const struct inn_shape *in[3][3] = { { &s->in[0], &s->out, &s->in[1] }, { &s->out, &s->in[0], &s->in[1] },
					     { &s->in[0], &s->in[1], &s->out } };

	for (size_t j = 0; j < count_of(&s->out); j++)
		y[j] = 0;
	taps(&s->w, in[u.mode][0], in[u.mode][1], in[u.mode][2]->dim + 2, true, add_tap, &u);
}

static inn_val make_conv(inn_build *b, const inn_val *x, const struct spec *s)
{
	if (s->a[0] == 0)
		return inn_conv(b, x[0], x[1], &s->w);
	return s->a[0] == 1 ? inn_conv_dx(b, x[0], x[1], &s->w, s->a + 1) : inn_conv_dw(b, x[0], x[1], &s->w, s->a + 1);
}

uint32_t steps(uint32_t in, uint32_t size, const struct inn_window *w, uint32_t d)
{
	return (in + w->before[d] + w->after[d] - w->dilation[d] * (size - 1) - 1) / w->stride[d] + 1;
}

/* The three operations of one convolution. */
static void conv_case(struct bench *t, struct inn_window w, uint32_t n, uint32_t c, uint32_t k, const uint32_t *in, const uint32_t *ker)
{
	struct inn_shape x = { .rank = w.n + 2, .dim = { n, c } }, f = { .rank = w.n + 2, .dim = { k, c / w.groups } }, y = x;
	static const char *const name[] = { "conv", "conv_dx", "conv_dw" };

	y.dim[1] = k;
	for (uint32_t d = 0; d < w.n; d++) {
		x.dim[2 + d] = in[d];
		f.dim[2 + d] = ker[d];
		y.dim[2 + d] = steps(in[d], ker[d], &w, d);
	}
	for (uint32_t mode = 0; mode < 3; mode++) {
		struct spec s = { .name = name[mode], .make = make_conv, .oracle = conv, .n_in = 2, .w = w, .a = { mode }, .grads = 3,
				  .in = { mode == 1 ? y : x, mode == 2 ? y : f } };

		for (uint32_t d = 0; d < w.n; d++)
			s.a[1 + d] = mode == 1 ? in[d] : ker[d];
		conform(t, &s);
	}
}

static void convolutions(struct bench *t)
{
	static const uint32_t in[3] = { 7, 6, 5 }, one[3] = { 1, 1, 1 }, ker[3] = { 3, 2, 3 }, big[3] = { 14, 33, 9 };

	for (uint32_t n = 1; n <= 3; n++)
		for (uint32_t f = 0; f < 24; f++) {
			struct inn_window w = { .n = n, .groups = f % 3 == 0 ? 1 : f % 3 == 1 ? 2 : 4 };
			uint32_t stride = f & 1 ? 2 : 1, pad = f >> 1 & 1, dil = f >> 2 & 1;

			for (uint32_t d = 0; d < n; d++) {
				w.stride[d] = stride + (d == 1 && pad);
				w.before[d] = pad ? 1 + d % 2 : 0;
				w.after[d] = pad ? 2 - d % 2 : 0;
				w.dilation[d] = 1 + dil;
			}
			conv_case(t, w, 1 + f % 2, 4, f % 3 == 2 ? 8 : 6, in, f >= 12 && !dil ? one : ker);
		}
	struct inn_window w = { .n = 2, .groups = 1, .stride = { 1, 1 }, .dilation = { 1, 1 }, .before = { 1, 1 }, .after = { 1, 1 } };

	conv_case(t, w, 2, 16, 32, big, (const uint32_t[]){ 3, 3 });
	w.groups = 16;
	conv_case(t, w, 1, 16, 16, big, (const uint32_t[]){ 3, 3 });
	w.stride[0] = w.stride[1] = 2;
	conv_case(t, w, 1, 16, 16, big, (const uint32_t[]){ 5, 5 });
	w.groups = 1;
	conv_case(t, w, 1, 3, 16, big, (const uint32_t[]){ 3, 3 });
}

struct pooled { const struct spec *s; const double *x, *by; double *y, *best; size_t *at, *n; };

static void scan(const struct tap *at, void *user)
{
	struct pooled *u = user;

	u->n[at->out]++;
	if (u->by && (u->n[at->out] == 1 || u->by[at->in] > u->best[at->out])) {
		u->best[at->out] = u->by[at->in];
		u->at[at->out] = at->in;
	}
}

static void average(const struct tap *at, void *user)
{
	struct pooled *u = user;
	const struct inn_window *w = &u->s->w;
	double n = (double)u->n[at->out];

	if (w->count_pad)
		n = w->size[0] * (w->n > 1 ? w->size[1] : 1) * (w->n > 2 ? w->size[2] : 1);
	if (u->s->a[0] == INN_OP_POOL_AVG)
		u->y[at->out] += u->x[at->in] / n;
	else
		u->y[at->in] += u->x[at->out] / n;
}

static void pool(const struct spec *s, const double *const *x, double *y)
{
	bool back = s->a[0] == INN_OP_POOL_MAX_DX || s->a[0] == INN_OP_POOL_AVG_DX;
	const struct inn_shape *big = back ? &s->out : &s->in[0], *small = back ? &s->in[0] : &s->out;
	size_t n = count_of(small);
	struct pooled u = { s, x[0], s->n_in == 2 ? x[1] : NULL, y, calloc(n, sizeof(double)), calloc(n, sizeof(size_t)),
			    calloc(n, sizeof(size_t)) };

	for (size_t j = 0; j < count_of(&s->out); j++)
		y[j] = 0;
	taps(&s->w, big, small, s->w.size, false, scan, &u);
	if (!u.by)
		taps(&s->w, big, small, s->w.size, false, average, &u);
	for (size_t j = 0; u.by && j < n; j++)
		if (back)
			y[u.at[j]] += x[0][j];
		else
			y[j] = x[0][u.at[j]];
	free(u.best);
	free(u.at);
	free(u.n);
}

static inn_val make_pool(inn_build *b, const inn_val *x, const struct spec *s)
{
	switch (s->a[0]) {
	case INN_OP_POOL_MAX: return inn_pool_max(b, x[0], x[1], &s->w);
	case INN_OP_POOL_MAX_DX: return inn_pool_max_dx(b, x[0], x[1], &s->w);
	case INN_OP_POOL_AVG: return inn_pool_avg(b, x[0], &s->w);
	default: return inn_pool_avg_dx(b, x[0], &s->w, s->a + 1);
	}
}

static inn_val make_self(inn_build *b, const inn_val *x, const struct spec *s) { return inn_pool_max(b, x[0], x[0], &s->w); }

static void pools(struct bench *t)
{
	static const uint32_t in[3] = { 7, 6, 5 };

	for (uint32_t n = 1; n <= 3; n++)
		for (uint32_t f = 0; f < 16; f++) {
			struct inn_window w = { .n = n, .count_pad = f >> 3 };
			struct inn_shape x = { .rank = n + 2, .dim = { 2, 3 } }, y = x;

			for (uint32_t d = 0; d < n; d++) {
				w.size[d] = 3 - d % 2;
				w.stride[d] = 1 + (f & 1);
				w.before[d] = f >> 1 & 1;
				w.after[d] = f >> 1 & 1 ? 1 - d % 2 : 0;
				w.dilation[d] = 1 + (f >> 2 & 1);
				x.dim[2 + d] = in[d];
				y.dim[2 + d] = steps(in[d], w.size[d], &w, d);
			}
			for (uint32_t code = INN_OP_POOL_MAX; code <= INN_OP_POOL_AVG_DX; code++) {
				bool back = code == INN_OP_POOL_MAX_DX || code == INN_OP_POOL_AVG_DX;
				struct spec s = { .name = inn_op_name(code), .make = make_pool, .oracle = pool, .w = w, .a = { code, in[0], in[1], in[2] },
						  .n_in = code <= INN_OP_POOL_MAX_DX ? 2 : 1, .in = { back ? y : x, x },
						  .fill = { SMOOTH, COARSE }, .grads = 1 };

				conform(t, &s);
			}
			conform(t, &(struct spec){ .name = "pool_max of itself", .make = make_self, .w = w, .n_in = 1, .in = { x }, .grads = 1 });
		}
}

void conform_windows(struct bench *t)
{
	convolutions(t);
	pools(t);
}
