/* Unsqueeze. */
#include "squeeze.h"

static bool target(inn_ctx *ctx, const inn_node *n, const struct inn_shape *s, struct inn_shape *to)
{
	const struct opts *o = inn_node_opts(n);
	int64_t v[MAX_LIST];
	int count = numbers(ctx, n, 1, &o->axes, v);
	uint32_t mask, rank = s->rank + (uint32_t)(count < 0 ? 0 : count), from = 0;

	if (count < 0)
		return false;
	if (!o->axes.n && !inn_node_in(n, 1))
		return unsupported_in(ctx, n, "axes are missing"), false;
	if (rank > INN_MAX_RANK)
		return unsupported_in(ctx, n, "at most 8 axes are supported"), false;
	if (!axes_mask(ctx, n, 1, &o->axes, rank, &mask) || __builtin_popcount(mask) != count)
		return unsupported_in(ctx, n, "an axis is named twice"), false;
	to->rank = rank;
	for (uint32_t d = 0; d < rank; d++)
		to->dim[d] = mask >> d & 1 ? 1 : s->dim[from++];
	return true;
}

LAYER(unsqueeze, "insert axes of length 1", params, sizeof(struct opts), .traits = INN_T_RESHAPE, .fold = fold);
