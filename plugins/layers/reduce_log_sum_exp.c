/* The logarithm of the sum of exponentials, over the axes that an attribute or, since opset 13 or 18, input 1 lists; none: all. */
#include "reduce.h"

static inn_val over(REDUCE)
{
	inn_val top = inn_rmax(b, v, mask);

	return inn_add(b, inn_log(b, inn_sum(b, inn_exp(b, inn_sub(b, v, top)), mask)), top);
}

REDUCE_LAYER(reduce_log_sum_exp, "logarithm of the sum of exponentials over axes", .traits = 0);
