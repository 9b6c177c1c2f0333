/* Greater. */
#include "binary.h"

static double real(double p, double q) { return p > q; }
static bool whole(int64_t p, int64_t q, int64_t *r) { *r = p > q; return true; }
static int fold(FOLD) { return host_binary(ctx, n, in, n_in, real, whole, INN_BOOL, out); }

static inn_val forward(FORWARD)
{
	inn_val p = operand(b, n, x, 0), q = second(b, n, x);

	(void)w;
	(void)out;
	return inn_gt(b, p, q);
}

LAYER(greater, "p > q", binary_params, sizeof(struct binary_opts), .traits = 0, .fold = fold);
