/* Mul with broadcasting. */
#include "host.h"

static double real(double p, double q) { return p * q; }
static bool whole(int64_t p, int64_t q, int64_t *r) { return !__builtin_mul_overflow(p, q, r); }
static int fold(FOLD) { return host_binary(ctx, n, in, n_in, real, whole, INN_DTYPES, out); }

static inn_val forward(FORWARD)
{
	inn_val p = operand(b, n, x, 0), q = operand(b, n, x, 1);

	(void)w;
	(void)out;
	return inn_mul(b, p, q);
}

LAYER(mul, "product of two", NULL, 0, .traits = INN_T_GATE, .fold = fold);
