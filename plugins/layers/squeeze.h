/* Axes of length 1 dropped or inserted: `axes` is an attribute before opset 13, then input 1. */
#ifndef LAYERS_SQUEEZE_H
#define LAYERS_SQUEEZE_H
#include "host.h"

struct opts {
	struct inn_ints axes;
};

static const struct inn_param params[] = { INN_INTS(struct opts, axes, NULL, -8, 7, "axes"), { 0 } };

/* The result's shape, which is all that the layers differ in. */
static bool target(inn_ctx *ctx, const inn_node *n, const struct inn_shape *s, struct inn_shape *to);

static int fold(FOLD)
{
	struct inn_shape to;

	if (!n_in || !in[0].data || !target(ctx, n, &in[0].shape, &to))
		return unsupported_in(ctx, n, "the operand is missing");
	return host_reshape(ctx, n, &in[0], &to, out);
}

static inn_val forward(FORWARD)
{
	inn_val v = arg(n, x, 0);
	struct inn_shape to;

	(void)w;
	(void)out;
	if (!v.id || !target(inn_build_ctx(b), n, inn_shape_of(b, v), &to))
		return no_value;
	return inn_reshape(b, v, &to);
}
#endif
