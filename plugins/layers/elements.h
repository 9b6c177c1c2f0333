/* GatherElements and ScatterElements: an index for every element along one axis, as positions in the flattened tensor. */
#ifndef LAYERS_ELEMENTS_H
#define LAYERS_ELEMENTS_H
#include "table.h"

/* Constant indices t into s along `axis`: positions of s flattened, of t's shape flattened. */
static inline bool element_positions(inn_ctx *ctx, const inn_node *n, const struct inn_tensor *t, const struct inn_shape *s, int64_t which,
				     struct inn_tensor *to)
{
	struct inn_shape flat = { .rank = 1 };
	uint32_t axis;
	size_t count, total;
	int64_t step[INN_MAX_RANK];

	if (!axis_of(ctx, n, which, s->rank, &axis))
		return false;
	if (!t || !t->data || t->shape.rank != s->rank || !inn_shape_count(&t->shape, &count) || !inn_shape_count(s, &total) ||
	    total > POSITION_MAX || count > POSITION_MAX)
		return unsupported_in(ctx, n, "indices must be constant, of the data's rank, and within 16777216 elements"), false;
	if (!index_type(ctx, n, t))
		return false;
	for (uint32_t d = 0; d < s->rank; d++)
		if (d != axis && t->shape.dim[d] > s->dim[d])
			return unsupported_in(ctx, n, "there are more indices than data along an axis"), false;
	flat.dim[0] = (uint32_t)count;
	if (host_new(ctx, n, INN_I32, &flat, &count, to) < 0)
		return false;
	host_steps(s, step);
	for (size_t i = 0; i < count; i++) {
		size_t rest = i;
		int64_t at = 0;

		for (uint32_t d = s->rank; d-- > 0; rest /= t->shape.dim[d]) {
			int64_t k = d == axis ? inn_tensor_int(t, i) : (int64_t)(rest % t->shape.dim[d]);

			k += k < 0 ? s->dim[d] : 0;
			if (k < 0 || k >= s->dim[d])
				return unsupported_in(ctx, n, "an index lies outside of the data"), false;
			at += k * step[d];
		}
		host_put_int(to, i, at);
	}
	return true;
}

/* v in one axis. */
static inline inn_val in_line(inn_build *b, inn_val v)
{
	size_t count = 0;

	inn_shape_count(inn_shape_of(b, v), &count);
	return inn_reshape(b, v, &(struct inn_shape){ .rank = 1, .dim = { (uint32_t)count } });
}

enum { REPLACE, ADD, MUL, MIN, MAX };
static const struct inn_choice scatter_reductions[] = {
	{ "none", REPLACE, "replaced" }, { "add", ADD, "added" }, { "mul", MUL, "multiplied" }, { "min", MIN, "the smaller" },
	{ "max", MAX, "the larger" }, { 0 },
};

/* What becomes of the data where updates were put; `kept` is 1 where none were. */
static inline inn_val merge_rows(inn_build *b, inn_val data, inn_val put, inn_val kept, int reduction)
{
	switch (reduction) {
	case MUL: return inn_mul(b, data, inn_add(b, put, kept));
	case MIN: return inn_select(b, kept, data, inn_min(b, data, put));
	case MAX: return inn_select(b, kept, data, inn_max(b, data, put));
	default: return inn_add(b, inn_mul(b, data, kept), put);
	}
}

/* rows [m,...] meet the data at positions [m] of its axis 0. */
static inline inn_val put_rows(inn_build *b, const inn_node *n, inn_val data, inn_val rows, const struct inn_tensor *at, int reduction)
{
	struct inn_shape s = *inn_shape_of(b, data), column = { .rank = s.rank };
	struct inn_tensor free_rows = { 0 };
	inn_val put = inn_scatter(b, rows, table(b, n, "index", &s, at), 0, s.dim[0]);
	size_t count;

	if (reduction == ADD)
		return inn_add(b, data, put);
	for (uint32_t d = 0; d < s.rank; d++)
		column.dim[d] = d ? 1 : s.dim[0];
	if (host_new(inn_build_ctx(b), n, INN_F32, &column, &count, &free_rows) < 0)
		return no_value;
	for (size_t i = 0; i < count; i++)
		host_put(&free_rows, i, 1);
	for (size_t i = 0; i < at->shape.dim[0]; i++) {
		size_t k = (size_t)inn_tensor_int(at, i);

		if (inn_tensor_real(&free_rows, k) == 0)
			return unsupported(b, n, "two updates of one element are only supported where they add up");
		host_put(&free_rows, k, 0);
	}
	return merge_rows(b, data, put, table(b, n, "kept", &s, &free_rows), reduction);
}
#endif
