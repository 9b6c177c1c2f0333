/* Elements at constant indices are replaced or added to: ScatterElements, and Scatter, its older name. */
#ifndef LAYERS_SCATTER_H
#define LAYERS_SCATTER_H
#include "elements.h"

struct opts {
	int64_t axis;
	int reduction;
};

static const struct inn_param params[] = {
	INN_INT(struct opts, axis, 0, -8, 7, "axis"),
	INN_ENUM(struct opts, reduction, REPLACE, scatter_reductions, "how updates meet data"),
	{ 0 },
};

static inn_val forward(FORWARD)
{
	const struct opts *o = inn_node_opts(n);
	inn_val v = operand(b, n, x, 0), updates = operand(b, n, x, 2);
	struct inn_shape s = *inn_shape_of(b, v);
	struct inn_tensor at;

	(void)w;
	(void)out;
	if (!v.id || !updates.id || !element_positions(inn_build_ctx(b), n, inn_node_const(n, 1), &s, o->axis, &at))
		return no_value;
	if (inn_node_shape(n, 1) && !inn_shape_eq(inn_node_shape(n, 1), inn_shape_of(b, updates)))
		return misfit(b, n, "the updates have another shape than the indices");
	return inn_reshape(b, put_rows(b, n, in_line(b, v), in_line(b, updates), &at, o->reduction), &s);
}
#endif
