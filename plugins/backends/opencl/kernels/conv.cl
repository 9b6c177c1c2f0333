/* What convolutions need besides products. */

/* Channels with their padding: [channels][in + before + after], zeros outside. A row of the result is one work-item's. */
__kernel void border(__global const float *x, ulong x0, __global float *y, ulong y0, struct geometry g, int d0, int d1, int d2, int rows)
{
	int row = get_global_id(0), i1 = rest(row, d1) - g.before[1], i0 = rest(row / d1, d0) - g.before[0];

	if (row >= rows)
		return;
	y += y0 + (ulong)row * d2;
	if (i0 < 0 || i0 >= g.in[0] || i1 < 0 || i1 >= g.in[1]) {
		for (int j = 0; j < d2; j++)
			y[j] = 0;
		return;
	}
	x += x0 + (((ulong)(row / d1 / d0) * g.in[0] + i0) * g.in[1] + i1) * g.in[2];
	int b = min(g.before[2], d2), e = min(b + g.in[2], d2);

	for (int j = 0; j < b; j++)
		y[j] = 0;
	for (int j = b; j < e; j++)
		y[j] = x[j - b];
	for (int j = e; j < d2; j++)
		y[j] = 0;
}

/* Row (channel, tap) of y: the elements that this kernel position meets at output positions [from, from + n). */
__kernel void unfold(__global const float *x, ulong x0, __global float *y, ulong y0, struct geometry g, struct patches p, int per)
{
	int taps = g.size[0] * g.size[1] * g.size[2], row = get_global_id(1), tap = rest(row, taps), channel = row / taps;
	int j = get_global_id(0) * per, end = min(j + per, p.n);

	if (channel >= p.channels || j >= end)
		return;
	x += x0 + (ulong)channel * g.in[0] * g.in[1] * g.in[2];
	y += y0 + (ulong)row * p.n;
	int at = p.from + j, o2 = rest(at, g.out[2]), o1 = rest(at / g.out[2], g.out[1]), o0 = at / g.out[2] / g.out[1];
	int shift = rest(tap, g.size[2]) * g.dilation[2] - g.before[2];

	while (j < end) {
		int i0 = o0 * g.stride[0] - g.before[0] + tap / g.size[2] / g.size[1] * g.dilation[0];
		int i1 = o1 * g.stride[1] - g.before[1] + rest(tap / g.size[2], g.size[1]) * g.dilation[1];
		int line = (i0 * g.in[1] + i1) * g.in[2], stop = min(end, j + g.out[2] - o2);
		int inside = i0 >= 0 && i0 < g.in[0] && i1 >= 0 && i1 < g.in[1];

		for (; j < stop; j++, o2++) {
			int i2 = o2 * g.stride[2] + shift;

			y[j] = inside && i2 >= 0 && i2 < g.in[2] ? x[line + i2] : 0;
		}
		o2 = 0;
		if (++o1 == g.out[1]) {
			o1 = 0;
			o0++;
		}
	}
}

/* The adjoint: elements [from, end) of a row collect from the rows of y that they went to. */
__kernel void fold(__global const float *y, ulong y0, __global float *x, ulong x0, struct geometry g, int rows, int per)
{
	int row = get_global_id(1), from = get_global_id(0) * per, end = min(from + per, g.in[2]);
	int i1 = rest(row, g.in[1]), i0 = rest(row / g.in[1], g.in[0]), channel = row / g.in[1] / g.in[0];
	int n = g.out[0] * g.out[1] * g.out[2];

	if (row >= rows)
		return;
	y += y0 + (ulong)channel * g.size[0] * g.size[1] * g.size[2] * n;
	x += x0 + (ulong)row * g.in[2];
	for (int i2 = from; i2 < end; i2++)
		x[i2] = 0;
	for (int a = 0; a < g.size[0]; a++) {
		int p = i0 + g.before[0] - a * g.dilation[0], o0 = p / g.stride[0];

		if (p < 0 || rest(p, g.stride[0]) || o0 >= g.out[0])
			continue;
		for (int b = 0; b < g.size[1]; b++) {
			int q = i1 + g.before[1] - b * g.dilation[1], o1 = q / g.stride[1];

			if (q < 0 || rest(q, g.stride[1]) || o1 >= g.out[1])
				continue;
			for (int c = 0; c < g.size[2]; c++) {
				int shift = c * g.dilation[2] - g.before[2], s = g.stride[2];
				int o2 = from > shift ? (from - shift + s - 1) / s : 0, last = min(g.out[2], end > shift ? (end - shift + s - 1) / s : 0);
				__global const float *line = y + (ulong)((a * g.size[1] + b) * g.size[2] + c) * n + (o0 * g.out[1] + o1) * g.out[2];

				for (; o2 < last; o2++)
					x[o2 * s + shift] += line[o2];
			}
		}
	}
}

/* One input channel for each group: channel k of y reads channel k / each of x. flip: the kernel is turned. */
__kernel void depthwise(__global const float *x, ulong x0, __global const float *w, ulong w0, __global float *y, ulong y0, struct geometry g,
			int each, int channels, int flip, int rows)
{
	int o2 = get_global_id(0) * LANES, row = get_global_id(1), n = min(LANES, g.out[2] - o2);
	int o1 = rest(row, g.out[1]), o0 = rest(row / g.out[1], g.out[0]), k = row / g.out[1] / g.out[0];
	int taps = g.size[0] * g.size[1] * g.size[2];

	if (row >= rows || n <= 0)
		return;
	x += x0 + (ulong)(k / each) * g.in[0] * g.in[1] * g.in[2];
	w += w0 + (ulong)rest(k, channels) * taps;
	lanes sum = 0;

	for (int tap = 0; tap < taps; tap++) {
		int i0 = o0 * g.stride[0] - g.before[0] + tap / g.size[2] / g.size[1] * g.dilation[0];
		int i1 = o1 * g.stride[1] - g.before[1] + rest(tap / g.size[2], g.size[1]) * g.dilation[1];
		int i2 = o2 * g.stride[2] - g.before[2] + rest(tap, g.size[2]) * g.dilation[2];

		if (i0 < 0 || i0 >= g.in[0] || i1 < 0 || i1 >= g.in[1])
			continue;
		__global const float *p = x + (i0 * g.in[1] + i1) * g.in[2];
		lanes v;

#if LANES == 16
		if (g.stride[2] == 1 && i2 >= 0 && i2 + LANES <= g.in[2]) {
			v = LOAD(p + i2);
		} else {
			float t[16];

			for (int l = 0; l < 16; l++) {
				int at = i2 + l * g.stride[2];

				t[l] = l < n && at >= 0 && at < g.in[2] ? p[at] : 0;
			}
			v = vload16(0, t);
		}
#else
		v = i2 >= 0 && i2 < g.in[2] ? p[i2] : 0;
#endif
		sum += (lanes)w[flip ? taps - 1 - tap : tap] * v;
	}
	store_some(sum, y + y0 + (ulong)row * g.out[2] + o2, n);
}

/* Its adjoint where the stride is not 1. Channel c of x collects from channels c each ... of d. */
__kernel void depthwise_dx(__global const float *d, ulong d0, __global const float *w, ulong w0, __global float *x, ulong x0,
			   struct geometry g, int each, int channels, int rows, int per)
{
	int row = get_global_id(1), from = get_global_id(0) * per, end = min(from + per, g.in[2]);
	int i1 = rest(row, g.in[1]), i0 = rest(row / g.in[1], g.in[0]), c = row / g.in[1] / g.in[0];
	int taps = g.size[0] * g.size[1] * g.size[2], n = g.out[0] * g.out[1] * g.out[2];

	if (row >= rows)
		return;
	d += d0 + (ulong)c * each * n;
	w += w0 + (ulong)rest(c, channels) * each * taps;
	x += x0 + (ulong)row * g.in[2];
	for (int i2 = from; i2 < end; i2++) {
		float sum = 0;

		for (int k = 0; k < each; k++)
			for (int tap = 0; tap < taps; tap++) {
				int p = i0 + g.before[0] - tap / g.size[2] / g.size[1] * g.dilation[0];
				int q = i1 + g.before[1] - rest(tap / g.size[2], g.size[1]) * g.dilation[1];
				int r = i2 + g.before[2] - rest(tap, g.size[2]) * g.dilation[2];
				int o0 = p / g.stride[0], o1 = q / g.stride[1], o2 = r / g.stride[2];

				if (p < 0 || q < 0 || r < 0 || rest(p, g.stride[0]) || rest(q, g.stride[1]) || rest(r, g.stride[2]) || o0 >= g.out[0] ||
				    o1 >= g.out[1] || o2 >= g.out[2])
					continue;
				sum += w[k * taps + tap] * d[(ulong)k * n + (o0 * g.out[1] + o1) * g.out[2] + o2];
			}
		x[i2] = sum;
	}
}

/* One weight's adjoint: over samples, then output rows, then along a row. */
__kernel void conv_dw(__global const float *x, ulong x0, __global const float *d, ulong d0, __global float *w, ulong w0, struct geometry g,
		      int samples, int c, int k, int groups, int total)
{
	int at = get_global_id(0), taps = g.size[0] * g.size[1] * g.size[2], cg = c / groups;

	if (at >= total)
		return;
	int tap = rest(at, taps), ci = rest(at / taps, cg), ki = at / taps / cg, n_in = g.in[0] * g.in[1] * g.in[2];
	int n_out = g.out[0] * g.out[1] * g.out[2], shift = rest(tap, g.size[2]) * g.dilation[2] - g.before[2], s = g.stride[2];
	int lo = shift < 0 ? (s - 1 - shift) / s : 0, hi = min(g.out[2], shift < g.in[2] ? (g.in[2] - 1 - shift) / s + 1 : 0);
	float sum = 0;

	ci += ki / (k / groups) * cg;
	for (int n = 0; n < samples; n++)
		for (int row = 0; row < g.out[0] * g.out[1]; row++) {
			int i0 = row / g.out[1] * g.stride[0] - g.before[0] + tap / g.size[2] / g.size[1] * g.dilation[0];
			int i1 = rest(row, g.out[1]) * g.stride[1] - g.before[1] + rest(tap / g.size[2], g.size[1]) * g.dilation[1];
			float part = 0;

			if (i0 < 0 || i0 >= g.in[0] || i1 < 0 || i1 >= g.in[1])
				continue;
			__global const float *p = x + x0 + ((ulong)n * c + ci) * n_in + (i0 * g.in[1] + i1) * g.in[2] + shift;
			__global const float *q = d + d0 + ((ulong)n * k + ki) * n_out + row * g.out[2];

			for (int o = lo; o < hi; o++)
				part += p[o * s] * q[o];
			sum += part;
		}
	w[w0 + at] = sum;
}
