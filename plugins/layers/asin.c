/* Asin: the angle whose tangent is x / sqrt(1 - x^2). */
#include "circle.h"

static double value(double v) { return asin(v); }

static int fold(FOLD) { return host_unary(ctx, n, in, n_in, value, out); }

static inn_val forward(FORWARD)
{
	inn_val v = arg(n, x, 0);

	(void)w;
	(void)out;
	return arc_tangent(b, inn_div(b, v, inn_sqrt(b, inn_sub(b, inn_scalar(b, 1), inn_mul(b, v, v)))));
}

LAYER(asin, "inverse sine", NULL, 0, .traits = INN_T_ACTIVATION, .fold = fold);
