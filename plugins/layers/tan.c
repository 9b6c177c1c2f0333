/* Tan. */
#include "circle.h"

static double value(double v) { return tan(v); }

static int fold(FOLD) { return host_unary(ctx, n, in, n_in, value, out); }

static inn_val forward(FORWARD)
{
	inn_val v = arg(n, x, 0);

	(void)w;
	(void)out;
	return inn_div(b, sine(b, v), sine(b, inn_addc(b, v, HALF_PI)));
}

LAYER(tan, "tangent", NULL, 0, .traits = INN_T_ACTIVATION, .fold = fold);
