/* Small questions that passes ask of the graph. */
#ifndef PASSES_PASS_H
#define PASSES_PASS_H
#include <innvestigate/plugin.h>
#include <string.h>

static inline bool is_kind(const inn_node *n, const char *kind) { return n && !strcmp(inn_node_kind(n), kind); }

/* Nobody reads the outputs after the first. */
static inline bool single_output(const inn_graph *g, const inn_node *n)
{
	for (uint32_t k = 1; k < inn_node_n_out(n); k++)
		if (inn_node_out(n, k) && inn_graph_readers(g, inn_node_out(n, k)))
			return false;
	return inn_node_out(n, 0) && inn_node_in(n, 0);
}

static inline bool is_real(const struct inn_tensor *t)
{
	return t && (t->dtype == INN_F32 || t->dtype == INN_F64 || t->dtype == INN_F16 || t->dtype == INN_BF16);
}

/* All elements of a constant as double; NULL after recording. */
static inline double *reals(inn_ctx *ctx, const struct inn_tensor *t, size_t *n)
{
	double *v;

	if (!inn_shape_count(&t->shape, n) || !(v = inn_alloc(ctx, *n + 1, sizeof(*v))))
		return NULL;
	inn_convert(t->data, t->dtype, v, INN_F64, *n);
	return v;
}

/* A new constant, kept in double so that an f64 backend loses nothing. Keeps v; 0 after recording. */
static inline uint32_t new_reals(inn_graph *g, const char *hint, const struct inn_shape *shape, double *v)
{
	struct inn_tensor t = { .shape = *shape, .dtype = INN_F64, .data = v };

	return inn_graph_new_const(g, hint, &t);
}
#endif
