/* The Euclidean norm, whose derivative at 0 is taken as 0, over the axes that an attribute or, since opset 13 or 18, input 1 lists; none: all. */
#include "reduce.h"

static inn_val forward(FORWARD)
{
	inn_val v = arg(n, x, 0), y;
	uint32_t mask;

	(void)w;
	(void)out;
	if (!v.id || !reduce_axes(b, n, v, &mask))
		return no_value;
	y = inn_sum(b, inn_mul(b, v, v), mask);
	inn_val some = inn_gtc(b, y, 0);

	y = inn_select(b, some, inn_sqrt(b, inn_select(b, some, y, inn_scalar(b, 1))), inn_scalar(b, 0));
	return reduced(b, n, y, mask);
}

LAYER(reduce_l2, "Euclidean norm over axes", reduce_params, sizeof(struct reduce_opts), .traits = 0);
