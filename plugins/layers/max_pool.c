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

static inn_val forward(FORWARD)
{
	const struct opts *o = inn_node_opts(n);
	inn_val v = arg(n, x, 0);
	uint32_t extra[3];
	struct inn_window win;

	(void)w;
	(void)out;
	if (!v.id || !window_of(b, n, &o->win, inn_shape_of(b, v), NULL, o->ceil_mode, &win, extra))
		return no_value;
	for (uint32_t i = 0; i < win.n; i++)
		win.after[i] += extra[i];
	return inn_pool_max(b, v, v, &win);
}

LAYER(max_pool, "maximum pooling", params, sizeof(struct opts), .traits = INN_T_POOL | INN_T_MAX_POOL);
