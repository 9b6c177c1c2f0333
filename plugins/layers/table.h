/* Tables that a layer makes for itself: matrices applied along an axis, and lists of positions. */
#ifndef LAYERS_TABLE_H
#define LAYERS_TABLE_H
#include "index.h"

/* A table as a value; its name tells the node, what it is, and the operand's shape for which it was made. */
static inline inn_val table(inn_build *b, const inn_node *n, const char *what, const struct inn_shape *s, const struct inn_tensor *t)
{
	struct inn_tensor *own = inn_alloc(inn_build_ctx(b), 1, sizeof(*own));
	char shape[INN_SHAPE_STR];
	char *name = inn_printf(inn_build_ctx(b), "%s.%s.%u.%s", inn_node_name(n), what, inn_node_out(n, 0), inn_shape_str(s, shape));

	if (!own || !name)
		return no_value;
	*own = *t;
	return inn_param_of(b, name, own);
}

/* Positions are floats in a plan, exact up to here. */
#define POSITION_MAX ((size_t)1 << 24)

/* M [out,in] times v along one axis, which becomes `out` long: v is seen as [before, in, behind]. */
static inline inn_val matrix_along(inn_build *b, inn_val m, inn_val v, uint32_t axis)
{
	struct inn_shape s = *inn_shape_of(b, v), view = { .rank = 3, .dim = { 1, 1, 1 } };

	for (uint32_t d = 0; d < s.rank; d++)
		view.dim[d < axis ? 0 : d == axis ? 1 : 2] *= s.dim[d];
	s.dim[axis] = inn_dim(b, m, 0);
	return inn_reshape(b, inn_matmul(b, m, inn_reshape(b, v, &view), false, false), &s);
}

/* The number of a row of constant indices [.., depth] into the first axes of s: checked, negative ones count from behind. */
static inline bool row_position(inn_ctx *ctx, const inn_node *n, const struct inn_tensor *t, size_t row, uint32_t depth, const struct inn_shape *s,
				uint32_t first, size_t *at)
{
	for (uint32_t d = 0; d < depth; d++) {
		int64_t k = inn_tensor_int(t, row * depth + d), size = s->dim[first + d];

		k += k < 0 ? size : 0;
		if (k < 0 || k >= size)
			return unsupported_in(ctx, n, "an index lies outside of the data"), false;
		*at = *at * (size_t)size + (size_t)k;
	}
	return true;
}
#endif
