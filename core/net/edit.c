/* Changes to the graph, and who reads what. */
#include "state.h"
#include <stdlib.h>
#include <string.h>

void inn__templates_free(inn_node *n)
{
	while (n->templates) {
		struct template *t = n->templates;

		n->templates = t->next;
		inn__build_free(t->b);
		free(t->shape);
		free(t);
	}
}

void inn__graph_compact(inn_graph *g, bool (*keep)(const inn_node *n))
{
	uint32_t to = 0;

	for (uint32_t i = 0; i < g->n_nodes; i++) {
		inn_node *n = g->node[i];

		if (keep(n)) {
			g->node[to++] = n;
			continue;
		}
		for (uint32_t k = 0; k < n->n_out; k++)
			if (n->out[k] && g->t[n->out[k]].producer == n)
				g->t[n->out[k]].producer = NULL;
		inn__templates_free(n);
		free(n->in);
		free(n->out);
		n->in = n->out = NULL; /* a pass may still hold the node */
		n->n_in = n->n_out = n->cap_in = 0;
	}
	if (to != g->n_nodes)
		g->readers_fresh = false;
	g->n_nodes = to;
}

/* A layer asks for the numbers of this tensor when it is recorded. */
static bool must_be_known(const inn_graph *g, uint32_t tensor)
{
	for (uint32_t i = 0; i < g->n_nodes; i++)
		for (uint32_t k = 0; k < g->node[i]->n_in; k++)
			if (g->node[i]->in[k] == tensor && k < 32 && g->node[i]->ops->known >> k & 1)
				return true;
	return false;
}

void inn__graph_size(inn_graph *g, uint32_t i, const struct inn_shape *s)
{
	struct inn__port *p = &g->in[i];

	for (uint32_t d = 1; s->rank == p->shape.rank && d < s->rank; d++)
		p->dim[d] = p->dim[d] < 0 ? s->dim[d] : p->dim[d];
}

int inn__graph_take(inn_graph *g, uint32_t i, const struct inn_tensor *t, bool *fixed)
{
	struct inn__port *p = &g->in[i];
	char got[INN_SHAPE_STR];
	bool fits = t->shape.rank == p->shape.rank;

	for (uint32_t d = 0; fits && d < t->shape.rank; d++)
		fits = p->dim[d] < 0 || p->dim[d] == t->shape.dim[d];
	if (!fits)
		return inn_fail(g->ctx, INN_EDATA, NULL, "input %s has shape %s, which is not what the model declares", p->name,
				inn_shape_str(&t->shape, got));
	g->taken = true;
	for (uint32_t d = 0; d < t->shape.rank; d++)
		p->dim[d] = t->shape.dim[d];
	*fixed = !inn__is_float(p->dtype) || must_be_known(g, p->tensor);
	if (!*fixed)
		return INN_OK;
	struct inn_tensor *copy = inn_alloc(g->ctx, 1, sizeof(*copy));

	if (!copy)
		return INN_ENOMEM;
	if (t->dtype != p->dtype)
		return inn_fail(g->ctx, INN_EDATA, NULL, "input %s is %s, the model declares %s", p->name, inn_dtype_name(t->dtype),
				inn_dtype_name(p->dtype));
	*copy = *t;
	g->t[p->tensor].given = copy;
	g->t[p->tensor].input = false;
	memmove(p, p + 1, (--g->n_in - i) * sizeof(*p));
	return INN_OK;
}

/* Counts, then fills: t's readers are list[at[t]] to list[at[t + 1]]. A node that reads t twice stands there once. */
static bool list_readers(inn_graph *g)
{
	uint32_t total = 0;

	if (g->readers_fresh)
		return true;
	for (uint32_t i = 0; i < g->n_nodes; i++)
		total += g->node[i]->n_in;
	uint32_t *at = calloc((size_t)g->n_t + 2, sizeof(*at));
	inn_node **list = calloc((size_t)total + 1, sizeof(*list));
	inn_node **last = calloc((size_t)g->n_t + 1, sizeof(*last));

	for (int fill = 0; at && list && last && fill < 2; fill++) {
		memset(last, 0, g->n_t * sizeof(*last));
		for (uint32_t i = 0; i < g->n_nodes; i++)
			for (uint32_t k = 0; k < g->node[i]->n_in; k++) {
				uint32_t t = g->node[i]->in[k];

				if (!t || last[t] == g->node[i])
					continue;
				last[t] = g->node[i];
				if (fill)
					list[at[t + 1]++] = g->node[i];
				else
					at[t + 2]++;
			}
		for (uint32_t t = 1; !fill && t <= g->n_t + 1; t++)
			at[t] += at[t - 1];
	}
	bool ok = at && list && last;

	free(last);
	if (!ok) {
		free(at);
		free(list);
		inn_nomem(g->ctx);
		return false;
	}
	free(g->reader_at);
	free(g->reader);
	g->reader_at = at;
	g->reader = list;
	return g->readers_fresh = true;
}

static uint32_t nodes_reading(inn_graph *g, uint32_t tensor)
{
	if (!tensor || tensor >= g->n_t || !list_readers(g))
		return 0;
	return g->reader_at[tensor + 1] - g->reader_at[tensor];
}

uint32_t inn_graph_readers(const inn_graph *g, uint32_t tensor)
{
	return nodes_reading((inn_graph *)g, tensor) + inn_graph_is_output(g, tensor);
}

inn_node *inn_graph_reader(const inn_graph *g, uint32_t tensor, uint32_t i)
{
	return i < nodes_reading((inn_graph *)g, tensor) ? g->reader[g->reader_at[tensor] + i] : NULL;
}

/* A name that no tensor has. */
static char *new_name(inn_graph *g, const char *hint)
{
	char *name = NULL;

	for (uint32_t i = g->n_t; !name || inn__tensor(g, name, false); i++)
		if (!(name = inn_printf(g->ctx, "%s.%u", hint, i)))
			return NULL;
	return name;
}

inn_node *inn_graph_insert(inn_graph *g, const inn_node *before, const char *kind, const char *hint, const uint32_t *in, uint32_t n_in)
{
	const char *name[8], *out = new_name(g, hint);
	uint32_t at = 0;

	if (!out || n_in > 8)
		return NULL;
	for (uint32_t k = 0; k < n_in; k++)
		name[k] = in[k] ? g->t[in[k]].name : "";
	inn_node *n = inn_graph_add(g, kind, hint, name, n_in, &out, 1);

	if (!n)
		return NULL;
	while (g->node[at] != before && g->node[at] != n)
		at++;
	memmove(g->node + at + 1, g->node + at, (g->n_nodes - 1 - at) * sizeof(inn_node *));
	return g->node[at] = n;
}

uint32_t inn_graph_new_const(inn_graph *g, const char *hint, const struct inn_tensor *t)
{
	char *name = new_name(g, hint);

	if (!name)
		return 0;
	return inn_graph_const(g, name, t) < 0 ? 0 : inn__tensor(g, name, false);
}

void inn_node_rewire(inn_node *n, uint32_t k, uint32_t tensor)
{
	if (k > n->n_in || tensor >= n->g->n_t)
		return;
	if (k == n->n_in) {
		if (!inn__grow(n->g->ctx, &n->in, k, &n->cap_in, sizeof(*n->in)))
			return;
		n->n_in++;
		if (n->g->max_in < n->n_in + 1)
			n->g->max_in = n->n_in + 1;
	}
	n->in[k] = tensor;
	n->g->readers_fresh = false;
}

void inn_graph_replace(inn_graph *g, uint32_t from, uint32_t to)
{
	if (!from || !to || from >= g->n_t || to >= g->n_t)
		return;
	for (uint32_t i = 0; i < g->n_nodes; i++)
		for (uint32_t k = 0; k < g->node[i]->n_in; k++)
			if (g->node[i]->in[k] == from)
				g->node[i]->in[k] = to;
	for (uint32_t i = 0; i < g->n_out; i++)
		if (g->out[i].tensor == from)
			g->out[i].tensor = to;
	g->readers_fresh = false;
}

static bool stays(const inn_node *n) { return !n->removed; }

void inn_graph_remove(inn_graph *g, inn_node *n)
{
	if (n->n_out && n->n_in)
		inn_graph_replace(g, n->out[0], n->in[0]);
	n->removed = true;
	inn__graph_compact(g, stays);
}
