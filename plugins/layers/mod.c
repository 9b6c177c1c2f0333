/* Mod: the sign of the divisor, as in Python. */
#include "host.h"

static double real(double p, double q) { return p - floor(p / q) * q; }
static bool whole(int64_t p, int64_t q, int64_t *r) { if (!q || (p == INT64_MIN && q == -1)) return false; *r = p % q; if (*r && (*r < 0) != (q < 0)) *r += q; return true; }
static int fold(FOLD) { return host_binary(ctx, n, in, n_in, real, whole, INN_DTYPES, out); }

static inn_val forward(FORWARD)
{
	inn_val p = operand(b, n, x, 0), q = operand(b, n, x, 1);

	(void)w;
	(void)out;
	return inn_sub(b, p, inn_mul(b, inn_floor(b, inn_div(b, p, q)), q));
}

LAYER(mod, "remainder", NULL, 0, .traits = INN_T_GATE, .fold = fold);
