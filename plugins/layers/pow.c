/* Pow with broadcasting. */
#include "binary.h"

static double real(double p, double q) { return pow(p, q); }
static bool whole(int64_t p, int64_t q, int64_t *r) { double v = pow((double)p, (double)q); if (!(fabs(v) < 9e15)) return false; *r = (int64_t)v; return true; }
static int fold(FOLD) { return host_binary(ctx, n, in, n_in, real, whole, INN_DTYPES, out); }

static inn_val forward(FORWARD)
{
	inn_val p = operand(b, n, x, 0), q = second(b, n, x);

	(void)w;
	(void)out;
	return inn_pow(b, p, q);
}

LAYER(pow, "power", binary_params, sizeof(struct binary_opts), .traits = INN_T_ACTIVATION, .fold = fold);
