/* lrp.alpha_beta: R = alpha A - beta B, A from the positive contributions x+W+ + x-W- (+ b+), B from the negative ones
 * (Bach et al. 2015, eq. 60). Releases of iNNvestigate put the whole bias into both denominators: bias: whole. */
#include "stabilizer.h"
#include <math.h>

enum { SPLIT, WHOLE, NONE };

struct opts {
	double alpha, beta;
	int bias;
};

static const struct inn_choice biases[] = {
	{ "split", SPLIT, "b+ to the positive, b- to the negative part" },
	{ "whole", WHOLE, "b to both" },
	{ "none", NONE, "left out" },
	{ 0 },
};

static const struct inn_param params[] = {
	INN_REAL(struct opts, alpha, 2, 1, 1e3, "weight of the positive part"),
	INN_REAL(struct opts, beta, 1, 0, 1e3, "weight of the negative part, alpha - 1"),
	INN_ENUM(struct opts, bias, SPLIT, biases, "how the bias takes part"),
	{ 0 },
};

static int check(inn_ctx *ctx, const struct inn_loc *loc, const void *opts)
{
	const struct opts *o = opts;

	if (fabs(o->alpha - o->beta - 1) > 1e-9)
		return inn_fail(ctx, INN_ECONFIG, loc, "alpha - beta must be 1, not %g - %g", o->alpha, o->beta);
	return INN_OK;
}

static inn_val back(inn_build *b, const struct inn_site *s, uint32_t k, const void *opts)
{
	const struct opts *o = opts;
	inn_val W = inn_weight_of(s, INN_W_KERNEL), c = inn_weight_of(s, INN_W_BIAS), x = s->x[k], xp = inn_pos_part(b, x), xn = inn_neg_part(b, x);
	int bias = s->dialect == INN_INNVESTIGATE && o->bias == SPLIT ? WHOLE : o->bias;
	inn_val none = { 0 }, up = bias == WHOLE ? c : bias == SPLIT ? plus(b, c) : none;
	inn_val down = bias == WHOLE ? c : bias == SPLIT ? minus(b, c) : none;
	struct inn_branch act[2] = { { xp, plus(b, W), up, 1 }, { xn, minus(b, W), none, 1 } };
	struct inn_branch inh[2] = { { xp, minus(b, W), down, 1 }, { xn, plus(b, W), none, 1 } };
	inn_val r = inn_mulc(b, branches(b, s, act, 2), o->alpha);

	if (o->beta > 0)
		r = inn_sub(b, r, inn_mulc(b, branches(b, s, inh, 2), o->beta));
	return r;
}

static const struct inn_rule_ops rule = {
	.cls = INN_HEAD(struct inn_rule_ops, INN_RULE, "lrp.alpha_beta", "LRP alpha-beta rule", params, sizeof(struct opts), check),
	.needs = INN_T_AFFINE,
	.promises = 0,
	.back = back,
};

INN_PLUGIN("lrp.alpha_beta", "1.0.0", "BSD-2-Clause", &rule.cls);
