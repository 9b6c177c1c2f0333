/* What most rules share: relevance divided by a stabilised sum of affine maps, and sent back through them. */
#include "state.h"

inn_val inn_ratio(inn_build *b, inn_val r, inn_val z, double eps, bool safe)
{
	if (safe)
		return inn_div(b, r, inn_add(b, z, inn_mulc(b, inn_eqc(b, z, 0), 1e-7)));
	return inn_div(b, r, inn_stab(b, z, eps));
}

static inn_val signed_sum(inn_build *b, inn_val sum, inn_val term, double sign)
{
	if (sign != 0 && sign != 1)
		term = inn_mulc(b, term, sign);
	return sum.id ? inn_add(b, sum, term) : term;
}

inn_val inn_branches(inn_build *b, const struct inn_site *s, inn_val r, const struct inn_branch *br, uint32_t n,
		     double eps, bool safe)
{
	inn_val z = { 0 }, sum = { 0 };

	if (!n)
		return z;
	for (uint32_t j = 0; j < n; j++)
		z = signed_sum(b, z, inn_affine(b, s, br[j].x, br[j].W, br[j].bias), br[j].sign);
	inn_val c = inn_ratio(b, r, z, eps, safe);

	for (uint32_t j = 0; j < n; j++)
		sum = signed_sum(b, sum, inn_mul(b, br[j].x, inn_affine_t(b, s, c, br[j].W)), br[j].sign);
	uint32_t k = inn__data_position(s->node);
	struct inn_shape shape = *inn_shape_of(b, k < s->n_x ? s->x[k] : br[0].x);

	return inn_expand(b, sum, &shape);
}
