/* The sum, over the axes that an attribute or, since opset 13 or 18, input 1 lists; none: all. */
#include "reduce.h"

static double real(double p, double q) { return p + q; }
static bool whole(int64_t p, int64_t q, int64_t *r) { return !__builtin_add_overflow(p, q, r); }
static int fold(FOLD) { return reduce_fold(ctx, n, in, n_in, real, whole, out); }

static inn_val over(REDUCE)
{
	return inn_sum(b, v, mask);
}

REDUCE_LAYER(reduce_sum, "sum over axes", .traits = INN_T_POOL | INN_T_SUM_POOL, .fold = fold);
