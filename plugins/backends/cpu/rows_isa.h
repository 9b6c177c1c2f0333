/* Products of a few rows, included once per instruction set: V(name) names them, TARGET selects the instructions. */

/* y[m] = x[m] . w for `rows` rows of x, k apart, by the same order of sums for each. */
#define DOT(rows)                                                                                                              \
	TARGET static void V(dot_##rows)(const float *x, const float *w, size_t k, float *y, size_t pitch)                     \
	{                                                                                                                      \
		v16 acc[rows][4] = { { { 0 } } };                                                                              \
		size_t j = 0;                                                                                                  \
                                                                                                                               \
		for (; j + 64 <= k; j += 64)                                                                                   \
			_Pragma("GCC unroll 4") for (size_t u = 0; u < 4; u++) {                                               \
				v16 b = LOAD(w + j + 16 * u);                                                                  \
				_Pragma("GCC unroll 4") for (size_t m = 0; m < rows; m++) acc[m][u] += LOAD(x + m * k + j + 16 * u) * b; \
			}                                                                                                      \
		for (size_t m = 0; m < rows; m++) {                                                                            \
			v16 s = (acc[m][0] + acc[m][1]) + (acc[m][2] + acc[m][3]);                                             \
			float sum = 0;                                                                                         \
                                                                                                                               \
			for (size_t l = 0; l < 16; l++)                                                                        \
				sum += s[l];                                                                                   \
			for (size_t r = j; r < k; r++)                                                                         \
				sum += x[m * k + r] * w[r];                                                                    \
			y[m * pitch] = sum;                                                                                    \
		}                                                                                                              \
	}
DOT(1) DOT(2) DOT(3) DOT(4)
static dot_fn *const V(dot)[] = { V(dot_1), V(dot_2), V(dot_3), V(dot_4) };

/* y[0..n) += sum over r of x[r] * w[r], row after row. */
TARGET static void V(add_rows)(const float x[4], const float *w[4], size_t n, float *y)
{
	size_t j = 0;

	for (; j + 16 <= n; j += 16) {
		v16 s = LOAD(y + j);

		for (int r = 0; r < 4; r++)
			s += x[r] * LOAD(w[r] + j);
		memcpy(y + j, &s, sizeof(s));
	}
	for (; j < n; j++)
		for (int r = 0; r < 4; r++)
			y[j] += x[r] * w[r][j];
}
#undef DOT
#undef V
#undef TARGET
