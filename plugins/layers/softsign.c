/* Softsign: x / (1 + |x|). */
#include "layer.h"

static inn_val forward(FORWARD)
{
	inn_val v = arg(n, x, 0);

	(void)w;
	(void)out;
	return inn_div(b, v, inn_addc(b, inn_abs(b, v), 1));
}

LAYER(softsign, "x / (1 + |x|)", NULL, 0, .traits = INN_T_ACTIVATION);
