/* Mish: x tanh(softplus x). */
#include "layer.h"

static inn_val forward(FORWARD)
{
	inn_val v = arg(n, x, 0);
	inn_val soft = inn_add(b, inn_pos_part(b, v), inn_log(b, inn_addc(b, inn_exp(b, inn_neg(b, inn_abs(b, v))), 1)));

	(void)w;
	(void)out;
	return inn_mul(b, v, inn_tanh(b, soft));
}

LAYER(mish, "x tanh(softplus x)", NULL, 0, .traits = INN_T_ACTIVATION);
