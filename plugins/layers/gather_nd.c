/* GatherND by constant indices: slices at positions in the first axes. */
#include "table.h"

struct opts {
	int64_t batch_dims;
};

static const struct inn_param params[] = { INN_INT(struct opts, batch_dims, 0, 0, 7, "leading axes that data and indices share"), { 0 } };

/* The positions of the slices and the shape of the result; `rows`: slices of the data. */
static bool positions(inn_ctx *ctx, const inn_node *n, const struct inn_shape *s, const struct inn_tensor *t, struct inn_shape *to,
		      size_t *rows, struct inn_tensor *at)
{
	const struct opts *o = inn_node_opts(n);
	uint32_t shared = (uint32_t)o->batch_dims, depth = t && t->data && t->shape.rank ? t->shape.dim[t->shape.rank - 1] : 0;
	size_t count, per = 1;

	if (!depth || shared >= t->shape.rank || shared + depth > s->rank || t->shape.rank - 1 + s->rank - shared - depth > INN_MAX_RANK)
		return unsupported_in(ctx, n, "constant indices that fit the data are expected"), false;
	if (!index_type(ctx, n, t))
		return false;
	*to = t->shape;
	to->rank--;
	*rows = 1;
	for (uint32_t d = 0; d < shared + depth; d++)
		*rows *= s->dim[d];
	for (uint32_t d = shared; d < to->rank; d++)
		per *= t->shape.dim[d];
	for (uint32_t d = shared + depth; d < s->rank; d++)
		to->dim[to->rank++] = s->dim[d];
	if (!inn_shape_count(&t->shape, &count) || *rows > POSITION_MAX || !per)
		return unsupported_in(ctx, n, "at most 16777216 slices are supported"), false;
	if (host_new(ctx, n, INN_I32, &(struct inn_shape){ .rank = 1, .dim = { (uint32_t)(count / depth) } }, &count, at) < 0)
		return false;
	for (size_t i = 0; i < count; i++) {
		size_t k = i / per; /* which of the shared part */

		if (!row_position(ctx, n, t, i, depth, s, shared, &k))
			return false;
		host_put_int(at, i, (int64_t)k);
	}
	return true;
}

static int fold(FOLD)
{
	struct inn_shape to;
	struct inn_tensor at;
	size_t rows, count, total;
	int status;

	if (!host_given(ctx, n, in, n_in, 2) || !positions(ctx, n, &in[0].shape, &in[1], &to, &rows, &at))
		return INN_EUNSUP;
	if ((status = host_new(ctx, n, in[0].dtype, &to, &count, out)) < 0 || !inn_shape_count(&in[0].shape, &total) || !total)
		return status;
	size_t row = total / rows * inn_dtype_size(in[0].dtype);

	for (size_t i = 0; i < at.shape.dim[0]; i++)
		memcpy((char *)out->data + i * row, (const char *)in[0].data + (size_t)inn_tensor_int(&at, i) * row, row);
	return INN_OK;
}

static inn_val forward(FORWARD)
{
	inn_val v = arg(n, x, 0);
	struct inn_shape s = *inn_shape_of(b, v), to, view = { .rank = 2 };
	struct inn_tensor at;
	size_t rows, total;

	(void)w;
	(void)out;
	if (!v.id || !positions(inn_build_ctx(b), n, &s, inn_node_const(n, 1), &to, &rows, &at) || !inn_shape_count(&s, &total))
		return no_value;
	view.dim[0] = (uint32_t)rows;
	view.dim[1] = (uint32_t)(total / rows);
	return inn_reshape(b, inn_gather(b, inn_reshape(b, v, &view), table(b, n, "index", &s, &at), 0), &to);
}

LAYER(gather_nd, "take slices by position", params, sizeof(struct opts), .traits = INN_T_RESHAPE, .fold = fold);
