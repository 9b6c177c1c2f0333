/* Matrix products. A work-item computes 12 rows of 32 columns in registers; each sum runs over k in order, so a result does
 * not depend on where in the tile it stands. */
#pragma OPENCL FP_CONTRACT ON
#define FMA(a, b, c) ((a) * (b) + (c)) /* one operation where the device has one */

/* a as panels of 12 rows, [m / 12][k][12], with zeros below the last row. */
__kernel void pack(__global const float *a, ulong a0, __global float *to, ulong to0, struct packing q, int per)
{
	int from = get_global_id(0) * per, end = min(from + per, q.k), t = get_global_id(1), z = get_global_id(2);
	int tiles = (q.m + TILE_ROWS - 1) / TILE_ROWS, m = min(TILE_ROWS, q.m - t * TILE_ROWS);

	if (t >= tiles)
		return;
	a += a0 + (ulong)(z / q.n1) * q.s0 + (ulong)rest(z, q.n1) * q.s1 + (ulong)t * TILE_ROWS * q.rs;
	to += to0 + ((ulong)z * tiles + t) * q.k * TILE_ROWS;
	for (int k = from, i = from / q.run, j = rest(from, q.run); k < end; k++) {
		__global const float *p = a + i * q.cs + j * q.ts;

		for (int r = 0; r < TILE_ROWS; r++)
			to[k * TILE_ROWS + r] = r < m ? p[r * q.rs] : 0;
		if (++j == q.run) {
			j = 0;
			i++;
		}
	}
}

#define ROWS(X) X(0) X(1) X(2) X(3) X(4) X(5) X(6) X(7) X(8) X(9) X(10) X(11)
#define ZERO(r) float16 lo##r = 0, hi##r = 0;
#define STEP(r) lo##r = FMA((float16)a[r], left, lo##r), hi##r = FMA((float16)a[r], right, hi##r);
#define SAVE(r) if (r < m) save(lo##r, hi##r, c + (ulong)(r) * q.ldc, &q, col);

inline void save(float16 lo, float16 hi, __global float *c, const struct product *q, int col)
{
	int line = col / q->wide, x = rest(col, q->wide), plane = line / q->height, y = rest(line, q->height), end = min(q->n - col, 32);
	float t[32];

	if (q->c_16) {
		c += (ulong)(col / 16) * q->c_16;
		vstore16(lo, 0, c);
		vstore16(hi, 0, c + q->c_16);
		return;
	}
	if (end == 32 && q->inner == 1 && x + 32 <= q->width && y < q->rows) {
		c += (plane * q->rows + y) * q->width + x;
		vstore16(lo, 0, c);
		vstore16(hi, 1, c);
		return;
	}
	vstore16(lo, 0, t);
	vstore16(hi, 1, t);
	for (int l = 0; l < end; l++) {
		if (x < q->width && y < q->rows)
			c[((plane * q->rows + y) * q->width + x) * q->inner] = t[l];
		if (++x == q->wide) {
			x = 0;
			if (++y == q->height) {
				y = 0;
				plane++;
			}
		}
	}
}

/* How many of b's rows a tile of `end` columns may read 32 wide: what follows the others is not the matrix's. */
inline int wide_rows(int rows, int ldb, int end) { return end < 32 ? max(0, rows - (32 - end + ldb - 1) / ldb) : rows; }

/* Columns [0, 16) and [16, 32) at p; wide: all are there, else `end` of them. */
#define READ(p, wide) \
	float16 left = wide ? vload16(0, p) : load16(p, end), right = wide ? vload16(1, p) : load16(p + 16, end - 16);

/* a is packed, a row of b holds neighbouring columns. */
__kernel void gemm(__global const float *a, ulong a0, __global const float *b, ulong b0, __global float *c, ulong c0, struct product q)
{
	int t = get_global_id(q.by_n), col = get_global_id(1 - q.by_n) * TILE_COLUMNS, z = get_global_id(2), m = q.m - t * TILE_ROWS;
	int end = q.n - col, wide = wide_rows(q.k, q.ldb, end);
	ROWS(ZERO)

	if (m <= 0 || end <= 0)
		return;
	a += a0 + (ulong)(z / q.n1) * q.a_z0 + (ulong)rest(z, q.n1) * q.a_z1 + (ulong)t * TILE_ROWS * q.k;
	b += b0 + (ulong)(z / q.n1) * q.b_z0 + (ulong)rest(z, q.n1) * q.b_z1 + (ulong)col * q.b_n;
	c += c0 + (ulong)(z / q.n1) * q.c_z0 + (ulong)rest(z, q.n1) * q.c_z1 + (ulong)t * TILE_ROWS * q.ldc;
	for (int k = 0; k < q.k; k++, a += TILE_ROWS, b += q.ldb) {
		READ(b, k < wide)

		ROWS(STEP)
	}
	ROWS(SAVE)
}

/* The rows of b are a channel's elements, shifted for each kernel position: no copy of them is made. */
__kernel void gemm_taps(__global const float *a, ulong a0, __global const float *b, ulong b0, __global float *c, ulong c0, struct product q)
{
	int t = get_global_id(q.by_n), col = get_global_id(1 - q.by_n) * TILE_COLUMNS, z = get_global_id(2), m = q.m - t * TILE_ROWS;
	int channels = q.k / (q.taps[0] * q.taps[1] * q.taps[2]), end = q.n - col, wide = wide_rows(channels, q.ldb, end);
	ROWS(ZERO)

	if (m <= 0 || end <= 0)
		return;
	a += a0 + (ulong)(z / q.n1) * q.a_z0 + (ulong)rest(z, q.n1) * q.a_z1 + (ulong)t * TILE_ROWS * q.k;
	b += b0 + (ulong)(z / q.n1) * q.b_z0 + (ulong)rest(z, q.n1) * q.b_z1 + (ulong)col * q.b_n;
	c += c0 + (ulong)(z / q.n1) * q.c_z0 + (ulong)rest(z, q.n1) * q.c_z1 + (ulong)t * TILE_ROWS * q.ldc;
	for (int k = 0; k < channels; k++, b += q.ldb)
		for (int z0 = 0; z0 < q.taps[0]; z0++)
			for (int z1 = 0; z1 < q.taps[1]; z1++) {
				__global const float *p = b + z0 * q.tap[0] + z1 * q.tap[1];

				for (int z2 = 0; z2 < q.taps[2]; z2++, a += TILE_ROWS, p += q.tap[2]) {
					READ(p, k < wide)

					ROWS(STEP)
				}
			}
	ROWS(SAVE)
}

/* Few rows: b is read once. c[i][j] = a[i] . b[j], both along k. */
__kernel void dots(__global const float *a, ulong a0, __global const float *b, ulong b0, __global float *c, ulong c0, struct product q,
		   int lda)
{
	int j = get_global_id(0), z = get_global_id(2);

	if (j >= q.n)
		return;
	a += a0 + (ulong)(z / q.n1) * q.a_z0 + (ulong)rest(z, q.n1) * q.a_z1;
	b += b0 + (ulong)(z / q.n1) * q.b_z0 + (ulong)rest(z, q.n1) * q.b_z1 + (ulong)j * q.ldb;
	c += c0 + (ulong)(z / q.n1) * q.c_z0 + (ulong)rest(z, q.n1) * q.c_z1 + (ulong)j * q.inner;
	for (int i = 0; i < q.m; i++, a += lda) {
		float16 s = 0, r = 0;
		float t[16], sum = 0;
		int k = 0;

		for (; k + 32 <= q.k; k += 32) {
			s = FMA(vload16(0, a + k), vload16(0, b + k), s);
			r = FMA(vload16(1, a + k), vload16(1, b + k), r);
		}
		vstore16(s + r, 0, t);
		for (int l = 0; l < 16; l++)
			sum += t[l];
		for (; k < q.k; k++)
			sum = FMA(a[k], b[k], sum);
		c[(ulong)i * q.ldc] = sum;
	}
}

#define COLUMNS 128
/* Few rows, and b's rows hold neighbouring columns: 128 of them at once. */
__kernel void rows(__global const float *a, ulong a0, __global const float *b, ulong b0, __global float *c, ulong c0, struct product q,
		   int lda)
{
	int j = get_global_id(0) * COLUMNS, z = get_global_id(2), n = min(COLUMNS, q.n - j);

	if (n <= 0)
		return;
	a += a0 + (ulong)(z / q.n1) * q.a_z0 + (ulong)rest(z, q.n1) * q.a_z1;
	b += b0 + (ulong)(z / q.n1) * q.b_z0 + (ulong)rest(z, q.n1) * q.b_z1 + j;
	c += c0 + (ulong)(z / q.n1) * q.c_z0 + (ulong)rest(z, q.n1) * q.c_z1 + (ulong)j * q.inner;
	for (int i = 0; i < q.m; i++, a += lda) {
		float t[COLUMNS];
		float16 s0 = 0, s1 = 0, s2 = 0, s3 = 0, s4 = 0, s5 = 0, s6 = 0, s7 = 0;
		__global const float *p = b;

		if (n == COLUMNS) {
			for (int k = 0; k < q.k; k++, p += q.ldb) {
				float16 v = a[k];

				s0 = FMA(v, vload16(0, p), s0);
				s1 = FMA(v, vload16(1, p), s1);
				s2 = FMA(v, vload16(2, p), s2);
				s3 = FMA(v, vload16(3, p), s3);
				s4 = FMA(v, vload16(4, p), s4);
				s5 = FMA(v, vload16(5, p), s5);
				s6 = FMA(v, vload16(6, p), s6);
				s7 = FMA(v, vload16(7, p), s7);
			}
			vstore16(s0, 0, t);
			vstore16(s1, 1, t);
			vstore16(s2, 2, t);
			vstore16(s3, 3, t);
			vstore16(s4, 4, t);
			vstore16(s5, 5, t);
			vstore16(s6, 6, t);
			vstore16(s7, 7, t);
		} else {
			for (int l = 0; l < n; l++)
				t[l] = 0;
			for (int k = 0; k < q.k; k++, p += q.ldb)
				for (int l = 0; l < n; l++)
					t[l] = FMA(a[k], p[l], t[l]);
		}
		for (int l = 0; l < n; l++)
			c[(ulong)i * q.ldc + (ulong)l * q.inner] = t[l];
	}
}
#pragma OPENCL FP_CONTRACT OFF
