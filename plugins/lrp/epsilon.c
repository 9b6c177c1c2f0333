/* lrp.epsilon: R_i = x_i (W^T (R / (z + eps sign z)))_i with z = W x + b, sign 0 = 1 (Bach et al. 2015, eq. 58). */
#include "rule.h"

struct opts {
	struct guard guard;
	bool bias;
};

static const struct inn_param params[] = {
	{ .name = "epsilon", .help = "stabilizer added to the denominator", .type = INN_P_REAL,
	  .offset = INN_AT(struct opts, guard.epsilon, double), .def = 1e-7, .min = 1e-12, .max = 1e3 },
	INN_BOOL(struct opts, bias, true, "let the bias take part in z"),
	STABILIZER(struct opts, INN_GUARD_SIGN),
	{ 0 },
};

static inn_val back(inn_build *b, const struct inn_site *s, uint32_t k, const void *opts)
{
	const struct opts *o = opts;
	struct inn_branch br = { s->x[k], inn_weight_of(s, INN_W_KERNEL), o->bias ? inn_weight_of(s, INN_W_BIAS) : (inn_val){ 0 }, 1 };

	return inn_branches(b, s, s->r, &br, 1, stabilizer(s, &o->guard));
}

RULE("lrp.epsilon", "LRP epsilon rule", params, sizeof(struct opts), NULL, INN_T_AFFINE, 0);
