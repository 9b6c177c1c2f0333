/* Softmax. */
#include "softmax.h"

static inn_val forward(FORWARD)
{
	(void)w;
	(void)out;
	return along(b, n, arg(n, x, 0), inn_softmax);
}

LAYER(softmax, "softmax", params, sizeof(struct opts), .traits = INN_T_SOFTMAX | INN_T_ACTIVATION);
