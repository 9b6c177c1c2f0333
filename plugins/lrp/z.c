/* lrp.z: R_i = x_i (W^T (R / z))_i with z = W x + b (Bach et al. 2015, eq. 56). */
#include "rule.h"

struct opts {
	struct guard guard;
	bool bias;
};

static const struct inn_param params[] = {
	INN_BOOL(struct opts, bias, true, "let the bias take part in z"),
	STABILIZER_ROWS(struct opts),
	{ 0 },
};

static inn_val back(inn_build *b, const struct inn_site *s, uint32_t k, const void *opts)
{
	const struct opts *o = opts;
	struct inn_branch br = { s->x[k], inn_weight_of(s, INN_W_KERNEL), o->bias ? inn_weight_of(s, INN_W_BIAS) : (inn_val){ 0 }, 1 };

	return inn_branches(b, s, s->r, &br, 1, stabilizer(s, &o->guard));
}

RULE("lrp.z", "LRP z rule", params, sizeof(struct opts), NULL, INN_T_AFFINE, INN_CONSERVES_WITHOUT_BIAS);
