/* Sum of any number of operands. */
#include "host.h"

static double real(double p, double q) { return p + q; }
static bool whole(int64_t p, int64_t q, int64_t *r) { return !__builtin_add_overflow(p, q, r); }
static int fold(FOLD) { return host_variadic(ctx, n, in, n_in, real, whole, out); }

static inn_val forward(FORWARD)
{
	inn_val y = operand(b, n, x, 0);

	(void)w;
	(void)out;
	for (uint32_t k = 1; k < inn_node_n_in(n); k++)
		y = inn_add(b, y, operand(b, n, x, k));
	return y;
}

LAYER(sum, "sum", NULL, 0, .traits = INN_T_MERGE, .fold = fold);
