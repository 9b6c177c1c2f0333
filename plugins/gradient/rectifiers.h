/* Methods that change how a rectifier is reversed, and are defined for networks of rectifiers only. */
#ifndef GRADIENT_RECTIFIERS_H
#define GRADIENT_RECTIFIERS_H
#include <innvestigate/plugin.h>

/* Refuses the first activation that is no rectifier, by name. */
static inline int rectifiers_only(inn_ctx *ctx, const inn_graph *g, const void *opts)
{
	(void)opts;
	for (uint32_t i = 0; i < inn_graph_nodes(g); i++) {
		const inn_node *n = inn_graph_node(g, i);
		uint32_t t = inn_node_traits(n);

		if ((t & INN_T_ACTIVATION) && !(t & INN_T_RECTIFIER))
			return inn_fail(ctx, INN_EUNSUP, NULL, "%s (%s): this method is only defined for networks with ReLU activations",
					inn_node_name(n), inn_node_kind(n));
	}
	return INN_OK;
}
#endif
