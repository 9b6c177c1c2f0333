/* Flatten to a matrix, split before `axis`. */
#include "layer.h"

struct opts {
	int64_t axis;
};

static const struct inn_param params[] = { INN_INT(struct opts, axis, 1, -8, 8, "first axis of the columns"), { 0 } };

static inn_val forward(FORWARD)
{
	const struct opts *o = inn_node_opts(n);
	inn_val v = arg(n, x, 0);
	int64_t rank = inn_shape_of(b, v)->rank, axis = o->axis < 0 ? o->axis + rank : o->axis;

	(void)w;
	(void)out;
	if (v.id && (axis < 0 || axis > rank))
		return misfit(b, n, "axis is not one of the input's");
	return inn_flatten(b, v, (uint32_t)axis);
}

LAYER(flatten, "flatten to a matrix", params, sizeof(struct opts), .traits = INN_T_RESHAPE);
