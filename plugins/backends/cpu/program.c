/* Elementwise groups become programs: what is read and how, one loop for each operation or two, registers between them. */
#include "map.h"
#include <string.h>

/* Axes of the output, in the order in which it is stored, merged as far as the dense operand is read with one stride. */
static void merge(struct input *in, const struct inn_shape *x, const struct inn_shape *y, uint32_t lanes, bool planes)
{
	size_t stride[INN_MAX_RANK + 1];
	struct inn_shape s = *y;

	cpu_strides(x, y, stride);
	if (lanes) { /* [N, C/lanes, ..., lanes] */
		s.dim[1] /= lanes;
		s.dim[s.rank] = lanes;
		stride[s.rank++] = stride[1];
		stride[1] *= lanes;
	}
	in->sample = stride[0];
	in->block = stride[1];
	in->kind = lanes && planes ? CHANNELS : STRIDED;
	for (uint32_t d = 2; d < s.rank; d++)
		if (s.dim[d] > 1 && stride[d] != (d + 1 == s.rank))
			in->kind = STRIDED;
	if (in->kind == CHANNELS)
		return;
	in->nd = 0;
	for (uint32_t d = 0; d < s.rank; d++) {
		if (s.dim[d] == 1)
			continue;
		if (in->nd && in->stride[in->nd - 1] == stride[d] * s.dim[d]) {
			in->dim[in->nd - 1] *= s.dim[d];
			in->stride[in->nd - 1] = stride[d];
		} else {
			in->dim[in->nd] = s.dim[d];
			in->stride[in->nd++] = stride[d];
		}
	}
	if (!in->nd) {
		in->dim[0] = 1;
		in->stride[0] = 1;
		in->nd = 1;
	}
	in->kind = in->nd == 1 && in->stride[0] == 1 ? FLAT : STRIDED;
}

static bool same_read(const struct input *a, const struct input *b)
{
	if (a->kind != b->kind || a->op != b->op || a->kind == IMMEDIATE)
		return a->kind == IMMEDIATE && b->kind == IMMEDIATE && !memcmp(&a->value, &b->value, sizeof(a->value));
	if (a->kind == CHANNELS)
		return a->sample == b->sample && a->block == b->block;
	return a->kind == FLAT || (a->nd == b->nd && !memcmp(a->dim, b->dim, a->nd * sizeof(*a->dim)) &&
				   !memcmp(a->stride, b->stride, a->nd * sizeof(*a->stride)));
}

static bool whole(const struct inn_exec *e, uint32_t j, uint32_t k)
{
	return cpu_can_block(e, j, k) && inn_shape_eq(src_shape(e, j, k), &op_of(e, j)->shape);
}

/* Number of operand k of member j, which comes from outside the group, among the inputs. */
static uint32_t input_of(struct inn_exec *e, struct map *m, uint32_t at, uint32_t j, uint32_t k)
{
	uint32_t root = root_of(e, j, k);
	struct input in = { .op = root };

	if (op_of(e, root)->code == INN_OP_CONST) {
		in.kind = IMMEDIATE;
		in.value = (float)inn_op_value(e->p, root);
	} else if (e->blocked[j] && whole(e, j, k)) {
		in.kind = FLAT;
		in.op = cpu_block(e, at, j, k);
	} else {
		merge(&in, src_shape(e, j, k), &op_of(e, j)->shape, e->blocked[j] ? e->dev->lanes : 0, m->planes > 1);
		in.op = cpu_dense(e, at, j, k);
	}
	if (in.op == NONE)
		return NONE;
	for (uint32_t n = 0; n < m->n_in; n++)
		if (same_read(&in, &m->in[n]))
			return n;
	if (in.kind == STRIDED)
		in.reg = m->n_regs++;
	m->in[m->n_in] = in;
	return m->n_in++;
}

/* Registers of results that are not stored; one is free again after the last instruction that reads it. */
static int assign(struct inn_exec *e, struct map *m)
{
	uint32_t *last = cpu_alloc(e, m->n_ins + 1u, sizeof(*last)), *idle = cpu_alloc(e, m->n_ins + 1u, sizeof(*idle)), n_idle = 0;

	if (!last || !idle)
		return INN_ENOMEM;
	for (uint32_t k = 0; k < m->n_ins; k++) {
		last[k] = k;
		for (uint32_t j = 0; j < 3; j++)
			if (m->ins[k].a[j] >= m->n_in)
				last[m->ins[k].a[j] - m->n_in] = k;
	}
	for (uint32_t k = 0; k < m->n_ins; k++) {
		if (m->ins[k].to == NONE)
			m->ins[k].reg = n_idle ? idle[--n_idle] : m->n_regs++;
		for (uint32_t j = 0; j < k; j++)
			if (last[j] == k && m->ins[j].to == NONE)
				idle[n_idle++] = m->ins[j].reg;
	}
	return INN_OK;
}

/* How the result is divided: each thread takes the same places of all planes, or whole samples if there are enough. */
static void planes(const struct inn_exec *e, struct map *m, uint32_t i)
{
	const struct inn_shape *s = &op_of(e, i)->shape;
	size_t n = e->blocked[i] ? (size_t)s->dim[0] * s->dim[1] / e->dev->lanes : 1, threads = (size_t)e->dev->threads;

	if (n && e->count[i] / n < SHORT_PLANE)
		n = 1;
	m->planes = n;
	m->plane = n ? e->count[i] / n : 0;
	m->blocks = n > 1 ? s->dim[1] / e->dev->lanes : 1;
	m->parts = n > 1 && s->dim[0] >= threads ? 1 : threads;
}

static bool member(const struct inn_exec *e, uint32_t j, uint32_t last) { return e->last[j] == last && is_map(op_of(e, j)->code); }

/* The group's instructions in order; inputs first, since their number is where results begin. */
static int program(struct inn_exec *e, struct map *m, uint32_t first, uint32_t last, uint32_t at)
{
	uint32_t *result = cpu_alloc(e, last + 1u, sizeof(*result)); /* instruction + 1, by operation */

	if (!result)
		return INN_ENOMEM;
	for (uint32_t pass = 0; pass < 2; pass++) {
		for (uint32_t j = first; j <= last; j++) {
			const struct inn_op *o = op_of(e, j);

			if (!member(e, j, last))
				continue;
			struct instr *q = &m->ins[pass ? m->n_ins : 0];

			for (uint32_t k = 0; k < o->n_src; k++) {
				uint32_t s = root_of(e, j, k);
				bool inside = s < j && s >= first && member(e, s, last);

				if (!inside && (q->a[k] = input_of(e, m, at, j, k)) == NONE)
					return INN_ENOMEM;
				if (inside && pass)
					q->a[k] = m->n_in + result[s] - 1;
			}
			for (uint32_t k = o->n_src; k < 3; k++)
				q->a[k] = q->a[0];
			if (!pass)
				continue;
			q->code = o->code;
			q->fn = cpu_loop_of(e, o->code);
			q->op = j;
			q->to = e->need[j] ? j : NONE;
			result[j] = ++m->n_ins;
		}
	}
	return INN_OK;
}

/* Loops that do two operations; left: the first is the other's first operand. */
static const struct { uint32_t first, then, both; bool left; } pairs[] = {
	{ INN_OP_ADD, INN_OP_ADD, ADD_ADD, false }, { INN_OP_ADD, INN_OP_MUL, ADD_MUL, false }, { INN_OP_ADD, INN_OP_DIV, ADD_DIV, true },
	{ INN_OP_ADD, INN_OP_MAX, ADD_MAX, true },  { INN_OP_MUL, INN_OP_ADD, MUL_ADD, false }, { INN_OP_MUL, INN_OP_MUL, MUL_MUL, false },
	{ INN_OP_MUL, INN_OP_DIV, MUL_DIV, true },  { INN_OP_GT, INN_OP_MUL, GT_MUL, false },   { INN_OP_EQ, INN_OP_MUL, EQ_MUL, false },
};

/* Instruction q takes over what p does, whose result is its operand k, if there is a loop for both. */
static bool take_over(const struct inn_exec *e, struct instr *q, const struct instr *p, uint32_t k)
{
	uint32_t both = NONE, other = q->a[!k];

	for (size_t n = 0; n < sizeof(pairs) / sizeof(*pairs); n++)
		if (pairs[n].first == p->code && pairs[n].then == q->code && (!k || !pairs[n].left))
			both = pairs[n].both;
	if (p->code == EQ_MUL && q->code == INN_OP_ADD && other == p->a[0])
		both = EQ_MUL_ADD;
	if (both == NONE)
		return false;
	q->code = both;
	q->fn = cpu_loop_of(e, both);
	q->a[0] = p->a[0];
	q->a[1] = p->a[1];
	q->a[2] = both == EQ_MUL_ADD ? p->a[2] : other;
	return true;
}

/* Results that one instruction alone reads, and nobody else, are made by that. `strip` is read by somebody else. */
static int pair(struct inn_exec *e, struct map *m, uint32_t strip)
{
	uint32_t *uses = cpu_alloc(e, 2 * (m->n_ins + 1u), sizeof(*uses)), *number = uses + m->n_ins + 1, n = 0;

	if (!uses)
		return INN_ENOMEM;
	for (uint32_t k = 0; k < m->n_ins; k++)
		for (uint32_t j = 0; j < (uint32_t)inn_op_operands(m->ins[k].code); j++)
			if (m->ins[k].a[j] >= m->n_in)
				uses[m->ins[k].a[j] - m->n_in]++;
	for (uint32_t k = 0; k < m->n_ins; k++) {
		struct instr *q = &m->ins[k];
		bool done = inn_op_operands(q->code) != 2;

		for (uint32_t j = 0; j < 2 && !done; j++) {
			uint32_t p = q->a[j] - m->n_in;

			done = q->a[j] >= m->n_in && uses[p] == 1 && m->ins[p].to == NONE && m->ins[p].op != strip && take_over(e, q, &m->ins[p], j);
			if (done)
				m->ins[p].fn = NULL;
		}
	}
	for (uint32_t k = 0; k < m->n_ins; k++) {
		struct instr q = m->ins[k];

		for (uint32_t j = 0; j < 3; j++)
			q.a[j] = q.a[j] >= m->n_in ? m->n_in + number[q.a[j] - m->n_in] : q.a[j];
		number[k] = n;
		if (q.fn)
			m->ins[n++] = q;
	}
	m->n_ins = n;
	return INN_OK;
}

int cpu_map_of(struct inn_exec *e, uint32_t last, uint32_t at, bool blocks, uint32_t strip, struct map **out)
{
	struct map *m = *out = cpu_alloc(e, 1, sizeof(*m));
	uint32_t first = last, n = 0;

	for (uint32_t j = last + 1; j-- > 0;)
		if (member(e, j, last)) {
			first = j;
			n++;
			for (uint32_t k = 0; k < op_of(e, j)->n_src; k++)
				blocks |= whole(e, j, k) && cpu_is_block(e, j, k);
		}
	for (uint32_t j = first; j <= last; j++)
		if (member(e, j, last))
			e->blocked[j] = blocks;
	if (!m || !(m->ins = cpu_alloc(e, n, sizeof(*m->ins))) || !(m->in = cpu_alloc(e, (size_t)n * 3, sizeof(*m->in))))
		return INN_ENOMEM;
	planes(e, m, last);
	return program(e, m, first, last, at) || pair(e, m, strip) || assign(e, m) ? INN_ENOMEM : INN_OK;
}
