/* lrp.gamma: positive contributions favoured by 1 + gamma (Montavon et al. 2019), generalised to signed values: where z > 0 the
 * branches x+ and x- meet W + gamma W+ and W + gamma W-, where z < 0 the other way round (Andeol et al. 2022). The
 * denominators are summed from f(x,W) and its parts by sign, which other rules share. */
#include "stabilizer.h"

struct opts {
	double gamma;
	bool generalised;
};

static const struct inn_param params[] = {
	INN_REAL(struct opts, gamma, 0.25, 0, 1e6, "how much positive contributions are favoured"),
	INN_BOOL(struct opts, generalised, true, "also for negative inputs and outputs; false: x (W + gamma W+) alone"),
	{ 0 },
};

struct layer { inn_val x[2], W[2], bias[2], mask[2]; }; /* x+ x-, W+ W-, b+ b-, z > 0 and z < 0 */

static inn_val favoured(inn_build *b, inn_val v, inn_val part, double gamma) { return v.id ? inn_add(b, v, inn_mulc(b, part, gamma)) : v; }

/* Relevance of the outputs on one side of zero; `side` 0: z > 0. */
static inn_val half(inn_build *b, const struct inn_site *s, inn_val x, inn_val W, inn_val bias, const struct layer *l, double gamma, int side)
{
	inn_val none = { 0 }, z = inn_affine(b, s, x, W, favoured(b, bias, l->bias[side], gamma));
	inn_val parts = inn_add(b, inn_affine(b, s, l->x[0], l->W[side], none), inn_affine(b, s, l->x[1], l->W[1 - side], none));
	inn_val y = inn_add(b, z, inn_mulc(b, parts, gamma));
	inn_val c = inn_ratio(b, inn_mul(b, s->r, l->mask[side]), y, 1e-6, !zennit(s)), r[2];

	for (int k = 0; k < 2; k++) {
		inn_val V = favoured(b, W, l->W[k ? 1 - side : side], gamma);

		r[k] = inn_mul(b, l->x[k], inn_affine_t(b, s, c, V));
	}
	return inn_add(b, r[0], r[1]);
}

static inn_val back(inn_build *b, const struct inn_site *s, uint32_t k, const void *opts)
{
	const struct opts *o = opts;
	inn_val W = inn_weight_of(s, INN_W_KERNEL), c = inn_weight_of(s, INN_W_BIAS), x = s->x[k], zero = inn_scalar(b, 0);
	struct layer l = {
		.x = { inn_pos_part(b, x), inn_neg_part(b, x) }, .W = { plus(b, W), minus(b, W) }, .bias = { plus(b, c), minus(b, c) },
		.mask = { inn_gt(b, s->y, zero), inn_gt(b, zero, s->y) },
	};

	struct inn_branch plain = { x, favoured(b, W, l.W[0], o->gamma), favoured(b, c, l.bias[0], o->gamma), 1 };

	if (!o->generalised)
		return branches(b, s, &plain, 1);
	return inn_add(b, half(b, s, x, W, c, &l, o->gamma, 0), half(b, s, x, W, c, &l, o->gamma, 1));
}

static const struct inn_rule_ops rule = {
	.cls = INN_HEAD(struct inn_rule_ops, INN_RULE, "lrp.gamma", "LRP gamma rule", params, sizeof(struct opts), NULL),
	.needs = INN_T_AFFINE,
	.back = back,
};

INN_PLUGIN("lrp.gamma", "1.0.0", "BSD-2-Clause", &rule.cls);
