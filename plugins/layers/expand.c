/* Expand to a constant shape, with broadcasting both ways. */
#include "host.h"

static bool target(inn_ctx *ctx, const inn_node *n, const struct inn_shape *s, struct inn_shape *to)
{
	int64_t v[MAX_LIST];
	int rank = numbers(ctx, n, 1, NULL, v);
	struct inn_shape want = { .rank = (uint32_t)rank };

	for (int i = 0; i < rank && rank <= (int)INN_MAX_RANK; i++) {
		if (v[i] < 0 || v[i] > INT32_MAX)
			return unsupported_in(ctx, n, "a size is negative or too large"), false;
		want.dim[i] = (uint32_t)v[i];
	}
	if (rank < 0 || rank > (int)INN_MAX_RANK || !inn_shape_broadcast(s, &want, to))
		return unsupported_in(ctx, n, "the shape does not fit the input"), false;
	return true;
}

static int fold(FOLD)
{
	struct inn_shape to;

	if (!host_given(ctx, n, in, n_in, 1) || !target(ctx, n, &in[0].shape, &to))
		return INN_EUNSUP;
	return host_expand(ctx, n, &in[0], &to, out);
}

static inn_val forward(FORWARD)
{
	inn_val v = arg(n, x, 0);
	struct inn_shape to;

	(void)w;
	(void)out;
	return v.id && target(inn_build_ctx(b), n, inn_shape_of(b, v), &to) ? inn_expand(b, v, &to) : no_value;
}

LAYER(expand, "broadcast to a shape", NULL, 0, .traits = INN_T_RESHAPE, .fold = fold);
