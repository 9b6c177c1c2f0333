/* Convolutions as matrix products, of a run of pixels and a group of panels, which are two blocks of results each. What meets the
 * kernel is gathered by taps, so that strides cost nothing; a strided adjoint is one such product for each place of its results
 * among the strides (a phase). The terms of the sums are taken in pieces: pixels and weights of a piece stay near while they meet,
 * and the weights of the next panel are fetched meanwhile. Where weights are large each thread reads its own part of them, where
 * they are small each thread takes pixels of its own. A sum runs over taps, then channels: neither the neighbours of a pixel nor
 * the number of threads show in its bits, and a term that is 0 stays 0. */
#include "kernel.h"
#include "map.h"
#include "product.h"
#include <omp.h>
#include <string.h>
#if defined(__x86_64__)
#include <immintrin.h>
#endif

#define PIECE 256u /* terms of a sum whose weights are read together */
#define RUN 112u   /* pixels whose results stay near */
#define GROUP 16u  /* panels whose results stay near */
#define PARTS 8u   /* for each thread */

struct phase {
	uint32_t taps, size[2], first[2];  /* results at first, first + step, ...; size of them along each axis */
	int32_t (*from)[2];                /* by tap: where the first result reads x */
	uint32_t *tap;                     /* its number in the kernel */
	size_t pixels, weights, gathered;  /* floats into the weights; into scratch, of one sample */
};
struct part { const struct phase *phase; uint32_t panel, end; size_t sample, first, n; }; /* panels; n pixels of the phase from `first` on */
struct panels {
	uint32_t x, y;                     /* location, operation */
	struct finish finish;
	struct map *after;
	bool as_is, small;                 /* as_is: what x holds needs no gathering; small: weights are */
	uint32_t c, o, in[2], out[2], read[2], step[2]; /* c, o: whole blocks; steps between pixels in x and in the result */
	uint32_t n_phases, panels, groups;
	size_t samples, size, runs, weights; /* floats gathered of one sample; runs of pixels in the largest phase; bytes into what is kept */
	struct phase *phase;
	const struct isa *isa;
};
struct job { /* of one thread; bias, more, by, y: NULL: not there */
	const struct panels *w;
	struct inn_exec *e;
	const float *x, *u, *bias, *more, *by;
	float *y;
	char *map;
};
struct pack { uint32_t w; const struct panels *of; uint32_t c, o, area; bool back; }; /* c, o: without what fills up the last blocks */
struct isa {
	uint32_t lanes;
	void (*gather)(const struct panels *w, const struct phase *p, const float *x, size_t block, float *v);
	void (*multiply)(const struct job *r, const struct part *q, const float *v, const float *u, float *m);
};

/* What stands behind the product, on the pixels of a panel. */
static void go_on(const struct job *r, const struct part *q, uint32_t panel, const float *m)
{
	const struct panels *w = r->w;
	size_t lanes = w->isa->lanes, blocks = w->o / lanes, from = q->first * lanes;

	/* y: what m holds is in memory instead */
	for (size_t b = (size_t)panel * 2; b < blocks && b < (size_t)panel * 2 + 2; b++, m += RUN * lanes)
		cpu_map_piece(r->e, w->after, r->map, q->sample * blocks + b, from, from + q->n * lanes, &(struct strip){ w->y, m, from });
}

#if defined(__x86_64__)
#define V(name) wide_##name
#define TARGET __attribute__((target("avx512f,avx512vl,avx512dq,avx512bw")))
#define LANES 16u
#define ROWS CPU_WIDE_ROWS
#define KERNELS cpu_wide_kernels
#include "panels_isa.h"
#define V(name) half_##name
#define TARGET __attribute__((target("avx2,fma")))
#define LANES 8u
#define ROWS CPU_HALF_ROWS
#define KERNELS cpu_half_kernels
#include "panels_isa.h"
#endif

static float weight(const struct pack *f, const float *w, uint32_t c, uint32_t o, uint32_t tap)
{
	return c < f->c && o < f->o ? w[(f->back ? (size_t)c * f->o + o : (size_t)o * f->c + c) * f->area + tap] : 0;
}

/* w [o][c][area] (back: [c][o][area]) to, by phase, [panel of two blocks of o][tap][c][o in the panel]. */
static int run_pack(struct inn_exec *e, uint32_t i, void *arg)
{
	const struct pack *f = arg;
	const struct panels *w = f->of;
	const float *from = e->at[f->w];
	uint32_t wide = 2 * e->dev->lanes;

	(void)i;
	for (uint32_t n = 0; n < w->n_phases; n++) {
		const struct phase *p = &w->phase[n];
		float *u = (float *)(void *)(e->kept + w->weights) + p->weights;

#pragma omp parallel for num_threads(e->dev->threads) schedule(static)
		for (uint32_t k = 0; k < w->panels * p->taps; k++) {
			uint32_t o = k / p->taps * wide, t = k % p->taps, width = w->o - o < wide ? w->o - o : wide;
			float *to = u + ((size_t)o * p->taps + (size_t)t * width) * w->c;

			for (uint32_t c = 0; c < w->c; c++)
				for (uint32_t j = 0; j < width; j++)
					*to++ = weight(f, from, c, o + j, p->tap[t]);
		}
	}
	return INN_OK;
}

/* Number k: those in a row share pixels where weights are small, else panels. */
static struct part part_of(const struct panels *w, size_t k)
{
	size_t parts = w->n_phases * w->samples * w->runs, rest = w->small ? k / w->groups : k % parts, run = rest % w->runs;
	uint32_t group = (uint32_t)(w->small ? k % w->groups : k / parts);
	const struct phase *p = &w->phase[rest / w->runs % w->n_phases];
	size_t first = p->pixels * run / w->runs, end = p->pixels * (run + 1) / w->runs;

	return (struct part){ p, w->panels * group / w->groups, w->panels * (group + 1) / w->groups, rest / w->runs / w->n_phases, first, end - first };
}

/* Floats that a thread holds of results; bytes of all that it needs. */
static size_t results_of(const struct panels *w) { return (size_t)(w->panels / w->groups + 1) * RUN * 2 * w->isa->lanes; }
static size_t room_of(const struct panels *w) { return round_up(results_of(w) * sizeof(float)) + (w->after ? cpu_map_scratch(w->after) : 0); }

static int run_panels(struct inn_exec *e, uint32_t i, void *arg)
{
	const struct panels *w = arg;
	const struct job all = { w, e, e->at[w->x], (const float *)(const void *)(e->kept + w->weights), cpu_at(e, w->finish.bias),
				 cpu_at(e, w->finish.more), cpu_at(e, w->finish.by), w->after ? NULL : e->at[w->y], NULL };
	size_t blocks = w->c / w->isa->lanes, n_x = (size_t)w->c * w->in[0] * w->in[1];
	float *gathered = (float *)(void *)e->scratch;

	(void)i;
	cpu_deal(e, 0, w->n_phases * w->samples * blocks);
	cpu_deal(e, 1, w->groups * w->n_phases * w->samples * w->runs);
#pragma omp parallel num_threads(e->dev->threads)
	{
		size_t thread = (size_t)omp_get_thread_num();
		char *room = e->scratch + round_up(w->samples * w->size * sizeof(float)) + room_of(w) * thread;
		struct job r = all;

		r.map = room + round_up(results_of(w) * sizeof(float));
		if (w->after)
			cpu_map_begin(e, w->after, r.map);
		for (size_t k; !w->as_is && cpu_next(e, 0, thread, &k);) {
			const struct phase *p = &w->phase[k / blocks / w->samples];
			size_t sample = k / blocks % w->samples;

			w->isa->gather(w, p, r.x + sample * n_x, k % blocks, gathered + sample * w->size + p->gathered);
		}
		if (!w->as_is) {
#pragma omp barrier
		}
		for (size_t k; cpu_next(e, 1, thread, &k);) {
			struct part q = part_of(w, k);

			if (q.n)
				w->isa->multiply(&r, &q, w->as_is ? r.x + q.sample * n_x : gathered + q.sample * w->size + q.phase->gathered,
						 r.u + q.phase->weights, (float *)(void *)room);
		}
	}
	return INN_OK;
}

/* One phase: the results at first, first + step, ... and the taps that reach them. forth: a convolution. */
static int make_phase(struct inn_exec *e, const struct panels *w, const struct conv *c, bool forth, struct phase *p)
{
	uint32_t h = c->shape[W].dim[2], width = c->shape[W].dim[3], n = h * width;

	p->from = cpu_alloc(e, n, sizeof(*p->from));
	p->tap = cpu_alloc(e, n, sizeof(*p->tap));
	if (!p->from || !p->tap)
		return INN_ENOMEM;
	for (uint32_t d = 0; d < 2; d++)
		p->size[d] = p->first[d] < w->out[d] ? (w->out[d] - p->first[d] + w->step[d] - 1) / w->step[d] : 0;
	for (uint32_t k = 0; k < n; k++) {
		int64_t at[2];
		bool reaches = true;

		for (uint32_t d = 0; d < 2; d++) {
			int64_t tap = (int64_t)(d ? k % width : k / width) * (c->dilation[d] + 1), s = c->stride[d];

			at[d] = forth ? tap - c->before[d] : (int64_t)p->first[d] + c->before[d] - tap;
			reaches = reaches && (forth || (at[d] % s + s) % s == 0);
			at[d] = forth ? at[d] : at[d] / s;
		}
		if (!reaches)
			continue;
		for (uint32_t d = 0; d < 2; d++)
			p->from[p->taps][d] = (int32_t)at[d];
		p->tap[p->taps++] = c->flipped ? n - 1 - k : k;
	}
	return INN_OK;
}

static int phases(struct inn_exec *e, struct panels *w, const struct conv *c, bool forth)
{
	uint32_t threads = (uint32_t)e->dev->threads;
	size_t weights = 0;
	int s = INN_OK;

	w->n_phases = w->step[0] * w->step[1];
	if (!(w->phase = cpu_alloc(e, w->n_phases, sizeof(*w->phase))))
		return INN_ENOMEM;
	for (uint32_t n = 0; !s && n < w->n_phases; n++) {
		struct phase *p = &w->phase[n];

		p->first[0] = n / w->step[1];
		p->first[1] = n % w->step[1];
		s = make_phase(e, w, c, forth, p);

		p->pixels = (size_t)p->size[0] * p->size[1];
		p->weights = weights;
		p->gathered = w->size;
		weights += (size_t)p->taps * w->c * w->o;
		w->size += p->pixels * p->taps * w->c;
		w->runs = (p->pixels + RUN - 1) / RUN > w->runs ? (p->pixels + RUN - 1) / RUN : w->runs;
	}
	w->small = weights * sizeof(float) <= CPU_NEAR;
	if (w->small && w->runs * w->samples < PARTS * threads) /* the same for each thread */
		w->runs = (w->runs + threads - 1) / threads * threads;
	w->groups = (w->panels + GROUP - 1) / GROUP;
	if (w->groups * w->runs * w->samples * w->n_phases < PARTS * threads)
		w->groups = (uint32_t)((PARTS * threads + w->runs * w->samples * w->n_phases - 1) / (w->runs * w->samples * w->n_phases));
	if (w->groups > w->panels)
		w->groups = w->panels;
	w->as_is = w->n_phases == 1 && w->phase[0].taps == 1 && w->read[0] == 1 && w->read[1] == 1 && !w->phase[0].from[0][0] &&
		   !w->phase[0].from[0][1] && w->phase[0].size[0] == w->in[0] && w->phase[0].size[1] == w->in[1];
	if (w->as_is)
		w->size = 0;
	return s;
}

int cpu_panels(struct inn_exec *e, const struct conv *c)
{
	bool forth = c->code == INN_OP_CONV, fresh;
	uint32_t x = forth ? X : Y, y = forth ? Y : X, lanes = e->dev->lanes, kernel = cpu_dense_once(e, c->i, c->src[W]);
	struct panels *w = cpu_alloc(e, 1, sizeof(*w));
	struct pack *f = cpu_alloc(e, 1, sizeof(*f));
	int s;

	if (!w || !f || (w->x = cpu_block(e, c->step, c->i, c->src[x])) == NONE)
		return INN_ENOMEM;
	w->samples = c->shape[x].dim[0];
	w->c = cpu_channels(e, &c->shape[x]);
	w->o = cpu_channels(e, &c->shape[y]);
	w->y = c->at;
	w->panels = (w->o + 2 * lanes - 1) / (2 * lanes);
	for (uint32_t d = 0; d < 2; d++) {
		w->in[d] = c->shape[x].dim[2 + d];
		w->out[d] = c->shape[y].dim[2 + d];
		w->read[d] = forth ? (uint32_t)c->stride[d] : 1;
		w->step[d] = forth ? 1 : (uint32_t)c->stride[d];
	}
#if defined(__x86_64__)
	w->isa = lanes == 16 ? &wide_isa : &half_isa;
#endif
	if ((s = phases(e, w, c, forth)) || (s = cpu_finish(e, c, &w->finish)) || (s = cpu_after(e, c, &w->after)))
		return s;
	cpu_scratch(e, round_up(w->samples * w->size * sizeof(float)) + room_of(w) * (size_t)e->dev->threads);
	e->step[c->step] = (struct step){ .fn = run_panels, .arg = w, .op = c->step, .how = "panels" };
	*f = (struct pack){ .w = kernel, .of = w, .c = c->shape[x].dim[1], .o = c->shape[y].dim[1],
			    .area = c->shape[W].dim[2] * c->shape[W].dim[3], .back = c->flipped || !forth };
	s = cpu_own_weight(e, c, PANELS, (size_t)w->c * w->o * f->area * sizeof(float), &w->weights, &fresh);
	return s || !fresh ? s : cpu_once(e, run_pack, c->i, f, kernel);
}
