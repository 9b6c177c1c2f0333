/* uniform: noise between low and high, by default between the smallest and the largest value of the sample (Samek et al.
 * 2017 take the range of the pixels); drawn anew at every step. */
#include <innvestigate/plugin.h>
#include <math.h>

struct opts {
	double low, high;
	int64_t seed;
};

static const struct inn_param params[] = {
	{ .name = "low", .help = "smallest value; not given: of the sample", .offset = INN_AT(struct opts, low, double),
	  .type = INN_P_REAL, .flags = INN_NULLABLE, .def = NAN, .min = -1e6, .max = 1e6 },
	{ .name = "high", .help = "largest value; not given: of the sample", .offset = INN_AT(struct opts, high, double),
	  .type = INN_P_REAL, .flags = INN_NULLABLE, .def = NAN, .min = -1e6, .max = 1e6 },
	INN_INT(struct opts, seed, 1, 0, 1e15, "seed of the noise"),
	{ 0 },
};

static int check(inn_ctx *ctx, const struct inn_loc *loc, const void *opts)
{
	const struct opts *o = opts;

	return o->low > o->high ? inn_fail(ctx, INN_ECONFIG, loc, "uniform: low %g is above high %g", o->low, o->high) : INN_OK;
}

static inn_val largest(inn_build *b, inn_val x)
{
	return inn_rmax(b, x, (1u << inn_shape_of(b, x)->rank) - 2);
}

static inn_val build(inn_build *b, inn_val x, inn_val mask, const struct inn_window *region, const void *opts)
{
	const struct opts *o = opts;
	inn_val low = isnan(o->low) ? inn_neg(b, largest(b, inn_neg(b, x))) : inn_scalar(b, o->low);
	inn_val high = isnan(o->high) ? largest(b, x) : inn_scalar(b, o->high);

	(void)mask, (void)region;
	return inn_add(b, inn_mul(b, inn_uniform(b, x, (uint64_t)o->seed, 0), inn_sub(b, high, low)), low);
}

static const struct inn_fill_ops uniform = {
	.cls = INN_HEAD(struct inn_fill_ops, INN_FILL, "uniform", "uniform noise", params, sizeof(struct opts), check),
	.build = build,
};

INN_PLUGIN("uniform", "1.0.0", "BSD-2-Clause", &uniform.cls);
