/* Relu: max(x, 0). */
#include "layer.h"

static inn_val forward(FORWARD)
{
	inn_val v = arg(n, x, 0);

	(void)w;
	(void)out;
	return inn_maxc(b, v, 0);
}

LAYER(relu, "rectifier", NULL, 0, .traits = INN_T_RECTIFIER | INN_T_ACTIVATION);
