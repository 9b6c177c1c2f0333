/* Pad with a constant, by reflection, with the edge or in turns; pads are an attribute before opset 11, then input 1. */
#include "host.h"

enum { PAD_CONSTANT, PAD_REFLECT, PAD_EDGE, PAD_WRAP };
static const struct inn_choice modes[] = {
	{ "constant", PAD_CONSTANT, "a value" }, { "reflect", PAD_REFLECT, "mirrored at the edge" }, { "edge", PAD_EDGE, "the edge repeated" },
	{ "wrap", PAD_WRAP, "from the other side" }, { 0 },
};

struct opts {
	int mode;
	struct inn_ints pads, paddings;
	double value;
};

static const struct inn_param params[] = {
	INN_ENUM(struct opts, mode, PAD_CONSTANT, modes, "what the new cells hold"),
	INN_INTS(struct opts, pads, NULL, -65535, 65535, "cells before every axis, then after every axis"),
	INN_INTS(struct opts, paddings, NULL, -65535, 65535, "the same at opset 1"),
	INN_REAL(struct opts, value, 0, -1e300, 1e300, "the constant"),
	{ 0 },
};

/* Cells before and after every axis of rank `rank`; negative ones are taken off. */
static bool pads_of(inn_ctx *ctx, const inn_node *n, uint32_t rank, int64_t before[INN_MAX_RANK], int64_t after[INN_MAX_RANK])
{
	const struct opts *o = inn_node_opts(n);
	int64_t p[MAX_LIST], axes[MAX_LIST];
	int count = numbers(ctx, n, 1, o->pads.n ? &o->pads : &o->paddings, p), n_axes = numbers(ctx, n, 3, NULL, axes);

	if (count < 0 || n_axes < 0)
		return false;
	if (!inn_node_in(n, 3))
		for (n_axes = 0; n_axes < (int)rank; n_axes++)
			axes[n_axes] = n_axes;
	if (count != 2 * n_axes)
		return unsupported_in(ctx, n, "two pads for every axis are expected"), false;
	for (uint32_t d = 0; d < rank; d++)
		before[d] = after[d] = 0;
	for (int i = 0; i < n_axes; i++) {
		uint32_t axis;

		if (!axis_of(ctx, n, axes[i], rank, &axis))
			return false;
		before[axis] = p[i];
		after[axis] = p[n_axes + i];
		if (p[i] > INT32_MAX || p[i] < -INT32_MAX || p[n_axes + i] > INT32_MAX || p[n_axes + i] < -INT32_MAX)
			return unsupported_in(ctx, n, "a pad is too large"), false;
	}
	return true;
}

/* The other modes: positions along the axis. */
static inn_val pad_axis(inn_build *b, const inn_node *n, inn_val v, uint32_t axis, uint32_t before, uint32_t after, int mode)
{
	uint32_t length = inn_dim(b, v, axis);
	inn_val at;

	if (mode == PAD_CONSTANT)
		return inn_pad(b, v, axis, before, after, 1);
	if (!length || (mode == PAD_REFLECT && (before >= length || after >= length)))
		return misfit(b, n, "more padding than there is to reflect");
	at = inn_subc(b, inn_iota(b, before + length + after), before);
	if (mode == PAD_EDGE)
		at = inn_minc(b, inn_maxc(b, at, 0), length - 1);
	else if (mode == PAD_WRAP)
		at = inn_sub(b, at, inn_mulc(b, inn_floor(b, inn_divc(b, at, length)), length));
	else
		at = inn_sub(b, inn_scalar(b, length - 1), inn_abs(b, inn_sub(b, inn_scalar(b, length - 1), inn_abs(b, at))));
	return inn_gather(b, v, at, axis);
}

/* The constant as a value; id 0 where it is 0. */
static inn_val constant(inn_build *b, const inn_node *n, const inn_val *x)
{
	const struct opts *o = inn_node_opts(n);
	inn_val v = inn_node_in(n, 2) ? operand(b, n, x, 2) : inn_scalar(b, o->value);

	if (o->mode != PAD_CONSTANT || inn_known(b, v) == 0)
		return no_value;
	return inn_reshape(b, v, &(struct inn_shape){ 0 });
}

static inn_val forward(FORWARD)
{
	const struct opts *o = inn_node_opts(n);
	inn_val v = arg(n, x, 0), fill = constant(b, n, x), inside;
	struct inn_shape s = *inn_shape_of(b, v);
	int64_t before[INN_MAX_RANK], after[INN_MAX_RANK];

	(void)w;
	(void)out;
	if (!v.id || !pads_of(inn_build_ctx(b), n, s.rank, before, after))
		return no_value;
	for (uint32_t d = 0; d < s.rank; d++) {
		int64_t from = before[d] < 0 ? -before[d] : 0, to = (int64_t)s.dim[d] + (after[d] < 0 ? after[d] : 0);

		if (from >= to)
			return misfit(b, n, "pads do not fit the input");
		v = inn_slice(b, v, d, (uint32_t)from, (uint32_t)to, 1);
		s.dim[d] = before[d] > 0 || after[d] > 0 ? inn_dim(b, v, d) : 1;
	}
	inside = inn_const(b, 1, &s); /* with length 1 along axes that are not padded */
	for (uint32_t d = 0; d < s.rank; d++) {
		uint32_t p = before[d] > 0 ? (uint32_t)before[d] : 0, q = after[d] > 0 ? (uint32_t)after[d] : 0;

		if (!p && !q)
			continue;
		v = pad_axis(b, n, v, d, p, q, o->mode);
		inside = fill.id ? inn_pad(b, inside, d, p, q, 1) : inside;
	}
	return fill.id ? inn_select(b, inside, v, fill) : v;
}

static int fold(FOLD)
{
	const struct opts *o = inn_node_opts(n);
	struct inn_shape s = n_in ? in[0].shape : (struct inn_shape){ 0 };
	int64_t before[INN_MAX_RANK], after[INN_MAX_RANK];
	bool given = n_in > 2 && in[2].data;
	size_t count;
	int status;

	if (o->mode != PAD_CONSTANT)
		return INN_EUNSUP; /* recorded */
	if (!host_given(ctx, n, in, n_in, 1))
		return INN_EUNSUP;
	if (given && (!inn_shape_count(&in[2].shape, &count) || count != 1))
		return unsupported_in(ctx, n, "the constant must be one number");
	if (!pads_of(ctx, n, s.rank, before, after))
		return INN_EUNSUP;
	for (uint32_t d = 0; d < s.rank; d++) {
		int64_t length = s.dim[d] + before[d] + after[d];

		if (length < 0 || length > INT32_MAX)
			return unsupported_in(ctx, n, "pads do not fit the input");
		s.dim[d] = (uint32_t)length;
	}
	if ((status = host_new(ctx, n, in[0].dtype, &s, &count, out)) < 0)
		return status;
	for (size_t i = 0; i < count; i++) {
		size_t rest = i, from = 0, step = 1;
		bool inside = true;

		for (uint32_t d = s.rank; d-- > 0; rest /= s.dim[d], step *= in[0].shape.dim[d]) {
			int64_t k = (int64_t)(rest % s.dim[d]) - before[d];

			inside &= k >= 0 && k < in[0].shape.dim[d];
			from += inside ? (size_t)k * step : 0;
		}
		if (inside)
			memcpy(host_at(out, i), host_at(&in[0], from), inn_dtype_size(out->dtype));
		else
			host_put(out, i, given ? inn_tensor_real(&in[2], 0) : o->value);
	}
	return INN_OK;
}

LAYER(pad, "pad the axes", params, sizeof(struct opts), .traits = INN_T_PAD, .fold = fold);
