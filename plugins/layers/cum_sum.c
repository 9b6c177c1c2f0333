/* CumSum along a constant axis: a product with a triangular matrix of ones. */
#include "table.h"

struct opts {
	bool exclusive, reverse;
};

static const struct inn_param params[] = {
	INN_BOOL(struct opts, exclusive, false, "without the element itself"),
	INN_BOOL(struct opts, reverse, false, "from the end"),
	{ 0 },
};

static bool axis_at(inn_ctx *ctx, const inn_node *n, uint32_t rank, uint32_t *axis)
{
	int64_t v[MAX_LIST];
	int count = numbers(ctx, n, 1, NULL, v);

	return count == 1 ? axis_of(ctx, n, v[0], rank, axis) : (unsupported_in(ctx, n, "the axis must be one constant"), false);
}

static int fold(FOLD)
{
	const struct opts *o = inn_node_opts(n);
	size_t count, inner = 1;
	uint32_t axis;
	int status;

	if (!host_given(ctx, n, in, n_in, 1) || !axis_at(ctx, n, in[0].shape.rank, &axis))
		return INN_EUNSUP;
	if ((status = host_new(ctx, n, in[0].dtype, &in[0].shape, &count, out)) < 0)
		return status;
	for (uint32_t d = axis + 1; d < in[0].shape.rank; d++)
		inner *= in[0].shape.dim[d];
	size_t length = in[0].shape.dim[axis];

	for (size_t line = 0; line < (count ? count / length : 0); line++) {
		size_t base = line / inner * inner * length + line % inner;
		double sum = 0;

		for (size_t k = 0; k < length; k++) {
			size_t i = base + (o->reverse ? length - 1 - k : k) * inner;
			double v = inn_tensor_real(&in[0], i);

			host_put(out, i, o->exclusive ? sum : sum + v);
			sum += v;
		}
	}
	return INN_OK;
}

static inn_val forward(FORWARD)
{
	const struct opts *o = inn_node_opts(n);
	inn_val v = arg(n, x, 0), row, column;
	uint32_t axis, length;

	(void)w;
	(void)out;
	if (!v.id || !axis_at(inn_build_ctx(b), n, inn_shape_of(b, v)->rank, &axis))
		return no_value;
	length = inn_dim(b, v, axis);
	column = inn_iota(b, length);
	row = inn_reshape(b, column, &(struct inn_shape){ .rank = 2, .dim = { length, 1 } });
	if (o->reverse)
		return matrix_along(b, o->exclusive ? inn_gt(b, column, row) : inn_ge(b, column, row), v, axis);
	return matrix_along(b, o->exclusive ? inn_gt(b, row, column) : inn_ge(b, row, column), v, axis);
}

LAYER(cum_sum, "running sum", params, sizeof(struct opts), .traits = INN_T_MERGE, .fold = fold);
