/* A row of pooled cells in blocks of channels, included once per instruction set: V(name) names it, TARGET selects the
 * instructions, LANES is the number of channels in a block. */
typedef float V(vec) __attribute__((vector_size(LANES * sizeof(float)), may_alias));
typedef int32_t V(mask) __attribute__((vector_size(LANES * sizeof(float)), may_alias));
#define INLINE TARGET __attribute__((always_inline)) static inline
#define EACH(p, s, at) /* positions of a window inside the image, in order */                                                  \
	for (uint32_t a = 0; a < s[0].to - s[0].from; a++)                                                                     \
		for (uint32_t b = 0; b < s[1].to - s[1].from; b++)                                                             \
			for (size_t c = 0, at = first + a * plane + b * line; c < s[2].to - s[2].from; c++, at += p->dilation[2])

INLINE void V(cell)(const struct pool *p, enum mode mode, const struct span s[3], size_t first, const float *x, const float *by, float *y)
{
	size_t line = (size_t)p->dilation[1] * p->in[2], plane = (size_t)p->dilation[0] * p->in[1] * p->in[2];
	const V(vec) *from = (const V(vec) *)(const void *)by;
	V(vec) *to = (V(vec) *)(void *)y, acc = { 0 }, zero = { 0 };
	V(mask) best = { 0 };

	if (mode == MEAN || mode == MEAN_DX) {
		float n = divisor(p, s);
		V(vec) g = { 0 };

		if (mode == MEAN_DX && n > 0)
			g = *(const V(vec) *)(const void *)x / n;
		EACH(p, s, at) {
			if (mode == MEAN)
				acc += ((const V(vec) *)(const void *)x)[at];
			else
				to[at] += g;
		}
		if (mode == MEAN && n > 0)
			acc /= n;
		if (mode == MEAN)
			*to = acc;
		return;
	}
	acc = from[first];
	best += (int32_t)first;
	EACH(p, s, at) {
		V(mask) more = from[at] > acc;

		if (mode != MAX)
			best = (more & (int32_t)at) | (~more & best);
		acc = (V(vec))((more & (V(mask))from[at]) | (~more & (V(mask))acc));
	}
	if (mode == MAX) {
		*to = acc;
	} else if (mode == MAX_OF) {
		for (uint32_t l = 0; l < LANES; l++)
			y[l] = x[(size_t)best[l] * LANES + l];
	} else {
		V(mask) g = *(const V(mask) *)(const void *)x;

		if (p->masked)
			g &= acc > zero;
		EACH(p, s, at) {
			V(vec) v = (V(vec))(g & (best == (int32_t)at));

			if (mode == MAX_DX)
				v += to[at];
			to[at] = v;
		}
	}
}

INLINE void V(cells)(const struct pool *p, enum mode mode, const uint32_t o[2], const float *x, const float *by, float *y)
{
	struct span s[3] = { span_of(p, 0, o[0]), span_of(p, 1, o[1]) };
	size_t row = ((size_t)o[0] * p->out[1] + o[1]) * p->out[2] * LANES;
	bool dx = mode == MAX_DX || mode == MAX_DX_TILES || mode == MEAN_DX;

	x += dx ? row : 0;
	y += dx ? 0 : row;
	for (uint32_t at = 0; at < p->out[2]; at++, x += dx ? LANES : 0, y += dx ? 0 : LANES) {
		s[2] = span_of(p, 2, at);
		if (s[0].from == s[0].to || s[1].from == s[1].to || s[2].from == s[2].to) {
			if (!dx)
				memset(y, 0, sizeof(V(vec)));
			continue;
		}
		size_t first = (place_of(p, 0, o[0], s[0].from) * p->in[1] + place_of(p, 1, o[1], s[1].from)) * p->in[2] + place_of(p, 2, at, s[2].from);

		V(cell)(p, mode, s, first, x, by, y);
	}
}

TARGET static void V(row)(const struct pool *p, enum mode mode, const uint32_t o[2], const float *x, const float *by, float *y)
{
	switch (mode) {
	case MAX: V(cells)(p, MAX, o, x, by, y); break;
	case MAX_OF: V(cells)(p, MAX_OF, o, x, by, y); break;
	case MAX_DX: V(cells)(p, MAX_DX, o, x, by, y); break;
	case MAX_DX_TILES: V(cells)(p, MAX_DX_TILES, o, x, by, y); break;
	case MEAN: V(cells)(p, MEAN, o, x, by, y); break;
	case MEAN_DX: V(cells)(p, MEAN_DX, o, x, by, y); break;
	}
}
#undef EACH
#undef INLINE
#undef V
#undef TARGET
#undef LANES
