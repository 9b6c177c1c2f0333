/* Compress: the slices of an axis, or the elements, where a constant condition holds. */
#include "table.h"

struct opts {
	int64_t axis;
};

static const struct inn_param params[] = { OPTIONAL_INT(struct opts, axis, -8, 7, "axis; absent: all elements in order"), { 0 } };

static inn_val forward(FORWARD)
{
	const struct opts *o = inn_node_opts(n);
	const struct inn_tensor *condition = inn_node_const(n, 1);
	inn_val v = arg(n, x, 0);
	struct inn_shape s = *inn_shape_of(b, v);
	struct inn_tensor index = { .shape = { .rank = 1 } };
	size_t count, held = 0;
	uint32_t axis = 0;

	(void)w;
	(void)out;
	if (!v.id || !condition || !condition->data || !inn_shape_count(&condition->shape, &count))
		return unsupported(b, n, "the condition must be constant");
	if (o->axis == INN_NO_INT)
		v = inn_reshape(b, v, &(struct inn_shape){ .rank = 1, .dim = { inn_dim(b, inn_flatten(b, v, 0), 1) } });
	else if (!axis_of(inn_build_ctx(b), n, o->axis, s.rank, &axis))
		return no_value;
	index.shape.dim[0] = (uint32_t)count;
	if (count > inn_dim(b, v, axis) || host_new(inn_build_ctx(b), n, INN_I32, &index.shape, &count, &index) < 0)
		return unsupported(b, n, "the condition is longer than the axis");
	for (size_t i = 0; i < count; i++)
		if (inn_tensor_int(condition, i))
			host_put_int(&index, held++, (int64_t)i);
	index.shape.dim[0] = (uint32_t)held;
	return held ? inn_gather(b, v, table(b, n, "index", &s, &index), axis) : misfit(b, n, "the result is empty");
}

LAYER(compress, "slices where a condition holds", params, sizeof(struct opts), .traits = INN_T_RESHAPE);
