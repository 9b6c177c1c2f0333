/* LessOrEqual. */
#include "host.h"

static double real(double p, double q) { return p <= q; }
static bool whole(int64_t p, int64_t q, int64_t *r) { *r = p <= q; return true; }
static int fold(FOLD) { return host_binary(ctx, n, in, n_in, real, whole, INN_BOOL, out); }

static inn_val forward(FORWARD)
{
	inn_val p = operand(b, n, x, 0), q = operand(b, n, x, 1);

	(void)w;
	(void)out;
	return inn_ge(b, q, p);
}

LAYER(less_or_equal, "p <= q", NULL, 0, .traits = 0, .fold = fold);
