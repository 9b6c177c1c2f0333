/* The forward pass: every layer records its outputs; equal recordings are one value, so asking again is cheap. */
#include "state.h"
#include <stdlib.h>

int inn__net_attach(inn_build *b, inn_graph *g)
{
	struct inn__net *net = inn_alloc(inn_build_ctx(b), 1, sizeof(*net));

	if (!net)
		return INN_ENOMEM;
	net->g = g;
	inn__build_set_net(b, net);
	return INN_OK;
}

inn_graph *inn__graph_of(inn_build *b)
{
	struct inn__net *net = inn__build_net(b);

	if (net)
		return net->g;
	if (!inn_failed(inn_build_ctx(b)))
		inn_fail(inn_build_ctx(b), INN_EBUG, NULL, "no network is attached to the builder");
	return NULL;
}

const inn_graph *inn_build_graph(inn_build *b) { return inn__graph_of(b); }

void inn__net_bounds(inn_build *b, inn_val low, inn_val high)
{
	struct inn__net *net = inn__build_net(b);

	if (net) {
		net->low = low;
		net->high = high;
	}
}

inn_val inn__value_of(inn_build *b, inn_graph *g, uint32_t tensor, inn_val *vals)
{
	const struct tensor *t = &g->t[tensor];
	size_t n;

	if (vals[tensor].id || !t->value || !inn__is_float(t->value->dtype) || !inn_shape_count(&t->shape, &n) || !n)
		return vals[tensor];
	return vals[tensor] = inn_param_of(b, t->param, t->value);
}

void inn__operands(inn_build *b, const inn_node *n, inn_val *vals, inn_val *x, inn_val *w)
{
	for (uint32_t i = 0; i < INN_MAX_WEIGHTS; i++)
		w[i] = (inn_val){ 0 };
	for (uint32_t k = 0; k < n->n_in; k++) {
		int row = inn__weight_at(n, k);
		inn_val v = n->in[k] ? inn__value_of(b, n->g, n->in[k], vals) : (inn_val){ 0 };

		x[k] = row >= 0 ? (inn_val){ 0 } : v;
		if (row >= 0)
			w[row] = v;
	}
}

static bool record_node(inn_build *b, const inn_node *n, inn_val *vals, inn_val *x)
{
	const char *from = inn__build_from(b, n->name);
	uint32_t role = inn__build_role(b, INN_ROLE_FORWARD);
	inn_val w[INN_MAX_WEIGHTS];
	bool ok = true;

	inn__operands(b, n, vals, x, w);
	for (uint32_t k = 0; ok && k < n->n_out; k++) {
		if (!n->out[k] || !n->g->t[n->out[k]].used)
			continue;
		vals[n->out[k]] = n->ops->forward(b, n, x, w, k);
		ok = vals[n->out[k]].id;
	}
	if (!ok && !inn_failed(n->g->ctx))
		inn_fail(n->g->ctx, INN_EUNSUP, NULL, "%s: these operands are not supported", n->label);
	inn__build_role(b, role);
	inn__build_from(b, from);
	return ok;
}

bool inn__record_net(inn_build *b, inn_graph *g, const inn_val *x, inn_val *vals)
{
	inn_val *scratch = calloc(g->max_in + 1, sizeof(*scratch));
	bool ok = scratch;

	if (!scratch)
		inn_nomem(g->ctx);
	for (uint32_t i = 0; ok && i < g->n_in; i++) {
		vals[g->in[i].tensor] = x[i];
		ok = x[i].id;
	}
	for (uint32_t i = 0; ok && i < g->n_nodes; i++)
		if (g->node[i]->live)
			ok = record_node(b, g->node[i], vals, scratch);
	free(scratch);
	return ok;
}

inn_val inn__forward_output(inn_build *b, const inn_val *x, uint32_t i)
{
	inn_graph *g = inn__graph_of(b);
	inn_val *vals, y = { 0 };

	if (!g || i >= g->n_out)
		return y;
	if (!(vals = calloc(g->n_t, sizeof(*vals)))) {
		inn_nomem(g->ctx);
		return y;
	}
	if (inn__record_net(b, g, x, vals)) {
		y = inn__value_of(b, g, g->out[i].tensor, vals);
		if (!y.id && !inn_failed(g->ctx))
			inn_fail(g->ctx, INN_EUNSUP, NULL, "output %s is an integer constant", g->out[i].name);
	}
	free(vals);
	return y;
}

inn_val inn_forward(inn_build *b, const inn_val *x) { return inn__forward_output(b, x, 0); }

inn_val inn_logits(inn_build *b, inn_val y) { return inn_flatten(b, y, 1); }

inn_val inn_seed(inn_build *b, const struct inn_query *q, inn_val y)
{
	struct inn_shape s = *inn_shape_of(b, y);

	if (!s.rank)
		return q->pick;
	s.dim[0] = inn_dim(b, q->pick, 0);
	inn_val pick = inn_reshape(b, q->pick, &s);

	if (q->head == INN_ONE)
		return inn_expand(b, pick, inn_shape_of(b, y));
	inn_val seed = inn_mul(b, pick, y);

	return q->head == INN_VALUE_PLUS ? inn_pos_part(b, seed) : seed;
}

void inn_nested(inn_build *b, const struct inn_inst *inst, const struct inn_query *q, inn_val *r)
{
	const struct inn_analyzer_ops *ops = (const struct inn_analyzer_ops *)(const void *)inst->cls;
	struct inn_query own = *q;

	for (uint32_t i = 0; i < q->n_x; i++)
		r[i] = (inn_val){ 0 };
	if (!ops || ops->cls.kind != INN_ANALYZER || !ops->build) {
		if (!inn_failed(inn_build_ctx(b)))
			inn_fail(inn_build_ctx(b), INN_ECONFIG, &inst->loc, "an analyzer is missing");
		return;
	}
	own.size = sizeof(own);
	own.head = inst->head >= 0 ? inst->head : q->head >= 0 ? q->head : ops->head == INN_PASS_HEAD ? -1 : ops->head;
	own.dialect = inst->dialect >= 0 ? inst->dialect : q->dialect >= 0 ? q->dialect : -1;
	if (own.dialect < 0 && ops->head != INN_PASS_HEAD)
		own.dialect = INN_PAPER;
	const char *from = inn__build_from(b, inst->label ? inst->label : ops->cls.name);
	const struct inn_inst *outer = inn__enter(b, inst);

	ops->build(b, &own, inst->opts, r);
	inn__enter(b, outer);
	inn__build_from(b, from);
}
