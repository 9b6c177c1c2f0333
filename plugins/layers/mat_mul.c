/* MatMul of any rank; a pass may add a bias as third input. Operands of rank 1 are rows and columns. */
#include "layer.h"

static const struct inn_weight weights[] = {
	{ "kernel", INN_W_KERNEL, 1 },
	{ "bias", INN_W_BIAS, 2 },
	{ 0 },
};

/* A vector as a matrix of one row or one column. */
static inn_val matrix(inn_build *b, inn_val v, bool row)
{
	uint32_t k = inn_dim(b, v, 0);

	if (inn_shape_of(b, v)->rank != 1)
		return v;
	return inn_reshape(b, v, &(struct inn_shape){ .rank = 2, .dim = { row ? 1 : k, row ? k : 1 } });
}

static inn_val forward(inn_build *b, const inn_node *n, const inn_val *x, const inn_val *w, uint32_t out)
{
	inn_val A = x[0], B = w[0].id ? w[0] : x[1], bias = w[1].id ? w[1] : inn_node_n_in(n) > 2 ? x[2] : (inn_val){ 0 };
	bool row = inn_shape_of(b, A)->rank == 1, column = inn_shape_of(b, B)->rank == 1;
	inn_val y = inn_matmul(b, matrix(b, A, true), matrix(b, B, false), false, false);

	(void)out;
	if (y.id && (row || column)) {
		struct inn_shape s = *inn_shape_of(b, y);

		if (column)
			s.rank--;
		if (row) {
			s.dim[s.rank - (column ? 1 : 2)] = s.dim[s.rank - 1];
			s.rank--;
		}
		y = inn_reshape(b, y, &s);
	}
	return bias.id ? inn_add(b, y, bias) : y;
}

static int kernel_axis(const inn_node *n)
{
	uint32_t rank = inn_node_shape(n, 1)->rank;

	return rank == 2 ? 1 : -1;
}

static const struct inn_layer_ops layer = {
	.cls = INN_HEAD(struct inn_layer_ops, INN_LAYER, "mat_mul", "matrix product", NULL, 0, NULL),
	.traits = INN_T_AFFINE,
	.weights = weights,
	.forward = forward,
	.kernel_axis = kernel_axis,
};

INN_PLUGIN("mat_mul", "1.0.0", "BSD-2-Clause", &layer.cls);
