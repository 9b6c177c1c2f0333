/* Adjoints with few results, included once per instruction set: V(name) names them, TARGET selects the instructions, LANES is
 * the number of channels in a block, FMA(a, b, c) is a * b + c, SUM(v) adds the lanes of v. */
typedef float V(vec) __attribute__((vector_size(LANES * sizeof(float)), may_alias));

/* `pixels` neighbours of one parity times `o` results, from the taps of their row and column. */
#define KERNEL(o, pixels)                                                                                                      \
	TARGET static void V(pixels_##o##_##pixels)(const struct narrow *w, const struct taps *t, const float *x, const float *u, \
						    int64_t j, float *y, size_t plane)                                         \
	{                                                                                                                      \
		V(vec) acc[pixels][o];                                                                                         \
                                                                                                                               \
		memset(acc, 0, sizeof(acc));                                                                                   \
		for (uint32_t a = 0; a < t->rows; a++)                                                                         \
			for (uint32_t b = 0; b < t->cols; b++) {                                                               \
				int64_t at = t->col[b] + j;                                                                    \
                                                                                                                               \
				if (pixels == 1 && (at < 0 || at >= w->in[1]))                                                 \
					continue;                                                                              \
				const float *g = x + ((size_t)t->row[a] * w->in[1] + (size_t)at) * LANES;                      \
				const float *k = u + ((size_t)t->row_tap[a] * w->size[1] + t->col_tap[b]) * w->c * o;          \
                                                                                                                               \
				for (uint32_t c = 0; c < w->c; c += LANES, g += w->plane, k += o * LANES)                      \
					_Pragma("GCC unroll 8") for (int p = 0; p < pixels; p++) {                             \
						V(vec) v = *(const V(vec) *)(const void *)(g + p * LANES);                     \
						_Pragma("GCC unroll 4") for (int r = 0; r < o; r++)                            \
							acc[p][r] = FMA(v, *(const V(vec) *)(const void *)(k + r * LANES), acc[p][r]); \
					}                                                                                      \
			}                                                                                                      \
		_Pragma("GCC unroll 8") for (int p = 0; p < pixels; p++)                                                       \
			_Pragma("GCC unroll 4") for (int r = 0; r < o; r++)                                                    \
				y[(size_t)r * plane + (size_t)p * w->stride[1]] = SUM(acc[p][r]);                              \
	}
#if LANES == 16u /* and twice as many registers */
#define MANY 8
#else
#define MANY 4
#endif
#define BOTH(o, n) KERNEL(o, 1) KERNEL(o, n)
BOTH(1, MANY) BOTH(2, MANY) BOTH(3, MANY) BOTH(4, 4)
#define PIXELS_(o, n) { V(pixels_##o##_1), V(pixels_##o##_##n), n }
#define PIXELS(o, n) PIXELS_(o, n)
static const struct pixels V(pixels)[] = { PIXELS(1, MANY), PIXELS(2, MANY), PIXELS(3, MANY), PIXELS(4, 4) };
#undef KERNEL
#undef BOTH
#undef MANY
#undef PIXELS
#undef PIXELS_
#undef V
#undef TARGET
#undef LANES
#undef FMA
#undef SUM
