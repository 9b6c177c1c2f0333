/* 3x3 convolutions by Winograd's transforms (Lavin & Gray 2016): every tile of side x side results comes from a tile of the operand that
 * is wider by 2, as one matrix product over channels for each of its (side + 2)^2 points. A work-item takes LANES neighbouring tiles.
 *
 *   side 2: points 0, 1, -1, infinity. A term that is 0 stays 0, so nothing leaks from one result to its neighbours.
 *   side 4: points 0, 3/4, -3/4, 3/2, -3/2, infinity. Results share the rounding of their tile; those whose window holds nothing but
 *           zeros are found beforehand and come out exact. */
#define P 0.75f /* the points of side 4 */
#define Q 1.5f
#define PP (P * P)
#define QQ (Q * Q)
#define MOST 6  /* points along an axis */

/* Where element (row, column) of a point's matrix stands: in panels of `block` columns. */
ALWAYS inline ulong paneled(int row, int column, int rows, int block)
{
	return (ulong)(column / block) * rows * block + row * block + rest(column, block);
}

/* A row of the kernel at the points. */
ALWAYS inline void kernel_points(const lanes *k, lanes *to, int side)
{
	if (side == 2) {
		to[0] = k[0];
		to[1] = 0.5f * (k[0] + k[1] + k[2]);
		to[2] = 0.5f * (k[0] - k[1] + k[2]);
		to[3] = k[2];
		return;
	}
	lanes p = (k[0] + PP * k[2]) / (2 * PP * (PP - QQ)), odd_p = k[1] / (2 * P * (PP - QQ));
	lanes q = (k[0] + QQ * k[2]) / (2 * QQ * (QQ - PP)), odd_q = k[1] / (2 * Q * (QQ - PP));

	to[0] = k[0] / (PP * QQ);
	to[1] = p + odd_p;
	to[2] = p - odd_p;
	to[3] = q + odd_q;
	to[4] = q - odd_q;
	to[5] = k[2];
}

/* The kernels that give results [from, from + per) from channel c. u: [point][c][k], in panels of `block` results. */
ALWAYS inline void kernel_tile(__global const float *g, __global float *u, struct winograd w, int side, int from, int c, int per)
{
	lanes k[3][3], t[MOST][3], line[3], to[MOST];
	int n = clamp(w.k - from, 0, per);
	ulong next = (ulong)w.c * w.k_room + APART_POINTS;

	g += (ulong)from * w.w_k + (ulong)c * w.w_c;
	u += paneled(c, from, w.c, w.k_block);
	for (int i = 0; i < 3; i++)
		for (int j = 0; j < 3; j++)
			k[i][j] = n ? load_apart(g + (w.turned ? 8 - 3 * i - j : 3 * i + j), n, w.w_k) : 0;
	for (int j = 0; j < 3; j++) {
		for (int i = 0; i < 3; i++)
			line[i] = k[i][j];
		kernel_points(line, to, side);
		for (int i = 0; i < side + 2; i++)
			t[i][j] = to[i];
	}
	for (int i = 0; i < side + 2; i++) {
		kernel_points(t[i], to, side);
		for (int j = 0; j < side + 2; j++, u += next)
			store_some(to[j], u, per);
	}
}

__kernel void winograd_weights(__global const float *g, ulong g0, __global float *u, ulong u0, struct winograd w, int per)
{
	int from = get_global_id(0) * per, c = get_global_id(1);

	if (from >= w.k_room || c >= w.c)
		return;
	if (w.side == 2)
		kernel_tile(g + g0, u + u0, w, 2, from, c, per);
	else
		kernel_tile(g + g0, u + u0, w, 4, from, c, per);
}

/* Neighbouring tiles of one row of tiles: n from tile `at` of the pass on, at most `most`. */
struct piece { int n, sample, h, column; };

ALWAYS inline struct piece piece_of(const struct winograd *w, int at, int most)
{
	int t = w->first + at, row = t / w->wide;
	struct piece p = { min(most, w->wide * (row + 1) - t), row / w->high, rest(row, w->high) * w->side, rest(t, w->wide) * w->side };

	if (at >= w->n) {
		p.n = most;
		p.h = w->in[0] + w->before[0]; /* below the image */
	}
	return p;
}

/* n elements of a row of `size` from place `at` on; zeros outside. */
ALWAYS inline void clipped(float *to, __global const float *row, int at, int n, int size)
{
	int b = clamp(-at, 0, n), e = clamp(size - at, b, n);

	for (int j = 0; j < b; j++)
		to[j] = 0;
	for (int j = b; j < e; j++)
		to[j] = row[at + j];
	for (int j = e; j < n; j++)
		to[j] = 0;
}

#if LANES == 16
#define EVEN(a, b) shuffle2((a), (b), (uint16)(0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28, 30))
#define ODD(a, b) shuffle2((a), (b), (uint16)(1, 3, 5, 7, 9, 11, 13, 15, 17, 19, 21, 23, 25, 27, 29, 31))
#define WEAVE(a, b) shuffle2((a), (b), (uint16)(0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23)) /* the first halves */
#define WEAVE_HIGH(a, b) shuffle2((a), (b), (uint16)(8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31))
#endif

/* Every side-th element of t, from the first, the second, ... on. */
ALWAYS inline void apart(const float *t, lanes *x, int side)
{
#if LANES == 16
	float16 a = vload16(0, t), b = vload16(1, t);

	if (side == 2) {
		x[0] = EVEN(a, b);
		x[1] = ODD(a, b);
		return;
	}
	float16 c = vload16(2, t), d = vload16(3, t), e0 = EVEN(a, b), e1 = EVEN(c, d), o0 = ODD(a, b), o1 = ODD(c, d);

	x[0] = EVEN(e0, e1);
	x[1] = EVEN(o0, o1);
	x[2] = ODD(e0, e1);
	x[3] = ODD(o0, o1);
#else
	for (int j = 0; j < side; j++)
		x[j] = t[j];
#endif
}

ALWAYS inline void together(const lanes *x, float *t, int side)
{
#if LANES == 16
	if (side == 2) {
		vstore16(WEAVE(x[0], x[1]), 0, t);
		vstore16(WEAVE_HIGH(x[0], x[1]), 1, t);
		return;
	}
	float16 e0 = WEAVE(x[0], x[2]), e1 = WEAVE_HIGH(x[0], x[2]), o0 = WEAVE(x[1], x[3]), o1 = WEAVE_HIGH(x[1], x[3]);

	vstore16(WEAVE(e0, o0), 0, t);
	vstore16(WEAVE_HIGH(e0, o0), 1, t);
	vstore16(WEAVE(e1, o1), 2, t);
	vstore16(WEAVE_HIGH(e1, o1), 3, t);
#else
	for (int j = 0; j < side; j++)
		t[j] = x[j];
#endif
}

/* One row of a tile at the points. */
ALWAYS inline void points(const lanes *x, lanes *to, int side)
{
	if (side == 2) {
		to[0] = x[0] - x[2];
		to[1] = x[1] + x[2];
		to[2] = x[2] - x[1];
		to[3] = x[1] - x[3];
		return;
	}
	lanes p = x[4] - QQ * x[2], q = x[4] - PP * x[2], odd_p = P * (x[3] - QQ * x[1]), odd_q = Q * (x[3] - PP * x[1]);

	to[0] = PP * QQ * x[0] - (PP + QQ) * x[2] + x[4];
	to[1] = p + odd_p;
	to[2] = p - odd_p;
	to[3] = q + odd_q;
	to[4] = q - odd_q;
	to[5] = PP * QQ * x[1] - (PP + QQ) * x[3] + x[5];
}

/* A row of products back to results. */
ALWAYS inline void results(const lanes *m, lanes *to, int side)
{
	if (side == 2) {
		to[0] = m[0] + m[1] + m[2];
		to[1] = m[1] - m[2] - m[3];
		return;
	}
	lanes p = m[1] + m[2], odd_p = m[1] - m[2], q = m[3] + m[4], odd_q = m[3] - m[4];

	to[0] = m[0] + p + q;
	to[1] = P * odd_p + Q * odd_q;
	to[2] = PP * p + QQ * q;
	to[3] = P * PP * odd_p + Q * QQ * odd_q + m[5];
}

#define WIDE (4 * LANES) /* elements of a row that the tiles of a work-item cover */

/* Tiles [at, at + LANES) of channel c. v: [point][c][tile], in panels of `block` tiles. */
ALWAYS inline void tiles_in(__global const float *x, __global float *v, struct winograd w, int side, int at, int c)
{
	float t[MOST * WIDE], more[MOST * WIDE]; /* rows of the tiles; the same from the next tile on */
	lanes q[MOST][MOST], d[MOST], line[MOST];
	ulong next = (ulong)w.c * w.room + APART_POINTS;

	for (int l = 0; l < LANES;) {
		struct piece p = piece_of(&w, at + l, LANES - l);
		int column = p.column - w.before[1];

		for (int i = 0; i < side + 2; i++) {
			int h = p.h + i - w.before[0], size = h >= 0 && h < w.in[0] ? w.in[1] : 0;
			__global const float *row = size ? x + (((ulong)p.sample * w.c + c) * w.in[0] + h) * w.in[1] : x;

			clipped(t + i * WIDE + l * side, row, column, p.n * side, size);
			clipped(more + i * WIDE + l * side, row, column + side, p.n * side, size);
		}
		l += p.n;
	}
	for (int i = 0; i < side + 2; i++) {
		lanes next_one[4];

		apart(t + i * WIDE, d, side);
		apart(more + i * WIDE, next_one, side);
		d[side] = next_one[0];
		d[side + 1] = next_one[1];
		points(d, q[i], side);
	}
	v += paneled(c, at, w.c, w.block);
	for (int j = 0; j < side + 2; j++) {
		for (int i = 0; i < side + 2; i++)
			d[i] = q[i][j];
		points(d, line, side);
		for (int i = 0; i < side + 2; i++)
			*(__global lanes *)(v + (i * (side + 2) + j) * next) = line[i];
	}
}

__kernel void winograd_in(__global const float *x, ulong x0, __global float *v, ulong v0, struct winograd w)
{
	int at = get_global_id(0) * LANES, c = get_global_id(1);

	if (at >= w.room || c >= w.c)
		return;
	if (w.side == 2)
		tiles_in(x + x0, v + v0, w, 2, at, c);
	else
		tiles_in(x + x0, v + v0, w, 4, at, c);
}

/* Tiles [at, at + LANES) of result k from m. */
ALWAYS inline void tiles_out(__global const float *m, __global const float *some, __global float *y, struct winograd w, int side, int at, int k)
{
	float t[4 * WIDE];
	lanes s[4][MOST], line[MOST], column[4];

	m += (ulong)k * w.m_k + (ulong)(at / LANES) * w.m_tile;
	for (int j = 0; j < side + 2; j++) {
		for (int i = 0; i < side + 2; i++)
			line[i] = *(__global const lanes *)(m + (ulong)(i * (side + 2) + j) * w.m_point);
		results(line, column, side);
		for (int i = 0; i < side; i++)
			s[i][j] = column[i];
	}
	for (int i = 0; i < side; i++) {
		results(s[i], column, side);
		together(column, t + i * WIDE, side);
	}
	for (int l = 0; l < LANES && at + l < w.n;) {
		struct piece p = piece_of(&w, at + l, LANES - l);
		int n = min(min(p.n, w.n - at - l) * side, w.out[1] - p.column);

		for (int i = 0; i < side && p.h + i < w.out[0]; i++) {
			ulong row = (ulong)(p.h + i) * w.out[1] + p.column, plane = (ulong)w.out[0] * w.out[1];
			__global float *to = y + ((ulong)p.sample * w.k + k) * plane + row;
			const float *from = t + i * WIDE + l * side;
			__global const float *any = some + p.sample * plane + row;

			for (int j = 0; j < n; j++)
				to[j] = side == 2 || any[j] != 0 ? from[j] : 0;
		}
		l += p.n;
	}
}

__kernel void winograd_out(__global const float *m, ulong m0, __global const float *some, ulong some0, __global float *y, ulong y0,
			   struct winograd w)
{
	int at = get_global_id(0) * LANES, k = get_global_id(1);

	if (at >= w.n || k >= w.k)
		return;
	if (w.side == 2)
		tiles_out(m + m0, some + some0, y + y0, w, 2, at, k);
	else
		tiles_out(m + m0, some + some0, y + y0, w, 4, at, k);
}

/* 1 for every result whose window holds something else than zeros in some channel. */
__kernel void winograd_some(__global const float *x, ulong x0, __global float *some, ulong some0, struct winograd w, int rows)
{
	int o = get_global_id(0) * LANES, row = get_global_id(1), n = min(LANES, w.out[1] - o), h = rest(row, w.out[0]) - w.before[0];
	float t[LANES], all[LANES];

	if (row >= rows || n <= 0)
		return;
	x += x0 + (ulong)(row / w.out[0]) * w.c * w.in[0] * w.in[1];
	for (int l = 0; l < LANES; l++)
		all[l] = l >= n;
	for (int c = 0, missing = n; c < w.c && missing; c++, x += (ulong)w.in[0] * w.in[1]) {
		for (int i = max(h, 0); i < min(h + 3, w.in[0]); i++)
			for (int j = 0; j < 3; j++) {
				clipped(t, x + i * w.in[1], o + j - w.before[1], LANES, w.in[1]);
				for (int l = 0; l < LANES; l++)
					all[l] = t[l] != 0 ? 1 : all[l];
			}
		missing = 0;
		for (int l = 0; l < LANES; l++)
			missing += all[l] == 0;
	}
	for (int l = 0; l < n; l++)
		some[some0 + (ulong)row * w.out[1] + o + l] = all[l];
}
