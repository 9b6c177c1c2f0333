/* Gemm: alpha A B + beta C. */
#include "layer.h"

struct opts {
	double alpha, beta;
	int64_t transA, transB, broadcast;
};

static const struct inn_param params[] = {
	INN_REAL(struct opts, alpha, 1, -1e9, 1e9, "factor of the product"),
	INN_REAL(struct opts, beta, 1, -1e9, 1e9, "factor of the bias"),
	INN_INT(struct opts, transA, 0, 0, 1, "transpose A"),
	INN_INT(struct opts, transB, 0, 0, 1, "transpose B"),
	INN_INT(struct opts, broadcast, 1, 0, 1, "the bias is broadcast; before opset 7"),
	{ 0 },
};

static const struct inn_weight weights[] = {
	{ "kernel", INN_W_KERNEL, 1 },
	{ "bias", INN_W_BIAS, 2 },
	{ 0 },
};

static inn_val forward(inn_build *b, const inn_node *n, const inn_val *x, const inn_val *w, uint32_t out)
{
	const struct opts *o = inn_node_opts(n);
	inn_val W = w[0].id ? w[0] : x[1], bias = w[1].id ? w[1] : inn_node_n_in(n) > 2 ? x[2] : (inn_val){ 0 };
	inn_val y = inn_mulc(b, inn_matmul(b, x[0], W, o->transA, o->transB), o->alpha);

	(void)out;
	return bias.id ? inn_add(b, y, inn_mulc(b, bias, o->beta)) : y;
}

static int kernel_axis(const inn_node *n) { return ((const struct opts *)inn_node_opts(n))->transB ? 0 : 1; }

static const struct inn_layer_ops layer = {
	.cls = INN_HEAD(struct inn_layer_ops, INN_LAYER, "gemm", "dense layer", params, sizeof(struct opts), NULL),
	.traits = INN_T_AFFINE,
	.weights = weights,
	.forward = forward,
	.kernel_axis = kernel_axis,
};

INN_PLUGIN("gemm", "1.0.0", "BSD-2-Clause", &layer.cls);
