/* threshold: x where scale x + shift > 0, else level, per channel: a ReLU behind a batch norm that was folded into the layer after it.
 * No operator of ONNX; the pass fold_batch_norm_right makes it. */
#include "layer.h"

static const struct inn_weight weights[] = { { "scale", INN_W_SCALE, 1 }, { "shift", INN_W_SHIFT, 2 }, { "level", INN_W_SLOPE, 3 }, { 0 } };

static inn_val forward(FORWARD)
{
	inn_val v = arg(n, x, 0), p[3];

	(void)out;
	for (uint32_t i = 0; i < 3; i++) {
		p[i] = weight(n, x, w, i, 1 + i);
		if (!v.id || !p[i].id)
			return no_value;
		p[i] = inn_channel(b, p[i], inn_shape_of(b, v)->rank);
	}
	return inn_select(b, inn_gtc(b, inn_add(b, inn_mul(b, v, p[0]), p[1]), 0), v, p[2]);
}

LAYER(threshold, "x where scale x + shift > 0, else level", NULL, 0, .traits = INN_T_ACTIVATION, .weights = weights);
