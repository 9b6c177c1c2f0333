/* lrp.z_plus_fast: z+ with x as it is: the same where x >= 0, in one product. */
#include "stabilizer.h"

static inn_val back(inn_build *b, const struct inn_site *s, uint32_t k, const void *opts)
{
	struct inn_branch br = { s->x[k], inn_pos_part(b, inn_weight_of(s, INN_W_KERNEL)), { 0 }, 1 };

	(void)opts;
	return branches(b, s, &br, 1);
}

static const struct inn_rule_ops rule = {
	.cls = INN_HEAD(struct inn_rule_ops, INN_RULE, "lrp.z_plus_fast", "LRP z+ rule for non-negative inputs", NULL, 0, NULL),
	.needs = INN_T_AFFINE,
	.promises = INN_CONSERVES,
	.back = back,
};

INN_PLUGIN("lrp.z_plus_fast", "1.0.0", "BSD-2-Clause", &rule.cls);
