/* Softplus: log(1 + exp x), written so that exp cannot overflow. */
#include "layer.h"

static inn_val forward(FORWARD)
{
	inn_val v = arg(n, x, 0);

	(void)w;
	(void)out;
	return inn_add(b, inn_pos_part(b, v), inn_log(b, inn_addc(b, inn_exp(b, inn_neg(b, inn_abs(b, v))), 1)));
}

LAYER(softplus, "smooth rectifier", NULL, 0, .traits = INN_T_ACTIVATION);
