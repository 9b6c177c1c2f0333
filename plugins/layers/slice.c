/* Slice: starts, ends and axes are attributes before opset 10, then inputs 1 to 4; steps may be negative. */
#include "host.h"

struct opts {
	struct inn_ints starts, ends, axes;
};

static const struct inn_param params[] = {
	INN_INTS(struct opts, starts, NULL, -9.3e18, 9.3e18, "first index of each axis"),
	INN_INTS(struct opts, ends, NULL, -9.3e18, 9.3e18, "index after the last of each axis"),
	INN_INTS(struct opts, axes, NULL, -8, 7, "axes; none: the first ones"),
	{ 0 },
};

struct range { int64_t from, step; uint32_t count; };

static int64_t clamp(int64_t v, int64_t length, int64_t low, int64_t high)
{
	v = v < 0 ? (v < -length ? -1 : v + length) : v;
	return v < low ? low : v > high ? high : v;
}

static bool ranges(inn_ctx *ctx, const inn_node *n, const struct inn_shape *s, struct range *r)
{
	const struct opts *o = inn_node_opts(n);
	int64_t from[MAX_LIST], to[MAX_LIST], axes[MAX_LIST], steps[MAX_LIST];
	int count = numbers(ctx, n, 1, &o->starts, from), n_to = numbers(ctx, n, 2, &o->ends, to);
	int n_axes = numbers(ctx, n, 3, &o->axes, axes), n_steps = numbers(ctx, n, 4, NULL, steps);

	if (inn_node_opset(n) < 10 && (!o->starts.v || !o->ends.v))
		return unsupported_in(ctx, n, "starts or ends are missing"), false;
	for (uint32_t d = 0; d < s->rank; d++)
		r[d] = (struct range){ 0, 1, s->dim[d] };
	if (count < 0 || n_to != count || n_axes < 0 || n_steps < 0 || (n_axes && n_axes != count) || (n_steps && n_steps != count))
		return unsupported_in(ctx, n, "starts, ends, axes and steps differ in length"), false;
	for (int i = 0; i < count; i++) {
		int64_t step = n_steps ? steps[i] : 1, length, a, e;
		uint32_t axis;

		if (!axis_of(ctx, n, n_axes ? axes[i] : i, s->rank, &axis))
			return false;
		if (!step || step > INT32_MAX || step < -INT32_MAX)
			return unsupported_in(ctx, n, "a step is 0 or too large"), false;
		length = s->dim[axis];
		a = clamp(from[i], length, 0, step > 0 ? length : length - 1);
		e = clamp(to[i], length, step > 0 ? 0 : -1, length);
		int64_t span = step > 0 ? e - a : a - e, by = step > 0 ? step : -step;

		r[axis] = (struct range){ a, step, length && span > 0 ? (uint32_t)((span + by - 1) / by) : 0 };
	}
	return true;
}

static int fold(FOLD)
{
	struct range r[INN_MAX_RANK];
	struct inn_shape s = in[0].shape;
	int64_t step[INN_MAX_RANK], base = 0;

	if (!host_given(ctx, n, in, n_in, 1) || !ranges(ctx, n, &in[0].shape, r))
		return INN_EUNSUP;
	host_steps(&in[0].shape, step);
	for (uint32_t d = 0; d < s.rank; d++) {
		s.dim[d] = r[d].count;
		base += r[d].from * step[d];
		step[d] *= r[d].step;
	}
	return host_view(ctx, n, &in[0], &s, base, step, out);
}

static inn_val forward(FORWARD)
{
	inn_val v = arg(n, x, 0);
	struct inn_shape s = *inn_shape_of(b, v);
	struct range r[INN_MAX_RANK];

	(void)w;
	(void)out;
	if (!v.id || !ranges(inn_build_ctx(b), n, &s, r))
		return no_value;
	for (uint32_t d = 0; d < s.rank; d++) {
		uint32_t from = (uint32_t)r[d].from, count = r[d].count;

		if (!count)
			return misfit(b, n, "the result is empty");
		if (r[d].step < 0)
			v = inn_gather(b, v, inn_addc(b, inn_mulc(b, inn_iota(b, count), (double)r[d].step), from), d);
		else if (from || count != s.dim[d])
			v = inn_slice(b, v, d, from, from + (count - 1) * (uint32_t)r[d].step + 1, (uint32_t)r[d].step);
	}
	return v;
}

LAYER(slice, "take a range of every axis", params, sizeof(struct opts), .traits = INN_T_RESHAPE, .fold = fold);
