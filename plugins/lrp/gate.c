/* lrp.gate: at a product of a signal and a gate all relevance goes to the signal (Arras et al. 2017). The gate is the
 * operand that is broadcast, or else the one known to be non-negative; without a sign both get half. */
#include "rule.h"

static inn_val back(inn_build *b, const struct inn_site *s, uint32_t k, const void *opts)
{
	uint32_t other = k ? 0 : 1;
	const struct inn_shape *y = inn_shape_of(b, s->y);
	bool broadcast = !inn_shape_eq(inn_shape_of(b, s->x[k]), y), other_broadcast = !inn_shape_eq(inn_shape_of(b, s->x[other]), y);
	bool gate = inn_is_nonneg(b, s->x[k]), other_gate = inn_is_nonneg(b, s->x[other]);

	(void)opts;
	if (broadcast != other_broadcast)
		return broadcast ? inn_const(b, 0, inn_shape_of(b, s->x[k])) : s->r;
	if (gate != other_gate)
		return gate ? inn_const(b, 0, inn_shape_of(b, s->x[k])) : s->r;
	return inn_mulc(b, s->r, 0.5);
}

RULE("lrp.gate", "signal takes all", NULL, 0, NULL, INN_T_GATE, INN_CONSERVES);
