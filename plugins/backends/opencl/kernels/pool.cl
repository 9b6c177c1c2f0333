/* Pooling: one work-item takes `per` neighbouring results of a row. */

struct span { int from, to; }; /* window positions inside the image */

inline struct span span_of(const struct geometry *g, int axis, int o)
{
	int start = o * g->stride[axis] - g->before[axis], d = g->dilation[axis], n = g->in[axis];
	struct span s;

	s.from = start < 0 ? (d - 1 - start) / d : 0;
	s.to = start < n ? min((n - start + d - 1) / d, g->size[axis]) : 0;
	s.to = max(s.from, s.to);
	return s;
}

inline int cell_of(const struct geometry *g, int axis, int o, int k) { return o * g->stride[axis] - g->before[axis] + k * g->dilation[axis]; }

/* Position of the first largest element in the window of o; -1 if all of it is padding. */
inline int winner(const struct geometry *g, const int *o, __global const float *by)
{
	struct span s0 = span_of(g, 0, o[0]), s1 = span_of(g, 1, o[1]), s2 = span_of(g, 2, o[2]);
	int best = -1;
	float top = 0;

	for (int a = s0.from; a < s0.to; a++)
		for (int b = s1.from; b < s1.to; b++) {
			int line = (cell_of(g, 0, o[0], a) * g->in[1] + cell_of(g, 1, o[1], b)) * g->in[2];

			for (int c = s2.from; c < s2.to; c++) {
				int at = line + cell_of(g, 2, o[2], c);

				if (best < 0 || by[at] > top) {
					best = at;
					top = by[at];
				}
			}
		}
	return best;
}

inline float divisor(const struct geometry *g, const int *o)
{
	int n = 1;

	for (int d = 0; d < 3; d++) {
		struct span s = span_of(g, d, o[d]);

		n *= g->whole ? g->size[d] : s.to - s.from;
	}
	return n;
}

__kernel void pool_max(__global const float *v, ulong v0, __global const float *by, ulong by0, __global float *y, ulong y0,
		       struct geometry g, int rows, int per)
{
	int row = get_global_id(1), from = get_global_id(0) * per, end = min(from + per, g.out[2]);
	int o[3] = { rest(row / g.out[1], g.out[0]), rest(row, g.out[1]), 0 }, plane = row / g.out[1] / g.out[0], n_in = g.in[0] * g.in[1] * g.in[2];

	if (row >= rows)
		return;
	v += v0 + (ulong)plane * n_in;
	by += by0 + (ulong)plane * n_in;
	y += y0 + (ulong)row * g.out[2];
	for (o[2] = from; o[2] < end; o[2]++) {
		int at = winner(&g, o, by);

		y[o[2]] = at < 0 ? 0 : v[at];
	}
}

__kernel void pool_avg(__global const float *x, ulong x0, __global float *y, ulong y0, struct geometry g, int rows, int per)
{
	int row = get_global_id(1), from = get_global_id(0) * per, end = min(from + per, g.out[2]);
	int o[3] = { rest(row / g.out[1], g.out[0]), rest(row, g.out[1]), 0 }, plane = row / g.out[1] / g.out[0];

	if (row >= rows)
		return;
	x += x0 + (ulong)plane * g.in[0] * g.in[1] * g.in[2];
	y += y0 + (ulong)row * g.out[2];
	for (o[2] = from; o[2] < end; o[2]++) {
		struct span s0 = span_of(&g, 0, o[0]), s1 = span_of(&g, 1, o[1]), s2 = span_of(&g, 2, o[2]);
		float sum = 0, n = divisor(&g, o);

		for (int a = s0.from; a < s0.to; a++)
			for (int b = s1.from; b < s1.to; b++) {
				int line = (cell_of(&g, 0, o[0], a) * g.in[1] + cell_of(&g, 1, o[1], b)) * g.in[2];

				for (int c = s2.from; c < s2.to; c++)
					sum += x[line + cell_of(&g, 2, o[2], c)];
			}
		y[o[2]] = n > 0 ? sum / n : 0;
	}
}

/* Windows [from, to) that may reach cell i. */
inline struct span reach(const struct geometry *g, int axis, int i)
{
	int at = i + g->before[axis], far = (g->size[axis] - 1) * g->dilation[axis], s = g->stride[axis];
	struct span o;

	o.from = at > far ? (at - far + s - 1) / s : 0;
	o.to = min(at / s + 1, g->out[axis]);
	return o;
}

inline int hits(const struct geometry *g, int axis, int i, int o)
{
	return (i + g->before[axis] - o * g->stride[axis]) % g->dilation[axis] == 0;
}

/* Each cell collects from the windows around it, in their order, so nothing is written twice. */
__kernel void pool_dx(__global const float *d, ulong d0, __global const float *by, ulong by0, __global float *y, ulong y0,
		      struct geometry g, int most, int rows, int per)
{
	int row = get_global_id(1), from = get_global_id(0) * per, end = min(from + per, g.in[2]);
	int i0 = rest(row / g.in[1], g.in[0]), i1 = rest(row, g.in[1]), plane = row / g.in[1] / g.in[0], n_in = g.in[0] * g.in[1] * g.in[2];

	if (row >= rows)
		return;
	d += d0 + (ulong)plane * g.out[0] * g.out[1] * g.out[2];
	by += by0 + (ulong)plane * n_in;
	y += y0 + (ulong)row * g.in[2];
	struct span r0 = reach(&g, 0, i0), r1 = reach(&g, 1, i1);

	for (int i2 = from; i2 < end; i2++) {
		struct span r2 = reach(&g, 2, i2);
		int me = (i0 * g.in[1] + i1) * g.in[2] + i2, o[3];
		float sum = 0;

		for (o[0] = r0.from; o[0] < r0.to; o[0]++)
			for (o[1] = r1.from; o[1] < r1.to; o[1]++)
				for (o[2] = r2.from; o[2] < r2.to; o[2]++) {
					float v = d[(o[0] * g.out[1] + o[1]) * g.out[2] + o[2]];

					if (!hits(&g, 0, i0, o[0]) || !hits(&g, 1, i1, o[1]) || !hits(&g, 2, i2, o[2]))
						continue;
					if (!most)
						sum += v / divisor(&g, o);
					else if (winner(&g, o, by) == me)
						sum += v;
				}
		y[i2] = sum;
	}
}
