/* Conv: 1 to 3 spatial axes, groups, dilations, asymmetric padding. */
#include "windows.h"

struct opts {
	struct window_opts window;
	int64_t group;
};

static const struct inn_param params[] = {
	WINDOW_PARAMS(struct window_opts),
	INN_INT(struct opts, group, 1, 1, 1 << 24, "groups of channels"),
	{ 0 },
};
static const struct inn_weight weights[] = { { "kernel", INN_W_KERNEL, 1 }, { "bias", INN_W_BIAS, 2 }, { 0 } };

static inn_val forward(FORWARD)
{
	const struct opts *o = inn_node_opts(n);
	inn_val data = arg(n, x, 0), kernel = weight(n, x, w, 0, 1), bias = weight(n, x, w, 1, 2);
	struct inn_shape s = *inn_shape_of(b, data), k = *inn_shape_of(b, kernel);
	uint32_t extra[3];
	struct inn_window win;

	(void)out;
	if (!data.id || !kernel.id)
		return no_value;
	if (k.rank != s.rank || s.rank < 3)
		return misfit(b, n, "the kernel's rank is not the input's");
	if (!window_of(b, n, &o->window, &s, k.dim + 2, false, &win, extra))
		return no_value;
	win.groups = (uint32_t)o->group;
	inn_val y = inn_conv(b, data, kernel, &win);

	if (!bias.id || !y.id)
		return y;
	/* One number for each output element: what a batch norm before padding leaves. */
	s = *inn_shape_of(b, y);
	s.dim[0] = 1;
	return inn_add(b, y, inn_shape_eq(&s, inn_shape_of(b, bias)) ? bias : per_channel(b, n, "bias", bias, y));
}

static int kernel_axis(const inn_node *n)
{
	(void)n;
	return 0;
}

LAYER(conv, "convolution", params, sizeof(struct opts), .traits = INN_T_AFFINE | INN_T_SPATIAL, .weights = weights,
      .kernel_axis = kernel_axis);
