/* lrp.batch_norm: y = k x + c, k = scale / sqrt(var + eps), c = shift - k mean: without `rule` R x (y - shift) / ((x - mean) y), else
 * that rule on (k, c). iNNvestigate's releases square the variance and forget the scale in c; so does that dialect. */
#include "rule.h"

enum { ONE_LINEAR, TWO_LINEAR };

struct opts {
	struct inn_inst rule;
	int fuse;
};

static const struct inn_choice modes[] = {
	{ "one_linear", ONE_LINEAR, "k x + c at once" }, { "two_linear", TWO_LINEAR, "normalise, then scale and shift" }, { 0 },
};
static const struct inn_param params[] = {
	INN_CLASS(struct opts, rule, INN_RULE, NULL, "rule of an affine layer; null: the formula of batch norm itself"),
	INN_ENUM(struct opts, fuse, ONE_LINEAR, modes, "what the rule is applied to"),
	{ 0 },
};

static inn_val channel(inn_build *b, const struct inn_site *s, uint32_t role) { return inn_channel(b, inn_weight_of(s, role), inn_shape_of(b, s->y)->rank); }

/* R x (y - shift) / d with d = (x - mean) y, d and what remains of it guarded as released: 1e-7 by sign. */
static inn_val own(inn_build *b, const struct inn_site *s)
{
	inn_val shift = channel(b, s, INN_W_SHIFT), mean = channel(b, s, INN_W_MEAN), x = s->x[0];
	inn_val y = shift.id ? inn_sub(b, s->y, shift) : s->y, d = inn_mul(b, mean.id ? inn_sub(b, x, mean) : x, s->y);

	return inn_mul(b, inn_mul(b, x, y), inn_ratio(b, s->r, d, (struct inn_stabilizer){ INN_GUARD_SIGN, 1e-7 }));
}

/* Relevance of x at the layer k x + c. */
static inn_val as_affine(inn_build *b, const struct inn_site *s, inn_val x, inn_val k, inn_val c, inn_val r, const struct inn_inst *rule)
{
	struct inn_site affine = *s;

	affine.x = (inn_val[5]){ x };
	affine.w = (inn_val[4]){ k, c };
	affine.r = r;
	affine.y = inn_affine(b, s, x, k, c);
	return inn_apply_rule(b, &affine, 0, rule);
}

static inn_val back(inn_build *b, const struct inn_site *s, uint32_t k, const void *opts)
{
	const struct opts *o = opts;
	bool released = s->dialect == INN_INNVESTIGATE;
	inn_val var = inn_weight_of(s, INN_W_VAR), mean = inn_weight_of(s, INN_W_MEAN), scale = inn_weight_of(s, INN_W_SCALE), shift = inn_weight_of(s, INN_W_SHIFT);

	if (!o->rule.cls || !var.id || !mean.id || !scale.id || !shift.id)
		return own(b, s);
	inn_val t = inn_sqrt(b, inn_addc(b, released ? inn_mul(b, var, var) : var, inn_node_attr_real(s->node, "epsilon")));
	inn_val unit = inn_div(b, inn_scalar(b, 1), t), centre = inn_neg(b, inn_div(b, mean, t)), x = s->x[k];

	if (o->fuse == TWO_LINEAR)
		return as_affine(b, s, x, unit, centre, as_affine(b, s, inn_affine(b, s, x, unit, centre), scale, shift, s->r, &o->rule), &o->rule);
	return as_affine(b, s, x, inn_div(b, scale, t), inn_add(b, released ? centre : inn_mul(b, centre, scale), shift), s->r, &o->rule);
}

RULE("lrp.batch_norm", "batch norm by its own formula, or as an affine layer", params, sizeof(struct opts), NULL, INN_T_NORM, 0);
