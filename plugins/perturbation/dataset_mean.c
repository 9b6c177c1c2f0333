/* dataset_mean: the mean of a data set, as a number or from an array file that broadcasts against one sample: [C,H,W], or
 * [C,1,1] for one number a channel. It is what the network sees, after preprocessing. */
#include <innvestigate/plugin.h>
#include <math.h>

struct opts { struct inn_source mean; };

static const struct inn_param params[] = {
	{ .name = "mean", .help = "a number, or an array file", .offset = INN_AT(struct opts, mean, struct inn_source),
	  .type = INN_P_SOURCE, .flags = INN_REQUIRED, .def = NAN },
	{ 0 },
};

static int check(inn_ctx *ctx, const struct inn_loc *loc, const void *opts)
{
	const struct opts *o = opts;

	return o->mean.path || isfinite(o->mean.value) ? INN_OK : inn_fail(ctx, INN_ECONFIG, loc, "dataset_mean: mean is missing");
}

static inn_val build(inn_build *b, inn_val x, inn_val mask, const struct inn_window *region, const void *opts)
{
	const struct opts *o = opts;
	const char *name = o->mean.path ? inn_printf(inn_build_ctx(b), "data set's mean %s", o->mean.path) : "";

	(void)mask, (void)region;
	return name ? inn_source_of(b, &o->mean, name, x) : (inn_val){ 0 };
}

static const struct inn_fill_ops dataset_mean = {
	.cls = INN_HEAD(struct inn_fill_ops, INN_FILL, "dataset_mean", "the mean of a data set", params, sizeof(struct opts), check),
	.build = build,
};

INN_PLUGIN("dataset_mean", "1.0.0", "BSD-2-Clause", &dataset_mean.cls);
