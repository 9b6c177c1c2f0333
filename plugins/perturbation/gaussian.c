/* gaussian: normal noise in the place of what was there, drawn anew at every step. The seed belongs to the fill alone: all
 * analyzers and all orders see the same noise. */
#include <innvestigate/plugin.h>

struct opts {
	double mean, stddev;
	int64_t seed;
};

static const struct inn_param params[] = {
	INN_REAL(struct opts, mean, 0, -1e6, 1e6, "mean of the noise, in the input's units"),
	INN_REAL(struct opts, stddev, 0.3, 0, 1e6, "its standard deviation"),
	INN_INT(struct opts, seed, 1, 0, 1e15, "seed of the noise"),
	{ 0 },
};

static inn_val build(inn_build *b, inn_val x, inn_val mask, const struct inn_window *region, const void *opts)
{
	const struct opts *o = opts;

	(void)mask, (void)region;
	return inn_addc(b, inn_mulc(b, inn_normal(b, x, (uint64_t)o->seed, 0), o->stddev), o->mean);
}

static const struct inn_fill_ops gaussian = {
	.cls = INN_HEAD(struct inn_fill_ops, INN_FILL, "gaussian", "normal noise", params, sizeof(struct opts), NULL),
	.build = build,
};

INN_PLUGIN("gaussian", "1.0.0", "BSD-2-Clause", &gaussian.cls);
