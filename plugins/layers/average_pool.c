/* AveragePool: padding counts in the divisor only with count_include_pad, and what ceil_mode adds behind it never does. */
#include "window.h"

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

static inn_val forward(inn_build *b, const inn_node *n, const inn_val *x, const inn_val *w, uint32_t out)
{
	const struct opts *o = inn_node_opts(n);
	struct window_opts wo = o->win;
	struct inn_window base, win;
	inn_val v = x[0];
	bool extra = false;

	(void)w;
	(void)out;
	wo.ceil_mode = 0;
	if (!window_of(b, n, &wo, v, NULL, &base))
		return (inn_val){ 0 };
	wo.ceil_mode = o->ceil_mode;
	if (!window_of(b, n, &wo, v, NULL, &win))
		return (inn_val){ 0 };
	for (uint32_t i = 0; i < win.n; i++)
		extra |= win.after[i] != base.after[i];
	win.count_pad = o->count_include_pad && !extra;
	for (uint32_t i = 0; o->count_include_pad && extra && i < win.n; i++) { /* padding becomes part of the image */
		v = inn_pad(b, v, 2 + i, base.before[i], base.after[i], 1);
		win.before[i] = 0;
		win.after[i] -= base.after[i];
	}
	return inn_pool_avg(b, v, &win);
}

static const struct inn_layer_ops layer = {
	.cls = INN_HEAD(struct inn_layer_ops, INN_LAYER, "average_pool", "average pooling", params, sizeof(struct opts), NULL),
	.traits = INN_T_POOL | INN_T_SUM_POOL,
	.forward = forward,
};

INN_PLUGIN("average_pool", "1.0.0", "BSD-2-Clause", &layer.cls);
