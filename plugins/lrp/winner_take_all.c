/* lrp.winner_take_all: at max pooling all relevance goes to the largest, the first of equals: the pool's derivative. */
#include <innvestigate/plugin.h>

static inn_val back(inn_build *b, const struct inn_site *s, uint32_t k, const void *opts)
{
	(void)opts;
	return inn_vjp(b, s, k, s->r);
}

static const struct inn_rule_ops rule = {
	.cls = INN_HEAD(struct inn_rule_ops, INN_RULE, "lrp.winner_take_all", "the largest of a pool takes all", NULL, 0, NULL),
	.needs = INN_T_MAX_POOL,
	.promises = INN_CONSERVES,
	.back = back,
};

INN_PLUGIN("lrp.winner_take_all", "1.0.0", "BSD-2-Clause", &rule.cls);
