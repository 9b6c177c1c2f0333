/* Pooling over 1 to 3 spatial axes, one plane at a time. */
#include "cpu.h"
#include <string.h>

struct pool {
	uint32_t code;
	uint32_t src[2]; /* locations of the operand and of what decides */
	uint32_t in[3], out[3], size[3], stride[3], before[3], dilation[3], count_pad; /* missing axes: length 1, in front */
	size_t planes, n_in, n_out;
	bool dense;  /* every window lies inside the image */
	bool tiles;  /* and every pixel in one window */
	bool masked; /* an adjoint passes on to pixels above 0 alone */
};
enum mode { MAX, MAX_OF, MAX_DX, MAX_DX_TILES, MEAN, MEAN_DX }; /* MAX_OF: of one operand where another decides */
struct span { uint32_t from, to; }; /* kernel positions inside the image */

/* Kernel positions k in [from, to) with 0 <= o*stride - before + k*dilation < in. */
static inline struct span span_of(const struct pool *p, uint32_t axis, uint32_t o)
{
	int64_t start = (int64_t)o * p->stride[axis] - p->before[axis], d = p->dilation[axis], n = p->in[axis];
	int64_t from = start < 0 ? (-start + d - 1) / d : 0, to = start < n ? (n - start + d - 1) / d : 0;

	to = to > p->size[axis] ? p->size[axis] : to;
	return (struct span){ (uint32_t)from, (uint32_t)(to < from ? from : to) };
}

static inline size_t place_of(const struct pool *p, uint32_t axis, uint32_t o, uint32_t k)
{
	return (size_t)((int64_t)o * p->stride[axis] - p->before[axis] + (int64_t)k * p->dilation[axis]);
}

typedef void (*cell_fn)(const struct pool *p, const uint32_t o[3], const struct span s[3], size_t at, const float *x, const float *by, float *y);

/* Position of the first largest element in the window; SIZE_MAX if the window lies in the padding. */
static inline size_t winner(const struct pool *p, const uint32_t o[3], const struct span s[3], const float *by)
{
	size_t best = SIZE_MAX;
	float top = 0;

	for (uint32_t a = s[0].from; a < s[0].to; a++)
		for (uint32_t b = s[1].from; b < s[1].to; b++) {
			size_t line = (place_of(p, 0, o[0], a) * p->in[1] + place_of(p, 1, o[1], b)) * p->in[2];

			for (uint32_t c = s[2].from; c < s[2].to; c++) {
				size_t at = line + place_of(p, 2, o[2], c);

				if (best == SIZE_MAX || by[at] > top) {
					best = at;
					top = by[at];
				}
			}
		}
	return best;
}

static void max_cell(const struct pool *p, const uint32_t o[3], const struct span s[3], size_t at, const float *x, const float *by, float *y)
{
	size_t w = winner(p, o, s, by);

	y[at] = w == SIZE_MAX ? 0 : x[w];
}

static void max_dx_cell(const struct pool *p, const uint32_t o[3], const struct span s[3], size_t at, const float *x, const float *by, float *y)
{
	size_t w = winner(p, o, s, by);

	if (w != SIZE_MAX && (!p->masked || by[w] > 0))
		y[w] += x[at];
}

static inline float divisor(const struct pool *p, const struct span s[3])
{
	if (p->count_pad)
		return (float)p->size[0] * (float)p->size[1] * (float)p->size[2];
	return (float)(s[0].to - s[0].from) * (float)(s[1].to - s[1].from) * (float)(s[2].to - s[2].from);
}

static void avg_cell(const struct pool *p, const uint32_t o[3], const struct span s[3], size_t at, const float *x, const float *by, float *y)
{
	float sum = 0, n = divisor(p, s);

	(void)by;
	for (uint32_t a = s[0].from; a < s[0].to; a++)
		for (uint32_t b = s[1].from; b < s[1].to; b++) {
			size_t line = (place_of(p, 0, o[0], a) * p->in[1] + place_of(p, 1, o[1], b)) * p->in[2];

			for (uint32_t c = s[2].from; c < s[2].to; c++)
				sum += x[line + place_of(p, 2, o[2], c)];
		}
	y[at] = n > 0 ? sum / n : 0;
}

static void avg_dx_cell(const struct pool *p, const uint32_t o[3], const struct span s[3], size_t at, const float *x, const float *by, float *y)
{
	float n = divisor(p, s), g = n > 0 ? x[at] / n : 0;

	(void)by;
	for (uint32_t a = s[0].from; a < s[0].to; a++)
		for (uint32_t b = s[1].from; b < s[1].to; b++) {
			size_t line = (place_of(p, 0, o[0], a) * p->in[1] + place_of(p, 1, o[1], b)) * p->in[2];

			for (uint32_t c = s[2].from; c < s[2].to; c++)
				y[line + place_of(p, 2, o[2], c)] += g;
		}
}

static inline void plane(const struct pool *p, cell_fn f, const float *x, const float *by, float *y)
{
	uint32_t o[3];
	struct span s[3];
	size_t at = 0;

	for (o[0] = 0; o[0] < p->out[0]; o[0]++) {
		s[0] = span_of(p, 0, o[0]);
		for (o[1] = 0; o[1] < p->out[1]; o[1]++) {
			s[1] = span_of(p, 1, o[1]);
			for (o[2] = 0; o[2] < p->out[2]; o[2]++) {
				s[2] = span_of(p, 2, o[2]);
				f(p, o, s, at++, x, by, y);
			}
		}
	}
}

/* The common case apart: two axes, no padding and no dilation; kh and kw are constants where this is inlined. */
static inline __attribute__((always_inline)) void dense_max(const struct pool *p, bool dx, uint32_t kh, uint32_t kw, const float *x,
							    const float *by, float *y)
{
	size_t w = p->in[2];

	for (uint32_t h = 0; h < p->out[1]; h++) {
		const float *row = by + (size_t)h * p->stride[1] * w;

		for (uint32_t o = 0; o < p->out[2]; o++, row += p->stride[2]) {
			float top = row[0];
			size_t at = 0;

			for (uint32_t a = 0; a < kh; a++)
				for (uint32_t b = 0; b < kw; b++) {
					float v = row[a * w + b];

					at = v > top ? a * w + b : at;
					top = v > top ? v : top;
				}
			at += (size_t)(row - by);
			if (dx && (!p->masked || top > 0))
				y[at] += *x;
			if (dx)
				x++;
			else
				*y++ = x[at];
		}
	}
}

static void dense_plane(const struct pool *p, bool dx, const float *x, const float *by, float *y)
{
	uint32_t kh = p->size[1], kw = p->size[2];

	if (kh == 2 && kw == 2)
		dx ? dense_max(p, true, 2, 2, x, by, y) : dense_max(p, false, 2, 2, x, by, y);
	else if (kh == 3 && kw == 3)
		dx ? dense_max(p, true, 3, 3, x, by, y) : dense_max(p, false, 3, 3, x, by, y);
	else
		dense_max(p, dx, kh, kw, x, by, y);
}

typedef void (*row_fn)(const struct pool *p, enum mode mode, const uint32_t o[2], const float *x, const float *by, float *y);

#if defined(__x86_64__)
#define V(name) wide_##name
#define TARGET __attribute__((target("avx512f,avx512vl,avx512dq,avx512bw")))
#define LANES 16u
#include "pool_isa.h"
#define V(name) half_##name
#define TARGET __attribute__((target("avx2,fma")))
#define LANES 8u
#include "pool_isa.h"
#endif

/* Blocks of channels, row by row of windows; where windows overlap, a thread adds up a whole plane. */
static void blocks(const struct inn_exec *e, const struct pool *p, uint32_t code, const float *x, const float *by, float *y)
{
	bool dx = code == INN_OP_POOL_MAX_DX || code == INN_OP_POOL_AVG_DX, max = code == INN_OP_POOL_MAX || code == INN_OP_POOL_MAX_DX;
	enum mode mode = !max ? (dx ? MEAN_DX : MEAN) : dx ? (p->tiles ? MAX_DX_TILES : MAX_DX) : x == by ? MAX : MAX_OF;
	size_t rows = (size_t)p->out[0] * p->out[1], lanes = e->dev->lanes, n = p->planes / lanes;
	bool split = !dx || mode == MAX_DX_TILES;
#if defined(__x86_64__)
	row_fn row = lanes == 16 ? wide_row : half_row;
#else
	row_fn row = NULL;
#endif

#pragma omp parallel for num_threads(threads_for(e, p->planes * p->n_in)) schedule(static)
	for (size_t j = 0; j < (split ? n * rows : n); j++) {
		size_t k = split ? j / rows : j, first = split ? j % rows : 0;
		const float *xk = x + k * lanes * (dx ? p->n_out : p->n_in), *byk = by + k * lanes * p->n_in;
		float *yk = y + k * lanes * (dx ? p->n_in : p->n_out);

		if (!split)
			memset(yk, 0, p->n_in * lanes * sizeof(*yk));
		for (size_t r = first; r < (split ? first + 1 : rows); r++)
			row(p, mode, (const uint32_t[]){ (uint32_t)(r / p->out[1]), (uint32_t)(r % p->out[1]) }, xk, byk, yk);
	}
}

static int run_pool(struct inn_exec *e, uint32_t i, void *arg)
{
	const struct pool *p = arg;
	uint32_t code = p->code;
	bool dx = code == INN_OP_POOL_MAX_DX || code == INN_OP_POOL_AVG_DX;
	const float *x = e->at[p->src[0]], *by = e->at[p->src[1]];
	float *y = e->at[i];

	if (e->blocked[i]) {
		blocks(e, p, code, x, by, y);
		return INN_OK;
	}
#pragma omp parallel for num_threads(threads_for(e, p->planes * p->n_in)) schedule(static)
	for (size_t k = 0; k < p->planes; k++) {
		const float *xk = x + k * (dx ? p->n_out : p->n_in), *byk = by + k * p->n_in;
		float *yk = y + k * (dx ? p->n_in : p->n_out);

		if (dx)
			memset(yk, 0, p->n_in * sizeof(*yk));
		if (p->dense && (code == INN_OP_POOL_MAX || code == INN_OP_POOL_MAX_DX)) {
			dense_plane(p, dx, xk, byk, yk);
			continue;
		}
		switch (code) {
		case INN_OP_POOL_MAX: plane(p, max_cell, xk, byk, yk); break;
		case INN_OP_POOL_MAX_DX: plane(p, max_dx_cell, xk, byk, yk); break;
		case INN_OP_POOL_AVG: plane(p, avg_cell, xk, byk, yk); break;
		default: plane(p, avg_dx_cell, xk, byk, yk); break;
		}
	}
	return INN_OK;
}

int cpu_pool(struct inn_exec *e, uint32_t i, uint32_t at)
{
	struct pool *p = cpu_alloc(e, 1, sizeof(*p));
	uint32_t code = op_of(e, i)->code;
	bool dx = code == INN_OP_POOL_MAX_DX || code == INN_OP_POOL_AVG_DX;
	const struct inn_shape *x = dx ? &op_of(e, i)->shape : src_shape(e, i, 0);
	const struct inn_shape *y = dx ? src_shape(e, i, 0) : &op_of(e, i)->shape;
	struct inn_window w;

	if (!p)
		return INN_ENOMEM;
	uint32_t last = op_of(e, i)->n_src - 1;

	p->n_in = 1;
	for (uint32_t d = 2; d < x->rank; d++)
		p->n_in *= x->dim[d];
	e->blocked[at] = cpu_can_block(e, i, 0) && cpu_can_block(e, i, last) && (cpu_is_block(e, i, 0) || cpu_is_block(e, i, last)) &&
			p->n_in <= INT32_MAX;
	for (uint32_t k = 0; k < 2; k++)
		if ((p->src[k] = e->blocked[at] ? cpu_block(e, at, i, k ? last : 0) : cpu_dense(e, at, i, k ? last : 0)) == NONE)
			return INN_ENOMEM;
	inn_op_window(e->p, i, &w);
	p->count_pad = w.count_pad;
	for (uint32_t d = 0; d < 3; d++)
		p->in[d] = p->out[d] = p->size[d] = p->stride[d] = p->dilation[d] = 1;
	for (uint32_t d = 0; d < w.n; d++) {
		uint32_t k = 3 - w.n + d;

		p->in[k] = x->dim[2 + d];
		p->out[k] = y->dim[2 + d];
		p->size[k] = w.size[d];
		p->stride[k] = w.stride[d];
		p->before[k] = w.before[d];
		p->dilation[k] = w.dilation[d];
	}
	p->dense = w.n <= 2;
	for (uint32_t d = 1; d < 3; d++)
		p->dense = p->dense && !p->before[d] && p->dilation[d] == 1 &&
			   (uint64_t)(p->out[d] - 1) * p->stride[d] + p->size[d] <= p->in[d];
	p->tiles = p->dense;
	for (uint32_t d = 1; d < 3; d++)
		p->tiles = p->tiles && p->size[d] == p->stride[d] && p->out[d] * p->size[d] == p->in[d];
	p->planes = (size_t)x->dim[0] * (e->blocked[at] ? cpu_channels(e, x) : x->dim[1]);
	p->n_out = (size_t)p->out[0] * p->out[1] * p->out[2];
	p->code = code;
	p->masked = at != i;
	e->step[at] = (struct step){ .fn = run_pool, .arg = p, .op = at };
	return INN_OK;
}
