/* lrp.flat: as w^2 with all weights one: R spreads evenly over what each output reads (Lapuschkin et al. 2017). */
#include "rule.h"

struct opts {
	struct guard guard;
};

static const struct inn_param params[] = { STABILIZER_ROWS(struct opts), { 0 } };

static inn_val back(inn_build *b, const struct inn_site *s, uint32_t k, const void *opts)
{
	const struct opts *o = opts;
	struct inn_branch br = { ones(b, s->x[k]), inn_const(b, 1, inn_shape_of(b, inn_weight_of(s, INN_W_KERNEL))), { 0 }, 1 };

	return inn_branches(b, s, s->r, &br, 1, stabilizer(s, &o->guard));
}

RULE("lrp.flat", "LRP flat rule", params, sizeof(struct opts), NULL, INN_T_AFFINE, INN_CONSERVES);
