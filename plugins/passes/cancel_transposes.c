/* Removes pairs of transposes that undo each other, as converters between NHWC and NCHW leave them. */
#include "pass.h"

/* perm of a transpose; absent: all axes reversed. False if it is none. */
static bool order_of(const inn_node *n, uint32_t rank, int64_t *perm)
{
	int count = inn_node_attr_ints(n, "perm", perm, INN_MAX_RANK);

	if (count < 0 || (count && (uint32_t)count != rank))
		return false;
	for (uint32_t i = 0; i < rank; i++) {
		if (!count)
			perm[i] = rank - 1 - i;
		if (perm[i] < 0 || perm[i] >= rank)
			return false;
	}
	return true;
}

/* What `n` may be replaced by: the input of an inverse transpose before it, or its own if it moves nothing. */
static uint32_t shortcut(const inn_graph *g, const inn_node *n)
{
	const struct inn_shape *s = inn_node_shape(n, 0);
	int64_t p[INN_MAX_RANK], q[INN_MAX_RANK];
	bool still = true, undone = true;

	if (!is_kind(n, "transpose") || !s || !order_of(n, s->rank, p))
		return 0;
	inn_node *before = inn_graph_producer(g, inn_node_in(n, 0));
	bool pair = is_kind(before, "transpose") && order_of(before, s->rank, q);

	for (uint32_t i = 0; i < s->rank; i++) {
		still &= p[i] == i;
		undone &= pair && q[p[i]] == i;
	}
	return still ? inn_node_in(n, 0) : undone && s->rank ? inn_node_in(before, 0) : 0;
}

static int apply(inn_ctx *ctx, inn_graph *g, const void *opts)
{
	(void)ctx;
	(void)opts;
	/* Forwards, so that the outer pair of a nest meets once the inner one is gone. */
	for (uint32_t i = 0; i < inn_graph_nodes(g);) {
		inn_node *n = inn_graph_node(g, i);
		uint32_t to = shortcut(g, n);

		if (!to) {
			i++;
			continue;
		}
		inn_graph_replace(g, inn_node_out(n, 0), to);
		inn_graph_remove(g, n);
	}
	return INN_OK;
}

static const struct inn_pass_ops cancel_transposes = {
	.cls = INN_HEAD(struct inn_pass_ops, INN_PASS, "cancel_transposes",
			"leave out pairs of transposes that undo each other", NULL, 0, NULL),
	.apply = apply,
};

INN_PLUGIN("cancel_transposes", "1.0.0", "BSD-2-Clause", &cancel_transposes.cls);
