/* Losses that compare log-probabilities [N,C,d1,...] with the classes [N,d1,...] that are right. */
#ifndef LAYERS_CLASS_LOSS_H
#define LAYERS_CLASS_LOSS_H
#include "layer.h"

enum { NONE, SUM, MEAN };
struct opts {
	int reduction;
	int64_t ignore_index;
};

static const struct inn_choice reductions[] = { { "none", NONE, "a loss for each place" }, { "sum", SUM, "their sum" },
						{ "mean", MEAN, "their mean, by the weights of the classes" }, { 0 } };
static const struct inn_param params[] = {
	INN_ENUM(struct opts, reduction, MEAN, reductions, "what is made of the losses"),
	OPTIONAL_INT(struct opts, ignore_index, INT32_MIN, INT32_MAX, "class of places that do not count"),
	{ 0 },
};

/* The weight of the right class where it stands, else 0: [N,C,d1,...]. */
static inline inn_val right_class(inn_build *b, const inn_node *n, const inn_val *x, const struct inn_shape *s)
{
	const struct opts *o = inn_node_opts(n);
	inn_val index = operand(b, n, x, 1), weights = operand(b, n, x, 2);
	struct inn_shape places = without(s, 2);
	uint32_t order[INN_MAX_RANK];
	char text[2][INN_SHAPE_STR];

	if (index.id && !inn_shape_eq(inn_shape_of(b, index), &places)) {
		inn_fail(inn_build_ctx(b), INN_ESHAPE, NULL, "%s (%s): classes %s do not belong to %s", inn_node_name(n), inn_node_kind(n),
			 inn_shape_str(inn_shape_of(b, index), text[0]), inn_shape_str(s, text[1]));
		return no_value;
	}
	for (uint32_t d = 0; d < s->rank; d++)
		order[d] = d == 1 ? s->rank - 1 : d - (d > 1);
	inn_val hot = inn_permute(b, inn_onehot(b, index, s->dim[1]), order);

	if (o->ignore_index >= 0 && o->ignore_index < s->dim[1])
		weights = inn_mul(b, weights.id ? weights : inn_scalar(b, 1),
				  inn_sub(b, inn_scalar(b, 1), inn_reshape(b, inn_onehot(b, inn_scalar(b, (double)o->ignore_index), s->dim[1]),
									   &(struct inn_shape){ 1, { s->dim[1] } })));
	return weights.id ? inn_mul(b, hot, per_channel(b, n, "weights", weights, hot)) : hot;
}

static inline inn_val class_loss(inn_build *b, const inn_node *n, const inn_val *x, inn_val logp)
{
	const struct opts *o = inn_node_opts(n);
	struct inn_shape s = *inn_shape_of(b, logp), places = without(&s, 2);
	uint32_t all = (1u << s.rank) - 1;

	if (!logp.id || s.rank < 2 || !inn_node_in(n, 1))
		return misfit(b, n, "numbers for each class and the classes that are right are expected");
	inn_val hot = right_class(b, n, x, &s), loss = inn_neg(b, inn_sum(b, inn_mul(b, hot, logp), o->reduction == NONE ? 2 : all));

	if (o->reduction == NONE)
		return inn_reshape(b, loss, &places);
	if (o->reduction == MEAN)
		loss = inn_div(b, loss, inn_sum(b, hot, all));
	return inn_reshape(b, loss, &(struct inn_shape){ 0 });
}
#endif
