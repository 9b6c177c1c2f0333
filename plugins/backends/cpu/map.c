/* Elementwise groups: one pass over memory, in blocks that stay in the cache. */
#include "map.h"
#include <math.h>
#include <omp.h>
#include <string.h>

#define BLOCK 512u       /* elements that an instruction takes at a time: what stands between them stays in the cache */
#define LINE 16u         /* elements that memory is read by */
#define VECTOR 16u       /* elements that loops take at a time */
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

/* Elements [start, start+n) of the output's order, gathered from a broadcast operand. */
static void gather(const struct input *in, const float *x, size_t start, size_t n, float *y)
{
	size_t at[INN_MAX_RANK] = { 0 }, off = 0, rest = start;
	uint32_t last = in->nd - 1;

	for (uint32_t d = in->nd; d-- > 0;) {
		at[d] = rest % in->dim[d];
		rest /= in->dim[d];
		off += at[d] * in->stride[d];
	}
	while (n) {
		size_t run = in->dim[last] - at[last] < n ? in->dim[last] - at[last] : n, s = in->stride[last];

		if (s == 1)
			memcpy(y, x + off, run * sizeof(*y));
		else
			for (size_t j = 0; j < run; j++)
				y[j] = x[off + j * s];
		if (run == in->dim[last] && last && !in->stride[last - 1]) { /* the same again and again, as numbers of a block of channels */
			size_t left = in->dim[last - 1] - at[last - 1], rows = left * run < n ? left : n / run;

			for (size_t done = run, m; done < rows * run; done += m) {
				m = done < rows * run - done ? done : rows * run - done;
				memcpy(y + done, y, m * sizeof(*y));
			}
			at[last - 1] += rows - 1;
			y += (rows - 1) * run;
			n -= (rows - 1) * run;
		}
		y += run;
		n -= run;
		off += run * s;
		at[last] += run;
		for (uint32_t d = last; d > 0 && at[d] == in->dim[d]; d--) {
			off += in->stride[d - 1] - in->dim[d] * in->stride[d];
			at[d] = 0;
			at[d - 1]++;
		}
	}
}

static void fetch(const float *x, size_t n, int write)
{
	for (size_t j = 0; j < n; j += LINE)
		if (write)
			__builtin_prefetch(x + j, 1);
		else
			__builtin_prefetch(x + j, 0);
}

/* n elements from `start` on, of the output's order in memory; the same number from `next` on will follow. */
static void block(const struct inn_exec *e, const struct map *m, float *regs, struct operand *tab, size_t start, size_t n, size_t next)
{
	for (uint32_t k = 0; k < m->n_in; k++) {
		const struct input *in = &m->in[k];

		if (in->kind == FLAT) {
			tab[k].x = e->at[in->op] + start;
			fetch(e->at[in->op] + next, n, 0);
		} else if (in->kind == STRIDED) {
			gather(in, e->at[in->op], start, n, regs + (size_t)in->reg * BLOCK);
		}
	}
	for (uint32_t k = 0; k < m->n_ins; k++) {
		const struct instr *q = &m->ins[k];
		float *y = q->op != NONE ? e->at[q->op] + start : regs + (size_t)q->reg * BLOCK;

		if (q->op != NONE)
			fetch(e->at[q->op] + next, n, 1);
		q->fn(y, &tab[q->a[0]], &tab[q->a[1]], &tab[q->a[2]], &tab[q->a[3]], n);
		tab[m->n_in + k].x = y;
	}
}

static size_t scratch_of(const struct map *m)
{
	return round_up(((size_t)m->n_regs * BLOCK + m->n_in * VECTOR) * sizeof(float) + (m->n_in + m->n_ins) * sizeof(struct operand));
}

static void repeat(float *to, const float *x, size_t n)
{
	for (size_t j = 0; j < VECTOR; j += n)
		memcpy(to + j, x, n * sizeof(*to));
}

/* One part of one plane. */
static void piece(const struct inn_exec *e, const struct map *m, float *regs, float *same, struct operand *tab, size_t j)
{
	size_t part = j / m->planes, plane = j % m->planes, whole = m->plane / VECTOR;
	size_t from = whole * part / m->parts * VECTOR, to = part + 1 < m->parts ? whole * (part + 1) / m->parts * VECTOR : m->plane;

	for (uint32_t k = 0; k < m->n_in; k++) {
		const struct input *in = &m->in[k];

		if (in->kind == CHANNELS)
			repeat(same + k * VECTOR, e->at[in->op] + plane / m->blocks * in->sample + plane % m->blocks * in->block, e->dev->lanes);
	}
	for (size_t at = from, n; at < to; at += n) {
		n = to - at < BLOCK ? to - at : BLOCK;
		block(e, m, regs, tab, plane * m->plane + at, n, at + n < to ? plane * m->plane + at + n : (plane + 1) * m->plane + from);
	}
}

static int run_map(struct inn_exec *e, uint32_t op, void *arg)
{
	const struct map *m = arg;

	(void)op;
#pragma omp parallel num_threads(threads_for(e, m->planes * m->plane))
	{
		float *regs = (float *)(void *)(e->scratch + scratch_of(m) * (size_t)omp_get_thread_num());
		float *same = regs + (size_t)m->n_regs * BLOCK;
		struct operand *tab = (struct operand *)(void *)(same + m->n_in * VECTOR);

		for (uint32_t k = 0; k < m->n_in + m->n_ins; k++) {
			const struct input *in = k < m->n_in ? &m->in[k] : NULL;

			tab[k].mask = SIZE_MAX;
			if (in && in->kind == STRIDED)
				tab[k].x = regs + (size_t)in->reg * BLOCK;
			if (in && (in->kind == IMMEDIATE || in->kind == CHANNELS))
				tab[k] = (struct operand){ same + k * VECTOR, 0 };
			if (in && in->kind == IMMEDIATE)
				repeat(same + k * VECTOR, &in->value, 1);
		}
#pragma omp for schedule(static)
		for (size_t j = 0; j < m->parts * m->planes; j++)
			piece(e, m, regs, same, tab, j);
	}
	return INN_OK;
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
static uint32_t input_of(struct inn_exec *e, struct map *m, uint32_t i, uint32_t j, uint32_t k)
{
	uint32_t root = root_of(e, j, k);
	struct input in = { .op = root };

	if (op_of(e, root)->code == INN_OP_CONST) {
		in.kind = IMMEDIATE;
		in.value = (float)inn_op_value(e->p, root);
	} else if (e->blocked[i] && whole(e, j, k)) {
		in.kind = FLAT;
		in.op = cpu_block(e, i, j, k);
	} else {
		merge(&in, src_shape(e, j, k), &op_of(e, j)->shape, e->blocked[i] ? e->dev->lanes : 0, m->planes > 1);
		in.op = cpu_dense(e, i, j, k);
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
		if (m->ins[k].op == NONE)
			m->ins[k].reg = n_idle ? idle[--n_idle] : m->n_regs++;
		for (uint32_t j = 0; j < k; j++)
			if (last[j] == k && m->ins[j].op == NONE)
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
	size_t n = e->blocked[i] ? (size_t)s->dim[0] * s->dim[1] / e->dev->lanes : 1, threads = (size_t)e->dev->threads;

	if (n && e->count[i] / n < SHORT_PLANE)
		n = 1;
	m->planes = n;
	m->plane = n ? e->count[i] / n : 0;
	m->blocks = n > 1 ? s->dim[1] / e->dev->lanes : 1;
	m->parts = n > 1 && (s->dim[0] >= threads || m->plane < (size_t)FLAT_VALUE * s->dim[1] * e->dev->lanes) ? 1 : threads;
}

/* Operation j as the next instruction; its operands from outside are inputs already. */
static void instruct(struct inn_exec *e, struct map *m, uint32_t i, uint32_t j, uint32_t *result)
{
	const struct inn_op *o = op_of(e, j);
	struct instr *q = &m->ins[m->n_ins];

	*q = (struct instr){ .fn = loops_of(e)->one[o->code], .code = o->code, .n = o->n_src, .op = e->need[j] && e->last[j] == i ? j : NONE };
	for (uint32_t k = 0; k < 4; k++) {
		uint32_t s = k < o->n_src ? root_of(e, j, k) : 0;

		q->a[k] = k >= o->n_src ? q->a[0] : result[s] ? m->n_in + result[s] - 1 : input_of(e, m, i, j, k);
	}
	result[j] = ++m->n_ins;
}

/* Inputs first: their number is where results begin. */
static int program(struct inn_exec *e, struct map *m, uint32_t i, const uint32_t *member, uint32_t n)
{
	uint32_t *result = cpu_alloc(e, i + 1u, sizeof(*result)); /* instruction + 1, by operation */

	if (!result || !(m->ins = cpu_alloc(e, n, sizeof(*m->ins))) || !(m->in = cpu_alloc(e, (size_t)n * 3, sizeof(*m->in))))
		return INN_ENOMEM;
	for (uint32_t j = 0; j < n; j++)
		for (uint32_t k = 0; k < op_of(e, member[j])->n_src; k++)
			if (!cpu_makes(e, i, root_of(e, member[j], k)) && input_of(e, m, i, member[j], k) == NONE)
				return INN_ENOMEM;
	for (uint32_t j = 0; j < n; j++)
		instruct(e, m, i, member[j], result);
	return cpu_chain(e, m, loops_of(e)) ? assign(e, m) : INN_ENOMEM;
}

int cpu_map(struct inn_exec *e, uint32_t i)
{
	struct map *m = cpu_alloc(e, 1, sizeof(*m));
	uint32_t *member = cpu_alloc(e, i + 1u, sizeof(*member)), n = 0;
	bool blocked = false, stored = false;

	if (!m || !member)
		return INN_ENOMEM;
	for (uint32_t j = 0; j <= i; j++) {
		if (!cpu_makes(e, i, j))
			continue;
		member[n++] = j;
		stored |= e->need[j] && e->last[j] == i;
		for (uint32_t k = 0; e->last[j] == i && k < op_of(e, j)->n_src; k++)
			blocked |= whole(e, j, k) && cpu_is_block(e, j, k);
	}
	for (uint32_t j = 0; j < n; j++)
		if (e->last[member[j]] == i)
			e->blocked[member[j]] = blocked;
	planes(e, m, i);
	if (!stored || !e->count[i])
		return INN_OK;
	int s = program(e, m, i, member, n);

	cpu_scratch(e, s ? 0 : scratch_of(m) * (size_t)e->dev->threads);
	e->step[i] = (struct step){ .fn = run_map, .arg = m, .op = i };
	return s;
}
