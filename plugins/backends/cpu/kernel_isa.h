/* The kernels of kernel.h, included once per instruction set: V(name) names them, TARGET selects the instructions, LANES is the number
 * of channels in a block, FMA(a, b, c) is a * b + c, KERNELS the table of those for up to ROWS places. */
typedef float V(vec) __attribute__((vector_size(LANES * sizeof(float)), may_alias));

#define KERNEL(rows, width)                                                                                                    \
	TARGET static void V(kernel_##rows##_##width)(const float *v, size_t v_pitch, const float *u, float *m, size_t m_pitch,  \
						      size_t c, bool more, struct ahead next)                                  \
	{                                                                                                                      \
		V(vec) acc[rows][width];                                                                                       \
		_Pragma("GCC unroll 16") for (int t = 0; t < rows; t++)                                                        \
			_Pragma("GCC unroll 2") for (int j = 0; j < width; j++)                                                \
				acc[t][j] = more ? *(const V(vec) *)(const void *)(m + j * m_pitch + t * LANES) : (V(vec)){ 0 }; \
		for (size_t b = 0; b < c; b += LANES, v += v_pitch) {                                                            \
			for (size_t k = 0; k < next.lines; k++, next.at += CPU_LINE)                                               \
				__builtin_prefetch(next.at, 0, 2);                                                             \
			_Pragma("GCC unroll 16") for (int t = 0; t < rows; t++)                                                \
				__builtin_prefetch(v + 2 * v_pitch + t * LANES);                                                 \
			_Pragma("GCC unroll 1") for (size_t k = 0; k < LANES; k++, u += width * LANES) {                       \
				V(vec) x[width];                                                                               \
				_Pragma("GCC unroll 2") for (int j = 0; j < width; j++)                                        \
					x[j] = *(const V(vec) *)(const void *)(u + j * LANES);                                 \
				_Pragma("GCC unroll 16") for (int t = 0; t < rows; t++) {                                      \
					V(vec) s = v[t * LANES + k] - (V(vec)){ 0 };                                           \
					_Pragma("GCC unroll 2") for (int j = 0; j < width; j++) acc[t][j] = FMA(s, x[j], acc[t][j]); \
				}                                                                                              \
			}                                                                                                      \
		}                                                                                                              \
		_Pragma("GCC unroll 16") for (int t = 0; t < rows; t++)                                                        \
			_Pragma("GCC unroll 2") for (int j = 0; j < width; j++)                                                \
				*(V(vec) *)(void *)(m + j * m_pitch + t * LANES) = acc[t][j];                                  \
	}
#define BOTH(rows) KERNEL(rows, 1) KERNEL(rows, 2)
#define ROW(rows) { V(kernel_##rows##_1), V(kernel_##rows##_2) }
BOTH(1) BOTH(2) BOTH(3) BOTH(4) BOTH(5) BOTH(6)
#if ROWS > 6
BOTH(7) BOTH(8) BOTH(9) BOTH(10) BOTH(11) BOTH(12) BOTH(13) BOTH(14)
#endif
const kernel_fn KERNELS[ROWS + 1][2] = {
	{ NULL, NULL }, ROW(1), ROW(2), ROW(3), ROW(4), ROW(5), ROW(6),
#if ROWS > 6
	ROW(7), ROW(8), ROW(9), ROW(10), ROW(11), ROW(12), ROW(13), ROW(14),
#endif
};
#undef KERNEL
#undef BOTH
#undef ROW
#undef V
#undef TARGET
#undef LANES
#undef ROWS
#undef FMA
#undef KERNELS
