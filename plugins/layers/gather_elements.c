/* GatherElements by constant indices. */
#include "elements.h"

struct opts {
	int64_t axis;
};

static const struct inn_param params[] = { INN_INT(struct opts, axis, 0, -8, 7, "axis"), { 0 } };

static int fold(FOLD)
{
	const struct opts *o = inn_node_opts(n);
	struct inn_tensor at;
	size_t count;
	int status;

	if (!host_given(ctx, n, in, n_in, 2) || !element_positions(ctx, n, &in[1], &in[0].shape, o->axis, &at))
		return INN_EUNSUP;
	if ((status = host_new(ctx, n, in[0].dtype, &in[1].shape, &count, out)) < 0)
		return status;
	for (size_t i = 0; i < count; i++)
		memcpy(host_at(out, i), host_at(&in[0], (size_t)inn_tensor_int(&at, i)), inn_dtype_size(in[0].dtype));
	return INN_OK;
}

static inn_val forward(FORWARD)
{
	const struct opts *o = inn_node_opts(n);
	const struct inn_tensor *t = inn_node_const(n, 1);
	inn_val v = arg(n, x, 0);
	struct inn_shape s = *inn_shape_of(b, v);
	struct inn_tensor at;

	(void)w;
	(void)out;
	if (!v.id || !element_positions(inn_build_ctx(b), n, t, &s, o->axis, &at))
		return no_value;
	return inn_reshape(b, inn_gather(b, in_line(b, v), table(b, n, "index", &s, &at), 0), &t->shape);
}

LAYER(gather_elements, "take elements by index", params, sizeof(struct opts), .traits = INN_T_RESHAPE, .fold = fold);
