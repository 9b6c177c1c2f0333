/* mean: the mean of each channel over the region, or over more. Cells beyond the edge of the image do not count. */
#include <innvestigate/plugin.h>

enum { REGION, CHANNEL, SAMPLE };
struct opts { int over; };

static const struct inn_choice choices[] = {
	{ "region", REGION, "the region, each channel for itself" },
	{ "channel", CHANNEL, "all of the channel" },
	{ "sample", SAMPLE, "all of the sample" },
	{ 0 },
};
static const struct inn_param params[] = {
	INN_ENUM(struct opts, over, REGION, choices, "what the mean is taken over"),
	{ 0 },
};

static inn_val build(inn_build *b, inn_val x, inn_val mask, const struct inn_window *region, const void *opts)
{
	const struct opts *o = opts;
	uint32_t all = (1u << inn_shape_of(b, x)->rank) - 1;

	(void)mask;
	if (o->over != REGION)
		return inn_mean_axes(b, x, o->over == CHANNEL ? all & ~3u : all & ~1u);
	inn_val v = inn_pool_avg(b, x, region);

	for (uint32_t i = 0; i < region->n; i++) {
		v = inn_repeat(b, v, 2 + i, region->size[i]);
		v = inn_slice(b, v, 2 + i, region->before[i], region->before[i] + inn_dim(b, x, 2 + i), 1);
	}
	return v;
}

static const struct inn_fill_ops mean = {
	.cls = INN_HEAD(struct inn_fill_ops, INN_FILL, "mean", "the mean of what was there", params, sizeof(struct opts), NULL),
	.build = build,
};

INN_PLUGIN("mean", "1.0.0", "BSD-2-Clause", &mean.cls);
