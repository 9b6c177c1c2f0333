/* lrp.gamma: positive contributions favoured by 1 + gamma (Montavon et al. 2019), generalised to signed values: where z > 0 the
 * branches x+ and x- meet W + gamma W+ and W + gamma W-, where z < 0 the other way round (Andeol et al. 2022). The
 * denominators are summed from f(x,W) and its parts by sign, which other rules share. */
#include "rule.h"

struct opts {
	struct guard guard;
	double gamma;
	bool generalised;
};

static const struct inn_param params[] = {
	INN_REAL(struct opts, gamma, 0.25, 0, 1e6, "how much positive contributions are favoured"),
	INN_BOOL(struct opts, generalised, true, "also for negative inputs and outputs; false: x (W + gamma W+) alone, captum's form"),
	STABILIZER_ROWS(struct opts),
	{ 0 },
};

struct layer { inn_val x[2], W, W2[2], bias, bias2[2], mask[2]; }; /* x+ x-, W W+ W-, b b+ b-, z > 0 and z < 0 */

static inn_val favoured(inn_build *b, inn_val v, inn_val part, double gamma) { return v.id ? inn_add(b, v, inn_mulc(b, part, gamma)) : v; }

/* Relevance of the outputs on one side of zero; `side` 0: z > 0. */
static inn_val half(inn_build *b, const struct inn_site *s, inn_val x, const struct layer *l, const struct opts *o, int side)
{
	inn_val none = { 0 }, bias = favoured(b, l->bias, l->bias2[side], o->gamma), z = inn_affine(b, s, x, l->W, bias);
	inn_val parts = inn_add(b, inn_affine(b, s, l->x[0], l->W2[side], none), inn_affine(b, s, l->x[1], l->W2[1 - side], none));
	inn_val y = inn_add(b, z, inn_mulc(b, parts, o->gamma));
	inn_val c = inn_ratio(b, inn_mul(b, s->r, l->mask[side]), y, stabilizer(s, &o->guard)), r[2];

	if (bias.id && inn_audits(b))
		inn_lost(b, INN_LOSS_BIAS, inn_mul(b, c, inn_affine(b, s, inn_const(b, 0, inn_shape_of(b, x)), l->W, bias)));
	for (int k = 0; k < 2; k++)
		r[k] = inn_mul(b, l->x[k], inn_affine_t(b, s, c, favoured(b, l->W, l->W2[k ? 1 - side : side], o->gamma)));
	return inn_add(b, r[0], r[1]);
}

static inn_val back(inn_build *b, const struct inn_site *s, uint32_t k, const void *opts)
{
	const struct opts *o = opts;
	inn_val W = inn_weight_of(s, INN_W_KERNEL), c = inn_weight_of(s, INN_W_BIAS), x = s->x[k], zero = inn_scalar(b, 0);
	struct layer l = {
		.x = { inn_pos_part(b, x), inn_neg_part(b, x) }, .W = W, .W2 = { plus(b, W), minus(b, W) },
		.bias = c, .bias2 = { plus(b, c), minus(b, c) }, .mask = { inn_gt(b, s->y, zero), inn_gt(b, zero, s->y) },
	};
	struct inn_branch plain = { x, favoured(b, W, l.W2[0], o->gamma), captum(s) ? c : favoured(b, c, l.bias2[0], o->gamma), 1 };

	if (!o->generalised)
		return inn_branches(b, s, s->r, &plain, 1, stabilizer(s, &o->guard));
	return inn_add(b, half(b, s, x, &l, o, 0), half(b, s, x, &l, o, 1));
}

RULE("lrp.gamma", "LRP gamma rule", params, sizeof(struct opts), NULL, INN_T_AFFINE, 0);
