/* heat_map: a map [C,H,W] (or [H,W,C]) as a picture: reduced over channels, divided by its largest absolute value, looked
 * up in a colour map whose middle is zero. */
#include <innvestigate/plugin.h>
#include <math.h>
#include <stdlib.h>

enum { SUM, MEAN, ABS_SUM, MAX_ABS };
enum { SEISMIC, BWR, COLDNHOT, GRAY, GRAY_ABS };

struct opts {
	int colormap, reduce;
	double percentile, gamma;
};

static const struct inn_choice colormaps[] = {
	{ "seismic", SEISMIC, "dark blue, white, dark red" },
	{ "bwr", BWR, "blue, white, red" },
	{ "coldnhot", COLDNHOT, "cyan, blue, black, red, yellow" },
	{ "gray", GRAY, "black to white, zero is gray" },
	{ "gray_abs", GRAY_ABS, "absolute values, black to white" },
	{ 0 },
};
static const struct inn_choice reductions[] = {
	{ "sum", SUM, "over channels" },
	{ "mean", MEAN, "over channels" },
	{ "abs_sum", ABS_SUM, "of absolute values" },
	{ "max_abs", MAX_ABS, "the value of largest size" },
	{ 0 },
};
static const struct inn_param params[] = {
	INN_ENUM(struct opts, colormap, SEISMIC, colormaps, "colours"),
	INN_ENUM(struct opts, reduce, SUM, reductions, "how channels become one number"),
	INN_REAL(struct opts, percentile, 99.5, 1, 100, "absolute value that gets the full colour"),
	INN_REAL(struct opts, gamma, 1, 0.01, 10, "exponent of the absolute value"),
	{ 0 },
};

struct stop { double at; uint8_t rgb[3]; };
static const struct stop seismic[] = { { 0, { 0, 0, 76 } }, { .25, { 0, 0, 255 } }, { .5, { 255, 255, 255 } }, { .75, { 255, 0, 0 } }, { 1, { 128, 0, 0 } } };
static const struct stop bwr[] = { { 0, { 0, 0, 255 } }, { .5, { 255, 255, 255 } }, { 1, { 255, 0, 0 } } };
static const struct stop coldnhot[] = { { 0, { 0, 255, 255 } }, { .25, { 0, 0, 255 } }, { .5, { 0, 0, 0 } }, { .75, { 255, 0, 0 } }, { 1, { 255, 255, 0 } } };
static const struct stop gray[] = { { 0, { 0, 0, 0 } }, { 1, { 255, 255, 255 } } };

static const struct stop *stops(int map)
{
	return map == SEISMIC ? seismic : map == BWR ? bwr : map == COLDNHOT ? coldnhot : gray;
}

/* t in [0,1] as a colour. */
static void colour(const struct stop *s, double t, uint8_t out[3])
{
	while (t > s[1].at && s[1].at < 1)
		s++;
	double f = (t - s[0].at) / (s[1].at - s[0].at);

	for (int k = 0; k < 3; k++)
		out[k] = (uint8_t)lround(s[0].rgb[k] + f * (s[1].rgb[k] - s[0].rgb[k]));
}

static float reduced(const struct opts *o, const float *v, size_t stride, uint32_t c)
{
	double r = 0;

	for (uint32_t k = 0; k < c; k++) {
		double x = v[k * stride];

		if (o->reduce == MAX_ABS)
			r = fabs(x) > fabs(r) ? x : r;
		else
			r += o->reduce == ABS_SUM ? fabs(x) : x;
	}
	return (float)(o->reduce == MEAN ? r / c : r);
}

static int by_size(const void *p, const void *q)
{
	float a = *(const float *)p, b = *(const float *)q;

	return (a > b) - (a < b);
}

/* The percentile of the absolute values; 0 if memory is gone or all are 0. */
static double full_scale(const float *v, size_t n, double percentile)
{
	float *a = malloc(n * sizeof(*a) + 1);
	double top = 0;

	if (!a)
		return 0;
	for (size_t i = 0; i < n; i++)
		a[i] = fabsf(v[i]);
	qsort(a, n, sizeof(*a), by_size);
	if (n)
		top = a[(size_t)((double)(n - 1) * percentile / 100)] > 0 ? a[(size_t)((double)(n - 1) * percentile / 100)] : a[n - 1];
	free(a);
	return top;
}

static int apply(inn_ctx *ctx, const struct inn_tensor *in, struct inn_tensor *out, const void *opts)
{
	const struct opts *o = opts;
	const uint32_t *d = in->shape.dim;
	bool last = in->shape.rank == 3 && d[2] <= 4 && d[0] > 4;
	uint32_t c = in->shape.rank == 2 ? 1 : last ? d[2] : d[0], h = in->shape.rank == 2 || last ? d[0] : d[1], w = in->shape.rank == 2 || last ? d[1] : d[2];
	size_t n = (size_t)h * w;
	struct inn_tensor flat = { .dtype = INN_F32, .shape = { .rank = 2, .dim = { h, w } } };
	int rc;

	if (in->dtype != INN_F32 || (in->shape.rank != 2 && in->shape.rank != 3))
		return inn_fail(ctx, INN_EDATA, NULL, "heat_map: a float32 map [C,H,W], [H,W,C] or [H,W] is expected");
	*out = (struct inn_tensor){ .dtype = INN_U8, .shape = { .rank = 3, .dim = { h, w, 3 } } };
	if ((rc = inn_tensor_alloc(ctx, &flat)) < 0)
		return rc;
	rc = inn_tensor_alloc(ctx, out);
	float *v = flat.data;

	for (size_t i = 0; rc >= 0 && i < n; i++)
		v[i] = reduced(o, (const float *)in->data + (last ? i * c : i), last ? 1 : n, c);
	double top = rc >= 0 ? full_scale(v, n, o->percentile) : 0;

	for (size_t i = 0; rc >= 0 && i < n; i++) {
		double x = top > 0 ? fmax(-1, fmin(1, v[i] / top)) : 0;

		x = copysign(pow(fabs(x), o->gamma), x);
		colour(stops(o->colormap), o->colormap == GRAY_ABS ? fabs(x) : (x + 1) / 2, (uint8_t *)out->data + 3 * i);
	}
	inn_tensor_free(&flat);
	return rc;
}

static const struct inn_stage_ops heat_map = {
	.cls = INN_HEAD(struct inn_stage_ops, INN_STAGE, "heat_map", "a map as a picture", params, sizeof(struct opts), NULL),
	.apply = apply,
};

INN_PLUGIN("heat_map", "1.0.0", "BSD-2-Clause", &heat_map.cls);
