/* lrp.norm: R_k = x_k * J_k^T (R / y): the z rule of layers without weights (sums, average pooling, batch norm). */
#include "rule.h"

struct opts {
	struct guard guard;
};

static const struct inn_param params[] = { STABILIZER_ROWS(struct opts), { 0 } };

static inn_val back(inn_build *b, const struct inn_site *s, uint32_t k, const void *opts)
{
	const struct opts *o = opts;

	return inn_mul(b, s->x[k], inn_vjp(b, s, k, inn_ratio(b, s->r, s->y, stabilizer(s, &o->guard))));
}

RULE("lrp.norm", "shares by value", params, sizeof(struct opts), NULL, 0, 0);
