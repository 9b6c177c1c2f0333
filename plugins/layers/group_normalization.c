/* GroupNormalization: mean and variance of every group of channels; scale and bias for each group at opset 18, then for each
 * channel. */
#include "layer.h"

struct opts {
	double epsilon;
	int64_t num_groups, stash_type;
};

static const struct inn_param params[] = {
	INN_REAL(struct opts, epsilon, 1e-5, 0, 1e6, "added to the variance"),
	INN_INT(struct opts, num_groups, 0, 0, 1 << 24, "groups of channels"),
	INN_INT(struct opts, stash_type, 1, 0, 64, "unused"),
	{ 0 },
};
static const struct inn_weight weights[] = { { "scale", INN_W_SCALE, 1 }, { "B", INN_W_SHIFT, 2 }, { 0 } };

/* One number for each group or channel as [1,C,1,...]. */
static inn_val spread(inn_build *b, const inn_node *n, const char *what, inn_val v, inn_val y)
{
	const struct opts *o = inn_node_opts(n);
	uint32_t channels = inn_dim(b, y, 1), rank = inn_shape_of(b, y)->rank, groups = inn_node_opset(n) < 21 ? (uint32_t)o->num_groups : channels;

	if (!v.id || inn_shape_of(b, v)->rank != 1 || inn_dim(b, v, 0) != groups || groups == channels)
		return per_channel(b, n, what, v, y);
	v = inn_expand(b, inn_reshape(b, v, &(struct inn_shape){ .rank = 2, .dim = { groups, 1 } }),
		       &(struct inn_shape){ .rank = 2, .dim = { groups, channels / groups } });
	return inn_channel(b, inn_reshape(b, v, &(struct inn_shape){ .rank = 1, .dim = { channels } }), rank);
}

static inn_val forward(FORWARD)
{
	const struct opts *o = inn_node_opts(n);
	inn_val v = arg(n, x, 0), scale = weight(n, x, w, 0, 1), shift = weight(n, x, w, 1, 2);
	struct inn_shape s = *inn_shape_of(b, v), grouped = { .rank = 3 };
	size_t count;

	(void)out;
	if (!v.id)
		return v;
	if (s.rank < 3 || !o->num_groups || s.dim[1] % o->num_groups || !inn_shape_count(&s, &count) || !count)
		return misfit(b, n, "the channels do not make num_groups groups");
	grouped.dim[0] = s.dim[0];
	grouped.dim[1] = (uint32_t)o->num_groups;
	grouped.dim[2] = (uint32_t)(count / s.dim[0] / grouped.dim[1]);
	v = inn_reshape(b, v, &grouped);
	inn_val d = inn_sub(b, v, inn_mean_axes(b, v, 4));
	inn_val y = inn_div(b, d, inn_sqrt(b, inn_addc(b, inn_mean_axes(b, inn_mul(b, d, d), 4), o->epsilon)));

	y = inn_reshape(b, y, &s);
	y = scale.id ? inn_mul(b, y, spread(b, n, "scale", scale, y)) : y;
	return shift.id ? inn_add(b, y, spread(b, n, "B", shift, y)) : y;
}

LAYER(group_normalization, "group normalization", params, sizeof(struct opts), .traits = INN_T_NORM, .weights = weights);
