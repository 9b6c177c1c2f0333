/* Adjoints of convolutions whose operand has few channels, as the first layer's: blocks of results would be mostly padding, so
 * each pixel is gathered from the taps that reach it, in blocks of the channels that are summed. */
#include "product.h"
#include <omp.h>
#include <string.h>
#if defined(__x86_64__)
#include <immintrin.h>
#endif

struct narrow {
	uint32_t x, c, o, in[2], out[2], size[2], stride[2], before[2], dilation[2]; /* x: location */
	size_t samples, weights, plane;      /* plane: floats in one block of channels of one sample */
	const struct pixels *pixels;
};
struct taps { /* what reaches pixels of one row and one parity: rows of x and kernel, columns of x less the pixel's number */
	uint32_t rows, cols;
	int64_t row[CPU_TAPS], col[CPU_TAPS];
	uint32_t row_tap[CPU_TAPS], col_tap[CPU_TAPS];
};
struct pack { uint32_t w, c, o, area, lanes; size_t to; };
typedef void (*pixels_fn)(const struct narrow *w, const struct taps *t, const float *x, const float *u, int64_t j, float *y, size_t plane);
struct pixels { pixels_fn fn[2]; int64_t many; }; /* of one pixel, and of `many` that are all inside */

#if defined(__x86_64__)
static inline __attribute__((target("avx2,fma"))) float sum8(__m256 v)
{
	__m128 s = _mm_add_ps(_mm256_castps256_ps128(v), _mm256_extractf128_ps(v, 1));

	s = _mm_add_ps(s, _mm_movehl_ps(s, s));
	return _mm_cvtss_f32(_mm_add_ss(s, _mm_movehdup_ps(s)));
}

#define V(name) wide_##name
#define TARGET __attribute__((target("avx512f,avx512vl,avx512dq,avx512bw")))
#define LANES 16u
#define FMA _mm512_fmadd_ps
#define SUM _mm512_reduce_add_ps
#include "narrow_isa.h"
#define V(name) half_##name
#define TARGET __attribute__((target("avx2,fma")))
#define LANES 8u
#define FMA _mm256_fmadd_ps
#define SUM sum8
#include "narrow_isa.h"
#endif

/* w [c][o][area] to [area][block of c][o][c in the block]. */
static int run_pack(struct inn_exec *e, uint32_t i, void *arg)
{
	const struct pack *f = arg;
	const float *w = e->at[f->w];
	float *u = (float *)(void *)(e->kept + f->to);

	(void)i;
	for (size_t c = 0; c < f->c; c++)
		for (size_t o = 0; o < f->o; o++)
			for (size_t k = 0; k < f->area; k++)
				u[((k * f->c + c / f->lanes * f->lanes) * f->o) + o * f->lanes + c % f->lanes] = w[(c * f->o + o) * f->area + k];
	return INN_OK;
}

static void rows_of(const struct narrow *w, int64_t h, struct taps *t)
{
	t->rows = 0;
	for (uint32_t k = 0; k < w->size[0]; k++) {
		int64_t at = h + w->before[0] - (int64_t)k * w->dilation[0];

		if (at < 0 || at % w->stride[0] || at / w->stride[0] >= w->in[0])
			continue;
		t->row[t->rows] = at / w->stride[0];
		t->row_tap[t->rows++] = k;
	}
}

/* Of the columns first, first + stride, ... */
static void cols_of(const struct narrow *w, int64_t first, struct taps *t)
{
	t->cols = 0;
	for (uint32_t k = 0; k < w->size[1]; k++) {
		int64_t at = first + w->before[1] - (int64_t)k * w->dilation[1], s = w->stride[1];

		if ((at % s + s) % s)
			continue;
		t->col[t->cols] = at / s;
		t->col_tap[t->cols++] = k;
	}
}

static void row(const struct narrow *w, int64_t h, const float *x, const float *u, float *y)
{
	int64_t some = w->pixels->many;
	struct taps t;

	rows_of(w, h, &t);
	for (uint32_t first = 0; first < w->stride[1] && first < w->out[1]; first++) {
		int64_t n = (w->out[1] - first + w->stride[1] - 1) / w->stride[1], from = 0, to = n;

		cols_of(w, first, &t);
		for (uint32_t b = 0; b < t.cols; b++) { /* where every tap is inside */
			from = from < -t.col[b] ? -t.col[b] : from;
			to = to > w->in[1] - t.col[b] ? w->in[1] - t.col[b] : to;
		}
		for (int64_t j = 0; j < n;) {
			bool many = j >= from && j < to && to - from >= some;

			j = many && j + some > to ? to - some : j; /* a few once more */
			w->pixels->fn[many](w, &t, x, u, j, y + (size_t)h * w->out[1] + first + (size_t)j * w->stride[1], (size_t)w->out[0] * w->out[1]);
			j += many ? some : 1;
		}
	}
}

static int run_narrow(struct inn_exec *e, uint32_t i, void *arg)
{
	const struct narrow *w = arg;
	const float *x = e->at[w->x], *u = (const float *)(const void *)(e->kept + w->weights);
	size_t n_x = (size_t)w->c * w->in[0] * w->in[1], n_y = (size_t)w->o * w->out[0] * w->out[1], rows = w->samples * w->out[0];
	float *y = e->at[i];

	cpu_deal(e, 0, rows);
#pragma omp parallel num_threads(threads_for(e, w->samples * n_x))
	for (size_t k; cpu_next(e, 0, (size_t)omp_get_thread_num(), &k);)
		row(w, (int64_t)(k % w->out[0]), x + k / w->out[0] * n_x, u, y + k / w->out[0] * n_y);
	return INN_OK;
}

int cpu_narrow(struct inn_exec *e, const struct conv *c)
{
	struct narrow *w = cpu_alloc(e, 1, sizeof(*w));
	struct pack *f = cpu_alloc(e, 1, sizeof(*f));
	uint32_t kernel = cpu_dense_once(e, c->i, c->src[W]);
	bool fresh;

	if (!w || !f || (w->x = cpu_block(e, c->at, c->i, c->src[Y])) == NONE)
		return INN_ENOMEM;
	w->samples = c->shape[X].dim[0];
	w->c = c->shape[Y].dim[1];
	w->o = c->shape[X].dim[1];
	for (uint32_t d = 0; d < 2; d++) {
		w->in[d] = c->shape[Y].dim[2 + d];
		w->out[d] = c->shape[X].dim[2 + d];
		w->size[d] = c->shape[W].dim[2 + d];
		w->stride[d] = (uint32_t)c->stride[d];
		w->before[d] = (uint32_t)c->before[d];
		w->dilation[d] = (uint32_t)c->dilation[d] + 1;
	}
	w->plane = (size_t)w->in[0] * w->in[1] * e->dev->lanes;
#if defined(__x86_64__)
	w->pixels = (e->dev->lanes == 16 ? wide_pixels : half_pixels)[w->o - 1];
#endif
	e->step[c->at] = (struct step){ .fn = run_narrow, .arg = w, .op = c->at, .how = "gathered by pixels" };
	*f = (struct pack){ .w = kernel, .c = w->c, .o = w->o, .area = w->size[0] * w->size[1], .lanes = e->dev->lanes };
	int s = cpu_own_weight(e, c, NARROW, (size_t)w->c * w->o * f->area * sizeof(float), &w->weights, &fresh);

	f->to = w->weights;
	return s || !fresh ? s : cpu_once(e, run_pack, c->i, f, kernel);
}
