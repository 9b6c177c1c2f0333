/* HardSwish: x max(0, min(1, x / 6 + 1/2)). */
#include "layer.h"

static inn_val forward(FORWARD)
{
	inn_val v = arg(n, x, 0);

	(void)w;
	(void)out;
	return inn_mul(b, v, inn_maxc(b, inn_minc(b, inn_addc(b, inn_mulc(b, v, 1.0 / 6), 0.5), 1), 0));
}

LAYER(hard_swish, "x times a piecewise linear sigmoid", NULL, 0, .traits = INN_T_ACTIVATION);
