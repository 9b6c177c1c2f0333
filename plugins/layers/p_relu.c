/* PRelu: the slope is broadcast; before opset 7 a vector has one number for each channel. */
#include "layer.h"

static const struct inn_weight weights[] = {
	{ "slope", INN_W_SLOPE, 1 },
	{ 0 },
};

static inn_val forward(inn_build *b, const inn_node *n, const inn_val *x, const inn_val *w, uint32_t out)
{
	inn_val slope = w[0].id ? w[0] : x[1];

	(void)out;
	if (inn_node_opset(n) < 7 && inn_shape_of(b, slope)->rank == 1 && inn_dim(b, slope, 0) > 1)
		slope = inn_channel(b, slope, inn_shape_of(b, x[0])->rank);
	inn_val low = inn_mul(b, inn_minc(b, x[0], 0), slope);
	char text[2][INN_SHAPE_STR];

	if (low.id && !inn_shape_eq(inn_shape_of(b, low), inn_shape_of(b, x[0]))) {
		inn_fail(inn_build_ctx(b), INN_ESHAPE, NULL, "%s (p_relu, opset %u): slope %s does not fit into %s", inn_node_name(n), inn_node_opset(n),
			 inn_shape_str(inn_shape_of(b, slope), text[0]), inn_shape_str(inn_shape_of(b, x[0]), text[1]));
		return (inn_val){ 0 };
	}
	return inn_add(b, inn_maxc(b, x[0], 0), low);
}

static const struct inn_layer_ops layer = {
	.cls = INN_HEAD(struct inn_layer_ops, INN_LAYER, "p_relu", "max(x,0) + slope min(x,0)", NULL, 0, NULL),
	.traits = INN_T_ACTIVATION,
	.weights = weights,
	.forward = forward,
};

INN_PLUGIN("p_relu", "1.0.0", "BSD-2-Clause", &layer.cls);
