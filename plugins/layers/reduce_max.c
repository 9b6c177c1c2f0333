/* The largest element, over the axes that an attribute or, since opset 13 or 18, input 1 lists; none: all. */
#include "reduce.h"

static double real(double p, double q) { return fmax(p, q); }
static bool whole(int64_t p, int64_t q, int64_t *r) { *r = p > q ? p : q; return true; }
static int fold(FOLD) { return reduce_fold(ctx, n, in, n_in, real, whole, out); }

static inn_val over(REDUCE)
{
	return inn_rmax(b, v, mask);
}

REDUCE_LAYER(reduce_max, "maximum over axes", .traits = INN_T_POOL | INN_T_MAX_POOL, .fold = fold);
