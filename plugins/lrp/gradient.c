/* gradient: R_k = J_k^T R, the layer's derivative: winner takes all at max-pooling, routing at views. */
#include "rule.h"

static inn_val back(inn_build *b, const struct inn_site *s, uint32_t k, const void *opts)
{
	(void)opts;
	return inn_vjp(b, s, k, s->r);
}

RULE("gradient", "the derivative", NULL, 0, NULL, 0, 0);
