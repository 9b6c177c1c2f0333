/* LogSoftmax. */
#include "softmax.h"

static inn_val log_softmax(inn_build *b, inn_val v, uint32_t axis)
{
	inn_val z = inn_sub(b, v, inn_rmax(b, v, 1u << axis));

	return inn_sub(b, z, inn_log(b, inn_sum(b, inn_exp(b, z), 1u << axis)));
}

static inn_val forward(FORWARD)
{
	(void)w;
	(void)out;
	return along(b, n, arg(n, x, 0), log_softmax);
}

LAYER(log_softmax, "logarithm of the softmax", params, sizeof(struct opts), .traits = INN_T_SOFTMAX | INN_T_ACTIVATION);
