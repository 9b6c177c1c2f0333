/* deconvnet: at every ReLU only positive signal passes, wherever the ReLU was (Zeiler, Fergus 2014). The head is the neuron's
 * value, as in iNNvestigate. */
#include "rectifiers.h"

static inn_val back(inn_build *b, const struct inn_site *s, uint32_t k, const void *user)
{
	bool rectifier = inn_node_traits(s->node) & INN_T_RECTIFIER;

	(void)user;
	return rectifier ? inn_pos_part(b, s->r) : inn_vjp(b, s, k, s->r);
}

static void build(inn_build *b, const struct inn_query *q, const void *opts, inn_val *r)
{
	(void)opts;
	inn_walk(b, q, inn_seed(b, q, inn_forward(b, q->x)), back, NULL, r);
}

static const struct inn_analyzer_ops deconvnet = {
	.cls = INN_HEAD(struct inn_analyzer_ops, INN_ANALYZER, "deconvnet", "deconvolutional network", NULL, 0, NULL),
	.head = INN_VALUE,
	.accepts = rectifiers_only,
	.build = build,
};

INN_PLUGIN("deconvnet", "1.0.0", "BSD-2-Clause", &deconvnet.cls);
