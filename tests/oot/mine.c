/* lrp.mine: a third party's rule: the epsilon rule with its own name. */
#include <innvestigate/plugin.h>

struct opts {
	double epsilon;
};

static const struct inn_param params[] = {
	INN_REAL(struct opts, epsilon, 1e-6, 1e-12, 1e3, "stabilizer added to the denominator"),
	{ 0 },
};

static inn_val back(inn_build *b, const struct inn_site *s, uint32_t k, const void *opts)
{
	const struct opts *o = opts;
	struct inn_branch br = { s->x[k], inn_weight_of(s, INN_W_KERNEL), inn_weight_of(s, INN_W_BIAS), 1 };

	return inn_branches(b, s, s->r, &br, 1, (struct inn_stabilizer){ INN_GUARD_SIGN, o->epsilon });
}

static const struct inn_rule_ops mine = {
	.cls = INN_HEAD(struct inn_rule_ops, INN_RULE, "lrp.mine", "a third party's rule", params, sizeof(struct opts), NULL),
	.needs = INN_T_AFFINE,
	.back = back,
};

INN_PLUGIN("lrp.mine", "0.1.0", "MIT", &mine.cls);
