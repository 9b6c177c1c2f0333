/* Depthwise convolutions and their adjoints: each pixel is the sum of those that the taps of its row and column reach, in blocks of
 * channels. The neighbours of a strip, a piece of a row, are summed together; a tap of its column leaves out those for which it is
 * outside. Neighbours in a strided adjoint are as far apart as its strides, so that the same taps reach them. A sum runs over taps in
 * order: neither the neighbours of a pixel nor the number of threads show in its bits. */
#include "kernel.h"
#include "map.h"
#include "product.h"
#include <omp.h>
#include <string.h>
#if defined(__x86_64__)
#include <immintrin.h>
#endif

#define WIDE_PIXELS 14u /* neighbours: as many as hide what an addition takes */
#define HALF_PIXELS 8u
#define WIDE_LANES 16u
#define PIECE 256u      /* pixels whose results stay near */
#define LEAST 4u        /* rows of a piece */

struct taps { uint32_t n, tap[CPU_TAPS]; int64_t at[CPU_TAPS]; }; /* what reaches a row or column: rows or columns of the operand */
/* A tap of a strip: where it meets the operand for the first neighbour, and neighbours [first, end) for which it does. */
struct reach { int64_t at; uint32_t tap; int first, end; bool all; };
struct strip_of { uint32_t col, n, n_taps; struct reach tap[CPU_TAPS]; }; /* n neighbours from column `col` on */
struct spot {
	const struct taps *rows;
	const struct strip_of *strip;
	const float *x, *u, *first;      /* of the plane; of the block; what sums begin with */
	int64_t width;                   /* of the operand */
	size_t pitch, step;              /* pixels from one neighbour to the next: in the operand, in the result */
};
/* more, by: what stands at the first, or NULL */
typedef void (*pixels_fn)(const struct spot *s, const struct finish *f, const float *more, const float *by, float *y);

struct depthwise {
	uint32_t x, y, in[2], out[2], pitch, step; /* x, y: location, operation */
	struct finish finish;
	struct map *after;
	size_t lanes, blocks, planes, weights; /* weights: bytes into what is kept */
	uint32_t rows, area, most;       /* rows of a piece; taps; neighbours */
	bool by_rows;                    /* each thread takes the same rows of all planes */
	struct taps *row;                /* by row of the result */
	struct strip_of *strip;          /* of every row */
	uint32_t n_strips;
	const pixels_fn *pixels;
};
struct job { const struct depthwise *w; struct inn_exec *e; const float *x, *u, *bias, *more, *by; float *y; char *map; };
struct pack { uint32_t w, c, lanes, area; size_t to; };

#if defined(__x86_64__)
#define V(name) wide_##name
#define TARGET __attribute__((target("avx512f,avx512vl,avx512dq,avx512bw")))
#define LANES WIDE_LANES
#define FMA _mm512_fmadd_ps
#define KERNELS wide_pixels
#define PIXELS WIDE_PIXELS
#include "depthwise_isa.h"
#define V(name) half_##name
#define TARGET __attribute__((target("avx2,fma")))
#define LANES 8u
#define FMA _mm256_fmadd_ps
#define KERNELS half_pixels
#define PIXELS HALF_PIXELS
#include "depthwise_isa.h"
#endif

/* w [c][area] to [block of c][tap][c in the block]; zeros where a block has no channel. */
static int run_pack(struct inn_exec *e, uint32_t i, void *arg)
{
	const struct pack *f = arg;
	const float *w = e->at[f->w];
	float *u = (float *)(void *)(e->kept + f->to);

	(void)i;
	for (size_t c = 0; c < (f->c + f->lanes - 1) / f->lanes * f->lanes; c++)
		for (size_t k = 0; k < f->area; k++)
			u[(c / f->lanes * f->area + k) * f->lanes + c % f->lanes] = c < f->c ? w[c * f->area + k] : 0;
	return INN_OK;
}

/* What is read behind the sums of pixels [at, end). */
static void fetch(const struct job *j, size_t at, size_t end)
{
	for (; (j->by || j->more) && at < end; at += CPU_LINE) {
		if (j->by)
			__builtin_prefetch(j->by + at, 0, 2);
		if (j->more)
			__builtin_prefetch(j->more + at, 0, 2);
	}
}

/* Rows [row, end) of a plane. */
static void piece(const struct job *j, size_t plane, uint32_t row, uint32_t end)
{
	const struct depthwise *w = j->w;
	size_t channel = plane % w->blocks * w->lanes, channels = w->finish.n_bias - channel, line = w->out[1] * w->lanes;
	size_t start = plane * w->out[0] * line, base = w->after ? start + row * line : 0; /* elements; of the first at y */
	float bias[WIDE_LANES] __attribute__((aligned(ALIGN))) = { 0 };
	struct spot s = { .x = j->x + plane * w->in[0] * w->in[1] * w->lanes, .u = j->u + channel * w->area, .first = bias,
			  .width = w->in[1], .pitch = w->pitch, .step = w->step };

	if (j->bias)
		memcpy(bias, j->bias + channel, (channels < w->lanes ? channels : w->lanes) * sizeof(*bias));
	for (uint32_t h = row; h < end; h++) {
		if (h + 1 < w->out[0])
			fetch(j, start + (h + 1) * line, start + (h + 2) * line);
		if (w->after)
			cpu_map_fetch(j->e, w->after, w->y, plane, h * line, (h + 1) * line);
		s.rows = &w->row[h];
		for (uint32_t k = 0; k < w->n_strips; k++) {
			size_t at = start + h * line + w->strip[k].col * w->lanes;

			s.strip = &w->strip[k];
			w->pixels[s.strip->n - 1](&s, &w->finish, j->more ? j->more + at : NULL, j->by ? j->by + at : NULL, j->y + at - base);
		}
	}
	if (w->after)
		cpu_map_piece(j->e, w->after, j->map, plane, row * line, end * line, &(struct strip){ w->y, j->y, row * line });
}

/* Bytes of what a thread needs: a piece of results, what follows. */
static size_t results_of(const struct depthwise *w) { return w->after ? round_up((size_t)w->rows * w->out[1] * w->lanes * sizeof(float)) : 0; }
static size_t room_of(const struct depthwise *w) { return results_of(w) + (w->after ? cpu_map_scratch(w->after) : 0); }

static int run_depthwise(struct inn_exec *e, uint32_t i, void *arg)
{
	const struct depthwise *w = arg;
	size_t h = w->out[0], parts = (h + w->rows - 1) / w->rows;

	(void)i;
	cpu_deal(e, 0, w->planes * parts);
#pragma omp parallel num_threads(threads_for(e, w->planes * h * w->out[1] * w->lanes))
	{
		size_t thread = (size_t)omp_get_thread_num();
		char *room = e->scratch + room_of(w) * thread;
		struct job j = { w, e, e->at[w->x], (const float *)(const void *)(e->kept + w->weights), cpu_at(e, w->finish.bias), cpu_at(e, w->finish.more),
				 cpu_at(e, w->finish.by), w->after ? (float *)(void *)room : e->at[w->y], room + results_of(w) };

		if (w->after)
			cpu_map_begin(e, w->after, j.map);
		for (size_t k; cpu_next(e, 0, thread, &k);) {
			size_t part = w->by_rows ? k / w->planes : k % parts, plane = w->by_rows ? k % w->planes : k / parts;

			piece(&j, plane, (uint32_t)(h * part / parts), (uint32_t)(h * (part + 1) / parts));
		}
	}
	return INN_OK;
}

/* Which taps reach place `at` along axis d, and from where; those that come from outside only if asked for. */
static void taps_of(const struct conv *c, uint32_t d, uint32_t at, bool outside, uint32_t in, struct taps *t)
{
	bool forth = c->code == INN_OP_CONV;

	for (uint32_t k = 0; k < c->shape[W].dim[2 + d]; k++) {
		int64_t tap = (int64_t)k * (c->dilation[d] + 1), s = c->stride[d];
		int64_t from = forth ? at * s + tap - c->before[d] : at + c->before[d] - tap;

		if (!forth && (from % s + s) % s)
			continue;
		from = forth ? from : from / s;
		if (!outside && (from < 0 || from >= in))
			continue;
		t->at[t->n] = from;
		t->tap[t->n++] = d ? k : k * c->shape[W].dim[3];
	}
}

static void make_strip(const struct conv *c, const struct depthwise *w, uint32_t col, uint32_t n, struct strip_of *s)
{
	struct taps t = { 0 };

	taps_of(c, 1, col, true, w->in[1], &t);
	*s = (struct strip_of){ .col = col, .n = n };
	for (uint32_t k = 0; k < t.n; k++) {
		struct reach r = { .at = t.at[k], .tap = t.tap[k] };

		while (r.first < (int)n && r.at + r.first * (int64_t)w->pitch < 0)
			r.first++;
		for (r.end = r.first; r.end < (int)n && r.at + r.end * (int64_t)w->pitch < w->in[1];)
			r.end++;
		r.all = r.first == 0 && r.end == (int)n;
		if (r.first < r.end)
			s->tap[s->n_taps++] = r;
	}
}

/* Strips as long as there are registers, as many neighbours in each. */
static int make_strips(struct inn_exec *e, const struct conv *c, struct depthwise *w)
{
	if (!(w->row = cpu_alloc(e, w->out[0], sizeof(*w->row))) ||
	    !(w->strip = cpu_alloc(e, w->out[1] / w->most + w->step, sizeof(*w->strip))))
		return INN_ENOMEM;
	for (uint32_t h = 0; h < w->out[0]; h++)
		taps_of(c, 0, h, false, w->in[0], &w->row[h]);
	for (uint32_t first = 0; first < w->step && first < w->out[1]; first++) {
		uint64_t n = (w->out[1] - first + w->step - 1) / w->step, parts = (n + w->most - 1) / w->most;

		for (uint64_t k = 0; k < parts; k++)
			make_strip(c, w, (uint32_t)(first + n * k / parts * w->step), (uint32_t)(n * (k + 1) / parts - n * k / parts),
				   &w->strip[w->n_strips++]);
	}
	return INN_OK;
}

/* Where an image has more pixels than channels, threads take rows, as they do around it (map_of.c). */
static void divide(struct depthwise *w, size_t samples, uint32_t threads)
{
	uint32_t h = w->out[0], width = w->out[1];

	w->rows = PIECE / width > LEAST ? PIECE / width : LEAST;
	w->by_rows = samples < threads && (size_t)h * width >= 2 * w->blocks * w->lanes && h >= LEAST * threads;
}

int cpu_depthwise(struct inn_exec *e, const struct conv *c)
{
	bool forth = c->code == INN_OP_CONV, fresh;
	uint32_t x = forth ? X : Y, y = forth ? Y : X, kernel = cpu_dense_once(e, c->i, c->src[W]);
	struct depthwise *w = cpu_alloc(e, 1, sizeof(*w));
	struct pack *f = cpu_alloc(e, 1, sizeof(*f));
	int s;

	if (!w || !f || (w->x = cpu_block(e, c->step, c->i, c->src[x])) == NONE)
		return INN_ENOMEM;
	w->y = c->at;
	w->lanes = e->dev->lanes;
	w->blocks = cpu_channels(e, &c->shape[y]) / w->lanes;
	w->planes = w->blocks * c->shape[y].dim[0];
	w->area = c->shape[W].dim[2] * c->shape[W].dim[3];
	w->most = w->lanes == WIDE_LANES ? WIDE_PIXELS : HALF_PIXELS;
#if defined(__x86_64__)
	w->pixels = w->lanes == WIDE_LANES ? wide_pixels : half_pixels;
#endif
	for (uint32_t d = 0; d < 2; d++) {
		w->in[d] = c->shape[x].dim[2 + d];
		w->out[d] = c->shape[y].dim[2 + d];
	}
	w->pitch = forth ? (uint32_t)c->stride[1] : 1;
	w->step = forth ? 1 : (uint32_t)c->stride[1];
	divide(w, c->shape[y].dim[0], (uint32_t)e->dev->threads);
	if ((s = make_strips(e, c, w)) || (s = cpu_finish(e, c, &w->finish)) || (s = cpu_after(e, c, &w->after)))
		return s;
	cpu_scratch(e, room_of(w) * (size_t)e->dev->threads);
	e->step[c->step] = (struct step){ .fn = run_depthwise, .arg = w, .op = c->step, .how = "depthwise" };
	*f = (struct pack){ .w = kernel, .c = c->shape[y].dim[1], .lanes = e->dev->lanes, .area = w->area };
	s = cpu_own_weight(e, c, DEPTHWISE, w->blocks * w->lanes * w->area * sizeof(float), &w->weights, &fresh);
	f->to = w->weights;
	return s || !fresh ? s : cpu_once(e, run_pack, c->i, f, kernel);
}
