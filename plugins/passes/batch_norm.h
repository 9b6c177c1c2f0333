/* A batch norm at inference as y = s x + t for each channel, and the layers that it can be folded into. */
#ifndef PASSES_BATCH_NORM_H
#define PASSES_BATCH_NORM_H
#include "pass.h"
#include <math.h>

struct affine { /* y = s x + t for each of n channels */
	uint32_t n;
	double *s, *t;
};

/* Its parameters are constant vectors of one length, and it does what it does at inference. */
static inline bool plain_norm(const inn_graph *g, const inn_node *n)
{
	int64_t training = 0;

	if (!is_kind(n, "batch_normalization") || !single_output(g, n) || isnan(inn_node_attr_real(n, "epsilon")))
		return false;
	if (inn_node_attr_ints(n, "training_mode", &training, 1) == 1 && training)
		return false;
	for (uint32_t k = 1; k < 5; k++) {
		const struct inn_tensor *t = inn_node_const(n, k);

		if (!is_real(t) || t->shape.rank != 1 || t->shape.dim[0] != inn_node_const(n, 1)->shape.dim[0])
			return false;
	}
	return true;
}

static inline int read_norm(inn_ctx *ctx, const inn_node *n, struct affine *a)
{
	double *v[4], epsilon = inn_node_attr_real(n, "epsilon");
	size_t count;

	a->n = inn_node_const(n, 1)->shape.dim[0];
	for (uint32_t i = 0; i < 4; i++)
		if (!(v[i] = reals(ctx, inn_node_const(n, 1 + i), &count)))
			return INN_ENOMEM;
	for (uint32_t c = 0; c < a->n; c++) {
		v[0][c] /= sqrt(v[3][c] + epsilon);
		v[1][c] -= v[2][c] * v[0][c];
	}
	a->s = v[0];
	a->t = v[1];
	return INN_OK;
}

/* The kernel's axes of output and input channels; false if nothing can be folded into the layer. */
static inline bool channel_axes(const inn_node *n, uint32_t *out, uint32_t *in)
{
	const struct inn_tensor *kernel = inn_node_const(n, 1);
	int64_t t = 0, group = 1;

	*out = *in = 0;
	if (!is_real(kernel) || inn_node_const(n, 0))
		return false;
	if (is_kind(n, "conv")) {
		*in = 1;
		return kernel->shape.rank > 2;
	}
	if (is_kind(n, "conv_transpose")) {
		inn_node_attr_ints(n, "group", &group, 1);
		*out = 1;
		return kernel->shape.rank > 2 && group == 1;
	}
	if (kernel->shape.rank != 2)
		return false;
	if (is_kind(n, "gemm"))
		*out = inn_node_attr_ints(n, "transB", &t, 1) == 1 && t ? 0 : 1;
	else if (is_kind(n, "mat_mul") && inn_node_shape(n, 0)->rank == 2) /* further axes would put the channels elsewhere than on axis 1 */
		*out = 1;
	else
		return false;
	*in = 1 - *out;
	return true;
}

/* What the bias is multiplied by before it is added. */
static inline double bias_factor(const inn_node *n)
{
	double beta = is_kind(n, "gemm") ? inn_node_attr_real(n, "beta") : 1;

	return isnan(beta) ? 1 : beta;
}

static inline bool plain_bias(const inn_node *n, uint32_t channels)
{
	const struct inn_tensor *t = inn_node_const(n, 2);
	size_t count;

	if (!inn_node_in(n, 2))
		return true;
	return is_real(t) && inn_shape_count(&t->shape, &count) && (count == 1 || (count == channels &&
	       t->shape.dim[t->shape.rank - 1] == channels));
}

/* Its kernel and bias become these; the bias has the shape given. */
static inline int put_weights(inn_graph *g, inn_node *n, double *w, const struct inn_shape *shape, double *bias)
{
	uint32_t k = new_reals(g, "folded.kernel", &inn_node_const(n, 1)->shape, w), c = new_reals(g, "folded.bias", shape, bias);

	if (!k || !c)
		return INN_ENOMEM;
	inn_node_rewire(n, 1, k);
	inn_node_rewire(n, 2, c);
	return INN_OK;
}
#endif
