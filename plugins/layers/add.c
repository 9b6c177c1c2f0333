/* Add with broadcasting. */
#include "binary.h"

static double real(double p, double q) { return p + q; }
static bool whole(int64_t p, int64_t q, int64_t *r) { return !__builtin_add_overflow(p, q, r); }
static int fold(FOLD) { return host_binary(ctx, n, in, n_in, real, whole, INN_DTYPES, out); }

static inn_val forward(FORWARD)
{
	inn_val p = operand(b, n, x, 0), q = second(b, n, x);

	(void)w;
	(void)out;
	return inn_add(b, p, q);
}

LAYER(add, "sum of two", binary_params, sizeof(struct binary_opts), .traits = INN_T_MERGE, .fold = fold);
