/* The logarithm of the sum of exponentials, over the axes that an attribute or, since opset 13 or 18, input 1 lists; none: all. */
#include "reduce.h"

static inn_val forward(FORWARD)
{
	inn_val v = arg(n, x, 0), y;
	uint32_t mask;

	(void)w;
	(void)out;
	if (!v.id || !reduce_axes(b, n, v, &mask))
		return no_value;
	inn_val top = inn_rmax(b, v, mask);

	y = inn_add(b, inn_log(b, inn_sum(b, inn_exp(b, inn_sub(b, v, top)), mask)), top);
	return reduced(b, n, y, mask);
}

LAYER(reduce_log_sum_exp, "logarithm of the sum of exponentials over axes", reduce_params, sizeof(struct reduce_opts), .traits = 0);
