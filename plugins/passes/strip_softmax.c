/* Removes the last Softmax, LogSoftmax or Sigmoid before an output: relevance is asked of the scores. */
#include "pass.h"

/* The node that computes the output, seen through identities. */
static inn_node *behind_identities(const inn_graph *g, inn_node *n)
{
	while (n && (inn_node_traits(n) & INN_T_IDENTITY) && inn_graph_readers(g, inn_node_out(n, 0)) == 1)
		n = inn_graph_producer(g, inn_node_in(n, 0));
	return n;
}

static int apply(inn_ctx *ctx, inn_graph *g, const void *opts)
{
	(void)opts;
	for (uint32_t i = inn_graph_nodes(g); i-- > 0;) {
		inn_node *n = inn_graph_node(g, i);

		if (!n || !inn_graph_is_output(g, inn_node_out(n, 0)))
			continue;
		inn_node *last = behind_identities(g, n);

		if (!is_kind(last, "softmax") && !is_kind(last, "log_softmax") && !is_kind(last, "sigmoid"))
			continue;
		if (inn_graph_readers(g, inn_node_out(last, 0)) != 1 || !inn_graph_producer(g, inn_node_in(last, 0)))
			continue;
		inn_info(ctx, "strip_softmax: %s is left out", inn_node_name(last));
		inn_graph_remove(g, last);
	}
	return INN_OK;
}

static const struct inn_pass_ops strip_softmax = {
	.cls = INN_HEAD(struct inn_pass_ops, INN_PASS, "strip_softmax",
			"leave out the last softmax or sigmoid", NULL, 0, NULL),
	.apply = apply,
};

INN_PLUGIN("strip_softmax", "1.0.0", "BSD-2-Clause", &strip_softmax.cls);
