/* Sigmoid. */
#include "layer.h"

static inn_val forward(FORWARD)
{
	inn_val v = arg(n, x, 0);

	(void)w;
	(void)out;
	return inn_sigmoid(b, v);
}

LAYER(sigmoid, "logistic function", NULL, 0, .traits = INN_T_ACTIVATION);
