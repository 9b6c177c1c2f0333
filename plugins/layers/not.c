/* Not. */
#include "host.h"

static double value(double v) { return v == 0; }

static int fold(FOLD) { return host_unary(ctx, n, in, n_in, value, out); }

static inn_val forward(FORWARD)
{
	inn_val v = arg(n, x, 0);

	(void)w;
	(void)out;
	return inn_eqc(b, v, 0);
}

LAYER(not, "logical not", NULL, 0, .traits = INN_T_ACTIVATION, .fold = fold);
