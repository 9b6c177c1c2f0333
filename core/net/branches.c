/* What most rules share: relevance divided by a stabilised sum of affine maps, and sent back through them. */
#include "state.h"

/* Each sample's root mean square. */
static inn_val rms(inn_build *b, inn_val z)
{
	uint32_t axes = (1u << inn_shape_of(b, z)->rank) - 2; /* all but axis 0 */

	return inn_sqrt(b, inn_mean_axes(b, inn_mul(b, z, z), axes));
}

static inn_val stabilized(inn_build *b, inn_val z, struct inn_stabilizer how)
{
	inn_val zero = inn_scalar(b, 0);

	switch (how.guard) {
	case INN_GUARD_ZERO: return inn_add(b, z, inn_mulc(b, inn_eqc(b, z, 0), how.eps));
	case INN_GUARD_CLIP: return inn_select(b, inn_ge(b, z, zero), inn_maxc(b, z, how.eps), inn_minc(b, z, -how.eps));
	case INN_GUARD_RMS: {
		inn_val eps = inn_maxc(b, inn_mulc(b, rms(b, z), how.eps), 1e-20); /* a sample of nothing but zeros has no scale */

		return inn_add(b, z, inn_select(b, inn_ge(b, z, zero), eps, inn_neg(b, eps)));
	}
	default: return inn_stab(b, z, how.eps);
	}
}

inn_val inn_ratio(inn_build *b, inn_val r, inn_val z, struct inn_stabilizer how)
{
	inn_val safe = stabilized(b, z, how), c = inn_div(b, r, safe);

	if (inn_audits(b))
		inn_lost(b, INN_LOSS_STABILIZER, inn_mul(b, c, inn_sub(b, safe, z)));
	return c;
}

static inn_val signed_sum(inn_build *b, inn_val sum, inn_val term, double sign)
{
	if (sign != 0 && sign != 1)
		term = inn_mulc(b, term, sign);
	return sum.id ? inn_add(b, sum, term) : term;
}

/* r / z of one part. */
static inn_val quotient(inn_build *b, const struct inn_site *s, const struct inn_part *p, struct inn_stabilizer how)
{
	inn_val z = { 0 }, bias = { 0 };

	for (uint32_t j = 0; j < p->n; j++) {
		const struct inn_branch *br = &p->branch[j];

		z = signed_sum(b, z, inn_affine(b, s, br->x, br->W, br->bias), br->sign);
		if (br->bias.id && inn_audits(b))
			bias = signed_sum(b, bias, inn_affine(b, s, inn_const(b, 0, inn_shape_of(b, br->x)), br->W, br->bias), br->sign);
	}
	inn_val c = inn_ratio(b, p->r, z, how);

	if (bias.id)
		inn_lost(b, INN_LOSS_BIAS, inn_mul(b, c, bias));
	return c;
}

/* What the branches with operand x send back to it. */
static inn_val sent_back(inn_build *b, const struct inn_site *s, const struct inn_part *part, const inn_val *c, uint32_t n, inn_val x)
{
	inn_val sum = { 0 };

	for (uint32_t i = 0; i < n; i++)
		for (uint32_t j = 0; j < part[i].n; j++)
			if (part[i].branch[j].x.id == x.id)
				sum = signed_sum(b, sum, inn_affine_t(b, s, c[i], part[i].branch[j].W), part[i].branch[j].sign);
	return inn_mul(b, x, sum);
}

static bool seen(const struct inn_part *part, uint32_t i, uint32_t j)
{
	for (uint32_t p = 0; p <= i; p++)
		for (uint32_t q = 0; q < (p < i ? part[p].n : j); q++)
			if (part[p].branch[q].x.id == part[i].branch[j].x.id)
				return true;
	return false;
}

inn_val inn_parts(inn_build *b, const struct inn_site *s, const struct inn_part *part, uint32_t n, struct inn_stabilizer how)
{
	inn_val c[INN_MAX_PARTS], sum = { 0 };

	if (!n || n > INN_MAX_PARTS || !part[0].n)
		return sum;
	for (uint32_t i = 0; i < n; i++)
		c[i] = quotient(b, s, &part[i], how);
	for (uint32_t i = 0; i < n; i++)
		for (uint32_t j = 0; j < part[i].n; j++)
			if (!seen(part, i, j))
				sum = signed_sum(b, sum, sent_back(b, s, part, c, n, part[i].branch[j].x), 1);
	uint32_t k = inn__data_position(s->node);
	struct inn_shape shape = *inn_shape_of(b, k < s->n_x ? s->x[k] : part[0].branch[0].x);

	return inn_expand(b, sum, &shape);
}

inn_val inn_branches(inn_build *b, const struct inn_site *s, inn_val r, const struct inn_branch *br, uint32_t n,
		     struct inn_stabilizer how)
{
	return inn_parts(b, s, &(struct inn_part){ r, br, n }, 1, how);
}
