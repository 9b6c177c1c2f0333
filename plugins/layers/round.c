/* Round: to the nearest whole number, halves to the even one. */
#include "host.h"

static double value(double v) { return nearbyint(v); }

static int fold(FOLD) { return host_unary(ctx, n, in, n_in, value, out); }

static inn_val forward(FORWARD)
{
	inn_val v = arg(n, x, 0);

	(void)w;
	(void)out;
	inn_val up = inn_floor(b, inn_addc(b, v, 0.5));
	inn_val half = inn_eq(b, inn_sub(b, up, v), inn_scalar(b, 0.5));
	inn_val odd = inn_sub(b, up, inn_mulc(b, inn_floor(b, inn_mulc(b, up, 0.5)), 2));

	return inn_sub(b, up, inn_mul(b, half, odd));
}

LAYER(round, "nearest whole number", NULL, 0, .traits = INN_T_GATE, .fold = fold);
