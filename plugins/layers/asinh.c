/* Asinh: of the magnitude, then with the operand's sign. */
#include "host.h"

static double value(double v) { return asinh(v); }

static int fold(FOLD) { return host_unary(ctx, n, in, n_in, value, out); }

static inn_val forward(FORWARD)
{
	inn_val v = arg(n, x, 0);

	(void)w;
	(void)out;
	inn_val a = inn_abs(b, v), y = inn_log(b, inn_add(b, a, inn_sqrt(b, inn_addc(b, inn_mul(b, a, a), 1))));

	return inn_select(b, inn_gec(b, v, 0), y, inn_neg(b, y));
}

LAYER(asinh, "inverse hyperbolic sine", NULL, 0, .traits = INN_T_ACTIVATION, .fold = fold);
