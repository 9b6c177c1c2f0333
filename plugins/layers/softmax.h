/* Softmax, LogSoftmax and Hardmax work along one axis; before opset 13 over all axes from `axis` on. */
#ifndef LAYERS_SOFTMAX_H
#define LAYERS_SOFTMAX_H
#include "layer.h"

struct opts {
	int64_t axis;
};

static const struct inn_param params[] = {
	OPTIONAL_INT(struct opts, axis, -8, 7, "axis; absent: 1 before opset 13, then the last"),
	{ 0 },
};

/* f along the axis that the node names. */
static inline inn_val along(inn_build *b, const inn_node *n, inn_val v, inn_val (*f)(inn_build *b, inn_val v, uint32_t axis))
{
	const struct opts *o = inn_node_opts(n);
	struct inn_shape s = *inn_shape_of(b, v);
	bool old = inn_node_opset(n) < 13;
	uint32_t axis;

	if (!v.id || !axis_of(inn_build_ctx(b), n, o->axis != INN_NO_INT ? o->axis : old && s.rank > 1 ? 1 : -1, s.rank, &axis))
		return no_value;
	if (!old || axis + 1 == s.rank)
		return f(b, v, axis);
	return inn_reshape(b, f(b, inn_flatten(b, v, axis), 1), &s);
}
#endif
