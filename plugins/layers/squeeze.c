/* Squeeze. */
#include "squeeze.h"

static bool target(inn_ctx *ctx, const inn_node *n, const struct inn_shape *s, struct inn_shape *to)
{
	const struct opts *o = inn_node_opts(n);
	uint32_t mask;

	if (!axes_mask(ctx, n, 1, &o->axes, s->rank, &mask))
		return false;
	for (uint32_t d = 0; d < s->rank; d++)
		if (!o->axes.n && !inn_node_in(n, 1))
			mask |= (s->dim[d] == 1) << d;
	*to = without(s, mask);
	return true;
}

LAYER(squeeze, "drop axes of length 1", params, sizeof(struct opts), .traits = INN_T_RESHAPE, .fold = fold);
