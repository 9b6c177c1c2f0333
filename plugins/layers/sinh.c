/* Sinh. */
#include "host.h"

static double value(double v) { return sinh(v); }

static int fold(FOLD) { return host_unary(ctx, n, in, n_in, value, out); }

static inn_val forward(FORWARD)
{
	inn_val v = arg(n, x, 0);

	(void)w;
	(void)out;
	return inn_mulc(b, inn_sub(b, inn_exp(b, v), inn_exp(b, inn_neg(b, v))), 0.5);
}

LAYER(sinh, "hyperbolic sine", NULL, 0, .traits = INN_T_ACTIVATION, .fold = fold);
