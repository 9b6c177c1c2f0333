/* Winograd's three steps, included once per instruction set: V(name) names them, TARGET selects the instructions, LANES is
 * the number of channels in a block, KERNELS those of kernel.h, for up to ROWS tiles. */
#include "finish_isa.h"

/* Point `at` for n tiles and panels [p, end) of two blocks of results; the weights of the next panel are fetched meanwhile. */
static void V(multiply)(const struct winograd *w, const float *v, const float *u, float *m, size_t n, size_t at, size_t p, size_t end)
{
	size_t parts = (n + ROWS - 1) / ROWS, pitch = w->step * LANES;
	size_t lines = w->small ? 0 : (2 * LANES * LANES / CPU_LINE + parts - 1) / parts;

	v += at * w->c * w->step;
	u += at * w->c * w->o;
	m += at * w->o * w->step;
	for (; p < end; p++)
		for (size_t r = 0; r < parts; r++) {
			size_t a = n * r / parts, b = n * (r + 1) / parts, from = p * 2 * LANES;
			struct ahead next = { u + (from + 2 * LANES) * w->c + r * lines * (w->c / LANES) * CPU_LINE, lines };

			KERNELS[b - a][w->o - from > LANES](v + a * LANES, pitch, u + from * w->c, m + from * w->step + a * LANES, pitch, w->c, false, next);
		}
}

/* One row of a tile at the points, and a row of products back to results. */
INLINE void V(spread)(V(vec) *to, const V(vec) *x, uint32_t side)
{
	if (side == 2) {
		to[0] = x[0] - x[2];
		to[1] = x[1] + x[2];
		to[2] = x[2] - x[1];
		to[3] = x[1] - x[3];
		return;
	}
	V(vec) p = x[4] - QQ * x[2], q = x[4] - PP * x[2], odd_p = P * (x[3] - QQ * x[1]), odd_q = Q * (x[3] - PP * x[1]);

	to[0] = PP * QQ * x[0] - (PP + QQ) * x[2] + x[4];
	to[1] = p + odd_p;
	to[2] = p - odd_p;
	to[3] = q + odd_q;
	to[4] = q - odd_q;
	to[5] = PP * QQ * x[1] - (PP + QQ) * x[3] + x[5];
}

INLINE void V(gather)(V(vec) *to, const V(vec) *m, uint32_t side)
{
	if (side == 2) {
		to[0] = m[0] + m[1] + m[2];
		to[1] = m[1] - m[2] - m[3];
		return;
	}
	V(vec) p = m[1] + m[2], odd_p = m[1] - m[2], q = m[3] + m[4], odd_q = m[3] - m[4];

	to[0] = m[0] + p + q;
	to[1] = P * odd_p + Q * odd_q;
	to[2] = PP * p + QQ * q;
	to[3] = P * PP * odd_p + Q * QQ * odd_q + m[5];
}

INLINE void V(column)(const float *const *row, const size_t *step, int64_t at, int64_t n, V(vec) *q, uint32_t side)
{
	V(vec) d[6];

	for (uint32_t i = 0; i < side + 2; i++)
		d[i] = at < 0 || at >= n ? (V(vec)){ 0 } : *(const V(vec) *)(const void *)(row[i] + (size_t)at * step[i]);
	V(spread)(q, d, side);
}

/* n tiles of one row of tiles, from place h, at on; neighbours share two columns. */
INLINE void V(tiles_in)(const struct winograd *w, const float *x, int64_t h, int64_t at, size_t n, float *to, uint32_t side)
{
	static const float zero[LANES] __attribute__((aligned(64)));
	size_t next = (size_t)w->c * w->step, step[6];
	const float *row[6];
	V(vec) q[6][6], d[6], line[6];

	for (uint32_t i = 0; i < side + 2; i++) {
		bool inside = h + i >= 0 && h + i < w->in[0];

		row[i] = inside ? x + (size_t)(h + i) * w->in[1] * LANES : zero;
		step[i] = inside ? LANES : 0;
	}
	V(column)(row, step, at, w->in[1], q[0], side);
	V(column)(row, step, at + 1, w->in[1], q[1], side);
	for (size_t t = 0; t < n; t++, at += side, to += LANES) {
		for (uint32_t j = 2; j < side + 2; j++)
			V(column)(row, step, at + j, w->in[1], q[j], side);
		for (uint32_t i = 0; i < side + 2; i++) {
			V(vec) *y = (V(vec) *)(void *)(to + (side + 2) * i * next);

			for (uint32_t j = 0; j < side + 2; j++)
				d[j] = q[j][i];
			V(spread)(line, d, side);
			for (uint32_t j = 0; j < side + 2; j++)
				y[j * next / LANES] = line[j];
			q[0][i] = q[side][i];
			q[1][i] = q[side + 1][i];
		}
	}
}

TARGET static bool V(is_zero)(const float *x)
{
	V(mask) set = *(const V(vec) *)(const void *)x != (V(vec)){ 0 };
	uint64_t bits[LANES / 2], any = 0;

	memcpy(bits, &set, sizeof(bits));
	for (uint32_t i = 0; i < LANES / 2; i++)
		any |= bits[i];
	return !any;
}

/* Results of a tile whose window is 0 in every channel; what lies outside the image is. x: of one sample. */
TARGET static uint64_t V(zeros)(const struct winograd *w, const float *x, int64_t h0, int64_t at0)
{
	size_t plane = (size_t)w->in[0] * w->in[1] * LANES;
	uint64_t zeros = 0;

	for (uint32_t j = 0; j < 36; j++) {
		int64_t h = h0 + j / 6, at = at0 + j % 6;
		bool zero = true;

		if (h >= 0 && at >= 0 && h < w->in[0] && at < w->in[1])
			for (size_t c = 0; zero && c < w->c / LANES; c++)
				zero = V(is_zero)(x + c * plane + ((size_t)h * w->in[1] + (size_t)at) * LANES);
		zeros |= (uint64_t)zero << j;
	}
	zeros &= zeros >> 1 & zeros >> 2;
	return zeros & zeros >> 6 & zeros >> 12;
}

/* v: [point][channel block][step][LANES] */
TARGET static void V(in)(const struct winograd *w, const float *x, size_t first, size_t t, size_t end, float *v, uint64_t *zeros)
{
	size_t plane = (size_t)w->in[0] * w->in[1] * LANES, blocks = w->c / LANES;

	for (size_t k = t, n; k < end; k += n) {
		size_t row = (first + k) / w->tiles_w, col = (first + k) % w->tiles_w, s = row / w->tiles_h;
		int64_t h = (int64_t)(row % w->tiles_h * w->side) - w->before[0], at = (int64_t)(col * w->side) - w->before[1];
		const float *from = x + s * blocks * plane;

		n = w->tiles_w - col < end - k ? w->tiles_w - col : end - k;
		for (size_t c = 0; c < blocks; c++)
			if (w->side == 2)
				V(tiles_in)(w, from + c * plane, h, at, n, v + (c * w->step + k) * LANES, 2);
			else
				V(tiles_in)(w, from + c * plane, h, at, n, v + (c * w->step + k) * LANES, 4);
		for (size_t j = 0; j < n; j++)
			zeros[k + j] = w->side == 2 ? 0 : V(zeros)(w, from, h, at + (int64_t)(j * w->side));
	}
}

INLINE void V(tile_out)(const struct winograd *w, const float *m, V(vec) bias, uint32_t h, uint32_t at, uint64_t zeros, const float *more,
			const float *by, float *y, uint32_t side)
{
	const V(vec) *d = (const V(vec) *)(const void *)m;
	size_t next = (size_t)w->o * w->step / LANES;
	V(vec) s[4][6], line[6], column[4], zero = { 0 };

	for (size_t j = 0; j < side + 2; j++) {
		for (size_t i = 0; i < side + 2; i++)
			line[i] = d[((side + 2) * i + j) * next];
		V(gather)(column, line, side);
		for (uint32_t i = 0; i < side; i++)
			s[i][j] = column[i];
	}
	for (uint32_t i = 0; i < side && h + i < w->out[0]; i++) {
		size_t to = ((size_t)(h + i) * w->out[1] + at) * LANES;

		V(gather)(line, s[i], side);
		for (uint32_t j = 0; j < side && at + j < w->out[1]; j++, to += LANES) {
			V(vec) r = (zeros >> (6 * i + j) & 1 ? zero : line[j]) + bias;

			*(V(vec) *)(void *)(y + to) = V(finish)(&w->finish, r, more, by, to);
		}
	}
}

TARGET static void V(out)(const struct run *r, const float *m, size_t first, size_t t, size_t end, const uint64_t *zeros)
{
	const struct winograd *w = r->w;
	size_t plane = (size_t)w->out[0] * w->out[1] * LANES, blocks = w->o / LANES;

	for (size_t o = 0; o < blocks; o++) {
		V(vec) b = V(bias)(&w->finish, r->bias, o);

		for (size_t k = t; k < end; k++) {
			size_t row = (first + k) / w->tiles_w, to = (row / w->tiles_h * blocks + o) * plane;
			uint32_t h = (uint32_t)(row % w->tiles_h) * w->side, at = (uint32_t)((first + k) % w->tiles_w) * w->side;
			const float *from = m + (o * w->step + k) * LANES, *more = r->more ? r->more + to : NULL, *by = r->by ? r->by + to : NULL;

			if (w->side == 2)
				V(tile_out)(w, from, b, h, at, 0, more, by, r->y + to, 2);
			else
				V(tile_out)(w, from, b, h, at, zeros[k], more, by, r->y + to, 4);
		}
	}
}

static const struct steps V(steps) = { V(in), V(multiply), V(out) };
#undef INLINE
#undef V
#undef TARGET
#undef LANES
#undef ROWS
#undef KERNELS
