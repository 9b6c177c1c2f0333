/* TopK: the largest or smallest along an axis and where they lay, in order; of equal ones the first comes first. */
#include "layer.h"

struct opts {
	int64_t axis;
	struct inn_ints k;
	bool largest, sorted;
};

static const struct inn_param params[] = {
	INN_INT(struct opts, axis, -1, -8, 7, "axis"),
	INN_INTS(struct opts, k, NULL, 1, INT32_MAX, "how many"),
	INN_BOOL(struct opts, largest, true, "the largest, else the smallest"),
	INN_BOOL(struct opts, sorted, true, "unused: they always are"),
	{ 0 },
};

static inn_val forward(FORWARD)
{
	const struct opts *o = inn_node_opts(n);
	inn_val v = arg(n, x, 0), what, hot;
	struct inn_shape s = *inn_shape_of(b, v), column = { .rank = 2, .dim = { 1, 1 } };
	uint32_t rank = s.rank, last = rank - 1, order[INN_MAX_RANK], axis, length;
	int64_t k[MAX_LIST];
	int count = numbers(inn_build_ctx(b), n, 1, &o->k, k);

	(void)w;
	if (!v.id || count < 0 || !axis_of(inn_build_ctx(b), n, o->axis, rank, &axis))
		return no_value;
	length = column.dim[0] = s.dim[axis];
	if (count != 1 || k[0] < 1 || k[0] > length)
		return misfit(b, n, "k is not one number up to the axis' length");
	if (rank == INN_MAX_RANK)
		return unsupported(b, n, "at most 7 axes are supported");
	for (uint32_t d = 0; d < rank; d++)
		order[d] = d == axis ? last : d == last ? axis : d;
	v = inn_permute(b, v, order);
	s = *inn_shape_of(b, v);
	s.dim[s.rank++] = 1;
	hot = inn_onehot(b, inn_rank(b, o->largest ? v : inn_neg(b, v)), (uint32_t)k[0]); /* [..,length,k]: which is the i-th */
	what = out ? inn_reshape(b, inn_iota(b, length), &column) : inn_reshape(b, v, &s);
	s.dim[--s.rank - 1] = (uint32_t)k[0];
	return inn_permute(b, inn_reshape(b, inn_sum(b, inn_mul(b, what, hot), 1u << last), &s), order);
}

LAYER(top_k, "largest along an axis", params, sizeof(struct opts), .traits = INN_T_RESHAPE, .max_out = 2);
