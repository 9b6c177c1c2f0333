/* lrp.pass: R unchanged, for activations and other layers of one input and equal shapes. Of several inputs (max, min) the one
 * that decides gets it. */
#include "rule.h"

static inn_val back(inn_build *b, const struct inn_site *s, uint32_t k, const void *opts)
{
	uint32_t several = 0;
	size_t in, out;

	(void)opts;
	for (uint32_t i = 0; i < s->n_x; i++)
		several += s->x[i].id && !inn_node_const(s->node, i);
	if (several > 1)
		return inn_vjp(b, s, k, s->r);
	if (!inn_shape_count(inn_shape_of(b, s->x[k]), &in) || !inn_shape_count(inn_shape_of(b, s->r), &out) || in != out) {
		if (!inn_failed(inn_build_ctx(b)))
			inn_fail(inn_build_ctx(b), INN_ECONFIG, NULL, "%s (%s): lrp.pass is for layers whose input has the size of their output, such as {trait: activation}",
				 inn_node_name(s->node), inn_node_kind(s->node));
		return (inn_val){ 0 };
	}
	return inn_reshape(b, s->r, inn_shape_of(b, s->x[k]));
}

RULE("lrp.pass", "relevance passes unchanged", NULL, 0, NULL, 0, INN_CONSERVES);
