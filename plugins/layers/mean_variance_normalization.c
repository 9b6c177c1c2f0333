/* MeanVarianceNormalization: (x - mean) / deviation over axes, those of samples and space unless given. */
#include "layer.h"

struct opts {
	struct inn_ints axes;
};

static const struct inn_param params[] = { INN_INTS(struct opts, axes, "[0, 2, 3]", -8, 7, "axes"), { 0 } };

static inn_val forward(FORWARD)
{
	const struct opts *o = inn_node_opts(n);
	inn_val v = arg(n, x, 0), d;
	uint32_t mask = 0, axis;

	(void)w;
	(void)out;
	for (size_t i = 0; v.id && i < o->axes.n; i++) {
		if (!axis_of(inn_build_ctx(b), n, o->axes.v[i], inn_shape_of(b, v)->rank, &axis))
			return no_value;
		mask |= 1u << axis;
	}
	d = inn_sub(b, v, inn_mean_axes(b, v, mask));
	return inn_div(b, d, inn_addc(b, inn_sqrt(b, inn_mean_axes(b, inn_mul(b, d, d), mask)), 1e-9));
}

LAYER(mean_variance_normalization, "zero mean and unit variance", params, sizeof(struct opts), .traits = INN_T_NORM);
