/* The logarithm of the sum, over the axes that an attribute or, since opset 13 or 18, input 1 lists; none: all. */
#include "reduce.h"

static inn_val over(REDUCE)
{
	return inn_log(b, inn_sum(b, v, mask));
}

REDUCE_LAYER(reduce_log_sum, "logarithm of the sum over axes", .traits = 0);
