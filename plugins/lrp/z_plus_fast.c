/* lrp.z_plus_fast: z+ with x as it is: the same where x >= 0, in one product. captum's Alpha1_Beta0 rule is this with the bias. */
#include "rule.h"

struct opts {
	struct guard guard;
};

static const struct inn_param params[] = { STABILIZER_ROWS(struct opts), { 0 } };

static inn_val back(inn_build *b, const struct inn_site *s, uint32_t k, const void *opts)
{
	const struct opts *o = opts;
	struct inn_branch br = { s->x[k], inn_pos_part(b, inn_weight_of(s, INN_W_KERNEL)), captum(s) ? inn_weight_of(s, INN_W_BIAS) : (inn_val){ 0 }, 1 };

	return inn_branches(b, s, s->r, &br, 1, stabilizer(s, &o->guard));
}

RULE("lrp.z_plus_fast", "LRP z+ rule for non-negative inputs", params, sizeof(struct opts), NULL, INN_T_AFFINE, INN_CONSERVES);
