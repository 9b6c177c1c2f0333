/* 3x3 convolutions by Winograd's transforms (Lavin & Gray 2016): every tile of side x side results from a tile of the operand that
 * is wider by 2, as one matrix product over channels for each of its (side + 2)^2 points. It reads and writes blocks of channels.
 * Every sum runs over the channels in order, so neither the neighbours of a tile nor the number of threads show in the bits.
 *
 *   side 2: points 0, 1, -1, infinity. 2.25 times fewer products than the direct sum, and its error (NMSE 1e-13). A term that is 0
 *           stays 0, so nothing leaks from one result to its neighbours.
 *   side 4: points 0, 3/4, -3/4, 3/2, -3/2, infinity. 4 times fewer products, NMSE 1e-12. Results share the rounding of their tile;
 *           those whose window holds nothing but zeros are found beforehand and come out exact. */
#include "kernel.h"
#include "product.h"
#include <omp.h>
#include <string.h>
#if defined(__x86_64__)
#include <immintrin.h>
#endif

struct winograd {
	uint32_t x;                                 /* location */
	struct finish finish;
	bool small;                                 /* its weights stay near */
	uint32_t c, o, in[2], out[2], before[2];
	size_t tiles_h, tiles_w, tiles;             /* of one sample; of all */
	size_t step, chunks;                        /* tiles per chunk */
	uint32_t side;
	size_t points;                              /* of a tile */
	size_t weights;                             /* bytes into what is kept */
	const struct steps *steps;
};
struct run { const struct winograd *w; const float *x, *u, *bias, *more, *by; float *y; size_t panels; }; /* more, by: NULL or as struct tail */
struct transform { uint32_t w, c, o, lanes, side; bool flipped; size_t to; };
struct steps { /* one instruction set's, on tiles [t, end) of a chunk; zeros: by tile, a bit (6 * row + column) for results that are 0 */
	void (*in)(const struct winograd *w, const float *x, size_t first, size_t t, size_t end, float *v, uint64_t *zeros);
	void (*multiply)(const struct winograd *w, const float *v, const float *u, float *m, size_t n, size_t at, size_t p, size_t end);
	void (*out)(const struct run *r, const float *m, size_t first, size_t t, size_t end, const uint64_t *zeros);
};

#define P 0.75f /* the points of side 4 */
#define Q 1.5f
#define PP (P * P)
#define QQ (Q * Q)

#if defined(__x86_64__)
#define V(name) wide_##name
#define TARGET __attribute__((target("avx512f,avx512vl,avx512dq,avx512bw")))
#define LANES 16u
#define ROWS CPU_WIDE_ROWS
#define KERNELS cpu_wide_kernels
#include "winograd_isa.h"
#define V(name) half_##name
#define TARGET __attribute__((target("avx2,fma")))
#define LANES 8u
#define ROWS CPU_HALF_ROWS
#define KERNELS cpu_half_kernels
#include "winograd_isa.h"
#endif

/* A row of the kernel at the points. */
static void spread_kernel(const float *k, size_t step, uint32_t side, float *to)
{
	float a = k[0], b = k[step], c = k[2 * step];

	if (side == 2) {
		to[0] = a;
		to[1] = 0.5f * (a + b + c);
		to[2] = 0.5f * (a - b + c);
		to[3] = c;
		return;
	}
	float p = (a + PP * c) / (2 * PP * (PP - QQ)), odd_p = b / (2 * P * (PP - QQ));
	float q = (a + QQ * c) / (2 * QQ * (QQ - PP)), odd_q = b / (2 * Q * (QQ - PP));

	to[0] = a / (PP * QQ);
	to[1] = p + odd_p;
	to[2] = p - odd_p;
	to[3] = q + odd_q;
	to[4] = q - odd_q;
	to[5] = c;
}

/* Kernel g, turned if flipped, as a tile. */
static void tile_of(const float *g, bool flipped, uint32_t side, float *tile)
{
	float k[9], t[6][3], column[6];

	for (uint32_t j = 0; j < 9; j++)
		k[j] = g[flipped ? 8 - j : j];
	for (uint32_t j = 0; j < 3; j++) {
		spread_kernel(k + j, 3, side, column);
		for (uint32_t i = 0; i < side + 2; i++)
			t[i][j] = column[i];
	}
	for (uint32_t i = 0; i < side + 2; i++)
		spread_kernel(t[i], 1, side, tile + i * (side + 2));
}

/* w [o][c][3][3] (flipped: [c][o] with the kernel turned) to [point][panel of two blocks of o][c][o in the panel]. */
static int run_transform(struct inn_exec *e, uint32_t i, void *arg)
{
	const struct transform *f = arg;
	const float *w = e->at[f->w];
	float *u = (float *)(void *)(e->kept + f->to);
	size_t next = (size_t)f->c * f->o;

	(void)i;
#pragma omp parallel for num_threads(e->dev->threads) schedule(static)
	for (uint32_t c = 0; c < f->c; c++)
		for (uint32_t p = 0; p < f->o; p += 2 * f->lanes) {
			uint32_t width = f->o - p < 2 * f->lanes ? f->o - p : 2 * f->lanes;
			float *to = u + (size_t)p * f->c + (size_t)c * width, tile[36];

			for (uint32_t o = p; o < p + width; o++) {
				tile_of(w + (f->flipped ? (size_t)c * f->o + o : (size_t)o * f->c + c) * 9, f->flipped, f->side, tile);
				for (size_t k = 0; k < (f->side + 2) * (f->side + 2); k++)
					to[k * next + o - p] = tile[k];
			}
		}
	return INN_OK;
}

static size_t scratch_of(const struct winograd *w)
{
	return round_up(w->step * (w->points * ((size_t)w->c + w->o) * sizeof(float) + sizeof(uint64_t)));
}

/* One chunk by one thread. */
static void chunk(const struct run *r, size_t k, float *v)
{
	const struct winograd *w = r->w;
	size_t first = k * w->step, n = w->tiles - first < w->step ? w->tiles - first : w->step;
	float *m = v + w->points * w->step * w->c;
	uint64_t *zeros = (uint64_t *)(void *)(m + w->points * w->step * w->o);

	w->steps->in(w, r->x, first, 0, n, v, zeros);
	for (size_t at = 0; at < w->points; at++)
		w->steps->multiply(w, v, r->u, m, n, at, 0, r->panels);
	w->steps->out(r, m, first, 0, n, zeros);
}

/* Few tiles: all threads share a chunk, so that each reads its own part of the weights. */
static void shared_chunk(struct inn_exec *e, const struct run *r, size_t k, float *v, size_t threads)
{
	const struct winograd *w = r->w;
	size_t first = k * w->step, n = w->tiles - first < w->step ? w->tiles - first : w->step;
	float *m = v + w->points * w->step * w->c;
	uint64_t *zeros = (uint64_t *)(void *)(m + w->points * w->step * w->o);

	cpu_deal(e, 0, w->points * r->panels);
#pragma omp parallel num_threads((int)threads)
	{
#pragma omp for schedule(static)
		for (size_t t = 0; t < threads; t++)
			w->steps->in(w, r->x, first, n * t / threads, n * (t + 1) / threads, v, zeros);
		for (size_t j; cpu_next(e, 0, (size_t)omp_get_thread_num(), &j);)
			w->steps->multiply(w, v, r->u, m, n, j / r->panels, j % r->panels, j % r->panels + 1);
#pragma omp barrier
#pragma omp for schedule(static)
		for (size_t t = 0; t < threads; t++)
			w->steps->out(r, m, first, n * t / threads, n * (t + 1) / threads, zeros);
	}
}

static int run_winograd(struct inn_exec *e, uint32_t i, void *arg)
{
	const struct winograd *w = arg;
	struct run r = { w, e->at[w->x], (const float *)(const void *)(e->kept + w->weights), cpu_at(e, w->finish.bias), cpu_at(e, w->finish.more),
			 cpu_at(e, w->finish.by), e->at[i], (w->o / e->dev->lanes + 1) / 2 };
	size_t threads = (size_t)e->dev->threads;

	if (w->chunks < threads) {
		for (size_t k = 0; k < w->chunks; k++)
			shared_chunk(e, &r, k, (float *)(void *)e->scratch, threads);
		return INN_OK;
	}
	cpu_deal(e, 0, w->chunks);
#pragma omp parallel num_threads(e->dev->threads)
	{
		size_t thread = (size_t)omp_get_thread_num();

		for (size_t k; cpu_next(e, 0, thread, &k);)
			chunk(&r, k, (float *)(void *)(e->scratch + scratch_of(w) * thread));
	}
	return INN_OK;
}

/* Tiles in a chunk: what it makes of them should stay near, and its weights be read seldom; chunks divide evenly. */
static void divide(struct winograd *w, size_t threads)
{
	size_t most = w->c + w->o <= 256 ? 56 : 112, bytes = w->points * w->c * w->o * sizeof(float);

	w->small = bytes <= CPU_NEAR;
	w->chunks = (w->tiles + most - 1) / most;
	if (w->chunks < threads && w->small && w->tiles >= threads)
		w->chunks = threads;
	if (w->chunks >= threads && w->chunks < 8 * threads)
		w->chunks = (w->chunks + threads - 1) / threads * threads;
	w->step = (w->tiles + w->chunks - 1) / w->chunks;
	w->chunks = (w->tiles + w->step - 1) / w->step;
}

int cpu_winograd(struct inn_exec *e, const struct conv *c, enum way way)
{
	struct winograd *w = cpu_alloc(e, 1, sizeof(*w));
	struct transform *f = cpu_alloc(e, 1, sizeof(*f));
	uint32_t kernel = cpu_dense_once(e, c->i, c->src[W]);
	bool fresh;

	if (!w || !f || (w->x = cpu_block(e, c->at, c->i, c->src[X])) == NONE)
		return INN_ENOMEM;
	w->side = way == TILES_4 ? 4 : 2;
	w->points = (w->side + 2) * (w->side + 2);
	w->c = c->shape[X].dim[1];
	w->o = c->shape[Y].dim[1];
	for (uint32_t d = 0; d < 2; d++) {
		w->in[d] = c->shape[X].dim[2 + d];
		w->out[d] = c->shape[Y].dim[2 + d];
		w->before[d] = (uint32_t)c->before[d];
	}
	w->tiles_h = (w->out[0] + w->side - 1) / w->side;
	w->tiles_w = (w->out[1] + w->side - 1) / w->side;
	w->tiles = w->tiles_h * w->tiles_w * c->shape[X].dim[0];
#if defined(__x86_64__)
	w->steps = e->dev->lanes == 16 ? &wide_steps : &half_steps;
#endif
	divide(w, (size_t)e->dev->threads);
	cpu_scratch(e, scratch_of(w) * (w->chunks < (size_t)e->dev->threads ? 1 : (size_t)e->dev->threads));
	if (cpu_finish(e, c, &w->finish))
		return INN_ENOMEM;
	e->blocked[c->at] = true;
	e->step[c->at] = (struct step){ .fn = run_winograd, .arg = w, .op = c->at, .how = way == TILES_2 ? "winograd F(2,3)" : "winograd F(4,3)" };
	*f = (struct transform){ .w = kernel, .c = w->c, .o = w->o, .lanes = e->dev->lanes, .side = w->side, .flipped = c->flipped };
	int s = cpu_own_weight(e, c, way, w->points * w->c * w->o * sizeof(float), &w->weights, &fresh);

	f->to = w->weights;
	return s || !fresh ? s : cpu_once(e, run_transform, c->i, f, kernel);
}
