/* Movement: strided copies, gather and scatter, what loops keep. */

__kernel void copy(__global const float *x, ulong x0, __global float *y, ulong y0, struct move m, int rows, int per)
{
	int last = m.nd - 1, n = m.dim[last], ds = m.ds[last], ss = m.ss[last];
	int j = get_global_id(0) * per, end = min(j + per, n), row = get_global_id(1);

	if (row >= rows)
		return;
	x += x0;
	y += y0;
	for (int d = last - 1; d >= 0; d--) {
		int k = rest(row, m.dim[d]);

		row /= m.dim[d];
		x += k * m.ss[d];
		y += k * m.ds[d];
	}
	if (ds == 1 && ss == 1)
		for (; j < end; j++)
			y[j] = x[j];
	else
		for (; j < end; j++)
			y[j * ds] = x[j * ss];
}

__kernel void iota(__global float *y, ulong y0, int n)
{
	int j = get_global_id(0);

	if (j < n)
		y[y0 + j] = j;
}

/* x is slice index[0] of y's axis 1. */
__kernel void stack(__global const float *x, ulong x0, __global const float *index, ulong index0, __global float *y, ulong y0, int count,
		    int inner, int rows, int per)
{
	int j = get_global_id(0) * per, end = min(j + per, inner), row = get_global_id(1);

	if (row >= rows)
		return;
	x += x0 + (ulong)row * inner;
	y += y0 + ((ulong)row * count + (int)index[index0]) * inner;
	for (; j < end; j++)
		y[j] = x[j];
}

__kernel void add_to(__global const float *x, ulong x0, __global float *y, ulong y0, int n, int per)
{
	int j = get_global_id(0) * per, end = min(j + per, n);

	x += x0;
	y += y0;
	for (; j < end; j++)
		y[j] += x[j];
}

/* A sum in two floats: the second holds what rounding took from the first. */
__kernel void accumulate(__global const float *x, ulong x0, __global float *hi, ulong hi0, __global float *lo, ulong lo0, int n, int per)
{
	int j = get_global_id(0) * per, end = min(j + per, n);

	x += x0;
	hi += hi0;
	lo += lo0;
	for (; j < end; j++) {
		float a = hi[j], b = x[j], s = a + b, t = s - a, e = (a - (s - t)) + (b - t), rest = lo[j] + e, r = s + rest;

		lo[j] = rest - (r - s);
		hi[j] = r;
	}
}

/* Says which operation met an index outside [0, n), once; gives one that is inside. */
inline int checked(float at, int n, __global int *flag, int op)
{
	if (at >= 0 && at < n)
		return (int)at;
	atomic_cmpxchg(flag, 0, op);
	return 0;
}

/* y[o, j, r] = x[o, index[j], r]; row = (o, j). */
__kernel void gather(__global const float *x, ulong x0, __global const float *index, ulong index0, __global float *y, ulong y0,
		     __global int *flag, ulong flag0, int op, int n, int k, int inner, int rows, int per)
{
	int j = get_global_id(0) * per, end = min(j + per, inner), row = get_global_id(1);

	if (row >= rows || j >= inner)
		return;
	x += x0 + ((ulong)(row / k) * n + checked(index[index0 + rest(row, k)], n, flag + flag0, op)) * inner;
	y += y0 + (ulong)row * inner;
	for (; j < end; j++)
		y[j] = x[j];
}

/* y[o, index[j], r] += x[o, j, r] in order of j; one work-item for each (o, r), so nothing else writes there. */
__kernel void scatter(__global const float *x, ulong x0, __global const float *index, ulong index0, __global float *y, ulong y0,
		      __global int *flag, ulong flag0, int op, int n, int k, int inner, int outer)
{
	int r = get_global_id(0), o = get_global_id(1);

	if (r >= inner || o >= outer)
		return;
	x += x0 + (ulong)o * k * inner + r;
	y += y0 + (ulong)o * n * inner + r;
	for (int j = 0; j < n; j++)
		y[j * inner] = 0;
	for (int j = 0; j < k; j++) {
		float at = index[index0 + j];
		int q = checked(at, n, flag + flag0, op);

		y[q * inner] += x[j * inner];
	}
}
