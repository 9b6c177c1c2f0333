/* Reshape to a constant shape: 0 keeps an axis, -1 takes what is left. */
#include "host.h"

struct opts {
	bool allowzero;
};

static const struct inn_param params[] = { INN_BOOL(struct opts, allowzero, false, "0 means length 0, not the input's length"), { 0 } };

/* `batch`: a model exported for one batch size fixes axis 0; there the operand's own is kept where the rest fits. */
static bool target(inn_ctx *ctx, const inn_node *n, const struct inn_shape *s, bool batch, struct inn_shape *to)
{
	const struct opts *o = inn_node_opts(n);
	int64_t v[MAX_LIST];
	int rank = numbers(ctx, n, 1, NULL, v), open = -1;
	size_t count = 0, rest = 1;

	if (rank < 0 || !inn_shape_count(s, &count))
		return false;
	if (rank > (int)INN_MAX_RANK)
		return unsupported_in(ctx, n, "at most 8 axes are supported"), false;
	to->rank = (uint32_t)rank;
	for (int i = 0; i < rank; i++) {
		if (!v[i] && !o->allowzero && (uint32_t)i < s->rank)
			v[i] = s->dim[i];
		if (v[i] == -1 && open < 0)
			open = i;
		else if (v[i] < 0 || v[i] > INT32_MAX)
			return inn_fail(ctx, INN_ESHAPE, NULL, "%s (reshape): axis %d cannot be %lld", inn_node_name(n), i, (long long)v[i]), false;
		else if (i && __builtin_mul_overflow(rest, (size_t)v[i], &rest))
			return inn_fail(ctx, INN_ELIMIT, NULL, "%s (reshape): the shape is too large", inn_node_name(n)), false;
		to->dim[i] = v[i] < 0 ? 1 : (uint32_t)v[i];
	}
	if (batch && rank && s->rank && v[0] > 0 && v[0] != s->dim[0] &&
	    (open > 0 ? v[0] == 1 : count != rest * (size_t)v[0] && count == rest * s->dim[0]))
		to->dim[0] = s->dim[0];
	if (open >= 0) {
		size_t known = open ? rest * to->dim[0] : rest;

		to->dim[open] = known && count / known <= UINT32_MAX ? (uint32_t)(count / known) : 0;
	}
	return true;
}

static int fold(FOLD)
{
	struct inn_shape to;

	if (!n_in || !in[0].data || !target(ctx, n, &in[0].shape, false, &to))
		return unsupported_in(ctx, n, "the shape does not fit");
	return host_reshape(ctx, n, &in[0], &to, out);
}

static inn_val forward(FORWARD)
{
	inn_val v = arg(n, x, 0);
	struct inn_shape to;

	(void)w;
	(void)out;
	if (!v.id || !target(inn_build_ctx(b), n, inn_shape_of(b, v), !inn_node_const(n, 0), &to))
		return no_value;
	return inn_reshape(b, v, &to);
}

LAYER(reshape, "reshape", params, sizeof(struct opts), .traits = INN_T_RESHAPE, .fold = fold);
