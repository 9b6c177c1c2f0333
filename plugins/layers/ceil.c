/* Ceil. */
#include "host.h"

static double value(double v) { return ceil(v); }

static int fold(FOLD) { return host_unary(ctx, n, in, n_in, value, out); }

static inn_val forward(FORWARD)
{
	inn_val v = arg(n, x, 0);

	(void)w;
	(void)out;
	return inn_neg(b, inn_floor(b, inn_neg(b, v)));
}

LAYER(ceil, "round up", NULL, 0, .traits = INN_T_ACTIVATION, .fold = fold);
