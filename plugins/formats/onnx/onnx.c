/* ONNX models, opset 1 to 21, through protobuf-c on the schema that the system ships. A node becomes a layer of its operator's
 * name in snake_case (BatchNormalization: batch_normalization, PRelu: p_relu, LRN: lrn). */
#include "arity.h"
#include "scan.h"
#include "tensor.h"
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#define MIN_OPSET 1
#define MAX_OPSET 21

struct reader {
	inn_ctx *ctx;
	inn_graph *g;
	const struct inn_stream *s;
	struct inn_loc loc;
	uint32_t opset;
};

/* An underscore before every capital that begins a word. */
static void snake(const char *op, char out[128])
{
	size_t n = 0;

	for (size_t i = 0; op[i] && n < 124; i++) {
		bool upper = isupper((unsigned char)op[i]), starts = i && upper && (!isupper((unsigned char)op[i - 1]) || islower((unsigned char)op[i + 1]));

		if (starts)
			out[n++] = '_';
		out[n++] = (char)tolower((unsigned char)op[i]);
	}
	out[n] = 0;
}

static int constant(struct reader *r, const char *name, const Onnx__TensorProto *p)
{
	struct inn_tensor t = { 0 };
	int rc = onnx_tensor(r->ctx, r->s, p, &t);

	return rc < 0 ? rc : inn_graph_const(r->g, name, &t);
}

/* A Constant node: its one attribute is the value. */
static int constant_node(struct reader *r, const Onnx__NodeProto *n)
{
	const Onnx__AttributeProto *a = n->n_attribute == 1 ? n->attribute[0] : NULL;
	struct inn_tensor t = { .shape = { .rank = 1 } };
	const void *from = NULL;

	if (!a || !a->name || !*a->name || n->n_output != 1)
		return inn_fail(r->ctx, INN_EMODEL, &r->loc, "%s (Constant): one attribute and one output are expected", n->name ? n->name : "");
	if (a->t)
		return constant(r, n->output[0], a->t);
	if (!strcmp(a->name, "value_float") || !strcmp(a->name, "value_floats")) {
		t.dtype = INN_F32;
		t.shape.dim[0] = (uint32_t)a->n_floats;
		from = a->floats;
	} else if (!strcmp(a->name, "value_int") || !strcmp(a->name, "value_ints")) {
		t.dtype = INN_I64;
		t.shape.dim[0] = (uint32_t)a->n_ints;
		from = a->ints;
	} else
		return inn_fail(r->ctx, INN_EUNSUP, &r->loc, "%s (Constant): attribute %s is not supported", n->name ? n->name : "", a->name);
	if (!strchr("s", a->name[strlen(a->name) - 1])) {
		t.shape.rank = 0;
		from = t.dtype == INN_F32 ? (const void *)&a->f : (const void *)&a->i;
	}
	size_t count = t.shape.rank ? t.shape.dim[0] : 1, size = inn_dtype_size(t.dtype);

	if (!(t.data = inn_alloc(r->ctx, count, size)))
		return INN_ENOMEM;
	if (count)
		memcpy(t.data, from, count * size);
	return inn_graph_const(r->g, n->output[0], &t);
}

static int attribute(struct reader *r, inn_node *node, const Onnx__AttributeProto *a)
{
	double few[64], *v = few;
	struct inn_tensor *t;
	int rc;

	if (!a->name)
		return inn_fail(r->ctx, INN_EMODEL, &r->loc, "%s: an attribute has no name", inn_node_name(node));
	switch (a->type) {
	case 1: return inn_node_set_real(node, a->name, (double)a->f);
	case 2: return inn_node_set_int(node, a->name, a->i);
	case 3: {
		char *s = inn_printf(r->ctx, "%.*s", (int)(a->s.len < 4096 ? a->s.len : 4096), (const char *)a->s.data);

		return s ? inn_node_set_str(node, a->name, s) : INN_ENOMEM;
	}
	case 4:
		t = inn_alloc(r->ctx, 1, sizeof(*t));
		if (!t || !a->t)
			return t ? inn_fail(r->ctx, INN_EMODEL, &r->loc, "%s: attribute %s is empty", inn_node_name(node), a->name) : INN_ENOMEM;
		rc = onnx_tensor(r->ctx, r->s, a->t, t);
		return rc < 0 ? rc : inn_node_set_tensor(node, a->name, t);
	case 6:
		if (a->n_floats > 64 && !(v = malloc(a->n_floats * sizeof(*v))))
			return inn_nomem(r->ctx);
		for (size_t i = 0; i < a->n_floats; i++)
			v[i] = (double)a->floats[i];
		rc = inn_node_set_reals(node, a->name, v, a->n_floats);
		if (v != few)
			free(v);
		return rc;
	case 7: return inn_node_set_ints(node, a->name, a->ints, a->n_ints);
	default:
		return inn_fail(r->ctx, INN_EUNSUP, &r->loc, "%s (%s): attribute %s of this type (subgraph, list of texts ...) is not supported",
				inn_node_name(node), inn_node_kind(node), a->name);
	}
}

/* Inputs that are absent at the end count as none. */
static int check_inputs(struct reader *r, const Onnx__NodeProto *n, const char *op, const char *name)
{
	struct onnx_arity takes = onnx_arity(op, r->opset);
	size_t given = n->n_input;

	while (given && !*n->input[given - 1])
		given--;
	if (given > takes.most)
		return inn_fail(r->ctx, INN_EMODEL, &r->loc, "%s (%s, opset %u) takes %u input%s; %zu are given", name, op, r->opset, takes.most,
				takes.most == 1 ? "" : "s", given);
	for (uint32_t k = 0; k < takes.least; k++)
		if (k >= given || !*n->input[k])
			return inn_fail(r->ctx, INN_EMODEL, &r->loc, "%s (%s, opset %u): input %u is missing", name, op, r->opset, k);
	return INN_OK;
}

static int node(struct reader *r, const Onnx__NodeProto *n, size_t index)
{
	const char *op = n->op_type ? n->op_type : "", *name = n->name && *n->name ? n->name : NULL;
	char kind[128];
	int rc;

	if (n->domain && *n->domain && strcmp(n->domain, "ai.onnx"))
		return inn_fail(r->ctx, INN_EUNSUP, &r->loc, "%s: operator %s of domain %s; only ai.onnx is supported", name ? name : "a node", op, n->domain);
	if (!name && !(name = inn_printf(r->ctx, "%s_%zu", op, index)))
		return INN_ENOMEM;
	if ((rc = check_inputs(r, n, op, name)) < 0)
		return rc;
	if (!strcmp(op, "Constant"))
		return constant_node(r, n);
	if (!isupper((unsigned char)*op))
		return inn_fail(r->ctx, INN_EMODEL, &r->loc, "node %s: no operator is called %.64s", name, op);
	snake(op, kind);
	inn_node *node = inn_graph_add(r->g, kind, name, (const char *const *)n->input, (uint32_t)n->n_input, (const char *const *)n->output,
				       (uint32_t)n->n_output);

	if (!node)
		return inn_while(r->ctx, INN_EUNSUP, &r->loc, "node %s, operator %s, opset %u", name, op, r->opset);
	for (size_t i = 0; rc >= 0 && i < n->n_attribute; i++)
		if (r->opset > 5 || !n->attribute[i]->name || strcmp(n->attribute[i]->name, "consumed_inputs")) /* a hint to reuse memory */
			rc = attribute(r, node, n->attribute[i]);
	return rc < 0 ? inn_while(r->ctx, rc, &r->loc, "node %s, operator %s, opset %u", name, op, r->opset) : INN_OK;
}

static int by_name(const void *p, const void *q) { return strcmp(*(const char *const *)p, *(const char *const *)q); }

/* The initializers' names, sorted; inputs of that name are none (before IR 4 they were listed there too). */
static const char **initializer_names(struct reader *r, const Onnx__GraphProto *g)
{
	const char **v = inn_alloc(r->ctx, g->n_initializer, sizeof(*v));

	for (size_t i = 0; v && i < g->n_initializer; i++)
		v[i] = g->initializer[i]->name ? g->initializer[i]->name : "";
	if (v)
		qsort(v, g->n_initializer, sizeof(*v), by_name);
	return v;
}

static int input(struct reader *r, const Onnx__ValueInfoProto *v)
{
	const Onnx__TypeProto__Tensor *t = v->type && v->type->value_case == ONNX__TYPE_PROTO__VALUE_TENSOR_TYPE ? v->type->tensor_type : NULL;
	int64_t dim[INN_MAX_RANK];

	if (!v->name || !t || !t->shape)
		return inn_fail(r->ctx, INN_EUNSUP, &r->loc, "input %s: a tensor with a shape is expected", v->name ? v->name : "");
	if (t->shape->n_dim > INN_MAX_RANK || onnx_dtype(t->elem_type) == INN_DTYPES)
		return inn_fail(r->ctx, INN_EUNSUP, &r->loc, "input %s: rank %zu or data type %d is not supported", v->name, t->shape->n_dim, t->elem_type);
	for (size_t d = 0; d < t->shape->n_dim; d++) {
		const Onnx__TensorShapeProto__Dimension *p = t->shape->dim[d];

		dim[d] = p->value_case == ONNX__TENSOR_SHAPE_PROTO__DIMENSION__VALUE_DIM_VALUE && p->dim_value > 0 ? p->dim_value : -1;
	}
	return inn_graph_input(r->g, v->name, onnx_dtype(t->elem_type), dim, (uint32_t)t->shape->n_dim);
}

static int graph(struct reader *r, const Onnx__GraphProto *g)
{
	const char **names = initializer_names(r, g);
	int rc = names ? INN_OK : INN_ENOMEM;

	if (g->n_sparse_initializer)
		rc = inn_fail(r->ctx, INN_EUNSUP, &r->loc, "sparse initializers are not supported");
	for (size_t i = 0; rc >= 0 && i < g->n_initializer; i++)
		rc = constant(r, g->initializer[i]->name ? g->initializer[i]->name : "", g->initializer[i]);
	for (size_t i = 0; rc >= 0 && i < g->n_input; i++)
		if (!g->input[i]->name || !bsearch(&g->input[i]->name, names, g->n_initializer, sizeof(*names), by_name))
			rc = input(r, g->input[i]);
	for (size_t i = 0; rc >= 0 && i < g->n_node; i++)
		rc = node(r, g->node[i], i);
	for (size_t i = 0; rc >= 0 && i < g->n_output; i++)
		rc = inn_graph_output(r->g, g->output[i]->name ? g->output[i]->name : "");
	return rc;
}

static int model(struct reader *r, const Onnx__ModelProto *m)
{
	for (size_t i = 0; i < m->n_opset_import; i++) {
		const Onnx__OperatorSetIdProto *o = m->opset_import[i];

		if (!o->domain || !*o->domain || !strcmp(o->domain, "ai.onnx"))
			r->opset = o->version > 0 && o->version < 1000 ? (uint32_t)o->version : 0;
	}
	if (!m->graph || !m->graph->n_node)
		return inn_fail(r->ctx, INN_EMODEL, &r->loc, "not an ONNX model: it has no graph");
	if (r->opset < MIN_OPSET || r->opset > MAX_OPSET)
		return inn_fail(r->ctx, INN_EUNSUP, &r->loc, "opset %u; %d to %d are supported", r->opset, MIN_OPSET, MAX_OPSET);
	inn_graph_opset(r->g, r->opset);
	return graph(r, m->graph);
}

static int read_graph(inn_ctx *ctx, struct inn_stream *s, const void *opts, inn_graph *g)
{
	struct reader r = { .ctx = ctx, .g = g, .s = s, .loc = { .file = s->path } };
	struct onnx_quota quota;
	struct onnx_lean lean;
	int rc;

	(void)opts;
	if (!s->size)
		return inn_fail(ctx, INN_EMODEL, &r.loc, "the file is empty");
	if ((rc = onnx_scan(ctx, s->path, s->data, s->size, &lean)) < 0)
		return rc;
	onnx_quota_init(&quota, ((size_t)64 << 20) + (lean.n < SIZE_MAX / 4 ? 4 * lean.n : SIZE_MAX / 2));
	Onnx__ModelProto *m = onnx__model_proto__unpack(&quota.allocator, lean.n, lean.data);

	free(lean.heap);
	if (!m)
		return inn_fail(ctx, INN_EMODEL, &r.loc, "not an ONNX model, or it needs more memory than its size justifies");
	rc = model(&r, m);
	onnx__model_proto__free_unpacked(m, &quota.allocator);
	return rc;
}

static int probe(const uint8_t *head, size_t n)
{
	return n > 2 && head[0] == 0x08 && head[1] < 32 ? 30 : 0; /* ir_version comes first */
}

static const char *const suffixes[] = { ".onnx", NULL };
static const struct inn_format_ops onnx = {
	.cls = INN_HEAD(struct inn_format_ops, INN_FORMAT, "onnx", "ONNX models", NULL, 0, NULL),
	.suffixes = suffixes,
	.probe = probe,
	.read_graph = read_graph,
};

INN_PLUGIN("onnx", "1.0.0", "BSD-2-Clause", &onnx.cls);
