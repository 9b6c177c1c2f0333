/* lrp.norm: R_k = x_k * J_k^T (R / y): the z rule of layers without weights (sums, average pooling, batch norm). */
#include "stabilizer.h"

static inn_val back(inn_build *b, const struct inn_site *s, uint32_t k, const void *opts)
{
	inn_val c = inn_ratio(b, s->r, s->y, 1e-6, !zennit(s));

	(void)opts;
	return inn_mul(b, s->x[k], inn_vjp(b, s, k, c));
}

static const struct inn_rule_ops rule = {
	.cls = INN_HEAD(struct inn_rule_ops, INN_RULE, "lrp.norm", "shares by value", NULL, 0, NULL),
	.needs = 0,
	.promises = 0,
	.back = back,
};

INN_PLUGIN("lrp.norm", "1.0.0", "BSD-2-Clause", &rule.cls);
