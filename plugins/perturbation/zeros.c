/* zeros: 0, which is the mean of many normalised data sets. */
#include <innvestigate/plugin.h>

static inn_val build(inn_build *b, inn_val x, inn_val mask, const struct inn_window *region, const void *opts)
{
	(void)x, (void)mask, (void)region, (void)opts;
	return inn_scalar(b, 0);
}

static const struct inn_fill_ops zeros = {
	.cls = INN_HEAD(struct inn_fill_ops, INN_FILL, "zeros", "zero", NULL, 0, NULL),
	.build = build,
};

INN_PLUGIN("zeros", "1.0.0", "BSD-2-Clause", &zeros.cls);
