/* GlobalMaxPool: the largest over the spatial axes. */
#include "layer.h"

static inn_val forward(FORWARD)
{
	inn_val v = arg(n, x, 0);
	uint32_t axes = ((1u << inn_shape_of(b, v)->rank) - 1) & ~3u;

	(void)w;
	(void)out;
	return inn_rmax(b, v, axes);
}

LAYER(global_max_pool, "maximum over the spatial axes", NULL, 0, .traits = INN_T_POOL | INN_T_MAX_POOL);
