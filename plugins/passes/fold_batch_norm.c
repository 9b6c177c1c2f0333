/* Folds a batch norm into the convolution or dense layer before it:
 * s (W x + b - mean) + shift = (s W) x + s (b - mean) + shift with s = scale / sqrt(var + epsilon).
 * Behind a concatenation of such layers, each takes its channels' part. */
#include "batch_norm.h"

/* A layer that takes part of a batch norm: read by nobody else, with these channels. */
static bool takes(const inn_graph *g, const inn_node *n, uint32_t tensor, uint32_t channels)
{
	uint32_t out, in;

	return n && inn_graph_readers(g, tensor) == 1 && channel_axes(n, &out, &in) && bias_factor(n) != 0 && channels &&
	       inn_node_const(n, 1)->shape.dim[out] == channels && plain_bias(n, channels);
}

/* Channels first ... of the batch norm belong to n. */
static int fold_into(inn_ctx *ctx, inn_graph *g, inn_node *n, const struct affine *a, uint32_t first)
{
	const struct inn_tensor *kernel = inn_node_const(n, 1), *old = inn_node_const(n, 2);
	uint32_t axis, in;
	size_t count, n_old = 0, inner = 1;

	channel_axes(n, &axis, &in);
	uint32_t channels = kernel->shape.dim[axis];
	double *w = reals(ctx, kernel, &count), *b = old ? reals(ctx, old, &n_old) : NULL, *bias = inn_alloc(ctx, channels + 1, sizeof(*bias));

	if (!w || !bias || (old && !b))
		return INN_ENOMEM;
	for (uint32_t d = axis + 1; d < kernel->shape.rank; d++)
		inner *= kernel->shape.dim[d];
	for (size_t i = 0; i < count; i++)
		w[i] *= a->s[first + i / inner % channels];
	for (uint32_t c = 0; c < channels; c++)
		bias[c] = (b ? b[n_old == 1 ? 0 : c] * a->s[first + c] : 0) + a->t[first + c] / bias_factor(n);
	return put_weights(g, n, w, &(struct inn_shape){ .rank = 1, .dim = { channels } }, bias);
}

static int fold_over(inn_ctx *ctx, inn_graph *g, inn_node *concat, const struct affine *a)
{
	int status = INN_OK;
	uint32_t first = 0;

	for (uint32_t k = 0; status == INN_OK && k < inn_node_n_in(concat); k++) {
		status = fold_into(ctx, g, inn_graph_producer(g, inn_node_in(concat, k)), a, first);
		first += inn_node_shape(concat, k)->dim[1];
	}
	return status;
}

/* A concatenation of channels, each part from a layer of its own that can take its share. */
static bool splits(const inn_graph *g, const inn_node *concat, uint32_t tensor, uint32_t channels)
{
	int64_t axis = 0;
	uint32_t sum = 0;

	if (!is_kind(concat, "concat") || inn_graph_readers(g, tensor) != 1 || inn_node_attr_ints(concat, "axis", &axis, 1) != 1)
		return false;
	if (axis != 1 && axis + (int64_t)inn_graph_shape(g, tensor)->rank != 1)
		return false;
	for (uint32_t k = 0; k < inn_node_n_in(concat); k++) {
		uint32_t t = inn_node_in(concat, k), part = inn_node_shape(concat, k)->rank > 1 ? inn_node_shape(concat, k)->dim[1] : 0;

		if (!takes(g, inn_graph_producer(g, t), t, part))
			return false;
		for (uint32_t j = 0; j < k; j++)
			if (inn_node_in(concat, j) == t)
				return false;
		sum += part;
	}
	return sum == channels;
}

static int fold(inn_ctx *ctx, inn_graph *g, inn_node *norm)
{
	uint32_t x = inn_node_in(norm, 0), channels = inn_node_const(norm, 1)->shape.dim[0];
	inn_node *n = inn_graph_producer(g, x);
	bool one = takes(g, n, x, channels);
	struct affine a;

	if (!one && !splits(g, n, x, channels))
		return INN_OK;
	int status = read_norm(ctx, norm, &a);

	if (status == INN_OK)
		status = one ? fold_into(ctx, g, n, &a, 0) : fold_over(ctx, g, n, &a);
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
			"fold batch norms into the layers before them", NULL, 0, NULL),
	.apply = apply,
};

INN_PLUGIN("fold_batch_norm", "1.0.0", "BSD-2-Clause", &fold_batch_norm.cls);
