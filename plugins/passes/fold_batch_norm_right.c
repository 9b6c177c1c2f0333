/* Folds a batch norm into the convolution or dense layer after it: W (s x + t) + b = (W s) x + W t + b. Where the convolution pads,
 * W t is smaller at the border, so the bias becomes one number for each output element. With `relu` also through a ReLU between
 * them: relu(s x + t) = s v + t with v = x where s x + t > 0, else -t / s (Pahde et al. 2023); the layer `threshold` gives v. */
#include "batch_norm.h"

struct opts {
	bool relu;
};

static const struct inn_param params[] = {
	INN_BOOL(struct opts, relu, true, "also where a ReLU stands between the two"),
	{ 0 },
};

struct path { /* from a batch norm to the layer that takes it */
	inn_node *relu, *end;
	uint32_t inner; /* elements of a channel that lie side by side on axis 1 of the layer's input */
};

/* Averages of a constant are the constant: no padding counts. */
static bool plain_average(const inn_node *n)
{
	int64_t pads[6] = { 0 }, counted = 0;
	int k = inn_node_attr_ints(n, "pads", pads, 6);

	if (is_kind(n, "global_average_pool"))
		return true;
	if (!is_kind(n, "average_pool"))
		return false;
	inn_node_attr_ints(n, "count_include_pad", &counted, 1);
	for (int i = 0; counted && i < k && i < 6; i++)
		if (pads[i])
			return false;
	return true;
}

/* Puts [N,C,...] side by side as [N,C * inner]. */
static bool flattens(const inn_graph *g, const inn_node *n, uint32_t *inner)
{
	const struct inn_shape *x = inn_node_shape(n, 0), *y = inn_graph_shape(g, inn_node_out(n, 0));
	size_t count;

	if ((!is_kind(n, "flatten") && !is_kind(n, "reshape")) || y->rank != 2 || x->rank < 2 || y->dim[0] != x->dim[0] || !x->dim[0] || !x->dim[1])
		return false;
	if (!inn_shape_count(x, &count))
		return false;
	*inner = (uint32_t)(count / x->dim[0] / x->dim[1]);
	return y->dim[1] == x->dim[1] * *inner;
}

/* False if something on the way is neither affine in each channel nor read by one node alone. */
static bool find_path(const inn_graph *g, inn_node *norm, const struct opts *o, struct path *p)
{
	*p = (struct path){ .inner = 1 };
	for (inn_node *n = norm;;) {
		uint32_t t = inn_node_out(n, 0), out, in, inner = 1;

		if (inn_graph_readers(g, t) != 1 || !(n = inn_graph_reader(g, t, 0)) || inn_node_in(n, 0) != t)
			return false;
		if (channel_axes(n, &out, &in)) {
			p->end = n;
			return !is_kind(n, "conv_transpose");
		}
		if (is_kind(n, "relu") && o->relu && !p->relu && p->inner == 1)
			p->relu = n;
		else if (flattens(g, n, &inner) && p->inner == 1)
			p->inner = inner;
		else if (!plain_average(n))
			return false;
	}
}

/* A convolution's window over axis d, and whether its output has the size that these numbers make. */
struct axis { int64_t in, out, size, stride, dilation, before; };

static bool conv_axes(const inn_graph *g, const inn_node *n, struct axis a[3])
{
	const struct inn_shape *x = inn_node_shape(n, 0), *y = inn_graph_shape(g, inn_node_out(n, 0)), *k = &inn_node_const(n, 1)->shape;
	int64_t pads[6] = { 0 }, strides[3] = { 1, 1, 1 }, dilations[3] = { 1, 1, 1 };
	uint32_t d = x->rank - 2;

	if (d < 1 || d > 3 || k->rank != x->rank || y->rank != x->rank)
		return false;
	inn_node_attr_ints(n, "pads", pads, 6);
	inn_node_attr_ints(n, "strides", strides, 3);
	inn_node_attr_ints(n, "dilations", dilations, 3);
	for (uint32_t i = 0; i < 3; i++) {
		a[i] = (struct axis){ 1, 1, 1, 1, 1, 0 };
		if (i >= d)
			continue;
		a[i] = (struct axis){ x->dim[2 + i], y->dim[2 + i], k->dim[2 + i], strides[i], dilations[i], pads[i] };
		if ((a[i].in + pads[i] + pads[d + i] - a[i].dilation * (a[i].size - 1) - 1) / a[i].stride + 1 != a[i].out)
			return false; /* automatic padding */
	}
	return true;
}

/* Whether tap i of the window at output o lies in the image. */
static bool inside(const struct axis *a, int64_t o, int64_t i)
{
	int64_t at = o * a->stride - a->before + i * a->dilation;

	return at >= 0 && at < a->in;
}

/* sum over the taps inside the image, for every output element of one channel; taps: W t of each tap. */
static void spread(const struct axis a[3], const double *taps, double *map)
{
	for (int64_t x = 0; x < a[0].out; x++)
		for (int64_t y = 0; y < a[1].out; y++)
			for (int64_t z = 0; z < a[2].out; z++, map++)
				for (int64_t i = 0; i < a[0].size; i++)
					for (int64_t j = 0; j < a[1].size; j++)
						for (int64_t k = 0; k < a[2].size; k++)
							if (inside(&a[0], x, i) && inside(&a[1], y, j) && inside(&a[2], z, k))
								*map += taps[(i * a[1].size + j) * a[2].size + k];
}

static int fold_conv(inn_ctx *ctx, inn_graph *g, inn_node *n, const struct affine *f)
{
	const struct inn_tensor *kernel = inn_node_const(n, 1), *old = inn_node_const(n, 2);
	uint32_t K = kernel->shape.dim[0], C = kernel->shape.dim[1], groups = C ? f->n / C : 0;
	size_t count, n_old = 0, taps, cells;
	struct axis a[3];

	if (!groups || groups * C != f->n || K % groups || !plain_bias(n, K) || !conv_axes(g, n, a))
		return INN_OK + 1;
	taps = (size_t)(a[0].size * a[1].size * a[2].size);
	cells = (size_t)(a[0].out * a[1].out * a[2].out);
	double *w = reals(ctx, kernel, &count), *b = old ? reals(ctx, old, &n_old) : NULL;
	double *sum = inn_alloc(ctx, taps + 1, sizeof(*sum)), *bias = inn_alloc(ctx, K * cells + 1, sizeof(*bias));
	bool even = true;

	if (!w || (old && !b) || !sum || !bias)
		return INN_ENOMEM;
	for (uint32_t k = 0; k < K; k++) {
		memset(sum, 0, taps * sizeof(*sum));
		for (size_t i = 0; i < C * taps; i++) {
			uint32_t c = k / (K / groups) * C + (uint32_t)(i / taps);

			sum[i % taps] += w[k * C * taps + i] * f->t[c];
			w[k * C * taps + i] *= f->s[c];
		}
		spread(a, sum, bias + k * cells);
		for (size_t i = 0; i < cells; i++) {
			bias[k * cells + i] += b ? b[n_old == 1 ? 0 : k] : 0;
			even &= bias[k * cells + i] == bias[k * cells];
		}
	}
	struct inn_shape shape = { .rank = 1, .dim = { K } };

	if (!even) {
		shape = *inn_graph_shape(g, inn_node_out(n, 0));
		shape.dim[0] = 1;
	}
	for (uint32_t k = 0; even && k < K; k++)
		bias[k] = bias[k * cells];
	return put_weights(g, n, w, &shape, bias);
}

static int fold_dense(inn_ctx *ctx, inn_graph *g, inn_node *n, const struct affine *f, uint32_t inner)
{
	const struct inn_tensor *kernel = inn_node_const(n, 1), *old = inn_node_const(n, 2);
	double alpha = is_kind(n, "gemm") ? inn_node_attr_real(n, "alpha") : 1;
	uint32_t out, in;
	size_t count, n_old = 0;

	channel_axes(n, &out, &in);
	uint32_t K = kernel->shape.dim[out], D = kernel->shape.dim[in];

	if (D != f->n * inner || !plain_bias(n, K) || bias_factor(n) == 0)
		return INN_OK + 1;
	double *w = reals(ctx, kernel, &count), *b = old ? reals(ctx, old, &n_old) : NULL, *bias = inn_alloc(ctx, K + 1, sizeof(*bias));

	if (!w || (old && !b) || !bias)
		return INN_ENOMEM;
	for (uint32_t k = 0; k < K; k++) {
		for (uint32_t d = 0; d < D; d++) {
			double *at = &w[out ? (size_t)d * K + k : (size_t)k * D + d];

			bias[k] += *at * f->t[d / inner];
			*at *= f->s[d / inner];
		}
		bias[k] = (isnan(alpha) ? 1 : alpha) / bias_factor(n) * bias[k] + (b ? b[n_old == 1 ? 0 : k] : 0);
	}
	return put_weights(g, n, w, &(struct inn_shape){ .rank = 1, .dim = { K } }, bias);
}

/* The threshold unit in the batch norm's place, the ReLU gone. */
static int bend(inn_ctx *ctx, inn_graph *g, inn_node *norm, inn_node *relu, const struct affine *scale_shift, const double *level)
{
	struct inn_shape shape = { .rank = 1, .dim = { scale_shift->n } };
	uint32_t in[4] = { inn_node_in(norm, 0) };
	const double *v[3] = { scale_shift->s, scale_shift->t, level };

	for (int i = 0; i < 3; i++) {
		double *copy = inn_alloc(ctx, scale_shift->n + 1, sizeof(*copy));

		if (!copy)
			return INN_ENOMEM;
		memcpy(copy, v[i], scale_shift->n * sizeof(*copy));
		if (!(in[1 + i] = new_reals(g, "threshold", &shape, copy)))
			return INN_ENOMEM;
	}
	inn_node *n = inn_graph_insert(g, norm, "threshold", inn_node_name(relu), in, 4);

	if (!n)
		return INN_ENOMEM;
	inn_graph_replace(g, inn_node_out(relu, 0), inn_node_out(n, 0));
	inn_graph_remove(g, relu);
	return INN_OK;
}

static int fold(inn_ctx *ctx, inn_graph *g, inn_node *norm, const struct opts *o)
{
	struct affine f, bent;
	struct path p;
	int status;

	if (!find_path(g, norm, o, &p))
		return INN_OK;
	if ((status = read_norm(ctx, norm, &f)) < 0 || (status = read_norm(ctx, norm, &bent)) < 0)
		return status;
	double *level = inn_alloc(ctx, f.n + 1, sizeof(*level));

	if (!level)
		return INN_ENOMEM;
	for (uint32_t c = 0; p.relu && c < f.n; c++) {
		level[c] = f.s[c] != 0 ? -f.t[c] / f.s[c] : 0;
		if (f.s[c] == 0 && f.t[c] < 0)
			f.t[c] = 0; /* a constant channel, cut off */
	}
	status = is_kind(p.end, "conv") ? fold_conv(ctx, g, p.end, &f) : fold_dense(ctx, g, p.end, &f, p.inner);
	if (status != INN_OK)
		return status < 0 ? status : INN_OK;
	if (p.relu && (status = bend(ctx, g, norm, p.relu, &bent, level)) < 0)
		return status;
	inn_graph_remove(g, norm);
	return INN_OK;
}

static int apply(inn_ctx *ctx, inn_graph *g, const void *opts)
{
	for (uint32_t i = inn_graph_nodes(g); i-- > 0;) {
		inn_node *n = inn_graph_node(g, i);
		int status = n && plain_norm(g, n) ? fold(ctx, g, n, opts) : INN_OK;

		if (status < 0)
			return status;
	}
	return INN_OK;
}

static const struct inn_pass_ops fold_batch_norm_right = {
	.cls = INN_HEAD(struct inn_pass_ops, INN_PASS, "fold_batch_norm_right",
			"fold batch norms into the layers after them", params, sizeof(struct opts), NULL),
	.apply = apply,
};

INN_PLUGIN("fold_batch_norm_right", "1.0.0", "BSD-2-Clause", &fold_batch_norm_right.cls);
