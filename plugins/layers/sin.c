/* Sin. */
#include "circle.h"

static double value(double v) { return sin(v); }

static int fold(FOLD) { return host_unary(ctx, n, in, n_in, value, out); }

static inn_val forward(FORWARD)
{
	inn_val v = arg(n, x, 0);

	(void)w;
	(void)out;
	return sine(b, v);
}

LAYER(sin, "sine", NULL, 0, .traits = INN_T_ACTIVATION, .fold = fold);
