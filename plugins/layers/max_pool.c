/* MaxPool; the indices (output 1) are not computed. */
#include "windows.h"

struct opts {
	struct window_opts win;
	bool ceil_mode;
	int64_t storage_order;
};

static const struct inn_param params[] = {
	WINDOW_PARAMS(struct window_opts),
	INN_BOOL(struct opts, ceil_mode, false, "round the output's size up"),
	INN_INT(struct opts, storage_order, 0, 0, 1, "order of the indices; unused"),
	{ 0 },
};

static bool window(inn_build *b, const inn_node *n, const struct inn_shape *x, struct inn_window *win)
{
	const struct opts *o = inn_node_opts(n);
	uint32_t extra[3];

	if (!window_of(b, n, &o->win, x, NULL, o->ceil_mode, win, extra))
		return false;
	for (uint32_t i = 0; i < win->n; i++)
		win->after[i] += extra[i];
	return true;
}

static inn_val forward(FORWARD)
{
	inn_val v = arg(n, x, 0);
	struct inn_window win;

	(void)w;
	(void)out;
	return v.id && window(b, n, inn_shape_of(b, v), &win) ? inn_pool_max(b, v, v, &win) : no_value;
}

LAYER(max_pool, "maximum pooling", params, sizeof(struct opts), .traits = INN_T_POOL | INN_T_MAX_POOL, .window = window);
