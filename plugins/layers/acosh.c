/* Acosh. */
#include "host.h"

static double value(double v) { return acosh(v); }

static int fold(FOLD) { return host_unary(ctx, n, in, n_in, value, out); }

static inn_val forward(FORWARD)
{
	inn_val v = arg(n, x, 0);

	(void)w;
	(void)out;
	return inn_log(b, inn_add(b, v, inn_sqrt(b, inn_subc(b, inn_mul(b, v, v), 1))));
}

LAYER(acosh, "inverse hyperbolic cosine", NULL, 0, .traits = INN_T_ACTIVATION, .fold = fold);
