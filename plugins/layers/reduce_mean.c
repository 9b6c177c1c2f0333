/* Reduce over the axes that an attribute or, since opset 13 or 18, input 1 lists; none: all. */
#include "reduce.h"

static inn_val over(REDUCE)
{
	return inn_mean_axes(b, v, mask);
}

REDUCE_LAYER(reduce_mean, "mean over axes", .traits = INN_T_POOL | INN_T_SUM_POOL);
