/* Sub with broadcasting. */
#include "host.h"

static double real(double p, double q) { return p - q; }
static bool whole(int64_t p, int64_t q, int64_t *r) { return !__builtin_sub_overflow(p, q, r); }
static int fold(FOLD) { return host_binary(ctx, n, in, n_in, real, whole, INN_DTYPES, out); }

static inn_val forward(FORWARD)
{
	inn_val p = operand(b, n, x, 0), q = operand(b, n, x, 1);

	(void)w;
	(void)out;
	return inn_sub(b, p, q);
}

LAYER(sub, "difference", NULL, 0, .traits = INN_T_MERGE, .fold = fold);
