/* channel_order: red and blue change places (networks trained on BGR); after layout; recorded. */
#include <innvestigate/plugin.h>

static inn_val build(inn_build *b, inn_val x, const void *opts)
{
	uint32_t c = inn_dim(b, x, 1);
	inn_val part[3];

	(void)opts;
	if (c != 3) {
		inn_fail(inn_build_ctx(b), INN_ESHAPE, NULL, "channel_order: three channels on axis 1 are expected, not %u", c);
		return (inn_val){ 0 };
	}
	for (uint32_t i = 0; i < 3; i++)
		part[i] = inn_slice(b, x, 1, 2 - i, 3 - i, 1);
	return inn_concat(b, part, 3, 1);
}

static const struct inn_stage_ops channel_order = {
	.cls = INN_HEAD(struct inn_stage_ops, INN_STAGE, "channel_order", "RGB to BGR", NULL, 0, NULL),
	.build = build,
};

INN_PLUGIN("channel_order", "1.0.0", "BSD-2-Clause", &channel_order.cls);
