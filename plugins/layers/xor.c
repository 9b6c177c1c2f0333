/* Xor. */
#include "binary.h"

static double real(double p, double q) { return (p != 0) != (q != 0); }
static bool whole(int64_t p, int64_t q, int64_t *r) { *r = !!p != !!q; return true; }
static int fold(FOLD) { return host_binary(ctx, n, in, n_in, real, whole, INN_BOOL, out); }

static inn_val forward(FORWARD)
{
	inn_val p = operand(b, n, x, 0), q = second(b, n, x);

	(void)w;
	(void)out;
	return inn_abs(b, inn_sub(b, p, q));
}

LAYER(xor, "logical exclusive or", binary_params, sizeof(struct binary_opts), .traits = 0, .fold = fold);
