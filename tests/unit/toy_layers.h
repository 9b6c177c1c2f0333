/* Layers for tests of the graph, and a finder that knows only them. */
#ifndef TOY_LAYERS_H
#define TOY_LAYERS_H
#include "../../core/net/net.h"
#include <check.h>
#include <string.h>

struct conv { struct inn_ints pads; int64_t group; bool flag; };
static const struct inn_param conv_params[] = {
	INN_INTS(struct conv, pads, "[0]", 0, 100, "padding"),
	INN_INT(struct conv, group, 1, 1, 64, "groups"),
	INN_BOOL(struct conv, flag, false, "a flag"),
	{ 0 },
};
static const struct inn_weight conv_weights[] = { { "kernel", INN_W_KERNEL, 1 }, { "bias", INN_W_BIAS, 2 }, { 0 } };

static inn_val conv_forward(inn_build *b, const inn_node *n, const inn_val *x, const inn_val *w, uint32_t out)
{
	const struct conv *o = inn_node_opts(n);
	uint32_t p = o->pads.n ? (uint32_t)o->pads.v[0] : 0;
	struct inn_window win = { .n = 2, .stride = { 1, 1 }, .before = { p, p }, .after = { p, p }, .dilation = { 1, 1 }, .groups = 1 };
	inn_val y = inn_conv(b, x[0], w[0].id ? w[0] : x[1], &win), bias = w[1];

	(void)out;
	return bias.id ? inn_add(b, y, inn_channel(b, bias, 4)) : y;
}
static inn_val relu_forward(inn_build *b, const inn_node *n, const inn_val *x, const inn_val *w, uint32_t out)
{
	(void)n, (void)w, (void)out;
	return inn_pos_part(b, x[0]);
}
static inn_val add_forward(inn_build *b, const inn_node *n, const inn_val *x, const inn_val *w, uint32_t out)
{
	(void)n, (void)w, (void)out;
	return inn_add(b, x[0], x[1]);
}
static inn_val same_forward(inn_build *b, const inn_node *n, const inn_val *x, const inn_val *w, uint32_t out)
{
	(void)b, (void)n, (void)w, (void)out;
	return x[0];
}
static int shape_fold(inn_ctx *ctx, const inn_node *n, const struct inn_tensor *in, uint32_t n_in, struct inn_tensor *out)
{
	const struct inn_shape *s = inn_node_shape(n, 0);
	int64_t *v = inn_alloc(ctx, s->rank + 1, sizeof(*v));

	(void)in, (void)n_in;
	for (uint32_t i = 0; v && i < s->rank; i++)
		v[i] = s->dim[i];
	*out = (struct inn_tensor){ .dtype = INN_I64, .shape = { .rank = 1, .dim = { s->rank } }, .data = v };
	return v ? INN_OK : INN_ENOMEM;
}
/* Adds the shape's elements, which stand in an integer constant, to x. */
static inn_val plus_shape_forward(inn_build *b, const inn_node *n, const inn_val *x, const inn_val *w, uint32_t out)
{
	const struct inn_tensor *t = inn_node_const(n, 1);

	(void)w, (void)out;
	ck_assert(t && !x[1].id);
	return inn_addc(b, x[0], (double)inn_tensor_int(t, 0));
}

#define LAYER(id, n, t, ...) static const struct inn_layer_ops id = { .cls = INN_HEAD(struct inn_layer_ops, INN_LAYER, n, "test", NULL, 0, NULL), .traits = t, __VA_ARGS__ }
static const struct inn_layer_ops conv = {
	.cls = INN_HEAD(struct inn_layer_ops, INN_LAYER, "conv", "test", conv_params, sizeof(struct conv), NULL),
	.traits = INN_T_AFFINE | INN_T_SPATIAL, .weights = conv_weights, .forward = conv_forward,
};
LAYER(relu, "relu", INN_T_RECTIFIER, .forward = relu_forward);
LAYER(add, "add", INN_T_MERGE, .forward = add_forward);
LAYER(identity, "identity", INN_T_IDENTITY, .forward = same_forward);
LAYER(shape, "shape", 0, .forward = same_forward, .fold = shape_fold, .fold_shape_only = true);
LAYER(plus_shape, "plus_shape", 0, .forward = plus_shape_forward);

static const struct inn_class *find(void *user, inn_ctx *c, uint32_t kind, const char *name, const struct inn_loc *loc)
{
	static const struct inn_layer_ops *const all[] = { &conv, &relu, &add, &identity, &shape, &plus_shape };

	(void)user, (void)c, (void)kind, (void)loc;
	for (size_t i = 0; i < sizeof(all) / sizeof(*all); i++)
		if (!strcmp(all[i]->cls.name, name))
			return &all[i]->cls;
	return NULL;
}
static const char *no_preset(void *user, const char *name) { (void)user, (void)name; return NULL; }
static void no_names(void *user, uint32_t kind, void (*each)(void *, const char *), void *arg) { (void)user, (void)kind, (void)each, (void)arg; }
static const struct inn__finder finder = { NULL, find, no_preset, no_names, NULL, NULL };
#endif
