/* gradient: R_k = J_k^T R, the layer's derivative: winner takes all at max-pooling, routing at views. */
#include "stabilizer.h"

static inn_val back(inn_build *b, const struct inn_site *s, uint32_t k, const void *opts)
{
	(void)opts;
	return inn_vjp(b, s, k, s->r);
}

static const struct inn_rule_ops rule = {
	.cls = INN_HEAD(struct inn_rule_ops, INN_RULE, "gradient", "the derivative", NULL, 0, NULL),
	.needs = 0,
	.promises = 0,
	.back = back,
};

INN_PLUGIN("gradient", "1.0.0", "BSD-2-Clause", &rule.cls);
