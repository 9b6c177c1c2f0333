/* normalize: (scale x - mean) / std for every channel on axis 1; recorded. */
#include <innvestigate/plugin.h>

struct opts {
	double scale;
	struct inn_reals mean, std;
};

static const struct inn_param params[] = {
	INN_REAL(struct opts, scale, 1, -1e6, 1e6, "factor, applied first"),
	INN_REALS(struct opts, mean, "[0]", -1e6, 1e6, "subtracted: one number, or one a channel"),
	INN_REALS(struct opts, std, "[1]", 1e-12, 1e6, "divisor: one number, or one a channel"),
	{ 0 },
};

static double of(const struct inn_reals *v, size_t c) { return v->v[v->n > 1 ? (c < v->n ? c : v->n - 1) : 0]; }

/* A constant for each of c channels, as [1,c,1,...]. */
static inn_val channels(inn_build *b, const struct inn_reals *v, uint32_t c, uint32_t rank)
{
	struct inn_shape one = { .rank = rank };
	inn_val part[64];

	for (uint32_t d = 0; d < rank; d++)
		one.dim[d] = 1;
	if (v->n == 1)
		return inn_const(b, v->v[0], &one);
	if (v->n != c || c > 64) {
		inn_fail(inn_build_ctx(b), INN_ECONFIG, NULL, "normalize: %zu numbers for %u channels", v->n, c);
		return (inn_val){ 0 };
	}
	for (uint32_t i = 0; i < c; i++)
		part[i] = inn_const(b, v->v[i], &one);
	return inn_concat(b, part, c, 1);
}

static inn_val build(inn_build *b, inn_val x, const void *opts)
{
	const struct opts *o = opts;
	uint32_t c = inn_dim(b, x, 1), rank = inn_shape_of(b, x)->rank;
	inn_val mean = channels(b, &o->mean, c, rank), std = channels(b, &o->std, c, rank);

	if (!mean.id || !std.id)
		return (inn_val){ 0 };
	return inn_div(b, inn_sub(b, inn_mulc(b, x, o->scale), mean), std);
}

static void bounds(const void *opts, uint32_t c, double *low, double *high)
{
	const struct opts *o = opts;
	double p = (*low * o->scale - of(&o->mean, c)) / of(&o->std, c), q = (*high * o->scale - of(&o->mean, c)) / of(&o->std, c);

	*low = p < q ? p : q;
	*high = p < q ? q : p;
}

static const struct inn_stage_ops normalize = {
	.cls = INN_HEAD(struct inn_stage_ops, INN_STAGE, "normalize", "scale, mean and standard deviation", params, sizeof(struct opts), NULL),
	.build = build,
	.bounds = bounds,
};

INN_PLUGIN("normalize", "1.0.0", "BSD-2-Clause", &normalize.cls);
