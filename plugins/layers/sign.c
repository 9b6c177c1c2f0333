/* Sign: -1, 0 or 1. */
#include "host.h"

static double value(double v) { return (v > 0) - (v < 0); }

static int fold(FOLD) { return host_unary(ctx, n, in, n_in, value, out); }

static inn_val forward(FORWARD)
{
	inn_val v = arg(n, x, 0);

	(void)w;
	(void)out;
	return inn_sub(b, inn_gtc(b, v, 0), inn_gt(b, inn_scalar(b, 0), v));
}

LAYER(sign, "sign", NULL, 0, .traits = INN_T_GATE, .fold = fold);
