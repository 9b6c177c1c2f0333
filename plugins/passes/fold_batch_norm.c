/* Folds a batch norm into the convolution or dense layer before it:
 * s (W x + b - mean) + shift = (s W) x + s (b - mean) + shift with s = scale / sqrt(var + epsilon). */
#include "pass.h"
#include <math.h>

struct affine { /* y = s y + t for each channel */
	uint32_t n;
	double *s, *t;
};

static int read_norm(inn_ctx *ctx, const inn_node *n, struct affine *a)
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

/* Its parameters are constant vectors of one length, and it does what it does at inference. */
static bool plain_norm(const inn_graph *g, const inn_node *n)
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

/* The kernel's axis of output channels, or -1 if nothing can be folded into the layer. */
static int channel_axis(const inn_node *n)
{
	const struct inn_tensor *kernel = inn_node_const(n, 1);
	int64_t t = 0;

	if (!is_real(kernel) || inn_node_const(n, 0))
		return -1;
	if (is_kind(n, "conv"))
		return kernel->shape.rank > 2 ? 0 : -1;
	if (kernel->shape.rank != 2)
		return -1;
	if (is_kind(n, "gemm"))
		return inn_node_attr_ints(n, "transB", &t, 1) == 1 && t ? 0 : 1;
	/* Further axes of a MatMul's input would put the channels elsewhere than on axis 1. */
	return is_kind(n, "mat_mul") && inn_node_shape(n, 0)->rank == 2 ? 1 : -1;
}

/* What the bias is multiplied by before it is added. */
static double bias_factor(const inn_node *n)
{
	double beta = is_kind(n, "gemm") ? inn_node_attr_real(n, "beta") : 1;

	return isnan(beta) ? 1 : beta;
}

static bool plain_bias(const inn_node *n, uint32_t channels)
{
	const struct inn_tensor *t = inn_node_const(n, 2);
	size_t count;

	if (!inn_node_in(n, 2))
		return true;
	return is_real(t) && inn_shape_count(&t->shape, &count) && (count == 1 || (count == channels &&
	       t->shape.dim[t->shape.rank - 1] == channels));
}

static int fold_into(inn_ctx *ctx, inn_graph *g, inn_node *n, uint32_t axis, const struct affine *a)
{
	const struct inn_tensor *kernel = inn_node_const(n, 1), *old = inn_node_const(n, 2);
	size_t count, n_old = 0, inner = 1;
	double *w = reals(ctx, kernel, &count), *b = old ? reals(ctx, old, &n_old) : NULL, beta = bias_factor(n);
	double *bias = inn_alloc(ctx, a->n + 1, sizeof(*bias));

	if (!w || !bias || (old && !b))
		return INN_ENOMEM;
	for (uint32_t d = axis + 1; d < kernel->shape.rank; d++)
		inner *= kernel->shape.dim[d];
	for (size_t i = 0; i < count; i++)
		w[i] *= a->s[i / inner % a->n];
	for (uint32_t c = 0; c < a->n; c++)
		bias[c] = (b ? b[n_old == 1 ? 0 : c] * a->s[c] : 0) + a->t[c] / beta;
	uint32_t k = new_reals(g, "folded.kernel", &kernel->shape, w);
	uint32_t c = new_reals(g, "folded.bias", &(struct inn_shape){ .rank = 1, .dim = { a->n } }, bias);

	if (!k || !c)
		return INN_ENOMEM;
	inn_node_rewire(n, 1, k);
	inn_node_rewire(n, 2, c);
	return INN_OK;
}

static int fold(inn_ctx *ctx, inn_graph *g, inn_node *norm)
{
	inn_node *n = inn_graph_producer(g, inn_node_in(norm, 0));
	int axis = n && inn_graph_readers(g, inn_node_in(norm, 0)) == 1 ? channel_axis(n) : -1;
	struct affine a;

	if (axis < 0 || bias_factor(n) == 0)
		return INN_OK;
	uint32_t channels = inn_node_const(n, 1)->shape.dim[axis];

	if (!channels || channels != inn_node_const(norm, 1)->shape.dim[0] || !plain_bias(n, channels))
		return INN_OK;
	int status = read_norm(ctx, norm, &a);

	if (status == INN_OK)
		status = fold_into(ctx, g, n, (uint32_t)axis, &a);
	if (status == INN_OK)
		inn_graph_remove(g, norm);
	return status;
}

static int apply(inn_ctx *ctx, inn_graph *g, const void *opts)
{
	(void)opts;
	for (uint32_t i = inn_graph_nodes(g); i-- > 0;) {
		inn_node *n = inn_graph_node(g, i);

		if (!n || !plain_norm(g, n))
			continue;
		int status = fold(ctx, g, n);

		if (status < 0)
			return status;
	}
	return INN_OK;
}

static const struct inn_pass_ops fold_batch_norm = {
	.cls = INN_HEAD(struct inn_pass_ops, INN_PASS, "fold_batch_norm",
			"fold batch norms into the layer before them", NULL, 0, NULL),
	.apply = apply,
};

INN_PLUGIN("fold_batch_norm", "1.0.0", "BSD-2-Clause", &fold_batch_norm.cls);
