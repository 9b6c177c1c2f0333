/* Clip: bounds are attributes before opset 11, then inputs. */
#include "host.h"

struct opts {
	double min, max;
};

static const struct inn_param params[] = {
	INN_REAL(struct opts, min, -3.4028234663852886e38, -1e300, 1e300, "lower bound"),
	INN_REAL(struct opts, max, 3.4028234663852886e38, -1e300, 1e300, "upper bound"),
	{ 0 },
};

static double limit(const struct inn_tensor *in, uint32_t n_in, uint32_t k, double attr)
{
	return k < n_in && in[k].data ? inn_tensor_real(&in[k], 0) : attr;
}

static int fold(FOLD)
{
	const struct opts *o = inn_node_opts(n);
	size_t count;

	for (uint32_t k = 1; k < n_in; k++)
		if (in[k].data && (!inn_shape_count(&in[k].shape, &count) || count != 1))
			return unsupported_in(ctx, n, "bounds must be one number each");
	if (!n_in || !in[0].data)
		return unsupported_in(ctx, n, "the operand is missing");
	double low = limit(in, n_in, 1, o->min), high = limit(in, n_in, 2, o->max);
	int status = host_new(ctx, n, in[0].dtype, &in[0].shape, &count, out);

	for (size_t i = 0; status == INN_OK && i < count; i++)
		host_put(out, i, fmin(fmax(inn_tensor_real(&in[0], i), low), high));
	return status;
}

static inn_val bound(inn_build *b, const inn_node *n, const inn_val *x, uint32_t k, double attr)
{
	const struct inn_tensor *t = inn_node_const(n, k);
	size_t count;

	if (!inn_node_in(n, k))
		return fabs(attr) > 3.4e38 ? no_value : inn_scalar(b, attr);
	if (t && t->data && inn_shape_count(&t->shape, &count) && count == 1)
		return inn_scalar(b, inn_tensor_real(t, 0));
	return arg(n, x, k);
}

static inn_val forward(FORWARD)
{
	const struct opts *o = inn_node_opts(n);
	inn_val v = arg(n, x, 0), low = bound(b, n, x, 1, o->min), high = bound(b, n, x, 2, o->max);

	(void)w;
	(void)out;
	if (low.id)
		v = inn_max(b, v, low);
	return high.id ? inn_min(b, v, high) : v;
}

LAYER(clip, "clip to an interval", params, sizeof(struct opts), .traits = INN_T_RECTIFIER | INN_T_ACTIVATION, .fold = fold);
