/* heat_map: relevance [C,H,W] as a picture: channels reduced, scaled by the largest, coloured; zero is the map's middle. */
#include "colormap.h"
#include <math.h>
#include <stdlib.h>

enum { SUM, MEAN, ABS_SUM, MAX_ABS };
struct opts {
	const char *colormap;
	int reduce;
	bool symmetric;
	double percentile, gamma;
};
static const struct inn_choice reductions[] = {
	{ "sum", SUM, "sum over the channels" },
	{ "mean", MEAN, "mean of the channels" },
	{ "abs_sum", ABS_SUM, "sum of the magnitudes" },
	{ "max_abs", MAX_ABS, "the largest magnitude" },
	{ 0 },
};
static const struct inn_param params[] = {
	INN_STR(struct opts, colormap, "seismic",
		"seismic, bwr, coldnhot, softseismic, rdbu_r, hot, cold, wred, wblue, gray, gray_r, jet, viridis, inferno, or colours "
		"such as 00f,80:fff,f00"),
	INN_ENUM(struct opts, reduce, SUM, reductions, "how channels become one number"),
	INN_BOOL(struct opts, symmetric, true, "zero in the middle; otherwise smallest to largest"),
	INN_REAL(struct opts, percentile, 99.5, 1, 100, "the magnitude that gets full colour; what is above is cut"),
	INN_REAL(struct opts, gamma, 1, 0.01, 100, "magnitudes to this power; below 1 lifts what is weak"),
	{ 0 },
};

static int check(inn_ctx *ctx, const struct inn_loc *loc, const void *opts)
{
	const struct opts *o = opts;
	struct colormap map;

	return colormap_parse(o->colormap, &map) ? INN_OK
		: inn_fail(ctx, INN_ECONFIG, loc, "heat_map.colormap: `%s` is neither a map's name nor a list of colours such as 00f,80:fff,f00",
			   o->colormap);
}

static void reduce(const struct inn_tensor *in, bool last, size_t c, size_t n, int how, double *v)
{
	for (size_t i = 0; i < n; i++) {
		v[i] = 0;
		for (size_t k = 0; k < c; k++) {
			double x = inn_tensor_real(in, last ? i * c + k : k * n + i);

			v[i] = how == MAX_ABS ? fmax(v[i], fabs(x)) : v[i] + (how == ABS_SUM ? fabs(x) : x);
		}
		if (how == MEAN)
			v[i] /= (double)c;
	}
}

static int ascending(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

/* The percentile of magnitudes above `low`, by `scratch` of n numbers. */
static double extent(const double *v, size_t n, double low, double percentile, double *scratch)
{
	for (size_t i = 0; i < n; i++)
		scratch[i] = fabs(v[i] - low);
	qsort(scratch, n, sizeof(*scratch), ascending);
	return scratch[(size_t)floor(percentile / 100 * (double)(n - 1) + 0.5)];
}

static void paint(const double *v, size_t n, const struct opts *o, double *scratch, uint8_t *rgb)
{
	struct colormap map = { 0 };
	double low = 0, top;

	colormap_parse(o->colormap, &map);
	for (size_t i = 0; !o->symmetric && i < n; i++)
		low = i ? fmin(low, v[i]) : v[i];
	top = extent(v, n, low, o->percentile, scratch);
	for (size_t i = 0; i < n; i++) {
		double x = top > 0 ? fmin(fabs(v[i] - low) / top, 1) : v[i] != low;

		x = o->gamma == 1 ? x : pow(x, o->gamma);
		colormap_color(&map, o->symmetric ? 0.5 + copysign(x, v[i]) / 2 : x, rgb + 3 * i);
	}
}

static int apply(inn_ctx *ctx, const struct inn_tensor *in, struct inn_tensor *out, const void *opts)
{
	const struct opts *o = opts;
	const uint32_t *d = in->shape.dim;
	bool flat = in->shape.rank == 2, last = in->shape.rank == 3 && d[0] > 4 && d[2] <= 4;
	size_t c = flat ? 1 : last ? d[2] : d[0], n;
	char buf[INN_SHAPE_STR];
	int status = INN_OK;

	out->data = NULL;
	if ((in->shape.rank != 2 && in->shape.rank != 3) || !inn_shape_count(&in->shape, &n) || !n)
		return inn_fail(ctx, INN_ESHAPE, NULL, "a map of shape %s makes no picture: [C,H,W] is expected", inn_shape_str(&in->shape, buf));
	if (inn_tensor_nonfinite(in) != SIZE_MAX)
		return inn_fail(ctx, INN_ENONFINITE, NULL, "the map has a value that is not finite");
	n /= c;
	*out = (struct inn_tensor){ .dtype = INN_U8, .shape = { 3, { d[flat || last ? 0 : 1], d[flat || last ? 1 : 2], 3 } } };
	double *v = calloc(n, 2 * sizeof(*v));

	status = v ? inn_tensor_alloc(ctx, out) : inn_nomem(ctx);
	if (status == INN_OK) {
		reduce(in, last, c, n, o->reduce, v);
		paint(v, n, o, v + n, out->data);
	}
	free(v);
	return status;
}

static const struct inn_stage_ops heat_map = {
	.cls = INN_HEAD(struct inn_stage_ops, INN_STAGE, "heat_map", "a map as a coloured picture", params, sizeof(struct opts), check),
	.apply = apply,
};

INN_PLUGIN("heat_map", "1.0.0", "BSD-2-Clause", &heat_map.cls);
