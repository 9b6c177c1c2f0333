/* The steps of panels.c, included once per instruction set: V(name) names them, TARGET selects the instructions, LANES is the
 * number of channels in a block, KERNELS those of kernel.h, for up to ROWS pixels. */
#include "finish_isa.h"

/* v: [tap][channel block][pixel][LANES] of one sample; this is one block of channels of all taps. */
TARGET static void V(gather)(const struct panels *w, const struct phase *p, const float *x, size_t block, float *v)
{
	size_t pixels = (size_t)p->size[0] * p->size[1], blocks = w->c / LANES;

	x += block * w->in[0] * w->in[1] * LANES;
	for (uint32_t t = 0; t < p->taps; t++) {
		V(vec) *to = (V(vec) *)(void *)(v + (t * blocks + block) * pixels * LANES);

		for (uint32_t h = 0; h < p->size[0]; h++) {
			int64_t row = (int64_t)h * w->read[0] + p->from[t][0], at = p->from[t][1];
			bool inside = row >= 0 && row < w->in[0];

			for (uint32_t j = 0; j < p->size[1]; j++, at += w->read[1])
				*to++ = inside && at >= 0 && at < w->in[1] ? ((const V(vec) *)(const void *)x)[row * w->in[1] + at] : (V(vec)){ 0 };
		}
	}
}

/* The tail's operands, and where the result goes, for pixels [a, b). */
static void V(fetch)(const struct job *r, const struct part *q, uint32_t panel, size_t a, size_t b)
{
	size_t blocks = r->w->o / LANES, plane = q->phase->pixels;

	for (size_t j = (size_t)panel * 2; j < blocks && j < (size_t)panel * 2 + 2; j++) {
		size_t at = (q->sample * blocks + j) * plane + q->first;

		if (r->w->after)
			cpu_map_fetch(r->e, r->w->after, r->w->y, q->sample * blocks + j, (q->first + a) * LANES, (q->first + b) * LANES);
		for (size_t k = at + a; k < at + b; k++) {
			if (r->more)
				__builtin_prefetch(r->more + k * LANES, 0, 2);
			if (r->by)
				__builtin_prefetch(r->by + k * LANES, 0, 2);
			if (r->y)
				__builtin_prefetch(r->y + k * LANES, 1, 2);
		}
	}
}

/* n pixels of a row and a block to y, with the tail; at: of the first among its operands; step: from one to the next, in y too. */
TARGET static void V(row)(const struct finish *how, const float *m, size_t n, V(vec) bias, const float *more, const float *by, size_t at, float *y,
			  size_t step)
{
	const struct finish f = *how; /* results could be anything, for all that the compiler knows */

	for (size_t i = 0; i < n; i++, at += step, y += step)
		*(V(vec) *)(void *)y = V(finish)(&f, *(const V(vec) *)(const void *)(m + i * LANES) + bias, more, by, at);
}

/* Pixels [a, e) of a panel to the result, or back to m. */
TARGET static void V(out)(const struct job *r, const struct part *q, uint32_t panel, float *m, size_t a, size_t e)
{
	const struct panels *w = r->w;
	const struct phase *p = q->phase;
	size_t plane = (size_t)w->out[0] * w->out[1], block = (size_t)panel * 2, blocks = w->o / LANES;
	bool whole = w->n_phases == 1; /* one phase is one row */

	for (size_t b = block; b < blocks && b < block + 2; b++, m += RUN * LANES) {
		size_t first = (q->sample * blocks + b) * plane + p->first[0] * w->out[1] + p->first[1];
		const V(vec) bias = V(bias)(&w->finish, r->bias, b);

		for (size_t k = a, n; k < e; k += n) {
			size_t h = whole ? 0 : (q->first + k) / p->size[1], j = q->first + k - h * p->size[1], rest = whole ? e - k : p->size[1] - j;
			size_t at = (first + h * w->step[0] * w->out[1] + j * w->step[1]) * LANES;

			n = rest < e - k ? rest : e - k;
			V(row)(&w->finish, m + k * LANES, n, bias, r->more, r->by, at, w->after ? m + k * LANES : r->y + at, w->step[1] * LANES);
		}
	}
}

/* `some` terms from term k on, of all pixels and one panel; u: its weights; next: what to fetch meanwhile, or NULL. Behind the last
 * term, the result. */
TARGET static void V(piece)(const struct job *r, const struct part *q, uint32_t panel, size_t k, size_t some, const float *v, const float *u,
			    const float *next, float *m)
{
	size_t n = q->n, pitch = q->phase->pixels * LANES, parts = (n + ROWS - 1) / ROWS;
	bool two = r->w->o > ((size_t)panel * 2 + 1) * LANES, last = k + some == (size_t)q->phase->taps * r->w->c;
	size_t lines = next ? ((1 + two) * LANES * LANES / CPU_LINE + parts - 1) / parts : 0;

	for (size_t i = 0; i < parts; i++) {
		size_t a = n * i / parts, b = n * (i + 1) / parts;

		if (last && r->w->n_phases == 1)
			V(fetch)(r, q, panel, a, b);
		KERNELS[b - a][two](v + k * q->phase->pixels + a * LANES, pitch, u, m + a * LANES, RUN * LANES, some, k > 0, (struct ahead){ next, lines });
		next += lines * (some / LANES) * CPU_LINE;
		if (last)
			V(out)(r, q, panel, m, a, b);
	}
}

/* m: [panel][block][RUN][LANES]; one panel's, if its sums are made in one piece. */
TARGET static void V(multiply)(const struct job *r, const struct part *q, const float *v, const float *u, float *m)
{
	size_t terms = (size_t)q->phase->taps * r->w->c, wide = 2 * LANES, each = terms > PIECE ? wide * RUN : 0;

	if (!terms)
		memset(m, 0, wide * RUN * sizeof(*m));
	for (uint32_t p = q->panel; p < q->end && !terms; p++)
		V(out)(r, q, p, m, 0, q->n);
	v += q->first * LANES;
	for (size_t k = 0, some; k < terms; k += some) {
		some = terms - k < PIECE ? terms - k : PIECE;
		for (uint32_t p = q->panel; p < q->end; p++) {
			size_t width = r->w->o - p * wide < wide ? r->w->o - p * wide : wide;
			bool wrap = p + 1 == q->end;
			const float *next = u + (wrap ? q->panel : p + 1) * wide * terms + (wrap ? k + some : k) * wide;

			V(piece)(r, q, p, k, some, v, u + p * wide * terms + k * width, r->w->small ? NULL : next, m + (p - q->panel) * each);
			if (r->w->after && k + some == terms)
				go_on(r, q, p, m + (p - q->panel) * each);
		}
	}
}

static const struct isa V(isa) = { LANES, V(gather), V(multiply) };
#undef INLINE
#undef V
#undef TARGET
#undef LANES
#undef ROWS
#undef KERNELS
