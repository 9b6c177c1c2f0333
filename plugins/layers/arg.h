/* The position of the largest or smallest element along an axis, as a number without a derivative. */
#ifndef LAYERS_ARG_H
#define LAYERS_ARG_H
#include "layer.h"

struct arg_opts {
	int64_t axis;
	bool keepdims, select_last_index;
};
static const struct inn_param arg_params[] = {
	INN_INT(struct arg_opts, axis, 0, -8, 7, "axis"),
	INN_BOOL(struct arg_opts, keepdims, true, "keep the axis with length 1"),
	INN_BOOL(struct arg_opts, select_last_index, false, "the last of several"),
	{ 0 },
};

static inline inn_val arg_largest(inn_build *b, const inn_node *n, inn_val v)
{
	const struct arg_opts *o = inn_node_opts(n);
	struct inn_shape s = *inn_shape_of(b, v);
	uint32_t axis, length;

	if (!v.id || !axis_of(inn_build_ctx(b), n, o->axis, s.rank, &axis))
		return no_value;
	length = s.dim[axis];
	if (o->select_last_index) /* the first one from behind */
		v = inn_gather(b, v, inn_sub(b, inn_scalar(b, length - 1), inn_iota(b, length)), axis);
	v = inn_argmax(b, v, axis);
	if (o->select_last_index)
		v = inn_sub(b, inn_scalar(b, length - 1), v);
	s.dim[axis] = 1;
	return o->keepdims ? inn_reshape(b, v, &s) : v;
}
#endif
