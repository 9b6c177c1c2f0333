/* The sum of squares, over the axes that an attribute or, since opset 13 or 18, input 1 lists; none: all. */
#include "reduce.h"

static inn_val over(REDUCE)
{
	return inn_sum(b, inn_mul(b, v, v), mask);
}

REDUCE_LAYER(reduce_sum_square, "sum of squares over axes", .traits = 0);
