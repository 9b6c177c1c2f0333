/* lrp.z_plus: only contributions that are positive: x+ W+ and x- W- (Montavon et al. 2017). zennit lets b+ take part. */
#include "rule.h"

struct opts {
	struct guard guard;
};

static const struct inn_param params[] = { STABILIZER_ROWS(struct opts), { 0 } };

static inn_val back(inn_build *b, const struct inn_site *s, uint32_t k, const void *opts)
{
	const struct opts *o = opts;
	inn_val W = inn_weight_of(s, INN_W_KERNEL), bias = zennit(s) ? plus(b, inn_weight_of(s, INN_W_BIAS)) : (inn_val){ 0 };
	struct inn_branch br[2] = {
		{ inn_pos_part(b, s->x[k]), inn_pos_part(b, W), bias, 1 },
		{ inn_neg_part(b, s->x[k]), inn_neg_part(b, W), { 0 }, 1 },
	};

	return inn_branches(b, s, s->r, br, 2, stabilizer(s, &o->guard));
}

RULE("lrp.z_plus", "LRP z+ rule", params, sizeof(struct opts), NULL, INN_T_AFFINE, INN_CONSERVES);
