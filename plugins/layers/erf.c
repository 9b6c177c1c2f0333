/* Erf. */
#include "layer.h"

static inn_val forward(FORWARD)
{
	inn_val v = arg(n, x, 0);

	(void)w;
	(void)out;
	return inn_erf(b, v);
}

LAYER(erf, "error function", NULL, 0, .traits = INN_T_ACTIVATION);
