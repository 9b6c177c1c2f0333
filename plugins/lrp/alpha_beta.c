/* lrp.alpha_beta: R = alpha A - beta B, A from the positive contributions x+W+ + x-W- (+ b+), B from the negative ones
 * (Bach et al. 2015, eq. 60). Releases of iNNvestigate put the whole bias into both denominators: bias: whole. */
#include "rule.h"

enum { SPLIT, WHOLE, NONE };

struct opts {
	struct guard guard;
	double alpha, beta;
	int bias;
};

static const struct inn_choice biases[] = {
	{ "split", SPLIT, "b+ to the positive, b- to the negative part" },
	{ "whole", WHOLE, "b to both" },
	{ "none", NONE, "left out" },
	{ "true", SPLIT, "split" },
	{ "false", NONE, "none" },
	{ 0 },
};

#define WEIGHT(f, lo, h) { .name = #f, .help = h, .offset = INN_AT(struct opts, f, double), .type = INN_P_REAL, .flags = INN_NULLABLE, .min = lo, .max = 1e3 }

static const struct inn_param params[] = {
	WEIGHT(alpha, 1, "weight of the positive part; null: beta + 1, or 2"),
	WEIGHT(beta, 0, "weight of the negative part; null: alpha - 1"),
	INN_ENUM(struct opts, bias, SPLIT, biases, "how the bias takes part"),
	STABILIZER_ROWS(struct opts),
	{ 0 },
};

static int check(inn_ctx *ctx, const struct inn_loc *loc, const void *opts)
{
	const struct opts *o = opts;

	if (fabs(o->alpha - o->beta - 1) > 1e-9) /* NaN: what is not given follows from the other */
		return inn_fail(ctx, INN_ECONFIG, loc, "lrp.alpha_beta: alpha - beta must be 1, not %g - %g; beta: %g would do", o->alpha, o->beta,
				o->alpha - 1);
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
	struct inn_stabilizer how = stabilizer(s, &o->guard);
	double alpha = !isnan(o->alpha) ? o->alpha : isnan(o->beta) ? 2 : o->beta + 1;
	struct inn_part part[2] = { { inn_mulc(b, s->r, alpha), act, 2 } };

	if (alpha > 1)
		part[1] = (struct inn_part){ inn_mulc(b, s->r, 1 - alpha), inh, 2 };
	return inn_parts(b, s, part, alpha > 1 ? 2 : 1, how);
}

RULE("lrp.alpha_beta", "LRP alpha-beta rule", params, sizeof(struct opts), check, INN_T_AFFINE, 0);
