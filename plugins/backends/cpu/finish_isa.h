/* A tail on one block of channels of one pixel, included by our own products once per instruction set: V(name) names it, TARGET selects
 * the instructions, LANES is the number of channels in a block. */
#define INLINE TARGET __attribute__((always_inline)) static inline
typedef float V(vec) __attribute__((vector_size(LANES * sizeof(float)), may_alias));
typedef int32_t V(mask) __attribute__((vector_size(LANES * sizeof(float))));

/* Numbers of block `block`, and zeros. */
INLINE V(vec) V(bias)(const struct finish *f, const float *bias, size_t block)
{
	size_t at = block * LANES;
	V(vec) b = { 0 };

	if (bias)
		memcpy(&b, bias + at, (f->n_bias - at < LANES ? f->n_bias - at : LANES) * sizeof(*bias));
	return b;
}

#if LANES > 8
INLINE V(vec) V(max)(V(vec) a, V(vec) b) { return (V(vec))_mm512_max_ps((__m512)a, (__m512)b); }
INLINE V(vec) V(min)(V(vec) a, V(vec) b) { return (V(vec))_mm512_min_ps((__m512)a, (__m512)b); }
#else
INLINE V(vec) V(max)(V(vec) a, V(vec) b) { return (V(vec))_mm256_max_ps((__m256)a, (__m256)b); }
INLINE V(vec) V(min)(V(vec) a, V(vec) b) { return (V(vec))_mm256_min_ps((__m256)a, (__m256)b); }
#endif

/* s with its bias already; more, by: NULL: not there; at: its place in them. */
INLINE V(vec) V(finish)(const struct finish *f, V(vec) s, const float *more, const float *by, size_t at)
{
	const V(vec) zero = { 0 };

	if (more)
		s += *(const V(vec) *)(const void *)(more + at);
	if (f->relu)
		s = V(max)(s, zero); /* not a number becomes 0 */
	if (f->clips)
		s = V(min)(s, f->top + zero);
	if (by) {
		const V(vec) x = *(const V(vec) *)(const void *)(by + at);

		s = (V(vec))((V(mask))s & (x > zero));
		if (f->both)
			s = (V(vec))((V(mask))s & (x < f->below + zero));
	}
	return s;
}
