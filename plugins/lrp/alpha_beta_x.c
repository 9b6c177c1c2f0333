/* lrp.alpha_beta_x: the four products of signs normalised each by itself (as proposed by A. Binder, in iNNvestigate's presets for
 * batch norm): R = a0 [x+ W+] + a1 [x- W-] - b0 [x+ W-] - b1 [x- W+]. Each takes the bias of its own sign. Releases weigh
 * [x- W-] by b1 and choose the bias by the sign of W: so does that dialect. */
#include "rule.h"

struct opts {
	struct guard guard;
	struct inn_reals alpha, beta;
	bool bias;
};

static const struct inn_param params[] = {
	INN_REALS(struct opts, alpha, "[2, 0]", -1e3, 1e3, "weights of x+ W+ and x- W-"),
	INN_REALS(struct opts, beta, "[1, 0]", -1e3, 1e3, "weights of x+ W- and x- W+"),
	INN_BOOL(struct opts, bias, true, "let the bias of each sign take part"),
	STABILIZER_ROWS(struct opts),
	{ 0 },
};

static int check(inn_ctx *ctx, const struct inn_loc *loc, const void *opts)
{
	const struct opts *o = opts;

	if (o->alpha.n != 2 || o->beta.n != 2)
		return inn_fail(ctx, INN_ECONFIG, loc, "lrp.alpha_beta_x: alpha and beta are lists of two numbers");
	return INN_OK;
}

static inn_val back(inn_build *b, const struct inn_site *s, uint32_t k, const void *opts)
{
	const struct opts *o = opts;
	inn_val W = inn_weight_of(s, INN_W_KERNEL), c = o->bias ? inn_weight_of(s, INN_W_BIAS) : (inn_val){ 0 };
	inn_val x[2] = { inn_pos_part(b, s->x[k]), inn_neg_part(b, s->x[k]) }, V[2] = { plus(b, W), minus(b, W) }, bias[2] = { plus(b, c), minus(b, c) };
	struct inn_branch br[INN_MAX_PARTS];
	struct inn_part part[INN_MAX_PARTS];
	uint32_t n = 0;
	bool released = s->dialect == INN_INNVESTIGATE;
	double a1 = released ? o->beta.v[1] : o->alpha.v[1];
	const double weight[2][2] = { { o->alpha.v[0], -o->beta.v[0] }, { -o->beta.v[1], a1 } }; /* [sign of x][sign of W] */

	for (int i = 0; i < 2; i++)
		for (int j = 0; j < 2; j++) {
			if (weight[i][j] == 0)
				continue;
			br[n] = (struct inn_branch){ x[i], V[j], bias[released ? j : i != j], 1 };
			part[n] = (struct inn_part){ inn_mulc(b, s->r, weight[i][j]), &br[n], 1 };
			n++;
		}
	return n ? inn_parts(b, s, part, n, stabilizer(s, &o->guard)) : inn_const(b, 0, inn_shape_of(b, s->x[k]));
}

RULE("lrp.alpha_beta_x", "LRP alpha-beta rule for each pair of signs", params, sizeof(struct opts), check, INN_T_AFFINE, 0);
