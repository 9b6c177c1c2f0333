/* InstanceNormalization: mean and variance of every channel of every sample. */
#include "layer.h"

struct opts {
	double epsilon;
};

static const struct inn_param params[] = { INN_REAL(struct opts, epsilon, 1e-5, 0, 1e6, "added to the variance"), { 0 } };
static const struct inn_weight weights[] = { { "scale", INN_W_SCALE, 1 }, { "B", INN_W_SHIFT, 2 }, { 0 } };

static inn_val forward(FORWARD)
{
	const struct opts *o = inn_node_opts(n);
	inn_val v = arg(n, x, 0), scale = weight(n, x, w, 0, 1), shift = weight(n, x, w, 1, 2);
	uint32_t rank = inn_shape_of(b, v)->rank, mask = ((1u << rank) - 1) & ~3u;

	(void)out;
	if (!v.id || rank < 3)
		return misfit(b, n, "the input has no spatial axes");
	inn_val d = inn_sub(b, v, inn_mean_axes(b, v, mask));
	inn_val y = inn_div(b, d, inn_sqrt(b, inn_addc(b, inn_mean_axes(b, inn_mul(b, d, d), mask), o->epsilon)));

	y = scale.id ? inn_mul(b, y, per_channel(b, n, "scale", scale, v)) : y;
	return shift.id ? inn_add(b, y, per_channel(b, n, "B", shift, v)) : y;
}

LAYER(instance_normalization, "instance normalization", params, sizeof(struct opts), .traits = INN_T_NORM, .weights = weights);
