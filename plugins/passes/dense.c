/* MatMul by a constant matrix and Add of a constant vector become one affine layer: MatMul with a bias as input 2. So do a
 * convolution without a bias and Add of one number a channel, axes of length 1 dropped between them or not. The factors of a
 * Gemm go into its weights, which rules take by their sign. */
#include "pass.h"
#include <math.h>

/* The vector's tensor as [n], or 0. */
static uint32_t as_vector(inn_graph *g, const inn_node *add, uint32_t k, uint32_t n)
{
	const struct inn_tensor *t = inn_node_const(add, k);
	size_t count;

	if (!is_real(t) || !inn_shape_count(&t->shape, &count) || count != n || !t->shape.rank || t->shape.dim[t->shape.rank - 1] != n)
		return 0;
	if (t->shape.rank == 1)
		return inn_node_in(add, k);
	struct inn_tensor flat = { .shape = { .rank = 1, .dim = { n } }, .dtype = t->dtype, .data = t->data };

	return inn_graph_new_const(g, "dense.bias", &flat);
}

static bool merge(inn_graph *g, inn_node *add, uint32_t side)
{
	uint32_t y = inn_node_in(add, side);
	inn_node *n = inn_graph_producer(g, y);
	const struct inn_tensor *kernel = n ? inn_node_const(n, 1) : NULL;

	if (!is_kind(n, "mat_mul") || !is_real(kernel) || kernel->shape.rank != 2 || inn_node_const(n, 0))
		return false;
	if (inn_node_opset(add) < 7 && kernel && inn_graph_shape(g, y)->rank != 2)
		return false; /* an axis of its own may say where the vector goes */
	if (inn_node_n_in(n) != 2 || inn_graph_readers(g, y) != 1)
		return false;
	if (!inn_shape_eq(inn_graph_shape(g, y), inn_graph_shape(g, inn_node_out(add, 0))))
		return false;
	uint32_t bias = as_vector(g, add, 1 - side, kernel->shape.dim[1]);

	if (!bias)
		return false;
	inn_node_rewire(n, 2, bias);
	inn_graph_replace(g, inn_node_out(add, 0), y);
	inn_graph_remove(g, add);
	return true;
}

/* The numbers' tensor as [channels] where it adds one to each channel of a tensor of that rank, or 0. */
static uint32_t as_channels(inn_graph *g, const inn_node *add, uint32_t k, uint32_t channels, uint32_t rank)
{
	const struct inn_tensor *t = inn_node_const(add, k);
	struct inn_tensor flat = { .shape = { .rank = 1, .dim = { channels } } };

	if (!is_real(t) || t->shape.rank > rank || t->shape.rank + 1 < rank)
		return 0;
	for (uint32_t d = 0; d < t->shape.rank; d++)
		if (t->shape.dim[d] != (d + rank - t->shape.rank == 1 ? channels : 1))
			return 0;
	flat.dtype = t->dtype;
	flat.data = t->data;
	return inn_graph_new_const(g, "dense.bias", &flat);
}

static bool merge_conv(inn_graph *g, inn_node *add, uint32_t side)
{
	uint32_t y = inn_node_in(add, side), t = y;
	const struct inn_shape *shape = inn_graph_shape(g, y);
	inn_node *n = inn_graph_producer(g, t);

	for (; n && inn_graph_readers(g, t) == 1 && (is_kind(n, "squeeze") || is_kind(n, "unsqueeze")); n = inn_graph_producer(g, t)) {
		const struct inn_shape *x = inn_node_shape(n, 0);

		if (x->rank < 2 || shape->rank < 2 || x->dim[0] != shape->dim[0] || x->dim[1] != shape->dim[1])
			return false;
		t = inn_node_in(n, 0);
	}
	if ((!is_kind(n, "conv") && !is_kind(n, "conv_transpose")) || !is_real(inn_node_const(n, 1)) || inn_node_const(n, 0) || inn_node_in(n, 2))
		return false;
	if (inn_node_opset(add) < 7 || inn_graph_readers(g, t) != 1 || !inn_shape_eq(shape, inn_graph_shape(g, inn_node_out(add, 0))))
		return false;
	uint32_t bias = as_channels(g, add, 1 - side, shape->dim[1], shape->rank);

	if (!bias)
		return false;
	inn_node_rewire(n, 2, bias);
	inn_graph_replace(g, inn_node_out(add, 0), y);
	inn_graph_remove(g, add);
	return true;
}

/* Input k becomes factor times itself, and the factor 1. */
static int take_factor(inn_ctx *ctx, inn_graph *g, inn_node *n, const char *factor, uint32_t k)
{
	const struct inn_tensor *t = inn_node_const(n, k);
	double by = inn_node_attr_real(n, factor), *v;
	size_t count;
	uint32_t scaled;

	if (!is_real(t) || isnan(by) || by == 1)
		return INN_OK;
	if (!(v = reals(ctx, t, &count)))
		return INN_ENOMEM;
	for (size_t i = 0; i < count; i++)
		v[i] *= by;
	if (!(scaled = new_reals(g, "dense.scaled", &t->shape, v)))
		return INN_ENOMEM;
	inn_node_rewire(n, k, scaled);
	return inn_node_set_real(n, factor, 1);
}

static int take_factors(inn_ctx *ctx, inn_graph *g, inn_node *n)
{
	int status = is_kind(n, "gemm") && !inn_node_const(n, 0) ? take_factor(ctx, g, n, "alpha", 1) : INN_OK;

	return status == INN_OK && is_kind(n, "gemm") ? take_factor(ctx, g, n, "beta", 2) : status;
}

static int apply(inn_ctx *ctx, inn_graph *g, const void *opts)
{
	(void)opts;
	for (uint32_t i = inn_graph_nodes(g); i-- > 0;) {
		inn_node *n = inn_graph_node(g, i);

		for (uint32_t side = 0; is_kind(n, "add") && inn_node_n_in(n) == 2 && side < 2; side++)
			if (merge(g, n, side) || merge_conv(g, n, side))
				break;
		if (take_factors(ctx, g, n) < 0 || inn_failed(ctx))
			return INN_ENOMEM;
	}
	return INN_OK;
}

static const struct inn_pass_ops dense = {
	.cls = INN_HEAD(struct inn_pass_ops, INN_PASS, "dense",
			"see MatMul or convolution and Add as one affine layer", NULL, 0, NULL),
	.apply = apply,
};

INN_PLUGIN("dense", "1.0.0", "BSD-2-Clause", &dense.cls);
