/* The reverse walk: relevance per tensor of the graph, from the output to the model's inputs. */
#include "state.h"
#include <stdlib.h>

struct walk {
	inn_build *b;
	inn_graph *g;
	const struct inn_query *q;
	inn_back back;
	const void *user;
	inn_val *value, *rel; /* by tensor */
	inn_val *x;           /* scratch */
};

/* The operand's relevance in the operand's shape; axis 0 may have been left at 1. */
static inn_val fitted(struct walk *w, const inn_node *n, uint32_t k, inn_val r, const struct inn_shape *want)
{
	const struct inn_shape *got = inn_shape_of(w->b, r);
	char a[INN_SHAPE_STR], c[INN_SHAPE_STR];

	if (!r.id) {
		if (!inn_failed(w->g->ctx))
			inn_fail(w->g->ctx, INN_EBUG, NULL, "%s: no relevance was given for input %u", n->label, k);
		return r;
	}
	if (inn_shape_eq(got, want))
		return r;
	bool ok = got->rank == want->rank && got->rank && got->dim[0] == 1;

	for (uint32_t d = 1; ok && d < want->rank; d++)
		ok = got->dim[d] == want->dim[d];
	if (ok)
		return inn_expand(w->b, r, want);
	if (!inn_failed(w->g->ctx))
		inn_fail(w->g->ctx, INN_EBUG, NULL, "%s: the relevance of input %u has shape %s, the input has %s", n->label, k,
			 inn_shape_str(got, a), inn_shape_str(want, c));
	return (inn_val){ 0 };
}

/* Passes what arrived at one output back to every operand that depends on the model's input. */
static bool pass_site(struct walk *w, const inn_node *n, const struct inn_site *s)
{
	for (uint32_t k = 0; k < n->n_in; k++) {
		uint32_t t = n->in[k];

		if (!t || !w->g->t[t].dynamic)
			continue;
		struct inn_shape want = *inn_shape_of(w->b, w->value[t]);
		inn_val r = fitted(w, n, k, w->back(w->b, s, k, w->user), &want);

		if (!r.id)
			return false;
		inn__probe_operand(w->b, r);
		w->rel[t] = w->rel[t].id ? inn_add(w->b, w->rel[t], r) : r;
	}
	return true;
}

static bool pass_node(struct walk *w, const inn_node *n)
{
	const struct inn__net *net = inn__build_net(w->b);
	inn_val weights[INN_MAX_WEIGHTS];
	bool ok = true;

	for (uint32_t out = 0; ok && out < n->n_out; out++) {
		uint32_t t = n->out[out];

		if (!t || !w->rel[t].id)
			continue;
		inn__operands(w->b, n, w->value, w->x, weights);
		struct inn_site s = {
			.size = sizeof(s), .node = n, .x = w->x, .w = weights, .n_x = n->n_in, .n_w = n->n_rows, .out = out,
			.y = w->value[t], .r = w->rel[t], .low = net->low, .high = net->high,
			.dialect = w->q->dialect < 0 ? INN_PAPER : (uint32_t)w->q->dialect,
		};
		const char *from = inn__build_from(w->b, n->name);

		ok = inn__probe_begin(w->b, n, out, s.r) && pass_site(w, n, &s);
		inn__probe_end(w->b);
		inn__build_from(w->b, from);
	}
	return ok;
}

static void walk(struct walk *w, inn_val seed, inn_val *r)
{
	inn_graph *g = w->g;

	if (!inn__record_net(w->b, g, w->q->x, w->value))
		return;
	uint32_t y = g->out[0].tensor;

	w->rel[y] = inn_expand(w->b, seed, inn_shape_of(w->b, inn__value_of(w->b, g, y, w->value)));
	if (!w->rel[y].id)
		return;
	for (uint32_t i = g->n_nodes; i-- > 0;)
		if (g->node[i]->live && g->node[i]->dynamic && !pass_node(w, g->node[i]))
			return;
	for (uint32_t i = 0; i < w->q->n_x && i < g->n_in; i++) {
		inn_val got = w->rel[g->in[i].tensor];

		r[i] = got.id ? got : inn_const(w->b, 0, inn_shape_of(w->b, w->q->x[i]));
	}
}

void inn_walk(inn_build *b, const struct inn_query *q, inn_val seed, inn_back back, const void *user, inn_val *r)
{
	struct walk w = { .b = b, .g = inn__graph_of(b), .q = q, .back = back, .user = user };

	for (uint32_t i = 0; i < q->n_x; i++)
		r[i] = (inn_val){ 0 };
	if (!w.g || !seed.id)
		return;
	w.value = calloc(w.g->n_t, sizeof(*w.value));
	w.rel = calloc(w.g->n_t, sizeof(*w.rel));
	w.x = calloc(w.g->max_in + 1, sizeof(*w.x));
	if (w.value && w.rel && w.x)
		walk(&w, seed, r);
	else
		inn_nomem(w.g->ctx);
	free(w.value);
	free(w.rel);
	free(w.x);
}
