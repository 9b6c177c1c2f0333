/* OneHot: values[1] where the new axis counts to the index, else values[0]; negative indices count from the depth. */
#include "layer.h"

struct opts {
	int64_t axis;
};

static const struct inn_param params[] = { INN_INT(struct opts, axis, -1, -8, 7, "the new axis"), { 0 } };

static inn_val forward(FORWARD)
{
	const struct opts *o = inn_node_opts(n);
	inn_val index = operand(b, n, x, 0), values = operand(b, n, x, 2), hot, off, on;
	int64_t depth[MAX_LIST];
	uint32_t rank = inn_shape_of(b, index)->rank + 1, axis, order[INN_MAX_RANK];
	int count = numbers(inn_build_ctx(b), n, 1, NULL, depth);

	(void)w;
	(void)out;
	if (!index.id || inn_dim(b, values, 0) != 2 || count != 1 || depth[0] < 1 || depth[0] > INT32_MAX || rank > INN_MAX_RANK)
		return unsupported(b, n, "indices, a constant depth and two values are expected");
	if (!axis_of(inn_build_ctx(b), n, o->axis, rank, &axis))
		return no_value;
	index = inn_select(b, inn_gec(b, index, 0), index, inn_addc(b, index, (double)depth[0]));
	hot = inn_onehot(b, index, (uint32_t)depth[0]);
	for (uint32_t d = 0; d < rank; d++)
		order[d] = d < axis ? d : d == axis ? rank - 1 : d - 1;
	off = inn_slice(b, values, 0, 0, 1, 1);
	on = inn_slice(b, values, 0, 1, 2, 1);
	return inn_permute(b, inn_select(b, hot, on, off), order);
}

LAYER(one_hot, "one-hot vectors", params, sizeof(struct opts), .traits = 0, .known = 2);
