/* Reductions in an order that follows from shapes alone. */

inline ulong place(const int *dim, const int *stride, int nd, int at)
{
	ulong off = 0;

	for (int d = nd - 1; d >= 0; d--) {
		off += (ulong)rest(at, dim[d]) * stride[d];
		at /= dim[d];
	}
	return off;
}

inline float join(float a, float b, int most) { return most ? (b > a ? b : a) : a + b; }

inline float start(int most) { return most ? -INFINITY : 0.0f; }

/* The innermost axis is reduced: piece c of result o goes to y[o * chunks + c]. */
__kernel void reduce_inner(__global const float *x, ulong x0, __global float *y, ulong y0, struct reduction r, int jobs)
{
	int job = get_global_id(0);

	if (job >= jobs)
		return;
	int from = rest(job, r.chunks) * r.step, n = min(r.step, r.n - from);
	float all = start(r.most);

	x += x0 + place(r.kept, r.ks, r.n_kept, job / r.chunks) + from;
	for (int k = 0; k < r.rows; k++) {
		__global const float *p = x + place(r.red, r.rs, r.n_red, k);
		lanes acc = start(r.most);
		int j = 0;

		for (; j + LANES <= n; j += LANES) {
			lanes v = LOAD(p + j);

			acc = r.most ? select(acc, v, isgreater(v, acc)) : acc + v;
		}
#if LANES == 16
		float t[16];

		vstore16(acc, 0, t);
		for (int l = 0; j + l < n; l++)
			t[l] = join(t[l], p[j + l], r.most);
		for (int l = 0; l < 16; l++)
			all = join(all, t[l], r.most);
#else
		all = join(all, acc, r.most);
#endif
	}
	y[y0 + job] = all;
}

__kernel void reduce_pieces(__global const float *x, ulong x0, __global float *y, ulong y0, struct reduction r, int outs)
{
	int o = get_global_id(0);
	float all = start(r.most);

	if (o >= outs)
		return;
	for (int c = 0; c < r.chunks; c++)
		all = join(all, x[x0 + (ulong)o * r.chunks + c], r.most);
	y[y0 + o] = all;
}

/* The innermost axis stays: LANES neighbouring results at once. Long sums go by parts of 256. */
__kernel void reduce_outer(__global const float *x, ulong x0, __global float *y, ulong y0, struct reduction r, int outs)
{
	int j = get_global_id(0) * LANES, o = get_global_id(1), n = min(LANES, r.n - j);

	if (o >= outs || n <= 0)
		return;
	lanes all = start(r.most);

	x += x0 + place(r.kept, r.ks, r.n_kept, o) + j;
	for (int k = 0; k < r.rows;) {
		lanes acc = start(r.most);
		int end = min(k + 256, r.rows);

		for (; k < end; k++) {
			__global const float *p = x + place(r.red, r.rs, r.n_red, k);
			lanes v = n == LANES ? LOAD(p) : load_some(p, n);

			acc = r.most ? select(acc, v, isgreater(v, acc)) : acc + v;
		}
		all = r.most ? select(all, acc, isgreater(acc, all)) : all + acc;
	}
	store_some(all, y + y0 + (ulong)o * r.n + j, n);
}

/* x [outer, n, inner]: the lowest index among the largest. */
__kernel void argmax(__global const float *x, ulong x0, __global float *y, ulong y0, int n, int inner, int outs)
{
	int o = get_global_id(0), best = 0;

	if (o >= outs)
		return;
	x += x0 + (ulong)(o / inner) * n * inner + rest(o, inner);
	for (int k = 1; k < n; k++)
		if (x[k * inner] > x[best * inner])
			best = k;
	y[y0 + o] = best;
}

/* Ranks by merging: runs of `width` places are sorted; after a pass, of twice as many. What is no number comes last. */
inline int comes_before(float a, int i, float b, int j)
{
	if (a > b || (a == a && b != b))
		return 1;
	if (a < b || (a != a && b == b))
		return 0;
	return i < j;
}

__kernel void rank_start(__global int *to, ulong to0, int n, int total)
{
	int j = get_global_id(0);

	if (j < total)
		to[to0 + j] = rest(j, n);
}

__kernel void rank_merge(__global const float *x, ulong x0, __global const int *from, ulong from0, __global int *to, ulong to0, int n,
			 int width, int total)
{
	int j = get_global_id(0);

	if (j >= total)
		return;
	ulong row = j / n * n;
	int p = rest(j, n), run = p / width, other = (run ^ 1) * width, lo = 0, hi = max(0, min(width, n - other));

	from += from0 + row;
	x += x0 + row;
	int me = from[p];

	while (lo < hi) { /* how many of the other run come before this one */
		int mid = (lo + hi) / 2, it = from[other + mid];

		if (comes_before(x[it], it, x[me], me))
			lo = mid + 1;
		else
			hi = mid;
	}
	to[to0 + row + (run & ~1) * width + rest(p, width) + lo] = me;
}

__kernel void rank_end(__global const int *from, ulong from0, __global float *y, ulong y0, int n, int total)
{
	int j = get_global_id(0);

	if (j < total)
		y[y0 + j / n * n + from[from0 + j]] = rest(j, n);
}
