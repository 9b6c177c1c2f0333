/* lrp.pass: R unchanged, for activations and other layers of one input and equal shapes. */
#include "stabilizer.h"

static inn_val back(inn_build *b, const struct inn_site *s, uint32_t k, const void *opts)
{
	(void)opts;
	return inn_reshape(b, s->r, inn_shape_of(b, s->x[k]));
}

static const struct inn_rule_ops rule = {
	.cls = INN_HEAD(struct inn_rule_ops, INN_RULE, "lrp.pass", "relevance passes unchanged", NULL, 0, NULL),
	.needs = 0,
	.promises = INN_CONSERVES,
	.back = back,
};

INN_PLUGIN("lrp.pass", "1.0.0", "BSD-2-Clause", &rule.cls);
