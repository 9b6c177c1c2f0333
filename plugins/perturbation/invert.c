/* invert: the values with the other sign. */
#include <innvestigate/plugin.h>

static inn_val build(inn_build *b, inn_val x, inn_val mask, const struct inn_window *region, const void *opts)
{
	(void)mask, (void)region, (void)opts;
	return inn_neg(b, x);
}

static const struct inn_fill_ops invert = {
	.cls = INN_HEAD(struct inn_fill_ops, INN_FILL, "invert", "the negative of what was there", NULL, 0, NULL),
	.build = build,
};

INN_PLUGIN("invert", "1.0.0", "BSD-2-Clause", &invert.cls);
