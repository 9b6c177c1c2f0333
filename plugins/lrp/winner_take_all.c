/* lrp.winner_take_all: at max pooling all relevance goes to the largest, the first of equals: the pool's derivative. */
#include "rule.h"

static inn_val back(inn_build *b, const struct inn_site *s, uint32_t k, const void *opts)
{
	(void)opts;
	return inn_vjp(b, s, k, s->r);
}

RULE("lrp.winner_take_all", "the largest of a pool takes all", NULL, 0, NULL, INN_T_MAX_POOL, INN_CONSERVES);
