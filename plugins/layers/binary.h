/* Operators of two operands. Before opset 7 they broadcast only where an attribute says so, from an axis that it names. */
#ifndef LAYERS_BINARY_H
#define LAYERS_BINARY_H
#include "host.h"

struct binary_opts {
	bool broadcast;
	int64_t axis;
};
static const struct inn_param binary_params[] = {
	INN_BOOL(struct binary_opts, broadcast, false, "before opset 7: operand 1 is broadcast"),
	OPTIONAL_INT(struct binary_opts, axis, -8, 7, "before opset 7: axis of operand 0 at which operand 1 begins"),
	{ 0 },
};

/* Operand 1, with axes of length 1 behind it where `axis` says where it begins. */
static inline inn_val second(inn_build *b, const inn_node *n, const inn_val *x)
{
	const struct binary_opts *o = inn_node_opts(n);
	inn_val v = operand(b, n, x, 1);
	struct inn_shape s = *inn_shape_of(b, v);
	const struct inn_shape *first = inn_node_shape(n, 0);
	uint32_t axis;

	if (!v.id || !first || inn_node_opset(n) >= 7 || o->axis == INN_NO_INT)
		return v;
	if (!axis_of(inn_build_ctx(b), n, o->axis, first->rank, &axis))
		return no_value;
	while (s.rank && s.rank < first->rank - axis)
		s.dim[s.rank++] = 1;
	return inn_reshape(b, v, &s);
}
#endif
