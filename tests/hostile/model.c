#include "model.h"
#include "onnx.pb-c.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAX 64
#define WORDS 48

struct built {
	Onnx__ModelProto m;
	Onnx__GraphProto g;
	Onnx__OperatorSetIdProto opset, *opsets[1];
	Onnx__NodeProto *node[MAX];
	Onnx__TensorProto *init[MAX];
	Onnx__ValueInfoProto *in[MAX], *out[MAX];
	long cut, flip;
	const char *tail;
};

static const struct { const char *name; int type; size_t size; } types[] = {
	{ "f32", 1, 4 }, { "u8", 2, 1 }, { "i8", 3, 1 }, { "i32", 6, 4 }, { "i64", 7, 8 }, { "str", 8, 1 }, { "bool", 9, 1 }, { "f16", 10, 2 },
	{ "f64", 11, 8 }, { "c64", 14, 8 }, { "none", 0, 4 }, { "f8", 17, 1 },
};

static struct piece { struct piece *next; max_align_t data[]; } *pieces; /* what a model is made of, until its file is */

static void *zeroed(size_t n)
{
	struct piece *p = calloc(1, sizeof(*p) + n);

	if (!p)
		abort();
	p->next = pieces;
	pieces = p;
	return p->data;
}

static void free_pieces(void)
{
	while (pieces) {
		struct piece *next = pieces->next;

		free(pieces);
		pieces = next;
	}
}

static int type_of(const char *s)
{
	for (size_t i = 0; i < sizeof(types) / sizeof(*types); i++)
		if (!strcmp(types[i].name, s))
			return (int)i;
	return 0;
}

static size_t numbers(char *s, int64_t **v)
{
	char *rest = NULL;
	size_t n = 0;

	*v = zeroed(MAX * sizeof(**v));
	if (!strcmp(s, "-")) /* no axes */
		return 0;
	for (char *p = strtok_r(s, ",", &rest); p && n < MAX; p = strtok_r(NULL, ",", &rest))
		(*v)[n++] = strtoll(p, NULL, 10);
	return n;
}

static Onnx__ValueInfoProto *port(const char *name, int type, char *dims)
{
	Onnx__ValueInfoProto *v = zeroed(sizeof(*v));
	Onnx__TypeProto *t = zeroed(sizeof(*t));
	Onnx__TypeProto__Tensor *tensor = zeroed(sizeof(*tensor));
	Onnx__TensorShapeProto *shape = zeroed(sizeof(*shape));
	char *rest = NULL;

	onnx__value_info_proto__init(v);
	onnx__type_proto__init(t);
	onnx__type_proto__tensor__init(tensor);
	onnx__tensor_shape_proto__init(shape);
	v->name = (char *)(uintptr_t)name;
	if (dims && !strcmp(dims, "none"))
		return v; /* of no type */
	v->type = t;
	t->value_case = ONNX__TYPE_PROTO__VALUE_TENSOR_TYPE;
	t->tensor_type = tensor;
	tensor->has_elem_type = 1;
	tensor->elem_type = type;
	if (dims && !strcmp(dims, "unshaped"))
		return v;
	tensor->shape = shape;
	shape->dim = zeroed(MAX * sizeof(*shape->dim));
	for (char *p = dims && strcmp(dims, "-") ? strtok_r(dims, ",", &rest) : NULL; p; p = strtok_r(NULL, ",", &rest)) {
		Onnx__TensorShapeProto__Dimension *d = zeroed(sizeof(*d));

		onnx__tensor_shape_proto__dimension__init(d);
		if (*p == '-' || (*p >= '0' && *p <= '9')) {
			d->value_case = ONNX__TENSOR_SHAPE_PROTO__DIMENSION__VALUE_DIM_VALUE;
			d->dim_value = strtoll(p, NULL, 10);
		} else {
			d->value_case = ONNX__TENSOR_SHAPE_PROTO__DIMENSION__VALUE_DIM_PARAM;
			d->dim_param = p;
		}
		shape->dim[shape->n_dim++] = d;
	}
	return v;
}

static Onnx__TensorProto *weight(const char *name, int type, char *dims, char *values)
{
	Onnx__TensorProto *t = zeroed(sizeof(*t));
	size_t count = 1, size = types[type].size;
	int64_t *v;

	onnx__tensor_proto__init(t);
	t->name = (char *)(uintptr_t)name;
	t->has_data_type = 1;
	t->data_type = types[type].type;
	t->n_dims = numbers(dims, &t->dims);
	for (size_t d = 0; d < t->n_dims; d++)
		count *= (size_t)t->dims[d];
	t->has_raw_data = 1;
	t->raw_data.len = count * size;
	t->raw_data.data = zeroed(count * size);
	if (values) {
		size_t n = numbers(values, &v);

		for (size_t i = 0; i < n && i < count; i++) {
			float f = (float)v[i];

			memcpy(t->raw_data.data + i * size, types[type].type == 1 ? (void *)&f : (void *)&v[i], size);
		}
	}
	for (size_t i = 0; !values && types[type].type == 1 && i < count; i++)
		memcpy(t->raw_data.data + 4 * i, &(float){ 0.5f }, 4);
	return t;
}

/* a=1  a=[1,2]  a:0.5  a:[1,2]  a'text */
static Onnx__AttributeProto *attribute(char *s)
{
	Onnx__AttributeProto *a = zeroed(sizeof(*a));
	char *sign = s + strcspn(s, "=:'"), kind = *sign, *v = sign + 1, *rest = NULL;

	onnx__attribute_proto__init(a);
	*sign = 0;
	a->name = s;
	a->has_type = 1;
	if (kind == '\'') {
		a->type = 3;
		a->has_s = 1;
		a->s = (ProtobufCBinaryData){ strlen(v), (uint8_t *)v };
		return a;
	}
	bool list = *v == '[';

	v += list;
	v[strcspn(v, "]")] = 0;
	if (kind == '=') {
		a->type = list ? 7 : 2;
		a->has_i = !list;
		a->i = strtoll(v, NULL, 10);
		a->n_ints = list ? numbers(v, &a->ints) : 0;
		return a;
	}
	a->type = list ? 6 : 1;
	a->has_f = !list;
	a->f = strtof(v, NULL);
	a->floats = zeroed(MAX * sizeof(*a->floats));
	for (char *p = list ? strtok_r(v, ",", &rest) : NULL; p; p = strtok_r(NULL, ",", &rest))
		a->floats[a->n_floats++] = strtof(p, NULL);
	return a;
}

static Onnx__NodeProto *node(char **word, size_t n)
{
	Onnx__NodeProto *p = zeroed(sizeof(*p));
	bool outputs = false;

	onnx__node_proto__init(p);
	p->op_type = word[0];
	p->input = zeroed(WORDS * sizeof(*p->input));
	p->output = zeroed(WORDS * sizeof(*p->output));
	p->attribute = zeroed(WORDS * sizeof(*p->attribute));
	for (size_t i = 1; i < n; i++) {
		char *name = strcmp(word[i], "_") ? word[i] : "";

		if (!strcmp(word[i], "->"))
			outputs = true;
		else if (outputs && strpbrk(word[i], "=:'"))
			p->attribute[p->n_attribute++] = attribute(word[i]);
		else if (outputs)
			p->output[p->n_output++] = name;
		else
			p->input[p->n_input++] = name;
	}
	return p;
}

static Onnx__NodeProto *of_op(struct built *b, const char *op)
{
	for (size_t i = 0; i < b->g.n_node; i++)
		if (!strcmp(b->node[i]->op_type, op))
			return b->node[i];
	return NULL;
}

static Onnx__TensorProto *of_name(struct built *b, const char *name)
{
	for (size_t i = 0; i < b->g.n_initializer; i++)
		if (b->init[i]->name && !strcmp(b->init[i]->name, name))
			return b->init[i];
	return NULL;
}

/* What a weight says of itself. */
static bool tensor_edit(Onnx__TensorProto *t, char **w, size_t n)
{
	if (!t)
		return false;
	if (!strcmp(w[0], "dims"))
		t->n_dims = numbers(w[2], &t->dims);
	else if (!strcmp(w[0], "type"))
		t->data_type = atoi(w[2]);
	else if (!strcmp(w[0], "raw")) {
		t->raw_data.len = (size_t)atol(w[2]);
		t->raw_data.data = zeroed(t->raw_data.len);
	} else if (!strcmp(w[0], "typed")) {
		t->has_raw_data = 0;
		t->n_float_data = t->n_int64_data = t->n_int32_data = t->n_double_data = 0;
		t->float_data = zeroed(4 * (size_t)atol(w[2]));
		t->int64_data = zeroed(8 * (size_t)atol(w[2]));
		*(t->data_type == 1 ? &t->n_float_data : &t->n_int64_data) = (size_t)atol(w[2]);
	} else if (!strcmp(w[0], "external")) {
		t->has_raw_data = 0;
		t->has_data_location = 1;
		t->data_location = 1;
		t->external_data = zeroed(n * sizeof(*t->external_data));
		for (size_t i = 2; i < n; i++) {
			Onnx__StringStringEntryProto *e = zeroed(sizeof(*e));
			char *sign = strchr(w[i], '=');

			onnx__string_string_entry_proto__init(e);
			e->key = w[i];
			if (sign) {
				*sign = 0;
				e->value = sign + 1;
			}
			t->external_data[t->n_external_data++] = e;
		}
	} else
		return false;
	return true;
}

static bool node_edit(struct built *b, char **w, size_t n)
{
	Onnx__NodeProto *p = n > 1 ? of_op(b, w[1]) : NULL;

	if (!p)
		return false;
	if (!strcmp(w[0], "domain"))
		p->domain = w[2];
	else if (!strcmp(w[0], "name"))
		p->name = w[2];
	else if (!strcmp(w[0], "subgraph") || !strcmp(w[0], "noname")) {
		Onnx__AttributeProto *a = attribute(strcat(strcpy(zeroed(strlen(w[2]) + 3), w[2]), "=0"));

		if (*w[0] == 's') {
			a->type = 5;
			a->g = zeroed(sizeof(*a->g));
			onnx__graph_proto__init(a->g);
		} else
			a->name = NULL;
		p->attribute[p->n_attribute++] = a;
	} else
		return false;
	return true;
}

static bool statement(struct built *b, char **w, size_t n)
{
	if (!strcmp(w[0], "in") && n == 4)
		b->in[b->g.n_input++] = port(w[1], types[type_of(w[2])].type, w[3]);
	else if (!strcmp(w[0], "const") && n >= 4)
		b->init[b->g.n_initializer++] = weight(strcmp(w[1], "_") ? w[1] : NULL, type_of(w[2]), w[3], n > 5 ? w[5] : NULL);
	else if (!strcmp(w[0], "node") && n >= 2)
		b->node[b->g.n_node++] = node(w + 1, n - 1);
	else if (!strcmp(w[0], "out") && n == 2)
		b->out[b->g.n_output++] = port(w[1], 1, NULL);
	else if (!strcmp(w[0], "opset") && n == 2)
		b->opset.version = atol(w[1]);
	else if (!strcmp(w[0], "ir") && n == 2)
		b->m.ir_version = atol(w[1]);
	else if (!strcmp(w[0], "nograph"))
		b->m.graph = NULL;
	else if (!strcmp(w[0], "sparse")) {
		b->g.sparse_initializer = zeroed(sizeof(*b->g.sparse_initializer));
		b->g.sparse_initializer[b->g.n_sparse_initializer++] = zeroed(sizeof(**b->g.sparse_initializer));
		onnx__sparse_tensor_proto__init(b->g.sparse_initializer[0]);
	} else if (!strcmp(w[0], "cut") && n == 2)
		b->cut = atol(w[1]);
	else if (!strcmp(w[0], "flip") && n == 2)
		b->flip = atol(w[1]);
	else if (!strcmp(w[0], "tail") && n == 2)
		b->tail = w[1];
	else
		return (n >= 3 && tensor_edit(of_name(b, w[1]), w, n)) || (n >= 3 && node_edit(b, w, n));
	return true;
}

static uint8_t *pack(struct built *b, size_t *n)
{
	size_t more = b->tail ? strlen(b->tail) / 2 : 0;
	uint8_t *file;

	*n = onnx__model_proto__get_packed_size(&b->m);
	if (!(file = malloc(*n + more + 1)))
		abort();
	onnx__model_proto__pack(&b->m, file);
	if (b->cut >= 0 && (size_t)b->cut < *n)
		*n = (size_t)b->cut;
	if (b->flip >= 0 && (size_t)b->flip < *n)
		file[b->flip] ^= 0xff;
	for (size_t i = 0; i < more; i++) {
		unsigned v = 0;

		sscanf(b->tail + 2 * i, "%2x", &v);
		file[(*n)++] = (uint8_t)v;
	}
	return file;
}

uint8_t *model_bytes(const char *text, size_t *n)
{
	struct built *b = zeroed(sizeof(*b));
	char *copy = strcpy(zeroed(strlen(text) + 1), text), *rest = NULL;

	onnx__model_proto__init(&b->m);
	onnx__graph_proto__init(&b->g);
	onnx__operator_set_id_proto__init(&b->opset);
	b->m.has_ir_version = b->opset.has_version = 1;
	b->m.ir_version = 8;
	b->opset.version = 17;
	b->opset.domain = "";
	b->opsets[0] = &b->opset;
	b->m.n_opset_import = 1;
	b->m.opset_import = b->opsets;
	b->m.graph = &b->g;
	b->g.name = "g";
	b->g.node = b->node;
	b->g.initializer = b->init;
	b->g.input = b->in;
	b->g.output = b->out;
	b->cut = b->flip = -1;
	for (char *s = strtok_r(copy, ";", &rest); s; s = strtok_r(NULL, ";", &rest)) {
		char *w[WORDS], *more = NULL;
		size_t k = 0;

		for (char *p = strtok_r(s, " \t", &more); p && k < WORDS; p = strtok_r(NULL, " \t", &more))
			w[k++] = p;
		if (k && !statement(b, w, k)) {
			fprintf(stderr, "no statement: %s in %s\n", w[0], text);
			return NULL;
		}
	}
	uint8_t *file = pack(b, n);

	free_pieces();
	return file;
}
