/* Pooling: one work-item takes `per` neighbouring results of a row. */

struct span { int from, to; }; /* window positions inside the image */

ALWAYS inline int cell_of(const struct geometry *g, int axis, int o, int k) { return o * g->stride[axis] - g->before[axis] + k * g->dilation[axis]; }

ALWAYS inline struct span span_of(const struct geometry *g, int axis, int o)
{
	int start = cell_of(g, axis, o, 0), d = g->dilation[axis], n = g->in[axis];
	struct span s = { 0, g->size[axis] };

	if (start >= 0 && cell_of(g, axis, o, s.to - 1) < n)
		return s;
	s.from = start < 0 ? (d - 1 - start) / d : 0;
	s.to = start < n ? min((n - start + d - 1) / d, s.to) : 0;
	s.to = max(s.from, s.to);
	return s;
}

/* The spans of a window. */
struct cells { struct span s0, s1, s2; };

ALWAYS inline int place_of(const struct geometry *g, const int *o, int a, int b, int c)
{
	return (cell_of(g, 0, o[0], a) * g->in[1] + cell_of(g, 1, o[1], b)) * g->in[2] + cell_of(g, 2, o[2], c);
}

/* Position of the first largest element in the window of o; -1 if all of it is padding. */
ALWAYS inline int winner(const struct geometry *g, const int *o, struct cells s, __global const float *by)
{
	if (s.s0.from == s.s0.to || s.s1.from == s.s1.to || s.s2.from == s.s2.to)
		return -1;
	int best = place_of(g, o, s.s0.from, s.s1.from, s.s2.from);
	float top = by[best];

	for (int a = s.s0.from; a < s.s0.to; a++)
		for (int b = s.s1.from; b < s.s1.to; b++)
			for (int c = s.s2.from, at = place_of(g, o, a, b, c); c < s.s2.to; c++, at += g->dilation[2]) {
				float v = by[at];

				best = v > top ? at : best;
				top = v > top ? v : top;
			}
	return best;
}

ALWAYS inline float divisor(const struct geometry *g, struct cells s)
{
	return g->whole ? g->size[0] * g->size[1] * g->size[2] : (s.s0.to - s.s0.from) * (s.s1.to - s.s1.from) * (s.s2.to - s.s2.from);
}

__kernel void pool_max(__global const float *v, ulong v0, __global const float *by, ulong by0, __global float *y, ulong y0,
		       struct geometry g, int rows, int per)
{
	int row = get_global_id(1), from = get_global_id(0) * per, end = min(from + per, g.out[2]);
	int o[3] = { rest(row / g.out[1], g.out[0]), rest(row, g.out[1]), 0 }, plane = row / g.out[1] / g.out[0], n_in = g.in[0] * g.in[1] * g.in[2];
	struct cells s = { span_of(&g, 0, o[0]), span_of(&g, 1, o[1]), { 0, 0 } };

	if (row >= rows)
		return;
	v += v0 + (ulong)plane * n_in;
	by += by0 + (ulong)plane * n_in;
	y += y0 + (ulong)row * g.out[2];
	for (o[2] = from; o[2] < end; o[2]++) {
		s.s2 = span_of(&g, 2, o[2]);
		int at = winner(&g, o, s, by);

		y[o[2]] = at < 0 ? 0 : v[at];
	}
}

__kernel void pool_avg(__global const float *x, ulong x0, __global float *y, ulong y0, struct geometry g, int rows, int per)
{
	int row = get_global_id(1), from = get_global_id(0) * per, end = min(from + per, g.out[2]);
	int o[3] = { rest(row / g.out[1], g.out[0]), rest(row, g.out[1]), 0 }, plane = row / g.out[1] / g.out[0];
	struct cells s = { span_of(&g, 0, o[0]), span_of(&g, 1, o[1]), { 0, 0 } };

	if (row >= rows)
		return;
	x += x0 + (ulong)plane * g.in[0] * g.in[1] * g.in[2];
	y += y0 + (ulong)row * g.out[2];
	for (o[2] = from; o[2] < end; o[2]++) {
		s.s2 = span_of(&g, 2, o[2]);
		float sum = 0, n = divisor(&g, s);

		for (int a = s.s0.from; a < s.s0.to; a++)
			for (int b = s.s1.from; b < s.s1.to; b++) {
				int at = place_of(&g, o, a, b, s.s2.from);

				for (int c = s.s2.from; c < s.s2.to; c++, at += g.dilation[2])
					sum += x[at];
			}
		y[o[2]] = n > 0 ? sum / n : 0;
	}
}

/* Windows [from, to) that may reach cell i. */
ALWAYS inline struct span reach(const struct geometry *g, int axis, int i)
{
	int at = i + g->before[axis], far = (g->size[axis] - 1) * g->dilation[axis], s = g->stride[axis];
	struct span o;

	o.from = at > far ? (at - far + s - 1) / s : 0;
	o.to = min(at / s + 1, g->out[axis]);
	return o;
}

/* v goes to each cell of [from, end) that the window of o covers. */
ALWAYS inline void spread(const struct geometry *g, const int *o, struct cells s, float v, __global float *y, int from, int end)
{
	for (int a = s.s0.from; a < s.s0.to; a++)
		for (int b = s.s1.from; b < s.s1.to; b++)
			for (int c = s.s2.from, at = place_of(g, o, a, b, c); c < s.s2.to; c++, at += g->dilation[2])
				if (at >= from && at < end)
					y[at] += v;
}

/* Cells [from, end) of a plane, one or all, collect from the windows around them in their order; nothing else writes there. */
__kernel void pool_dx(__global const float *d, ulong d0, __global const float *by, ulong by0, __global float *y, ulong y0,
		      struct geometry g, int most, int planes, int per)
{
	int plane = get_global_id(1), n = g.in[0] * g.in[1] * g.in[2], from = get_global_id(0) * per, end = min(from + per, n), o[3];
	struct span r0 = { 0, g.out[0] }, r1 = { 0, g.out[1] }, r2 = { 0, g.out[2] };

	if (plane >= planes || from >= end)
		return;
	if (per == 1) {
		r0 = reach(&g, 0, from / g.in[2] / g.in[1]);
		r1 = reach(&g, 1, rest(from / g.in[2], g.in[1]));
		r2 = reach(&g, 2, rest(from, g.in[2]));
	}
	d += d0 + (ulong)plane * g.out[0] * g.out[1] * g.out[2];
	by += by0 + (ulong)plane * n;
	y += y0 + (ulong)plane * n;
	for (int at = from; at < end; at++)
		y[at] = 0;
	for (o[0] = r0.from; o[0] < r0.to; o[0]++)
		for (o[1] = r1.from; o[1] < r1.to; o[1]++) {
			struct cells s = { span_of(&g, 0, o[0]), span_of(&g, 1, o[1]), { 0, 0 } };

			for (o[2] = r2.from; o[2] < r2.to; o[2]++) {
				float v = d[(o[0] * g.out[1] + o[1]) * g.out[2] + o[2]];

				s.s2 = span_of(&g, 2, o[2]);
				if (most) {
					int at = winner(&g, o, s, by);

					if (at >= from && at < end)
						y[at] += v;
				} else {
					spread(&g, o, s, v / divisor(&g, s), y, from, end);
				}
			}
		}
}
