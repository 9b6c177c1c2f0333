/* And. */
#include "host.h"

static double real(double p, double q) { return p != 0 && q != 0; }
static bool whole(int64_t p, int64_t q, int64_t *r) { *r = p && q; return true; }
static int fold(FOLD) { return host_binary(ctx, n, in, n_in, real, whole, INN_BOOL, out); }

static inn_val forward(FORWARD)
{
	inn_val p = operand(b, n, x, 0), q = operand(b, n, x, 1);

	(void)w;
	(void)out;
	return inn_mul(b, p, q);
}

LAYER(and, "logical and", NULL, 0, .traits = 0, .fold = fold);
