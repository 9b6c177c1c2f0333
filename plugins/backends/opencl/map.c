/* Elementwise groups: one generated kernel for each part, one pass over memory. Its text depends on the expression and on how
 * operands are read, never on sizes, so that equal layers share a kernel; sizes, strides and places stand in a table. */
#include "opencl.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SPLAT, ALONG, APART }; /* innermost stride 0, 1, other */
struct operand { uint32_t root; int read; size_t stride[INN_MAX_RANK]; };
struct map {
	uint32_t ops[64], n_ops;
	struct operand in[64];
	uint32_t n_in, nd;
	uint32_t use[64][3];
	size_t dim[INN_MAX_RANK]; /* merged, innermost last */
};
#define MEMBER 1000u         /* what `use` says: below, an input; from here, a member; */
#define CONSTANT (1u << 16)  /* from here, the operation that is a constant */

static void text(struct inn_exec *e, const char *s)
{
	size_t n = strlen(s);

	if (!ocl_room(e, &e->source, e->n_source, n + 1, &e->cap_source, 1))
		return;
	memcpy(e->source + e->n_source, s, n + 1);
	e->n_source += n;
}

INN_PRINTF(2, 3) static void textf(struct inn_exec *e, const char *fmt, ...)
{
	char line[256];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(line, sizeof(line), fmt, ap);
	va_end(ap);
	text(e, line);
}

static size_t table_add(struct inn_exec *e, size_t v)
{
	if (!ocl_room(e, &e->table, e->n_table, 1, &e->cap_table, sizeof(*e->table)))
		return 0;
	e->table[e->n_table] = v;
	return e->n_table++;
}

static void table_place(struct inn_exec *e, struct loc l)
{
	size_t at = table_add(e, 0);

	if (ocl_room(e, &e->fix, e->n_fix, 1, &e->cap_fix, sizeof(*e->fix)))
		e->fix[e->n_fix++] = (struct table){ at, l };
}

static uint32_t input_of(struct inn_exec *e, struct map *m, uint32_t j, uint32_t k)
{
	struct operand in = { .root = root_of(e, j, k) };

	ocl_strides(src_shape(e, j, k), &op_of(e, j)->shape, in.stride);
	for (uint32_t n = 0; n < m->n_in; n++)
		if (m->in[n].root == in.root && !memcmp(m->in[n].stride, in.stride, sizeof(in.stride)))
			return n;
	m->in[m->n_in] = in;
	return m->n_in++;
}

/* Axes that all operands step through as one become one. */
static void merge(struct map *m, const struct inn_shape *s)
{
	for (uint32_t d = 0; d < s->rank; d++) {
		bool joins = m->nd > 0;

		if (s->dim[d] == 1)
			continue;
		for (uint32_t k = 0; joins && k < m->n_in; k++)
			joins = m->in[k].stride[m->nd - 1] == m->in[k].stride[d] * s->dim[d];
		m->nd += !joins;
		m->dim[m->nd - 1] = joins ? m->dim[m->nd - 1] * s->dim[d] : s->dim[d];
		for (uint32_t k = 0; k < m->n_in; k++)
			m->in[k].stride[m->nd - 1] = m->in[k].stride[d];
	}
	if (!m->nd) {
		m->nd = 1;
		m->dim[0] = 1;
		for (uint32_t k = 0; k < m->n_in; k++)
			m->in[k].stride[0] = 0;
	}
	for (uint32_t k = 0; k < m->n_in; k++) {
		size_t s1 = m->in[k].stride[m->nd - 1];

		m->in[k].read = s1 == 0 ? SPLAT : s1 == 1 ? ALONG : APART;
	}
}

static const char *formula(uint32_t code)
{
	switch (code) {
	case INN_OP_ABS: return "fabs(A)";
	case INN_OP_EXP: return "exp(A)";
	case INN_OP_LOG: return "log(A)";
	case INN_OP_SQRT: return "sqrt(A)";
	case INN_OP_TANH: return "tanh(A)";
	case INN_OP_SIGMOID: return "1 / (1 + exp(-A))";
	case INN_OP_ERF: return "erf(A)";
	case INN_OP_FLOOR: return "floor(A)";
	case INN_OP_ADD: return "A + B";
	case INN_OP_SUB: return "A - B";
	case INN_OP_MUL: return "A * B";
	case INN_OP_DIV: return "A / B";
	case INN_OP_MAX: return "select(B, A, isgreater(A, B))";
	case INN_OP_MIN: return "select(B, A, isless(A, B))";
	case INN_OP_POW: return "pow(A, B)";
	case INN_OP_GT: return "select((lanes)0, (lanes)1, isgreater(A, B))";
	case INN_OP_GE: return "select((lanes)0, (lanes)1, isgreaterequal(A, B))";
	case INN_OP_EQ: return "select((lanes)0, (lanes)1, isequal(A, B))";
	default: return "select(C, B, isnotequal(A, (lanes)0))"; /* SELECT */
	}
}

static void name_operand(struct inn_exec *e, uint32_t use)
{
	if (use >= CONSTANT) {
		float v = (float)inn_op_value(e->p, use - CONSTANT);
		uint32_t bits;

		memcpy(&bits, &v, sizeof(bits));
		textf(e, "(lanes)as_float(0x%08xu)", bits);
	} else if (use >= MEMBER) {
		textf(e, "v%u", use - MEMBER);
	} else {
		textf(e, "x%u", use);
	}
}

static void read_inputs(struct inn_exec *e, const struct map *m)
{
	for (uint32_t k = 0; k < m->n_in; k++) {
		textf(e, "\t\tlanes x%u = ", k);
		switch (m->in[k].read) {
		case SPLAT: textf(e, "(lanes)a%u[0];\n", k); break;
		case ALONG: textf(e, "n == LANES ? LOAD(a%u + j) : load_some(a%u + j, n);\n", k, k); break;
		default: textf(e, "load_apart(a%u + j * s%u, n, s%u);\n", k, k, k); break;
		}
	}
}

static void statements(struct inn_exec *e, const struct map *m)
{
	for (uint32_t j = 0; j < m->n_ops; j++) {
		textf(e, "\t\tlanes v%u = ", j);
		for (const char *f = formula(op_of(e, m->ops[j])->code); *f; f++) {
			if (*f >= 'A' && *f <= 'C')
				name_operand(e, m->use[j][*f - 'A']);
			else
				textf(e, "%c", *f);
		}
		text(e, ";\n");
		if (e->need[m->ops[j]])
			textf(e, "\t\tif (n == LANES)\n\t\t\tSTORE(v%u, y%u + j);\n\t\telse\n\t\t\tstore_some(v%u, y%u + j, n);\n", j, j, j, j);
	}
}

/* Everything behind the name. */
static void body(struct inn_exec *e, const struct map *m)
{
	text(e, "(__global const ulong *t, ulong t0");
	for (uint32_t k = 0; k < m->n_in; k++)
		textf(e, ", __global const float *a%u", k);
	for (uint32_t j = 0; j < m->n_ops; j++)
		if (e->need[m->ops[j]])
			textf(e, ", __global float *y%u", j);
	text(e, ", int rows, int per)\n{\n\tint row = get_global_id(1), at = row, k;\n\tt += t0;\n\tint length = t[0];\n"
		"\tint j = get_global_id(0) * per, end = min(j + per, length);\n\tif (row >= rows)\n\t\treturn;\n\tt++;\n");
	for (uint32_t k = 0; k < m->n_in; k++)
		textf(e, "\ta%u += *t++;\n", k);
	for (uint32_t j = 0; j < m->n_ops; j++)
		if (e->need[m->ops[j]])
			textf(e, "\ty%u += *t++ + (ulong)row * length;\n", j);
	for (uint32_t d = m->nd - 1; d-- > 0;) {
		text(e, "\tk = rest(at, (int)t[0]);\n\tat /= (int)t[0];\n\tt++;\n");
		for (uint32_t k = 0; k < m->n_in; k++)
			if (m->in[k].stride[d])
				textf(e, "\ta%u += k * *t++;\n", k);
	}
	for (uint32_t k = 0; k < m->n_in; k++)
		if (m->in[k].read == APART)
			textf(e, "\tint s%u = (int)*t++;\n", k);
	text(e, "\tfor (; j < end; j += LANES) {\n\t\tint n = min(LANES, end - j);\n");
	read_inputs(e, m);
	statements(e, m);
	text(e, "\t}\n}\n");
}

static size_t fill_table(struct inn_exec *e, const struct map *m)
{
	size_t at = table_add(e, m->dim[m->nd - 1]);

	for (uint32_t k = 0; k < m->n_in; k++)
		table_place(e, value_of(m->in[k].root));
	for (uint32_t j = 0; j < m->n_ops; j++)
		if (e->need[m->ops[j]])
			table_place(e, value_of(m->ops[j]));
	for (uint32_t d = m->nd - 1; d-- > 0;) {
		table_add(e, m->dim[d]);
		for (uint32_t k = 0; k < m->n_in; k++)
			if (m->in[k].stride[d])
				table_add(e, m->in[k].stride[d]);
	}
	for (uint32_t k = 0; k < m->n_in; k++)
		if (m->in[k].read == APART)
			table_add(e, m->in[k].stride[m->nd - 1]);
	return at;
}

/* The kernel with this text: each is a program of its own, so that every plan that needs it finds it built. */
static const struct generated *kernel_of(struct inn_exec *e, const struct map *m)
{
	struct generated *g;
	size_t name;

	e->n_source = 0;
	text(e, ocl_common);
	text(e, "__kernel void ");
	name = e->n_source;
	text(e, "map_0123456789abcdef");
	body(e, m);
	if (e->status)
		return NULL;
	uint64_t h = ocl_hash(OCL_HASH, e->source, e->n_source);

	for (g = e->dev->generated; g; g = g->next)
		if (g->hash == h)
			return g;
	if (!(g = calloc(1, sizeof(*g)))) {
		e->status = inn_nomem(e->ctx);
		return NULL;
	}
	*g = (struct generated){ .next = e->dev->generated, .hash = h };
	e->dev->generated = g;
	snprintf(g->name, sizeof(g->name), "map_%016llx", (unsigned long long)h);
	memcpy(e->source + name, g->name, strlen(g->name));
	e->status = ocl_build(e->ctx, e->dev, e->source, e->n_source, &g->program);
	return g;
}

/* The members of one part, and what each of their operands is. */
static void collect(struct inn_exec *e, uint32_t part, uint32_t first, uint32_t i, struct map *m)
{
	for (uint32_t j = first; j <= i; j++) {
		if (e->part[j] != part)
			continue;
		for (uint32_t k = 0; k < op_of(e, j)->n_src; k++) {
			uint32_t r = root_of(e, j, k), *use = &m->use[m->n_ops][k];

			if (op_of(e, r)->code == INN_OP_CONST) {
				*use = CONSTANT + r;
				continue;
			}
			if (e->part[r] != part) {
				*use = input_of(e, m, j, k);
				continue;
			}
			*use = MEMBER;
			while (m->ops[*use - MEMBER] != r)
				++*use;
		}
		m->ops[m->n_ops++] = j;
	}
	merge(m, &op_of(e, i)->shape);
}

static void one_part(struct inn_exec *e, uint32_t part, uint32_t first, uint32_t i)
{
	struct map m = { .n_ops = 0 };
	size_t rows = 1;

	collect(e, part, first, i, &m);
	for (uint32_t d = 0; d + 1 < m.nd; d++)
		rows *= m.dim[d];
	const struct generated *g = kernel_of(e, &m);

	if (e->status)
		return;
	struct launch *l = ocl_launch(e, i, g->name);
	cl_ulong at = fill_table(e, &m);

	l->program = g->program;
	ocl_at(e, l, (struct loc){ .place = AT_TABLE });
	ocl_arg(e, l, &at, sizeof(at));
	for (uint32_t k = 0; k < m.n_in; k++)
		ocl_at(e, l, value_of(m.in[k].root));
	for (uint32_t j = 0; j < m.n_ops; j++)
		if (e->need[m.ops[j]])
			ocl_at(e, l, value_of(m.ops[j]));
	ocl_rows(e, l, m.dim[m.nd - 1], rows);
}

/* All parts of the group whose last member is i, each member once. */
void ocl_map(struct inn_exec *e, uint32_t i)
{
	uint32_t first = i, done = 0;

	if (!e->count[i])
		return;
	for (uint32_t j = i + 1; j-- > 0;)
		if (e->last[j] == i && is_map(op_of(e, j)->code))
			first = j;
	for (uint32_t j = first; j <= i; j++)
		if (e->last[j] == i && e->part[j] > done) {
			done = e->part[j];
			one_part(e, done, first, i);
		}
}
