/* What reductions share. */
#ifndef LAYERS_REDUCE_H
#define LAYERS_REDUCE_H
#include "layer.h"

struct reduce_opts {
	struct inn_ints axes;
	bool keepdims, noop_with_empty_axes;
};

static const struct inn_param reduce_params[] = {
	INN_INTS(struct reduce_opts, axes, NULL, -8, 7, "axes to reduce; none: all"),
	INN_BOOL(struct reduce_opts, keepdims, true, "keep reduced axes with length 1"),
	INN_BOOL(struct reduce_opts, noop_with_empty_axes, false, "no axes: leave the operand as it is"),
	{ 0 },
};

static inline bool reduce_axes(inn_build *b, const inn_node *n, inn_val v, uint32_t *mask)
{
	const struct reduce_opts *o = inn_node_opts(n);
	uint32_t rank = inn_shape_of(b, v)->rank;

	if (!axes_mask(inn_build_ctx(b), n, 1, &o->axes, rank, mask))
		return false;
	if (!*mask && !o->noop_with_empty_axes)
		*mask = (1u << rank) - 1;
	return true;
}

static inline inn_val reduced(inn_build *b, const inn_node *n, inn_val y, uint32_t mask)
{
	const struct reduce_opts *o = inn_node_opts(n);

	if (!y.id || o->keepdims)
		return y;
	struct inn_shape s = without(inn_shape_of(b, y), mask);

	return inn_reshape(b, y, &s);
}
#endif
