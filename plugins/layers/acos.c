/* Acos: a quarter turn less the inverse sine. */
#include "circle.h"

static double value(double v) { return acos(v); }

static int fold(FOLD) { return host_unary(ctx, n, in, n_in, value, out); }

static inn_val forward(FORWARD)
{
	inn_val v = arg(n, x, 0);

	(void)w;
	(void)out;
	inn_val s = arc_tangent(b, inn_div(b, v, inn_sqrt(b, inn_sub(b, inn_scalar(b, 1), inn_mul(b, v, v)))));

	return inn_sub(b, inn_scalar(b, HALF_PI), s);
}

LAYER(acos, "inverse cosine", NULL, 0, .traits = INN_T_ACTIVATION, .fold = fold);
