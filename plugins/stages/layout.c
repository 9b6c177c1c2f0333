/* layout: pictures [N,H,W,C] as networks take them, [N,C,H,W]; recorded. */
#include <innvestigate/plugin.h>

static inn_val build(inn_build *b, inn_val x, const void *opts)
{
	static const uint32_t order[4] = { 0, 3, 1, 2 };

	(void)opts;
	return inn_permute(b, x, order);
}

static const struct inn_stage_ops layout = {
	.cls = INN_HEAD(struct inn_stage_ops, INN_STAGE, "layout", "channels first", NULL, 0, NULL),
	.build = build,
};

INN_PLUGIN("layout", "1.0.0", "BSD-2-Clause", &layout.cls);
