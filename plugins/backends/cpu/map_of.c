/* What becomes of an elementwise group: a short program, its operands, and how the work is divided. */
#include "map.h"
#include <math.h>
#include <string.h>

#define SHORT_PLANE 256u /* elements; below, planes are not worth looking at */
#define FLAT_VALUE 2u    /* pixels for a channel; products of more are divided among threads by pixels, else by channels */

#define TARGET
#define V(name) base_##name
#include "map_ops.h"
#if defined(__x86_64__)
#define TARGET __attribute__((target("avx512f,avx512vl,avx512dq,avx512bw")))
#define V(name) wide_##name
#include "map_ops.h"
#endif

/* Axes of the output, in the order in which it is stored, merged as far as the dense operand is read with one stride. */
static void merge(struct input *in, const struct inn_shape *x, const struct inn_shape *y, const struct map *m)
{
	uint32_t lanes = m->lanes;
	size_t stride[INN_MAX_RANK + 1];
	struct inn_shape s = *y;

	cpu_strides(x, y, stride);
	if (lanes) { /* [N, C/lanes, ..., lanes] */
		s.dim[1] = (s.dim[1] + lanes - 1) / lanes;
		s.dim[s.rank] = lanes;
		stride[s.rank++] = stride[1];
		stride[1] *= lanes;
	}
	in->sample = stride[0];
	in->block = stride[1];
	in->kind = lanes && (m->planes > 1 || m->filled) ? CHANNELS : STRIDED;
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
	} else if (m->lanes && whole(e, j, k)) {
		in.kind = FLAT;
		in.op = cpu_block(e, at, j, k);
	} else {
		merge(&in, src_shape(e, j, k), &op_of(e, j)->shape, m);
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
		for (uint32_t j = 0; j < 4; j++)
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

static const struct loops *loops_of(const struct inn_exec *e)
{
#if defined(__x86_64__)
	if (e->dev->wide)
		return &wide_loops;
#endif
	(void)e;
	return &base_loops;
}

/* How the result is divided: each thread takes the same places of all planes, or whole samples if there are enough. */
static void planes(const struct inn_exec *e, struct map *m, uint32_t i)
{
	const struct inn_shape *s = &op_of(e, i)->shape;
	size_t blocks = m->lanes ? cpu_channels(e, s) / m->lanes : 1, n = m->lanes ? s->dim[0] * blocks : 1, threads = (size_t)e->dev->threads;
	size_t all = m->lanes ? e->count[i] / s->dim[1] * blocks * m->lanes : e->count[i];

	m->filled = m->lanes ? (uint32_t)blocks * m->lanes - s->dim[1] : 0;
	if (n && all / n < SHORT_PLANE && !m->filled && !e->behind[i]) /* a product goes plane by plane */
		n = blocks = 1;
	m->planes = n;
	m->plane = n ? all / n : 0;
	m->blocks = blocks;
	m->parts = n > 1 && (s->dim[0] >= threads || m->plane < (size_t)FLAT_VALUE * s->dim[1] * e->dev->lanes) ? 1 : threads;
}

/* Operation j as the next instruction; its operands from outside are inputs already. */
static void instruct(struct inn_exec *e, struct map *m, uint32_t last, uint32_t j, uint32_t *result)
{
	const struct inn_op *o = op_of(e, j);
	struct instr *q = &m->ins[m->n_ins];

	*q = (struct instr){ .fn = loops_of(e)->one[o->code], .code = o->code, .n = o->n_src, .op = j,
			     .to = e->need[j] && e->last[j] == last ? j : NONE };
	for (uint32_t k = 0; k < 4; k++) {
		uint32_t s = k < o->n_src ? root_of(e, j, k) : 0;

		q->a[k] = k >= o->n_src ? q->a[0] : result[s] ? m->n_in + result[s] - 1 : input_of(e, m, last, j, k);
	}
	result[j] = ++m->n_ins;
}

/* Inputs first: their number is where results begin. */
static int program(struct inn_exec *e, struct map *m, uint32_t last, const uint32_t *member, uint32_t n)
{
	uint32_t *result = cpu_alloc(e, last + 1u, sizeof(*result)); /* instruction + 1, by operation */

	if (!result || !(m->ins = cpu_alloc(e, n, sizeof(*m->ins))) || !(m->in = cpu_alloc(e, (size_t)n * 3, sizeof(*m->in))))
		return INN_ENOMEM;
	for (uint32_t j = 0; j < n; j++)
		for (uint32_t k = 0; k < op_of(e, member[j])->n_src; k++)
			if (!cpu_makes(e, last, root_of(e, member[j], k)) && input_of(e, m, last, member[j], k) == NONE)
				return INN_ENOMEM;
	for (uint32_t j = 0; j < n; j++)
		instruct(e, m, last, member[j], result);
	return cpu_chain(e, m, loops_of(e)) ? assign(e, m) : INN_ENOMEM;
}

/* Where the last block is to be filled, an operand from outside has blocks too, or is the same for all channels or all pixels. */
static bool fits(const struct inn_exec *e, uint32_t j, uint32_t k)
{
	const struct inn_shape *x = src_shape(e, j, k), *y = &op_of(e, j)->shape;
	size_t stride[INN_MAX_RANK];
	bool flat = true;

	cpu_strides(x, y, stride);
	for (uint32_t d = 2; d < y->rank; d++)
		flat &= !stride[d];
	return whole(e, j, k) || !stride[1] || flat;
}

bool cpu_map_blocks(const struct inn_exec *e, uint32_t last)
{
	if (!cpu_block_shape(e, &op_of(e, last)->shape) || cpu_whole_blocks(e, &op_of(e, last)->shape))
		return cpu_block_shape(e, &op_of(e, last)->shape);
	for (uint32_t j = 0; j <= last; j++)
		for (uint32_t k = 0; cpu_makes(e, last, j) && k < op_of(e, j)->n_src; k++)
			if (!cpu_makes(e, last, root_of(e, j, k)) && !fits(e, j, k))
				return false;
	return true;
}

int cpu_map_of(struct inn_exec *e, uint32_t last, bool blocks, struct map **out)
{
	struct map *m = *out = cpu_alloc(e, 1, sizeof(*m));
	uint32_t *member = cpu_alloc(e, last + 1u, sizeof(*member)), n = 0;

	if (!m || !member)
		return INN_ENOMEM;
	for (uint32_t j = 0; j <= last; j++) {
		if (!cpu_makes(e, last, j))
			continue;
		member[n++] = j;
		for (uint32_t k = 0; e->last[j] == last && k < op_of(e, j)->n_src; k++)
			blocks |= whole(e, j, k) && cpu_is_block(e, j, k);
	}
	blocks = blocks && cpu_map_blocks(e, last);
	for (uint32_t j = 0; j < n; j++)
		if (e->last[member[j]] == last)
			e->blocked[member[j]] = blocks;
	m->lanes = blocks ? e->dev->lanes : 0;
	planes(e, m, last);
	return program(e, m, last, member, n);
}

