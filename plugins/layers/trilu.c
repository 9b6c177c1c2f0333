/* Trilu: the upper or lower triangle of matrices, from diagonal k on. */
#include "host.h"

struct opts {
	bool upper;
};

static const struct inn_param params[] = { INN_BOOL(struct opts, upper, true, "the upper triangle"), { 0 } };

static bool diagonal(inn_ctx *ctx, const inn_node *n, uint32_t rank, int64_t *k)
{
	int64_t v[MAX_LIST] = { 0 };
	int count = numbers(ctx, n, 1, NULL, v);

	*k = count > 0 ? v[0] : 0;
	return count >= 0 && count < 2 && rank > 1 ? true : (unsupported_in(ctx, n, "matrices and one constant k are expected"), false);
}

static int fold(FOLD)
{
	const struct opts *o = inn_node_opts(n);
	size_t count, size;
	int64_t k;
	int status;

	if (!n_in || !in[0].data || !diagonal(ctx, n, in[0].shape.rank, &k))
		return INN_EUNSUP;
	if ((status = host_new(ctx, n, in[0].dtype, &in[0].shape, &count, out)) < 0)
		return status;
	size = inn_dtype_size(in[0].dtype);
	for (size_t i = 0; i < count; i++) {
		size_t columns = in[0].shape.dim[in[0].shape.rank - 1], rows = in[0].shape.dim[in[0].shape.rank - 2];
		int64_t off = (int64_t)(i % columns) - (int64_t)(i / columns % rows);

		if (o->upper ? off >= k : off <= k)
			memcpy(host_at(out, i), host_at(&in[0], i), size);
	}
	return INN_OK;
}

static inn_val forward(FORWARD)
{
	const struct opts *o = inn_node_opts(n);
	inn_val v = arg(n, x, 0), row, column;
	uint32_t rank = inn_shape_of(b, v)->rank;
	int64_t k;

	(void)w;
	(void)out;
	if (!v.id || !diagonal(inn_build_ctx(b), n, rank, &k))
		return no_value;
	column = inn_iota(b, inn_dim(b, v, rank - 1));
	row = inn_addc(b, inn_reshape(b, inn_iota(b, inn_dim(b, v, rank - 2)),
				      &(struct inn_shape){ .rank = 2, .dim = { inn_dim(b, v, rank - 2), 1 } }), (double)k);
	return inn_select(b, o->upper ? inn_ge(b, column, row) : inn_ge(b, row, column), v, inn_scalar(b, 0));
}

LAYER(trilu, "triangle of a matrix", params, sizeof(struct opts), .traits = INN_T_RESHAPE, .fold = fold);
