/* Removes what hands its input on unchanged: Identity, Dropout, casts between floating-point types. */
#include "pass.h"

/* ONNX's numbers of float, float16, double and bfloat16. */
static bool casts_to_float(const inn_node *n)
{
	int64_t to = 0;

	return inn_node_attr_ints(n, "to", &to, 1) == 1 && (to == 1 || to == 10 || to == 11 || to == 16);
}

static bool droppable(const inn_graph *g, const inn_node *n)
{
	if (!single_output(g, n))
		return false;
	if (is_kind(n, "cast"))
		return casts_to_float(n);
	return inn_node_traits(n) & INN_T_IDENTITY;
}

static int apply(inn_ctx *ctx, inn_graph *g, const void *opts)
{
	(void)ctx;
	(void)opts;
	for (uint32_t i = inn_graph_nodes(g); i-- > 0;) {
		inn_node *n = inn_graph_node(g, i);

		/* A constant stays: its type may matter to what folds it. */
		if (n && droppable(g, n) && !inn_graph_value(g, inn_node_out(n, 0)))
			inn_graph_remove(g, n);
	}
	return INN_OK;
}

static const struct inn_pass_ops drop_identity = {
	.cls = INN_HEAD(struct inn_pass_ops, INN_PASS, "drop_identity",
			"leave out identities, dropout and casts between float types", NULL, 0, NULL),
	.apply = apply,
};

INN_PLUGIN("drop_identity", "1.0.0", "BSD-2-Clause", &drop_identity.cls);
