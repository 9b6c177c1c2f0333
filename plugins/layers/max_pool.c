/* MaxPool; the indices (output 1) are not computed. */
#include "window.h"

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

static inn_val forward(inn_build *b, const inn_node *n, const inn_val *x, const inn_val *w, uint32_t out)
{
	const struct opts *o = inn_node_opts(n);
	struct window_opts wo = o->win;
	struct inn_window win;

	(void)w;
	(void)out;
	wo.ceil_mode = o->ceil_mode;
	return window_of(b, n, &wo, x[0], NULL, &win) ? inn_pool_max(b, x[0], x[0], &win) : (inn_val){ 0 };
}

static const struct inn_layer_ops layer = {
	.cls = INN_HEAD(struct inn_layer_ops, INN_LAYER, "max_pool", "maximum pooling", params, sizeof(struct opts), NULL),
	.traits = INN_T_POOL | INN_T_MAX_POOL,
	.forward = forward,
};

INN_PLUGIN("max_pool", "1.0.0", "BSD-2-Clause", &layer.cls);
