/* Atanh. */
#include "host.h"

static double value(double v) { return atanh(v); }

static int fold(FOLD) { return host_unary(ctx, n, in, n_in, value, out); }

static inn_val forward(FORWARD)
{
	inn_val v = arg(n, x, 0);

	(void)w;
	(void)out;
	return inn_mulc(b, inn_log(b, inn_div(b, inn_addc(b, v, 1), inn_sub(b, inn_scalar(b, 1), v))), 0.5);
}

LAYER(atanh, "inverse hyperbolic tangent", NULL, 0, .traits = INN_T_ACTIVATION, .fold = fold);
