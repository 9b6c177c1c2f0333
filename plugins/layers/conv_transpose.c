/* ConvTranspose: the adjoint of a convolution in its input. */
#include "windows.h"

struct opts {
	struct window_opts window;
	int64_t group;
	struct inn_ints output_padding, output_shape;
};

static const struct inn_param params[] = {
	WINDOW_PARAMS(struct window_opts),
	INN_INT(struct opts, group, 1, 1, 1 << 24, "groups of channels"),
	INN_INTS(struct opts, output_padding, NULL, 0, 65535, "cells added behind the output"),
	INN_INTS(struct opts, output_shape, NULL, 1, INT32_MAX, "spatial sizes of the output; padding follows from them"),
	{ 0 },
};
static const struct inn_weight weights[] = { { "kernel", INN_W_KERNEL, 1 }, { "bias", INN_W_BIAS, 2 }, { 0 } };

static bool sizes(inn_build *b, const inn_node *n, const struct opts *o, const struct inn_shape *s, struct inn_window *win, uint32_t *spatial)
{
	for (uint32_t i = 0; i < win->n; i++) {
		int64_t full = (int64_t)win->stride[i] * ((int64_t)s->dim[2 + i] - 1) + (int64_t)window_reach(win, i);

		full += o->output_padding.n ? o->output_padding.v[i] : 0;
		int64_t want = o->output_shape.n ? o->output_shape.v[i] : window_same(&o->window) ? (int64_t)win->stride[i] * s->dim[2 + i] :
			       full - win->before[i] - win->after[i];

		if (want < 1 || want > INT32_MAX || want >= full + win->stride[i])
			return misfit(b, n, "the output's size does not follow from input, pads and output_shape").id;
		if (window_same(&o->window) || o->output_shape.n) /* zeros behind where the windows do not reach */
			window_share(&o->window, win, i, want < full ? (uint64_t)(full - want) : 0);
		spatial[i] = (uint32_t)want;
	}
	return true;
}

static inn_val forward(FORWARD)
{
	const struct opts *o = inn_node_opts(n);
	inn_val data = arg(n, x, 0), kernel = weight(n, x, w, 0, 1), bias = weight(n, x, w, 1, 2);
	struct inn_shape s = *inn_shape_of(b, data), k = *inn_shape_of(b, kernel);
	uint32_t spatial[3];
	struct inn_window win;

	(void)out;
	if (!data.id || !kernel.id)
		return no_value;
	if (k.rank != s.rank || s.rank < 3)
		return misfit(b, n, "the kernel's rank is not the input's");
	if ((o->output_padding.n && o->output_padding.n != s.rank - 2) || (o->output_shape.n && o->output_shape.n != s.rank - 2))
		return misfit(b, n, "output_padding or output_shape have the wrong length");
	if (!window_base(b, n, &o->window, &s, k.dim + 2, &win) || !sizes(b, n, o, &s, &win, spatial))
		return no_value;
	win.groups = (uint32_t)o->group;
	inn_val y = inn_conv_dx(b, data, kernel, &win, spatial);

	return bias.id ? inn_add(b, y, per_channel(b, n, "bias", bias, y)) : y;
}

static int kernel_axis(const inn_node *n) { return ((const struct opts *)inn_node_opts(n))->group == 1 ? 1 : -1; }

LAYER(conv_transpose, "transposed convolution", params, sizeof(struct opts), .traits = INN_T_AFFINE | INN_T_SPATIAL, .weights = weights,
      .kernel_axis = kernel_axis);
