/* lrp.w_square: R_i = sum_j w_ij^2 / sum_i w_ij^2 R_j (Montavon et al. 2017); zennit adds b^2. */
#include "rule.h"

struct opts {
	struct guard guard;
};

static const struct inn_param params[] = { STABILIZER_ROWS(struct opts), { 0 } };

static inn_val back(inn_build *b, const struct inn_site *s, uint32_t k, const void *opts)
{
	const struct opts *o = opts;
	inn_val W = inn_weight_of(s, INN_W_KERNEL), c = inn_weight_of(s, INN_W_BIAS), one = ones(b, s->x[k]);
	struct inn_branch br = { one, inn_mul(b, W, W), zennit(s) && c.id ? inn_mul(b, c, c) : (inn_val){ 0 }, 1 };

	return inn_branches(b, s, s->r, &br, 1, stabilizer(s, &o->guard));
}

RULE("lrp.w_square", "LRP w^2 rule", params, sizeof(struct opts), NULL, INN_T_AFFINE, INN_CONSERVES);
