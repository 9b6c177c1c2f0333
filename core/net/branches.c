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

inn_val inn_branches(inn_build *b, const struct inn_site *s, inn_val r, const struct inn_branch *br, uint32_t n,
		     struct inn_stabilizer how)
{
	inn_val z = { 0 }, bias = { 0 }, sum = { 0 };

	if (!n)
		return z;
	for (uint32_t j = 0; j < n; j++) {
		z = signed_sum(b, z, inn_affine(b, s, br[j].x, br[j].W, br[j].bias), br[j].sign);
		if (br[j].bias.id && inn_audits(b))
			bias = signed_sum(b, bias, inn_affine(b, s, inn_const(b, 0, inn_shape_of(b, br[j].x)), br[j].W, br[j].bias), br[j].sign);
	}
	inn_val c = inn_ratio(b, r, z, how);

	if (bias.id)
		inn_lost(b, INN_LOSS_BIAS, inn_mul(b, c, bias));
	for (uint32_t j = 0; j < n; j++)
		sum = signed_sum(b, sum, inn_mul(b, br[j].x, inn_affine_t(b, s, c, br[j].W)), br[j].sign);
	uint32_t k = inn__data_position(s->node);
	struct inn_shape shape = *inn_shape_of(b, k < s->n_x ? s->x[k] : br[0].x);

	return inn_expand(b, sum, &shape);
}
