/* LpNormalization: x by its norm along an axis. */
#include "layer.h"

struct opts {
	int64_t axis, p;
};

static const struct inn_param params[] = {
	INN_INT(struct opts, axis, -1, -8, 7, "axis"),
	INN_INT(struct opts, p, 2, 1, 2, "order of the norm"),
	{ 0 },
};

static inn_val forward(FORWARD)
{
	const struct opts *o = inn_node_opts(n);
	inn_val v = arg(n, x, 0), norm;
	uint32_t axis;

	(void)w;
	(void)out;
	if (!v.id || !axis_of(inn_build_ctx(b), n, o->axis, inn_shape_of(b, v)->rank, &axis))
		return no_value;
	norm = o->p == 1 ? inn_sum(b, inn_abs(b, v), 1u << axis) : inn_sqrt(b, inn_sum(b, inn_mul(b, v, v), 1u << axis));
	return inn_div(b, v, norm);
}

LAYER(lp_normalization, "unit norm along an axis", params, sizeof(struct opts), .traits = INN_T_NORM);
