/* Mean of any number of operands. */
#include "layer.h"

static inn_val forward(FORWARD)
{
	inn_val y = operand(b, n, x, 0);

	(void)w;
	(void)out;
	for (uint32_t k = 1; k < inn_node_n_in(n); k++)
		y = inn_add(b, y, operand(b, n, x, k));
	return inn_divc(b, y, inn_node_n_in(n));
}

LAYER(mean, "mean of operands", NULL, 0, .traits = INN_T_MERGE);
