/* Hardmax: 1 at the first maximum, else 0. */
#include "softmax.h"

static inn_val hardmax(inn_build *b, inn_val v, uint32_t axis)
{
	uint32_t rank = inn_shape_of(b, v)->rank, order[INN_MAX_RANK];
	inn_val hot = inn_onehot(b, inn_argmax(b, v, axis), inn_dim(b, v, axis));

	for (uint32_t d = 0; d < rank; d++)
		order[d] = d < axis ? d : d == axis ? rank - 1 : d - 1;
	return inn_permute(b, hot, order);
}

static inn_val forward(FORWARD)
{
	(void)w;
	(void)out;
	return along(b, n, arg(n, x, 0), hardmax);
}

LAYER(hardmax, "1 at the maximum, else 0", params, sizeof(struct opts), .traits = INN_T_GATE);
