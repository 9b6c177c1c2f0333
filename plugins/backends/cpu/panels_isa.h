/* The steps of panels.c, included once per instruction set: V(name) names them, TARGET selects the instructions, LANES is the
 * number of channels in a block, KERNELS those of kernel.h, for up to ROWS pixels. */
typedef float V(vec) __attribute__((vector_size(LANES * sizeof(float)), may_alias));
typedef int32_t V(mask) __attribute__((vector_size(LANES * sizeof(float))));

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

		for (size_t k = at + a; k < at + b; k++) {
			if (r->more)
				__builtin_prefetch(r->more + k * LANES, 0, 2);
			if (r->by)
				__builtin_prefetch(r->by + k * LANES, 0, 2);
			__builtin_prefetch(r->y + k * LANES, 1, 2);
		}
	}
}

/* n pixels of one row and block to the result, with the tail; at: of the first, in vectors. */
#define INLINE TARGET __attribute__((always_inline)) static inline
INLINE void V(row)(const struct job *r, const V(vec) *from, size_t n, V(vec) bias, size_t at, size_t step)
{
	const V(vec) *more = (const V(vec) *)(const void *)r->more, *by = (const V(vec) *)(const void *)r->by, zero = { 0 };
	const V(vec) top = r->w->top + zero, below = r->w->below + zero;
	V(vec) *y = (V(vec) *)(void *)r->y;
	bool relu = r->w->relu, clips = r->w->top > 0, both = r->w->below > 0;

	for (size_t k = 0; k < n; k++, at += step) {
		V(vec) s = from[k] + bias;

		if (more)
			s += more[at];
		if (relu)
			s = (V(vec))((V(mask))s & (s > zero));
		if (clips)
			s = (V(vec))(((V(mask))s & (s < top)) | ((V(mask))top & ~(s < top)));
		if (by)
			s = (V(vec))((V(mask))s & (by[at] > zero));
		if (both)
			s = (V(vec))((V(mask))s & (by[at] < below));
		y[at] = s;
	}
}

/* Pixels of a panel to the result. */
TARGET static void V(out)(const struct job *r, const struct part *q, uint32_t panel, const float *m)
{
	const struct panels *w = r->w;
	const struct phase *p = q->phase;
	size_t plane = (size_t)w->out[0] * w->out[1], block = (size_t)panel * 2, blocks = w->o / LANES;
	size_t row = plane == p->pixels ? plane : p->size[1]; /* one phase is one row */

	for (size_t b = block; b < blocks && b < block + 2; b++, m += RUN * LANES) {
		size_t to = (q->sample * blocks + b) * plane + p->first[0] * w->out[1] + p->first[1];
		V(vec) bias = { 0 };

		if (r->bias)
			memcpy(&bias, r->bias + b * LANES, (w->n_bias - b * LANES < LANES ? w->n_bias - b * LANES : LANES) * sizeof(*r->bias));
		for (size_t k = 0, n; k < q->n; k += n) {
			size_t h = (q->first + k) / row, j = (q->first + k) % row;

			n = row - j < q->n - k ? row - j : q->n - k;
			V(row)(r, (const V(vec) *)(const void *)(m + k * LANES), n, bias, to + h * w->step[0] * w->out[1] + j * w->step[1], w->step[1]);
		}
	}
}

/* `some` terms from term k on, of all pixels and one panel; u: its weights; next: what to fetch meanwhile, or NULL. */
static void V(piece)(const struct job *r, const struct part *q, uint32_t panel, size_t k, size_t some, const float *v, const float *u,
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
	}
}

/* m: [panel][block][RUN][LANES]. */
static void V(multiply)(const struct job *r, const struct part *q, const float *v, const float *u, float *m)
{
	size_t terms = (size_t)q->phase->taps * r->w->c, wide = 2 * LANES, each = wide * RUN;

	if (!terms)
		memset(m, 0, (q->end - q->panel) * each * sizeof(*m));
	v += q->first * LANES;
	for (size_t k = 0, some; k < terms || !k; k += some) {
		some = terms - k < PIECE ? terms - k : PIECE;
		for (uint32_t p = q->panel; p < q->end; p++, m += each) {
			size_t width = r->w->o - p * wide < wide ? r->w->o - p * wide : wide;
			bool wrap = p + 1 == q->end;
			const float *next = u + (wrap ? q->panel : p + 1) * wide * terms + (wrap ? k + some : k) * wide;

			if (terms)
				V(piece)(r, q, p, k, some, v, u + p * wide * terms + k * width, r->w->small ? NULL : next, m);
			if (k + some == terms)
				V(out)(r, q, p, m);
		}
		m -= (q->end - q->panel) * each;
		if (!terms)
			break;
	}
}

static const struct isa V(isa) = { LANES, V(gather), V(multiply) };
#undef INLINE
#undef V
#undef TARGET
#undef LANES
#undef ROWS
#undef KERNELS
