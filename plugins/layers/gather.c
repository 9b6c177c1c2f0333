/* Gather along one axis; negative indices count from the end. */
#include "index.h"

struct opts {
	int64_t axis;
};

static const struct inn_param params[] = { INN_INT(struct opts, axis, 0, -8, 7, "axis from which slices are taken"), { 0 } };

/* The shape of the result; false if the ranks do not fit. */
static bool result(inn_ctx *ctx, const inn_node *n, const struct inn_shape *s, const struct inn_shape *i, uint32_t *axis, struct inn_shape *to)
{
	const struct opts *o = inn_node_opts(n);

	if (!axis_of(ctx, n, o->axis, s->rank, axis))
		return false;
	if (s->rank - 1 + i->rank > INN_MAX_RANK)
		return unsupported_in(ctx, n, "at most 8 axes are supported"), false;
	*to = (struct inn_shape){ 0 };
	for (uint32_t d = 0; d < *axis; d++)
		to->dim[to->rank++] = s->dim[d];
	for (uint32_t d = 0; d < i->rank; d++)
		to->dim[to->rank++] = i->dim[d];
	for (uint32_t d = *axis + 1; d < s->rank; d++)
		to->dim[to->rank++] = s->dim[d];
	return true;
}

static int index_at(inn_ctx *ctx, const inn_node *n, const struct inn_tensor *t, size_t i, uint32_t length, int64_t *v)
{
	*v = inn_tensor_int(t, i);
	*v += *v < 0 ? length : 0;
	if (*v >= 0 && *v < length)
		return INN_OK;
	return inn_fail(ctx, INN_ESHAPE, NULL, "%s (gather): index %lld is outside of an axis of length %u", inn_node_name(n),
			(long long)inn_tensor_int(t, i), length);
}

static int fold(FOLD)
{
	size_t count, n_index, inner = inn_dtype_size(in[0].dtype), outer = 1;
	struct inn_shape to;
	uint32_t axis;
	int status;

	if (!host_given(ctx, n, in, n_in, 2) || !index_type(ctx, n, &in[1]) || !result(ctx, n, &in[0].shape, &in[1].shape, &axis, &to) || !inn_shape_count(&in[1].shape, &n_index))
		return unsupported_in(ctx, n, "the operands do not fit");
	if ((status = host_new(ctx, n, in[0].dtype, &to, &count, out)) < 0)
		return status;
	for (uint32_t d = 0; d < axis; d++)
		outer *= in[0].shape.dim[d];
	for (uint32_t d = axis + 1; d < in[0].shape.rank; d++)
		inner *= in[0].shape.dim[d];
	for (size_t k = 0; count && k < outer * n_index; k++) {
		int64_t i;

		if ((status = index_at(ctx, n, &in[1], k % n_index, in[0].shape.dim[axis], &i)) < 0)
			return status;
		memcpy((char *)out->data + k * inner, (char *)in[0].data + (k / n_index * in[0].shape.dim[axis] + (size_t)i) * inner, inner);
	}
	return INN_OK;
}

/* Constant indices as a value; checked, and counted from the start. */
static inn_val indices(inn_build *b, const inn_node *n, const struct inn_tensor *t, uint32_t length)
{
	inn_ctx *ctx = inn_build_ctx(b);
	struct inn_tensor *copy = inn_alloc(ctx, 1, sizeof(*copy));
	size_t count;

	if (!copy || host_new(ctx, n, INN_I32, &t->shape, &count, copy) < 0)
		return no_value;
	for (size_t i = 0; i < count; i++) {
		int64_t v;

		if (index_at(ctx, n, t, i, length, &v) < 0)
			return no_value;
		host_put_int(copy, i, v);
	}
	return inn_param_of(b, inn_printf(ctx, "%s.index.%u.%u", inn_node_name(n), inn_node_out(n, 0), length), copy);
}

static inn_val forward(FORWARD)
{
	const struct inn_tensor *t = inn_node_const(n, 1);
	inn_val v = arg(n, x, 0), index = arg(n, x, 1);
	struct inn_shape s = *inn_shape_of(b, v), to;
	uint32_t axis;
	size_t count;
	int64_t i;

	(void)w;
	(void)out;
	if (!v.id || !result(inn_build_ctx(b), n, &s, t ? &t->shape : inn_shape_of(b, index), &axis, &to))
		return unsupported(b, n, "the data must be floating-point");
	if (t ? !index_type(inn_build_ctx(b), n, t) : index.id && !computed_index_type(inn_build_ctx(b), n, 1))
		return no_value;
	if (t && t->data && inn_shape_count(&t->shape, &count) && count == 1) {
		if (index_at(inn_build_ctx(b), n, t, 0, s.dim[axis], &i) < 0)
			return no_value;
		return inn_reshape(b, inn_slice(b, v, axis, (uint32_t)i, (uint32_t)i + 1, 1), &to);
	}
	if (t && t->data)
		index = indices(b, n, t, s.dim[axis]);
	return index.id ? inn_gather(b, v, index, axis) : no_value;
}

LAYER(gather, "take slices by index", params, sizeof(struct opts), .traits = INN_T_RESHAPE, .fold = fold);
