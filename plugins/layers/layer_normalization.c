/* LayerNormalization over the axes from `axis` on; outputs 1 and 2 are the mean and the inverse deviation. */
#include "layer.h"

struct opts {
	int64_t axis, stash_type;
	double epsilon;
};

static const struct inn_param params[] = {
	INN_INT(struct opts, axis, -1, -8, 7, "first axis that is normalised"),
	INN_INT(struct opts, stash_type, 1, 0, 64, "unused"),
	INN_REAL(struct opts, epsilon, 1e-5, 0, 1e6, "added to the variance"),
	{ 0 },
};
static const struct inn_weight weights[] = { { "scale", INN_W_SCALE, 1 }, { "B", INN_W_SHIFT, 2 }, { 0 } };

static inn_val forward(FORWARD)
{
	const struct opts *o = inn_node_opts(n);
	inn_val v = arg(n, x, 0), scale = weight(n, x, w, 0, 1), shift = weight(n, x, w, 1, 2);
	uint32_t rank = inn_shape_of(b, v)->rank, axis;

	if (!v.id || !axis_of(inn_build_ctx(b), n, o->axis, rank, &axis))
		return no_value;
	uint32_t mask = ((1u << rank) - 1) & ~((1u << axis) - 1);
	inn_val mean = inn_mean_axes(b, v, mask), d = inn_sub(b, v, mean);
	inn_val deviation = inn_sqrt(b, inn_addc(b, inn_mean_axes(b, inn_mul(b, d, d), mask), o->epsilon));

	if (out)
		return out == 1 ? mean : inn_div(b, inn_scalar(b, 1), deviation);
	inn_val y = inn_div(b, d, deviation);

	y = scale.id ? inn_mul(b, y, scale) : y;
	return shift.id ? inn_add(b, y, shift) : y;
}

LAYER(layer_normalization, "layer normalization", params, sizeof(struct opts), .traits = INN_T_NORM, .weights = weights, .max_out = 3);
