/* OneHot: values[1] where the new axis counts to the index, else values[0]; negative indices count from the depth. */
#include "layer.h"

struct opts {
	int64_t axis;
};

static const struct inn_param params[] = { INN_INT(struct opts, axis, -1, -8, 7, "the new axis"), { 0 } };

/* The length of the new axis, a number of any type; 0 if there is none. */
static uint32_t depth_of(const inn_node *n)
{
	const struct inn_tensor *t = inn_node_const(n, 1);
	size_t count;

	if (!t || !t->data || !inn_shape_count(&t->shape, &count) || count != 1)
		return 0;
	double v = inn_tensor_real(t, 0);

	return v >= 1 && v <= INT32_MAX ? (uint32_t)v : 0;
}

static inn_val forward(FORWARD)
{
	const struct opts *o = inn_node_opts(n);
	inn_val index = operand(b, n, x, 0), values = operand(b, n, x, 2), hot, off, on;
	uint32_t rank = inn_shape_of(b, index)->rank + 1, axis, order[INN_MAX_RANK], depth = depth_of(n);

	(void)w;
	(void)out;
	if (!index.id || inn_dim(b, values, 0) != 2 || !depth || rank > INN_MAX_RANK)
		return unsupported(b, n, "indices, a constant depth and two values are expected");
	if (!axis_of(inn_build_ctx(b), n, o->axis, rank, &axis))
		return no_value;
	index = inn_select(b, inn_gec(b, index, 0), index, inn_addc(b, index, depth));
	hot = inn_onehot(b, index, depth);
	for (uint32_t d = 0; d < rank; d++)
		order[d] = d < axis ? d : d == axis ? rank - 1 : d - 1;
	off = inn_slice(b, values, 0, 0, 1, 1);
	on = inn_slice(b, values, 0, 1, 2, 1);
	return inn_permute(b, inn_select(b, hot, on, off), order);
}

LAYER(one_hot, "one-hot vectors", params, sizeof(struct opts), .traits = 0, .known = 2);
