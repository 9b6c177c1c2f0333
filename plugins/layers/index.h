/* Indices are of type int32 or int64. */
#ifndef LAYERS_INDEX_H
#define LAYERS_INDEX_H
#include "host.h"

static inline bool index_type(inn_ctx *ctx, const inn_node *n, const struct inn_tensor *t)
{
	if (t->dtype == INN_I32 || t->dtype == INN_I64)
		return true;
	if (!inn_failed(ctx))
		inn_fail(ctx, INN_EMODEL, NULL, "%s (%s): the indices are %s; int32 or int64 is expected", inn_node_name(n), inn_node_kind(n),
			 inn_dtype_name(t->dtype));
	return false;
}

/* Which input has the output's type. */
static inline uint32_t typed_by(const inn_node *p)
{
	const char *kind = inn_node_kind(p);

	return !strcmp(kind, "where") || !strcmp(kind, "cast_like") ? 1 : !strcmp(kind, "one_hot") ? 2 : 0;
}

/* Of computed values the graph holds no types: those of input k are found where they were made, by a position, a cast or a constant. */
static inline bool computed_index_type(inn_ctx *ctx, const inn_node *n, uint32_t k)
{
	const inn_graph *g = inn_node_graph(n);
	uint32_t t = inn_node_in(n, k);

	for (const inn_node *p; !inn_graph_value(g, t) && (p = inn_graph_producer(g, t)); t = inn_node_in(p, typed_by(p))) {
		int64_t to = 0;

		if (!strcmp(inn_node_kind(p), "arg_max") || !strcmp(inn_node_kind(p), "arg_min") ||
		    (!strcmp(inn_node_kind(p), "top_k") && t == inn_node_out(p, 1)))
			return true;
		if (!strcmp(inn_node_kind(p), "cast") && inn_node_attr_ints(p, "to", &to, 1) == 1)
			return index_type(ctx, n, &(struct inn_tensor){ .dtype = host_dtype(to) });
	}
	return index_type(ctx, n, inn_graph_value(g, t) ? inn_graph_value(g, t) : &(struct inn_tensor){ .dtype = INN_F32 }); /* or data */
}
#endif
