/* Winograd's three steps, included once per instruction set: V(name) names them, TARGET selects the instructions, LANES is
 * the number of channels in a block, ROWS the tiles that one kernel holds in registers, FMA(a, b, c) is a * b + c. */
typedef float V(vec) __attribute__((vector_size(LANES * sizeof(float)), may_alias));
typedef int32_t V(mask) __attribute__((vector_size(LANES * sizeof(float))));

/* m[j][t] = sum over c of v[c][t] * u[c][j] for `rows` tiles and `width` blocks of results. */
#define KERNEL(rows, width)                                                                                                    \
	TARGET static void V(kernel_##rows##_##width)(const float *v, const float *u, float *m, size_t c, size_t pitch)        \
	{                                                                                                                      \
		V(vec) acc[rows][width];                                                                                       \
		_Pragma("GCC unroll 16") for (int t = 0; t < rows; t++)                                                        \
			_Pragma("GCC unroll 2") for (int j = 0; j < width; j++) acc[t][j] = (V(vec)){ 0 };                     \
		for (size_t b = 0; b < c; b += LANES, v += pitch)                                                              \
			_Pragma("GCC unroll 1") for (size_t k = 0; k < LANES; k++, u += width * LANES) {                       \
				V(vec) x[width];                                                                               \
				_Pragma("GCC unroll 2") for (int j = 0; j < width; j++) {                                      \
					x[j] = *(const V(vec) *)(const void *)(u + j * LANES);                                 \
					__builtin_prefetch(u + AHEAD + j * LANES);                                             \
				}                                                                                              \
				_Pragma("GCC unroll 16") for (int t = 0; t < rows; t++) {                                      \
					V(vec) s = v[t * LANES + k] - (V(vec)){ 0 };                                           \
					_Pragma("GCC unroll 2") for (int j = 0; j < width; j++) acc[t][j] = FMA(s, x[j], acc[t][j]); \
				}                                                                                              \
			}                                                                                                      \
		_Pragma("GCC unroll 16") for (int t = 0; t < rows; t++)                                                        \
			_Pragma("GCC unroll 2") for (int j = 0; j < width; j++)                                                \
				*(V(vec) *)(void *)(m + j * pitch + t * LANES) = acc[t][j];                                    \
	}
#define BOTH(rows) KERNEL(rows, 1) KERNEL(rows, 2)
#define ROW(rows) { V(kernel_##rows##_1), V(kernel_##rows##_2) }
BOTH(1) BOTH(2) BOTH(3) BOTH(4) BOTH(5) BOTH(6)
#if ROWS > 6
BOTH(7) BOTH(8) BOTH(9) BOTH(10) BOTH(11) BOTH(12) BOTH(13) BOTH(14)
#endif
static const kernel_fn V(kernel)[ROWS + 1][2] = {
	{ NULL, NULL }, ROW(1), ROW(2), ROW(3), ROW(4), ROW(5), ROW(6),
#if ROWS > 6
	ROW(7), ROW(8), ROW(9), ROW(10), ROW(11), ROW(12), ROW(13), ROW(14),
#endif
};

/* Position `at` of the 16 for n tiles and panels [p, end) of two blocks of results. */
static void V(multiply)(const struct winograd *w, const float *v, const float *u, float *m, size_t n, size_t at, size_t p, size_t end)
{
	size_t parts = (n + ROWS - 1) / ROWS, pitch = w->step * LANES;

	v += at * w->c * w->step;
	u += at * w->c * w->o;
	m += at * w->o * w->step;
	for (; p < end; p++)
		for (size_t r = 0; r < parts; r++) {
			size_t a = n * r / parts, b = n * (r + 1) / parts, from = p * 2 * LANES;

			V(kernel)[b - a][w->o - from > LANES](v + a * LANES, u + from * w->c, m + from * w->step + a * LANES, w->c, pitch);
		}
}

/* One column of a 4x4 tile, transformed. */
TARGET static inline void V(column)(const float *const row[4], const size_t step[4], int64_t at, int64_t n, V(vec) q[4])
{
	V(vec) d[4];

	for (int i = 0; i < 4; i++)
		d[i] = at < 0 || at >= n ? (V(vec)){ 0 } : *(const V(vec) *)(const void *)(row[i] + (size_t)at * step[i]);
	q[0] = d[0] - d[2];
	q[1] = d[1] + d[2];
	q[2] = d[2] - d[1];
	q[3] = d[1] - d[3];
}

/* n tiles of one row of tiles, from place h, w on; neighbours share two columns. */
TARGET static void V(tiles_in)(const struct winograd *w, const float *x, int64_t h, int64_t at, size_t n, float *to)
{
	static const float zero[LANES] __attribute__((aligned(64)));
	size_t next = (size_t)w->c * w->step, step[4];
	const float *row[4];
	V(vec) q[4][4];

	for (int i = 0; i < 4; i++) {
		bool inside = h + i >= 0 && h + i < w->in[0];

		row[i] = inside ? x + (size_t)(h + i) * w->in[1] * LANES : zero;
		step[i] = inside ? LANES : 0;
	}
	V(column)(row, step, at, w->in[1], q[0]);
	V(column)(row, step, at + 1, w->in[1], q[1]);
	for (size_t t = 0; t < n; t++, at += 2, to += LANES) {
		V(column)(row, step, at + 2, w->in[1], q[2]);
		V(column)(row, step, at + 3, w->in[1], q[3]);
		for (size_t i = 0; i < 4; i++) {
			V(vec) *y = (V(vec) *)(void *)(to + 4 * i * next);
			size_t d = next / LANES;

			y[0] = q[0][i] - q[2][i];
			y[d] = q[1][i] + q[2][i];
			y[2 * d] = q[2][i] - q[1][i];
			y[3 * d] = q[1][i] - q[3][i];
			q[0][i] = q[2][i];
			q[1][i] = q[3][i];
		}
	}
}

/* Tiles [t, end) of the chunk that begins with tile `first`; v: [16][channel block][step][LANES]. */
TARGET static void V(in)(const struct winograd *w, const float *x, size_t first, size_t t, size_t end, float *v)
{
	size_t plane = (size_t)w->in[0] * w->in[1] * LANES;

	for (size_t c = 0; c < w->c / LANES; c++)
		for (size_t k = t; k < end;) {
			size_t row = (first + k) / w->tiles_w, col = (first + k) % w->tiles_w, n = w->tiles_w - col < end - k ? w->tiles_w - col : end - k;
			size_t s = row / w->tiles_h;

			V(tiles_in)(w, x + (s * w->c / LANES + c) * plane, (int64_t)(row % w->tiles_h * 2) - w->before[0],
				    (int64_t)(col * 2) - w->before[1], n, v + (c * w->step + k) * LANES);
			k += n;
		}
}

TARGET static inline void V(tile_out)(const struct winograd *w, const float *m, V(vec) bias, uint32_t h, uint32_t at, const float *by, float *y)
{
	const V(vec) *d = (const V(vec) *)(const void *)m;
	size_t next = (size_t)w->o * w->step / LANES;
	V(vec) s[2][4], zero = { 0 };

	for (size_t j = 0; j < 4; j++) {
		s[0][j] = d[j * next] + d[(4 + j) * next] + d[(8 + j) * next];
		s[1][j] = d[(4 + j) * next] - d[(8 + j) * next] - d[(12 + j) * next];
	}
	for (uint32_t i = 0; i < 2 && h + i < w->out[0]; i++) {
		V(vec) r[2] = { s[i][0] + s[i][1] + s[i][2] + bias, s[i][1] - s[i][2] - s[i][3] + bias };
		size_t to = ((size_t)(h + i) * w->out[1] + at) * LANES;

		for (uint32_t j = 0; j < 2 && at + j < w->out[1]; j++, to += LANES) {
			if (w->relu)
				r[j] = (V(vec))((V(mask))r[j] & (r[j] > zero));
			if (by)
				r[j] = (V(vec))((V(mask))r[j] & (*(const V(vec) *)(const void *)(by + to) > zero));
			*(V(vec) *)(void *)(y + to) = r[j];
		}
	}
}

TARGET static void V(out)(const struct winograd *w, const float *m, size_t first, size_t t, size_t end, const float *bias, const float *by, float *y)
{
	size_t plane = (size_t)w->out[0] * w->out[1] * LANES, blocks = w->o / LANES;

	for (size_t o = 0; o < blocks; o++) {
		V(vec) b = { 0 };

		if (bias)
			memcpy(&b, bias + o * LANES, sizeof(b));
		for (size_t k = t; k < end; k++) {
			size_t row = (first + k) / w->tiles_w, col = (first + k) % w->tiles_w, at = (row / w->tiles_h * blocks + o) * plane;

			V(tile_out)(w, m + (o * w->step + k) * LANES, b, (uint32_t)(row % w->tiles_h * 2), (uint32_t)col * 2,
				    by ? by + at : NULL, y + at);
		}
	}
}

static const struct steps V(steps) = { V(in), V(multiply), V(out) };
#undef KERNEL
#undef BOTH
#undef ROW
#undef V
#undef TARGET
#undef LANES
#undef ROWS
#undef FMA
