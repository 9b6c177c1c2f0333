/* blur: the input seen through a Gaussian, along every spatial axis in turn. Near an edge the weights of the cells that exist
 * are scaled to sum to one, so a constant input stays what it is. */
#include <innvestigate/plugin.h>
#include <math.h>

struct opts {
	double sigma;
	int64_t radius;
};

static const struct inn_param params[] = {
	INN_REAL(struct opts, sigma, 5, 0.01, 1e3, "standard deviation of the Gaussian, in cells"),
	INN_INT(struct opts, radius, 0, 0, 1000, "cells to either side that count; 0: twice sigma"),
	{ 0 },
};

/* The Gaussian as the kernel [C,1,...] of a convolution of each channel for itself, along spatial axis `axis` of `n`. */
static inn_val kernel(inn_build *b, const struct opts *o, uint32_t channels, uint32_t axis, uint32_t n, uint32_t radius)
{
	inn_ctx *ctx = inn_build_ctx(b);
	uint32_t size = 2 * radius + 1;
	struct inn_tensor *t = inn_alloc(ctx, 1, sizeof(*t));
	double *v = inn_alloc(ctx, (size_t)channels * size, sizeof(*v)), sum = 0;
	const char *name = inn_printf(ctx, "blur %.17g %u, axis %u of %u, %u channels", o->sigma, radius, axis, n, channels);

	if (!t || !v || !name)
		return (inn_val){ 0 };
	for (uint32_t i = 0; i < size; i++)
		sum += v[i] = exp(-0.5 * pow(((double)i - radius) / o->sigma, 2));
	for (uint32_t i = 0; i < channels * size; i++)
		v[i] = i < size ? v[i] / sum : v[i - size];
	*t = (struct inn_tensor){ .dtype = INN_F64, .shape = { .rank = 2 + n, .dim = { channels, 1 } }, .data = v };
	for (uint32_t d = 0; d < n; d++)
		t->shape.dim[2 + d] = d == axis ? size : 1;
	return inn_param_of(b, name, t);
}

static inn_val build(inn_build *b, inn_val x, inn_val mask, const struct inn_window *region, const void *opts)
{
	const struct opts *o = opts;
	uint32_t channels = inn_dim(b, x, 1), radius = o->radius ? (uint32_t)o->radius : (uint32_t)ceil(2 * o->sigma);
	struct inn_shape one = *inn_shape_of(b, x);

	(void)mask;
	one.dim[0] = 1;
	for (uint32_t i = 0; i < region->n; i++) {
		struct inn_window w = { .n = region->n, .groups = channels };
		inn_val k = kernel(b, o, channels, i, region->n, radius);

		for (uint32_t d = 0; d < w.n; d++) {
			w.stride[d] = w.dilation[d] = 1;
			w.before[d] = w.after[d] = d == i ? radius : 0;
		}
		x = inn_div(b, inn_conv(b, x, k, &w), inn_conv(b, inn_const(b, 1, &one), k, &w));
	}
	return x;
}

static const struct inn_fill_ops blur = {
	.cls = INN_HEAD(struct inn_fill_ops, INN_FILL, "blur", "the input, blurred", params, sizeof(struct opts), NULL),
	.build = build,
};

INN_PLUGIN("blur", "1.0.0", "BSD-2-Clause", &blur.cls);
