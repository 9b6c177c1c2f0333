/* ScatterND: rows at constant positions are replaced or added to. */
#include "elements.h"

struct opts {
	int reduction;
};

static const struct inn_param params[] = { INN_ENUM(struct opts, reduction, REPLACE, scatter_reductions, "how updates meet data"), { 0 } };

static int fold(FOLD)
{
	const struct opts *o = inn_node_opts(n);
	size_t count, n_index, n_updates, inner = 1;
	int status;

	if (o->reduction != REPLACE)
		return INN_EUNSUP; /* recorded */
	if (n_in < 3 || !in[0].data || !in[1].data || !in[2].data || !in[1].shape.rank || in[0].dtype != in[2].dtype)
		return unsupported_in(ctx, n, "data, indices and updates must be constant");
	if (!index_type(ctx, n, &in[1]))
		return INN_EMODEL;
	uint32_t depth = in[1].shape.dim[in[1].shape.rank - 1];

	if (!depth || depth > in[0].shape.rank || !inn_shape_count(&in[1].shape, &n_index) || !inn_shape_count(&in[2].shape, &n_updates))
		return unsupported_in(ctx, n, "the indices do not fit the data");
	for (uint32_t d = depth; d < in[0].shape.rank; d++)
		inner *= in[0].shape.dim[d];
	if (n_updates != n_index / depth * inner)
		return unsupported_in(ctx, n, "the updates do not fit the indices");
	if ((status = host_new(ctx, n, in[0].dtype, &in[0].shape, &count, out)) < 0)
		return status;
	size_t row = inner * inn_dtype_size(in[0].dtype);

	memcpy(out->data, in[0].data, count * inn_dtype_size(in[0].dtype));
	for (size_t i = 0; i < n_index / depth; i++) {
		size_t at = 0;

		if (!row_position(ctx, n, &in[1], i, depth, &in[0].shape, 0, &at))
			return INN_EUNSUP;
		memcpy((char *)out->data + at * row, (const char *)in[2].data + i * row, row);
	}
	return INN_OK;
}

static inn_val forward(FORWARD)
{
	const struct opts *o = inn_node_opts(n);
	const struct inn_tensor *t = inn_node_const(n, 1);
	inn_ctx *ctx = inn_build_ctx(b);
	inn_val v = operand(b, n, x, 0), updates = operand(b, n, x, 2);
	struct inn_shape s = *inn_shape_of(b, v), view = { .rank = 2, .dim = { 1, 1 } }, rows = view;
	uint32_t depth = t && t->data && t->shape.rank ? t->shape.dim[t->shape.rank - 1] : 0;
	struct inn_tensor at;
	size_t count;

	(void)w;
	(void)out;
	if (!v.id || !updates.id || !depth || depth > s.rank || !inn_shape_count(&t->shape, &count))
		return unsupported(b, n, "the indices must be constant and fit the data");
	if (!index_type(ctx, n, t))
		return no_value;
	for (uint32_t d = 0; d < s.rank; d++)
		view.dim[d >= depth] *= s.dim[d];
	rows.dim[0] = (uint32_t)(count / depth);
	rows.dim[1] = view.dim[1];
	if (view.dim[0] > POSITION_MAX)
		return unsupported(b, n, "at most 16777216 rows are supported");
	if (host_new(ctx, n, INN_I32, &(struct inn_shape){ .rank = 1, .dim = { rows.dim[0] } }, &count, &at) < 0)
		return no_value;
	for (size_t i = 0; i < count; i++) {
		size_t k = 0;

		if (!row_position(ctx, n, t, i, depth, &s, 0, &k))
			return no_value;
		host_put_int(&at, i, (int64_t)k);
	}
	v = put_rows(b, n, inn_reshape(b, v, &view), inn_reshape(b, updates, &rows), &at, o->reduction);
	return inn_reshape(b, v, &s);
}

LAYER(scatter_nd, "rows replaced", params, sizeof(struct opts), .traits = INN_T_MERGE, .fold = fold);
