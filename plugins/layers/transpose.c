/* Transpose; without perm the axes are reversed. */
#include "host.h"

struct opts {
	struct inn_ints perm;
};

static const struct inn_param params[] = { INN_INTS(struct opts, perm, NULL, 0, 7, "axis of the operand that each axis of the result is"), { 0 } };

static bool order_of(inn_ctx *ctx, const inn_node *n, uint32_t rank, uint32_t *order)
{
	const struct opts *o = inn_node_opts(n);
	uint32_t seen = 0;

	for (uint32_t d = 0; d < rank; d++) {
		order[d] = d < o->perm.n ? (uint32_t)o->perm.v[d] : rank - 1 - d;
		seen |= 1u << order[d];
	}
	if ((!o->perm.n || o->perm.n == rank) && seen == (1u << rank) - 1)
		return true;
	inn_fail(ctx, INN_ESHAPE, NULL, "%s (transpose): perm is no order of %u axes", inn_node_name(n), rank);
	return false;
}

static int fold(FOLD)
{
	int64_t own[INN_MAX_RANK], step[INN_MAX_RANK];
	uint32_t order[INN_MAX_RANK];
	struct inn_shape s = in[0].shape;

	if (!host_given(ctx, n, in, n_in, 1) || !order_of(ctx, n, s.rank, order))
		return INN_ESHAPE;
	host_steps(&in[0].shape, own);
	for (uint32_t d = 0; d < s.rank; d++) {
		s.dim[d] = in[0].shape.dim[order[d]];
		step[d] = own[order[d]];
	}
	return host_view(ctx, n, &in[0], &s, 0, step, out);
}

static inn_val forward(FORWARD)
{
	inn_val v = arg(n, x, 0);
	uint32_t order[INN_MAX_RANK];

	(void)w;
	(void)out;
	if (!v.id || !order_of(inn_build_ctx(b), n, inn_shape_of(b, v)->rank, order))
		return no_value;
	return inn_permute(b, v, order);
}

LAYER(transpose, "permute the axes", params, sizeof(struct opts), .traits = INN_T_RESHAPE, .fold = fold);
