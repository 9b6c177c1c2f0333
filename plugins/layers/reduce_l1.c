/* The sum of magnitudes, over the axes that an attribute or, since opset 13 or 18, input 1 lists; none: all. */
#include "reduce.h"

static inn_val over(REDUCE)
{
	return inn_sum(b, inn_abs(b, v), mask);
}

REDUCE_LAYER(reduce_l1, "sum of magnitudes over axes", .traits = 0);
