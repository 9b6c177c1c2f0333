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

static bool window(inn_build *b, const inn_node *n, const struct inn_shape *x, struct inn_window *win)
{
	*win = (struct inn_window){ .n = x->rank - 2 };
	if (x->rank < 3 || x->rank > 5)
		return misfit(b, n, "1 to 3 spatial axes are supported").id;
	for (uint32_t i = 0; i < win->n; i++) {
		win->size[i] = x->dim[2 + i];
		win->stride[i] = win->dilation[i] = 1;
	}
	return true;
}

LAYER(global_max_pool, "maximum over the spatial axes", NULL, 0, .traits = INN_T_POOL | INN_T_MAX_POOL, .window = window);
