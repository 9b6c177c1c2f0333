/* Sin. */
#include "host.h"

static double value(double v) { return sin(v); }

static int fold(FOLD) { return host_unary(ctx, n, in, n_in, value, out); }

static inn_val forward(FORWARD)
{
	(void)x;

	(void)w;
	(void)out;
	return unsupported(b, n, "of a constant only");
}

LAYER(sin, "sine", NULL, 0, .traits = INN_T_ACTIVATION, .fold = fold);
