/* AveragePool: padding counts in the divisor only with count_include_pad, and what ceil_mode adds behind it never does. */
#include "windows.h"

struct opts {
	struct window_opts win;
	bool ceil_mode, count_include_pad;
};

static const struct inn_param params[] = {
	WINDOW_PARAMS(struct window_opts),
	INN_BOOL(struct opts, ceil_mode, false, "round the output's size up"),
	INN_BOOL(struct opts, count_include_pad, false, "count padding in the divisor"),
	{ 0 },
};

static inn_val forward(FORWARD)
{
	const struct opts *o = inn_node_opts(n);
	inn_val v = arg(n, x, 0);
	uint32_t extra[3], more = 0;
	struct inn_window win;

	(void)w;
	(void)out;
	if (!v.id || !window_of(b, n, &o->win, inn_shape_of(b, v), NULL, o->ceil_mode, &win, extra))
		return no_value;
	for (uint32_t i = 0; i < win.n; i++)
		more |= extra[i];
	win.count_pad = o->count_include_pad && !more;
	for (uint32_t i = 0; i < win.n; i++) {
		if (o->count_include_pad && more) { /* padding becomes part of the image */
			v = inn_pad(b, v, 2 + i, win.before[i], win.after[i], 1);
			win.before[i] = win.after[i] = 0;
		}
		win.after[i] += extra[i];
	}
	return inn_pool_avg(b, v, &win);
}

LAYER(average_pool, "average pooling", params, sizeof(struct opts), .traits = INN_T_POOL | INN_T_SUM_POOL);
