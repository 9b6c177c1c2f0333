/* lrp.epsilon: R_i = x_i (W^T (R / (z + eps sign z)))_i with z = W x + b, sign 0 = 1 (Bach et al. 2015, eq. 58). */
#include "stabilizer.h"

struct opts {
	double epsilon;
	bool bias;
};

static const struct inn_param params[] = {
	INN_REAL(struct opts, epsilon, 1e-7, 1e-12, 1e3, "stabilizer added to the denominator"),
	INN_BOOL(struct opts, bias, true, "let the bias take part in z"),
	{ 0 },
};

static inn_val back(inn_build *b, const struct inn_site *s, uint32_t k, const void *opts)
{
	const struct opts *o = opts;
	struct inn_branch br = { s->x[k], inn_weight_of(s, INN_W_KERNEL), o->bias ? inn_weight_of(s, INN_W_BIAS) : (inn_val){ 0 }, 1 };

	return inn_branches(b, s, s->r, &br, 1, o->epsilon, false);
}

static const struct inn_rule_ops rule = {
	.cls = INN_HEAD(struct inn_rule_ops, INN_RULE, "lrp.epsilon", "LRP epsilon rule", params, sizeof(struct opts), NULL),
	.needs = INN_T_AFFINE,
	.promises = 0,
	.back = back,
};

INN_PLUGIN("lrp.epsilon", "1.0.0", "BSD-2-Clause", &rule.cls);
