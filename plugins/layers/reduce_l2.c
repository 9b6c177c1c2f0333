/* The Euclidean norm, whose derivative at 0 is taken as 0, over the axes that an attribute or, since opset 13 or 18, input 1 lists; none: all. */
#include "reduce.h"

static inn_val over(REDUCE)
{
	inn_val y = inn_sum(b, inn_mul(b, v, v), mask), some = inn_gtc(b, y, 0);

	return inn_select(b, some, inn_sqrt(b, inn_select(b, some, y, inn_scalar(b, 1))), inn_scalar(b, 0));
}

REDUCE_LAYER(reduce_l2, "Euclidean norm over axes", .traits = 0);
