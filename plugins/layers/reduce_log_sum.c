/* The logarithm of the sum, over the axes that an attribute or, since opset 13 or 18, input 1 lists; none: all. */
#include "reduce.h"

static inn_val forward(FORWARD)
{
	inn_val v = arg(n, x, 0), y;
	uint32_t mask;

	(void)w;
	(void)out;
	if (!v.id || !reduce_axes(b, n, v, &mask))
		return no_value;
	y = inn_log(b, inn_sum(b, v, mask));
	return reduced(b, n, y, mask);
}

LAYER(reduce_log_sum, "logarithm of the sum over axes", reduce_params, sizeof(struct reduce_opts), .traits = 0);
