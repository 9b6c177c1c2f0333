/* Hardmax: 1 at the first maximum of an axis, else 0; before opset 13 over all axes from `axis` on. */
#include "layer.h"

struct opts {
	int64_t axis;
};

static const struct inn_param params[] = {
	OPTIONAL_INT(struct opts, axis, -8, 7, "axis; absent: 1 before opset 13, then the last"),
	{ 0 },
};

static inn_val hardmax(inn_build *b, inn_val v, uint32_t axis)
{
	uint32_t rank = inn_shape_of(b, v)->rank, order[INN_MAX_RANK];
	inn_val hot = inn_onehot(b, inn_argmax(b, v, axis), inn_dim(b, v, axis));

	for (uint32_t d = 0; d < rank; d++)
		order[d] = d < axis ? d : d == axis ? rank - 1 : d - 1;
	return inn_permute(b, hot, order);
}

static inn_val forward(FORWARD)
{
	const struct opts *o = inn_node_opts(n);
	inn_val v = arg(n, x, 0);
	struct inn_shape s = *inn_shape_of(b, v);
	bool old = inn_node_opset(n) < 13;
	uint32_t axis;

	(void)w;
	(void)out;
	if (!v.id || !axis_of(inn_build_ctx(b), n, o->axis != INN_NO_INT ? o->axis : old && s.rank > 1 ? 1 : -1, s.rank, &axis))
		return no_value;
	if (!old || axis + 1 == s.rank)
		return hardmax(b, v, axis);
	return inn_reshape(b, hardmax(b, inn_flatten(b, v, axis), 1), &s);
}

LAYER(hardmax, "1 at the maximum, else 0", params, sizeof(struct opts), .traits = INN_T_GATE);
