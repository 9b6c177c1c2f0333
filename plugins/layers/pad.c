/* Pad with a constant, by reflection or with the edge; pads are an attribute before opset 11, then input 1. */
#include "layer.h"

enum { PAD_CONSTANT, PAD_REFLECT, PAD_EDGE };
static const struct inn_choice modes[] = {
	{ "constant", PAD_CONSTANT, "a value" }, { "reflect", PAD_REFLECT, "mirrored at the edge" }, { "edge", PAD_EDGE, "the edge repeated" }, { 0 },
};

struct opts {
	int mode;
	struct inn_ints pads;
	double value;
};

static const struct inn_param params[] = {
	INN_ENUM(struct opts, mode, PAD_CONSTANT, modes, "what the new cells hold"),
	INN_INTS(struct opts, pads, NULL, -65535, 65535, "cells before every axis, then after every axis"),
	INN_REAL(struct opts, value, 0, -1e300, 1e300, "the constant"),
	{ 0 },
};

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
	else
		at = inn_sub(b, inn_scalar(b, length - 1), inn_abs(b, inn_sub(b, inn_scalar(b, length - 1), inn_abs(b, at))));
	return inn_gather(b, v, at, axis);
}

static inn_val forward(FORWARD)
{
	const struct opts *o = inn_node_opts(n);
	inn_val v = arg(n, x, 0);
	const struct inn_tensor *value = inn_node_const(n, 2);
	size_t n_value = 0;
	double fill = value && value->data && inn_shape_count(&value->shape, &n_value) && n_value ? inn_tensor_real(value, 0) : o->value;
	uint32_t rank = inn_shape_of(b, v)->rank;
	int64_t p[MAX_LIST];
	int count = numbers(inn_build_ctx(b), n, 1, &o->pads, p);

	(void)w;
	(void)out;
	if (!v.id || count < 0)
		return no_value;
	if (inn_node_in(n, 3) || (uint32_t)count != 2 * rank)
		return unsupported(b, n, "pads for all axes are supported, without the input axes");
	if (o->mode == PAD_CONSTANT && fill != 0)
		v = inn_subc(b, v, fill);
	for (uint32_t d = 0; d < rank; d++) {
		int64_t from = p[d] < 0 ? -p[d] : 0, to = (int64_t)inn_dim(b, v, d) + (p[rank + d] < 0 ? p[rank + d] : 0);

		if (from > to || p[d] > INT32_MAX || p[rank + d] > INT32_MAX)
			return misfit(b, n, "pads do not fit the input");
		if (p[d] < 0 || p[rank + d] < 0)
			v = inn_slice(b, v, d, (uint32_t)from, (uint32_t)to, 1);
		if (p[d] > 0 || p[rank + d] > 0)
			v = pad_axis(b, n, v, d, p[d] > 0 ? (uint32_t)p[d] : 0, p[rank + d] > 0 ? (uint32_t)p[rank + d] : 0, o->mode);
	}
	return o->mode == PAD_CONSTANT && fill != 0 ? inn_addc(b, v, fill) : v;
}

LAYER(pad, "pad the axes", params, sizeof(struct opts), .traits = INN_T_PAD);
