/* Resolution for a batch size: shapes, constants, liveness. Shapes come from recording on a scratch builder. */
#include "state.h"
#include "../base/guard.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct work {
	inn_graph *g;
	inn_build *b;
	inn_val *x;      /* max_in */
	inn_val w[INN_MAX_WEIGHTS];
	struct inn_tensor *in; /* max_in */
};

int inn__status(const inn_ctx *ctx)
{
	uint32_t n = inn__errors(ctx);

	while (n-- > 0)
		if (!inn__error(ctx, n)->context)
			return inn__error(ctx, n)->status;
	return INN_ENOMEM;
}

static int input_shape(inn_graph *g, struct inn__port *p, uint32_t n)
{
	size_t count;

	for (uint32_t d = 0; d < p->shape.rank; d++) {
		int64_t v = p->dim[d];

		if (!d && n)
			v = n;
		else if (!d && v < 0)
			v = 1;
		else if (v < 0)
			return inn_fail(g->ctx, INN_EUNSUP, NULL, "input %s: the size of axis %u is not fixed in the model, and no array says it",
					p->name, d);
		if (v < 1 || v > INT32_MAX)
			return inn_fail(g->ctx, INN_EMODEL, NULL, "input %s: axis %u has size %lld", p->name, d, (long long)v);
		p->shape.dim[d] = (uint32_t)v;
	}
	if (!inn_shape_count(&p->shape, &count) || count > SIZE_MAX / 16)
		return inn_fail(g->ctx, INN_ELIMIT, NULL, "input %s is too large", p->name);
	g->t[p->tensor].shape = p->shape;
	return INN_OK;
}

static int input_shapes(inn_graph *g, uint32_t n)
{
	if (!g->n_out || (!g->n_in && !g->taken))
		return inn_fail(g->ctx, INN_EMODEL, NULL, "the model has no %s", g->n_in ? "output" : "input");
	for (uint32_t i = 0; i < g->n_in; i++) {
		int status = input_shape(g, &g->in[i], n);

		if (status < 0)
			return status;
	}
	g->batch = g->n_in && g->in[0].shape.rank ? g->in[0].shape.dim[0] : 1;
	return INN_OK;
}

static bool is_live(const inn_node *n) { return n->live; }

/* Marks what the outputs are computed from. `final`: constants need nobody any more. */
static void mark(inn_graph *g, bool final)
{
	for (uint32_t t = 1; t < g->n_t; t++)
		g->t[t].used = false;
	for (uint32_t i = 0; i < g->n_out; i++)
		g->t[g->out[i].tensor].used = true;
	for (uint32_t i = g->n_nodes; i-- > 0;) {
		inn_node *n = g->node[i];

		n->live = false;
		for (uint32_t k = 0; k < n->n_out; k++)
			n->live |= n->out[k] && g->t[n->out[k]].used && !(final && g->t[n->out[k]].value);
		for (uint32_t k = 0; n->live && k < n->n_in; k++)
			g->t[n->in[k]].used |= n->in[k] != 0;
	}
}

/* An identity of a constant is the constant, also under its old name. */
static bool alias(inn_graph *g, inn_node *n)
{
	const struct tensor *from = n->n_in ? &g->t[n->in[0]] : NULL;
	bool plain = !n->ops->fold || !n->ops->cls.params || !n->ops->cls.params->name;

	if (!(n->ops->traits & INN_T_IDENTITY) || !plain || n->n_out != 1 || !n->out[0] || !n->in[0] || !from->value)
		return false;
	struct tensor *t = &g->t[n->out[0]];

	t->value = from->value;
	t->param = from->param;
	t->shape = from->shape;
	t->dynamic = n->dynamic = false;
	return true;
}

/* Placeholders with the operands' shapes. */
static int placeholders(struct work *w, const inn_node *n)
{
	inn_graph *g = w->g;

	memset(w->w, 0, sizeof(w->w));
	for (uint32_t k = 0; k < n->n_in; k++) {
		struct tensor *t = &g->t[n->in[k]];
		int row = inn__weight_at(n, k);
		inn_val v = { 0 };
		size_t count;

		w->x[k] = v;
		if (!n->in[k])
			continue;
		if (t->value && (!inn_shape_count(&t->shape, &count) || !count)) {
			if (row >= 0)
				return inn_fail(g->ctx, INN_ESHAPE, NULL, "%s: %s %s is empty", n->label, n->ops->weights[row].name, t->name);
			continue;
		}
		if (t->value && !inn__is_float(t->value->dtype)) {
			if (row >= 0)
				return inn_fail(g->ctx, INN_EUNSUP, NULL, "%s: %s is %s; only floating-point weights are supported", n->label,
						n->ops->weights[row].name, inn_dtype_name(t->value->dtype));
			continue;
		}
		v = t->value ? inn_param_of(w->b, t->param, t->value) :
		    t->dynamic ? inn__input(w->b, t->name, &t->shape, 0, 0) : inn__placeholder(w->b, t->name, &t->shape);
		*(row >= 0 ? &w->w[row] : &w->x[k]) = v;
	}
	return INN_OK;
}

static int refused(struct work *w, const inn_node *n)
{
	char text[256] = "", one[INN_SHAPE_STR];
	size_t at = 0;

	for (uint32_t k = 0; k < n->n_in && k < 8; k++)
		if (n->in[k] && at + INN_SHAPE_STR + 2 < sizeof(text))
			at += (size_t)snprintf(text + at, sizeof(text) - at, "%s%s", at ? ", " : "",
					       inn_shape_str(&w->g->t[n->in[k]].shape, one));
	if (!inn_failed(w->g->ctx))
		inn_fail(w->g->ctx, INN_EUNSUP, NULL, "%s: this form of the operator is not supported", n->label);
	return inn_while(w->g->ctx, inn__status(w->g->ctx), NULL, "in %s, opset %u, inputs %s", n->label, w->g->opset, text);
}

/* Broadcasting would let a bias or a norm's parameters of the wrong size widen the result. */
static int check_fit(struct work *w, const inn_node *n, inn_val y)
{
	int row = inn__weight_row(n, INN_W_BIAS);
	const struct inn_shape *want = NULL;
	char a[INN_SHAPE_STR], c[INN_SHAPE_STR];

	if (row >= 0 && w->w[row].id) {
		inn_val bias = w->w[row];

		w->w[row].id = 0;
		want = inn_shape_of(w->b, n->ops->forward(w->b, n, w->x, w->w, 0));
		w->w[row] = bias;
		if (inn_shape_eq(want, inn_shape_of(w->b, y)))
			return INN_OK;
		return inn_fail(w->g->ctx, INN_ESHAPE, NULL, "%s: %s %s does not fit output %s", n->label, n->ops->weights[row].name,
				inn_shape_str(inn_shape_of(w->b, bias), a), inn_shape_str(want, c));
	}
	if (!(n->ops->traits & INN_T_NORM) || !n->n_in || !n->in[0] || inn_shape_eq(inn_node_shape(n, 0), inn_shape_of(w->b, y)))
		return INN_OK;
	return inn_fail(w->g->ctx, INN_ESHAPE, NULL, "%s: its parameters widen input %s to %s", n->label,
			inn_shape_str(inn_node_shape(n, 0), a), inn_shape_str(inn_shape_of(w->b, y), c));
}

static int record(struct work *w, inn_node *n)
{
	uint32_t most = n->ops->max_out ? n->ops->max_out : 1;
	int status = placeholders(w, n);

	if (status < 0)
		return status;
	inn__build_from(w->b, n->label);
	for (uint32_t k = 0; k < n->n_out; k++) {
		struct tensor *t = &w->g->t[n->out[k]];

		if (!n->out[k] || !t->used)
			continue;
		if (k >= most)
			return inn_fail(w->g->ctx, INN_EUNSUP, NULL, "%s: output %u is not supported", n->label, k);
		uint32_t errors = inn__errors(w->g->ctx);
		inn_val y = n->ops->forward(w->b, n, w->x, w->w, k);

		if (!y.id || inn__errors(w->g->ctx) > errors)
			return refused(w, n);
		if (!k && (status = check_fit(w, n, y)) < 0)
			return status;
		t->shape = *inn_shape_of(w->b, y);
		t->value = NULL;
		t->param = t->name;
		t->dynamic = n->dynamic;
	}
	return INN_OK;
}

static int resolve_node(struct work *w, inn_node *n)
{
	inn_graph *g = w->g;

	n->dynamic = false;
	for (uint32_t k = 0; k < n->n_in; k++) {
		const struct tensor *t = &g->t[n->in[k]];

		if (n->in[k] && !t->input && !t->given && !t->producer)
			return inn_fail(g->ctx, INN_EMODEL, NULL, "%s: input %s is computed by no node", n->label, t->name);
		n->dynamic |= n->in[k] && t->dynamic;
	}
	if (alias(g, n))
		return INN_OK;
	int status = inn__fold(g, n, w->in);

	return status == NOT_FOLDED ? record(w, n) : status;
}

/* Every weight that a live node reads must be finite; looked at once. */
static int check_finite(inn_graph *g)
{
	for (uint32_t i = 0; i < g->n_nodes; i++) {
		inn_node *n = g->node[i];

		for (uint32_t k = 0; n->live && k < n->n_in; k++) {
			struct tensor *t = &g->t[n->in[k]];
			int row = inn__weight_at(n, k);

			if (row < 0 || !t->value || !t->value->data || t->finite == t->value)
				continue;
			size_t bad = inn_tensor_nonfinite(t->value);

			if (bad != SIZE_MAX)
				return inn_fail(g->ctx, INN_ENONFINITE, NULL, "%s: %s (%s) is not finite at index %zu", n->label,
						n->ops->weights[row].name, t->name, bad);
			t->finite = t->value;
			inn__tensor_done(t->value);
		}
	}
	return INN_OK;
}

static void reset(inn_graph *g)
{
	for (uint32_t i = 1; i < g->n_t; i++) {
		struct tensor *t = &g->t[i];

		t->value = t->given;
		t->param = t->name;
		t->dynamic = !t->given;
		if (t->given)
			t->shape = t->given->shape;
	}
	for (uint32_t i = 0; i < g->n_nodes; i++)
		inn__templates_free(g->node[i]);
}

static int resolve_all(struct work *w)
{
	inn_graph *g = w->g;

	for (uint32_t i = 0; i < g->n_nodes; i++) {
		int status = resolve_node(w, g->node[i]);

		if (status < 0)
			return status;
		if (inn_cancelled(g->ctx))
			return inn_fail(g->ctx, INN_ECANCEL, NULL, "stopped");
	}
	for (uint32_t i = 0; i < g->n_out; i++)
		g->out[i].shape = g->t[g->out[i].tensor].shape;
	mark(g, true);
	inn__positions(g);
	return check_finite(g);
}

int inn__graph_resolve(inn_graph *g, uint32_t n)
{
	struct work w = { .g = g };
	int status;

	reset(g);
	if ((status = input_shapes(g, n)) < 0)
		return status;
	mark(g, false);
	inn__graph_compact(g, is_live);
	w.b = inn__build_new(g->ctx, g->batch);
	w.x = calloc(g->max_in + 1, sizeof(*w.x));
	w.in = calloc(g->max_in + 1, sizeof(*w.in));
	if (w.b && w.x && w.in)
		status = resolve_all(&w);
	else
		status = inn_nomem(g->ctx);
	inn__build_free(w.b);
	free(w.x);
	free(w.in);
	return status;
}
