/* The graph as formats build it: tensors by name, nodes in the order in which they compute. */
#include "state.h"
#include <stdlib.h>
#include <string.h>

bool inn__grow(inn_ctx *ctx, void *array, uint32_t n, uint32_t *cap, size_t size)
{
	void **p = array;

	if (n < *cap)
		return true;
	if (n > UINT32_MAX / 4) {
		inn_fail(ctx, INN_ELIMIT, NULL, "the model has too many parts");
		return false;
	}
	uint32_t to = n * 2 + 16;
	void *q = realloc(*p, (size_t)to * size);

	if (!q) {
		inn_nomem(ctx);
		return false;
	}
	memset((char *)q + (size_t)*cap * size, 0, (size_t)(to - *cap) * size);
	*p = q;
	*cap = to;
	return true;
}

bool inn__is_float(uint32_t dtype)
{
	return dtype == INN_F32 || dtype == INN_F64 || dtype == INN_F16 || dtype == INN_BF16;
}

inn_graph *inn__graph_new(inn_ctx *ctx, const struct inn__finder *f)
{
	inn_graph *g = calloc(1, sizeof(*g));

	if (!g) {
		inn_nomem(ctx);
		return NULL;
	}
	g->ctx = ctx;
	g->finder = f;
	g->n_t = 1;
	return g;
}

void inn__graph_free(inn_graph *g)
{
	if (!g)
		return;
	for (uint32_t i = 0; i < g->n_nodes; i++) {
		inn__templates_free(g->node[i]);
		free(g->node[i]->in);
		free(g->node[i]->out);
	}
	free(g->t);
	free(g->bucket);
	free(g->node);
	free(g->in);
	free(g->out);
	free(g->reader_at);
	free(g->reader);
	free(g);
}

inn_ctx *inn_graph_ctx(inn_graph *g) { return g->ctx; }
void inn_graph_opset(inn_graph *g, uint32_t version) { g->opset = version; }

static uint32_t hash(const char *s)
{
	uint32_t h = 2166136261u;

	while (*s)
		h = (h ^ (unsigned char)*s++) * 16777619u;
	return h;
}

static bool rehash(inn_graph *g)
{
	uint32_t n = g->n_buckets ? g->n_buckets * 2 : 256;
	uint32_t *bucket = calloc(n, sizeof(*bucket));

	if (!bucket) {
		inn_nomem(g->ctx);
		return false;
	}
	for (uint32_t i = 1; i < g->n_t; i++) {
		uint32_t *head = &bucket[hash(g->t[i].name) & (n - 1)];

		g->t[i].hash_next = *head;
		*head = i;
	}
	free(g->bucket);
	g->bucket = bucket;
	g->n_buckets = n;
	return true;
}

uint32_t inn__tensor(inn_graph *g, const char *name, bool make)
{
	uint32_t h = hash(name);

	for (uint32_t i = g->n_buckets ? g->bucket[h & (g->n_buckets - 1)] : 0; i; i = g->t[i].hash_next)
		if (!strcmp(g->t[i].name, name))
			return i;
	if (!make || (g->n_t >= g->n_buckets && !rehash(g)) || !inn__grow(g->ctx, &g->t, g->n_t, &g->cap_t, sizeof(*g->t)))
		return 0;
	struct tensor *t = &g->t[g->n_t];

	memset(t, 0, sizeof(*t));
	if (!(t->name = inn_strdup(g->ctx, name)))
		return 0;
	t->param = t->name;
	t->hash_next = g->bucket[h & (g->n_buckets - 1)];
	g->readers_fresh = false;
	return g->bucket[h & (g->n_buckets - 1)] = g->n_t++;
}

/* A tensor that nothing defines yet, or 0. */
static uint32_t fresh(inn_graph *g, const char *name)
{
	uint32_t id = inn__tensor(g, name, true);

	if (id && (g->t[id].input || g->t[id].given || g->t[id].producer)) {
		inn_fail(g->ctx, INN_EMODEL, NULL, "tensor %s is defined twice", name);
		return 0;
	}
	return id;
}

static int add_port(inn_graph *g, struct inn__port **ports, uint32_t *n, uint32_t *cap, const struct inn__port *port)
{
	if (!inn__grow(g->ctx, ports, *n, cap, sizeof(**ports)))
		return INN_ENOMEM;
	(*ports)[(*n)++] = *port;
	return INN_OK;
}

int inn_graph_input(inn_graph *g, const char *name, uint32_t dtype, const int64_t *dim, uint32_t rank)
{
	struct inn__port port = { .dtype = dtype };

	if (rank > INN_MAX_RANK)
		return inn_fail(g->ctx, INN_EMODEL, NULL, "input %s has %u axes; at most %u are supported", name, rank, INN_MAX_RANK);
	if (!inn_dtype_size(dtype))
		return inn_fail(g->ctx, INN_EMODEL, NULL, "input %s has an unknown element type", name);
	if (!*name)
		return inn_fail(g->ctx, INN_EMODEL, NULL, "an input has no name");
	if (!(port.tensor = fresh(g, name)))
		return inn__status(g->ctx);
	port.name = g->t[port.tensor].name;
	port.shape.rank = rank;
	for (uint32_t i = 0; i < rank; i++)
		port.dim[i] = dim[i];
	g->t[port.tensor].input = g->t[port.tensor].dynamic = true;
	return add_port(g, &g->in, &g->n_in, &g->cap_in, &port);
}

int inn_graph_const(inn_graph *g, const char *name, const struct inn_tensor *t)
{
	size_t n;

	if (t->shape.rank > INN_MAX_RANK || !inn_shape_count(&t->shape, &n) || !inn_dtype_size(t->dtype))
		return inn_fail(g->ctx, INN_EMODEL, NULL, "constant %s has a bad shape or element type", name);
	uint32_t id = *name ? fresh(g, name) : 0;
	struct inn_tensor *copy = id ? inn_alloc(g->ctx, 1, sizeof(*copy)) : NULL;

	if (!*name)
		return inn_fail(g->ctx, INN_EMODEL, NULL, "a constant has no name");
	if (!copy)
		return inn__status(g->ctx);
	g->stored += n * inn_dtype_size(t->dtype);
	*copy = *t;
	g->t[id].given = g->t[id].value = copy;
	g->t[id].shape = t->shape;
	return INN_OK;
}

int inn_graph_output(inn_graph *g, const char *name)
{
	struct inn__port port = { .tensor = inn__tensor(g, name, false) };

	if (!port.tensor)
		return inn_fail(g->ctx, INN_EMODEL, NULL, "output %s is computed by no node", name);
	port.name = g->t[port.tensor].name;
	g->readers_fresh = false;
	return add_port(g, &g->out, &g->n_out, &g->cap_out, &port);
}

/* The layer class, with the options at their defaults. */
static inn_node *new_node(inn_graph *g, const char *kind, const char *name)
{
	uint32_t errors = inn__errors(g->ctx);
	const struct inn_class *cls = g->finder->find(g->finder->user, g->ctx, INN_LAYER, kind, NULL);
	inn_node *n;

	if (!cls) {
		if (inn__errors(g->ctx) > errors)
			inn_while(g->ctx, INN_EUNSUP, NULL, "for node %s (%s, opset %u)", name, kind, g->opset);
		else
			inn_fail(g->ctx, INN_EUNSUP, NULL, "node %s: operator %s of opset %u is not supported", name, kind, g->opset);
		return NULL;
	}
	if (!(n = inn_alloc(g->ctx, 1, sizeof(*n))))
		return NULL;
	n->g = g;
	n->ops = (const struct inn_layer_ops *)(const void *)cls;
	n->name = *name ? inn_strdup(g->ctx, name) : inn_printf(g->ctx, "%s_%u", kind, g->n_nodes);
	n->opts = inn_alloc(g->ctx, 1, cls->opts_size ? cls->opts_size : 1);
	n->kernel_index = -1;
	while (n->ops->weights && n->n_rows < INN_MAX_WEIGHTS && n->ops->weights[n->n_rows].name)
		n->n_rows++;
	if (!n->name || !n->opts || !(n->label = inn_printf(g->ctx, "%s (%s)", n->name, kind)))
		return NULL;
	if (cls->params && inn__bind_params(g->ctx, g->finder, n->label, cls->params, cls->param_size, NULL, NULL, n->opts) < 0)
		return NULL;
	return n;
}

static bool connect(inn_graph *g, inn_node *n, const char *const *in, uint32_t n_in, const char *const *out, uint32_t n_out)
{
	n->in = calloc(n_in + 1, sizeof(*n->in));
	n->out = calloc(n_out + 1, sizeof(*n->out));
	n->cap_in = n_in + 1;
	if (!n->in || !n->out) {
		inn_nomem(g->ctx);
		return false;
	}
	for (; n->n_in < n_in; n->n_in++) {
		const char *name = in[n->n_in];

		if (*name && !(n->in[n->n_in] = inn__tensor(g, name, false))) {
			inn_fail(g->ctx, INN_EMODEL, NULL, "%s: input %s is not defined before it", n->label, name);
			return false;
		}
	}
	for (; n->n_out < n_out; n->n_out++) {
		const char *name = out[n->n_out];
		uint32_t id = *name ? fresh(g, name) : 0;

		if (*name && !id)
			return false;
		n->out[n->n_out] = id;
		if (id) {
			g->t[id].producer = n;
			g->t[id].dynamic = true;
		}
	}
	return true;
}

inn_node *inn_graph_add(inn_graph *g, const char *kind, const char *name, const char *const *in, uint32_t n_in,
			const char *const *out, uint32_t n_out)
{
	inn_node *n;

	if (n_in > 65536 || n_out > 65536) {
		inn_fail(g->ctx, INN_ELIMIT, NULL, "node %s (%s) has too many inputs or outputs", name, kind);
		return NULL;
	}
	if (inn_within(g->ctx, INN_LIMIT_NODES, NULL, g->n_nodes + 1u, 0, "nodes of the network") < 0)
		return NULL;
	if (!inn__grow(g->ctx, &g->node, g->n_nodes, &g->cap_nodes, sizeof(*g->node)) || !(n = new_node(g, kind, name)))
		return NULL;
	g->node[g->n_nodes++] = n; /* from now on the graph frees it */
	g->readers_fresh = false;
	if (g->max_in < n_in + 1)
		g->max_in = n_in + 1;
	return connect(g, n, in, n_in, out, n_out) ? n : NULL;
}

uint32_t inn_graph_nodes(const inn_graph *g) { return g->n_nodes; }
inn_node *inn_graph_node(const inn_graph *g, uint32_t i) { return i < g->n_nodes ? g->node[i] : NULL; }
const char *inn_node_name(const inn_node *n) { return n->name; }
const char *inn_node_kind(const inn_node *n) { return n->ops->cls.name; }
const void *inn_node_opts(const inn_node *n) { return n->opts; }
uint32_t inn_node_opset(const inn_node *n) { return n->g->opset; }
uint32_t inn_node_n_in(const inn_node *n) { return n->n_in; }
uint32_t inn_node_n_out(const inn_node *n) { return n->n_out; }
uint32_t inn_node_in(const inn_node *n, uint32_t k) { return k < n->n_in ? n->in[k] : 0; }
uint32_t inn_node_out(const inn_node *n, uint32_t k) { return k < n->n_out ? n->out[k] : 0; }
uint32_t inn_graph_batch(const inn_graph *g) { return g->batch; }
uint32_t inn__graph_inputs(const inn_graph *g) { return g->n_in; }
uint32_t inn__graph_outputs(const inn_graph *g) { return g->n_out; }
const struct inn__port *inn__graph_input(const inn_graph *g, uint32_t i) { return i < g->n_in ? &g->in[i] : NULL; }
const struct inn__port *inn__graph_output(const inn_graph *g, uint32_t i) { return i < g->n_out ? &g->out[i] : NULL; }

const struct inn_tensor *inn_node_const(const inn_node *n, uint32_t k) { return inn_graph_value(n->g, inn_node_in(n, k)); }

const struct inn_shape *inn_node_shape(const inn_node *n, uint32_t k)
{
	uint32_t t = inn_node_in(n, k);

	return t ? &n->g->t[t].shape : NULL;
}

static bool known(const inn_graph *g, uint32_t tensor) { return tensor && tensor < g->n_t; }

inn_node *inn_graph_producer(const inn_graph *g, uint32_t tensor)
{
	return known(g, tensor) ? g->t[tensor].producer : NULL;
}

const struct inn_shape *inn_graph_shape(const inn_graph *g, uint32_t tensor)
{
	return known(g, tensor) ? &g->t[tensor].shape : NULL;
}

const struct inn_tensor *inn_graph_value(const inn_graph *g, uint32_t tensor)
{
	return known(g, tensor) ? g->t[tensor].value : NULL;
}

bool inn_graph_is_output(const inn_graph *g, uint32_t tensor)
{
	for (uint32_t i = 0; i < g->n_out; i++)
		if (tensor && g->out[i].tensor == tensor)
			return true;
	return false;
}
