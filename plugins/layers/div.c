/* Div with broadcasting; integers round towards 0. */
#include "binary.h"

static double real(double p, double q) { return p / q; }
static bool whole(int64_t p, int64_t q, int64_t *r) { if (!q || (p == INT64_MIN && q == -1)) return false; *r = p / q; return true; }
static int fold(FOLD) { return host_binary(ctx, n, in, n_in, real, whole, INN_DTYPES, out); }

static inn_val forward(FORWARD)
{
	inn_val p = operand(b, n, x, 0), q = second(b, n, x);

	(void)w;
	(void)out;
	return inn_div(b, p, q);
}

LAYER(div, "quotient", binary_params, sizeof(struct binary_opts), .traits = INN_T_GATE, .fold = fold);
