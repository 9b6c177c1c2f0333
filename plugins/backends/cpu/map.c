/* Elementwise groups: one pass over memory, in blocks that stay in the cache. */
#include "map.h"
#include <math.h>
#include <omp.h>
#include <string.h>

#define BLOCK 512u       /* elements that an instruction takes at a time: what stands between them stays in the cache */
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

/* Where the strip of an operation's value stands, from element `at` of a plane on; NULL: it is none of a strip. */
static float *near(const struct map *m, const struct strip *s, uint32_t op, size_t plane, size_t at)
{
	return s && s->op == op ? s->x + plane % m->blocks * s->pitch + at - s->from : NULL;
}

/* Fetches what the next block reads while this one is computed: short pieces of many planes are no stream that the processor sees. */
static void fetch(const struct inn_exec *e, const struct map *m, size_t start, size_t n, const struct strip *s)
{
	for (uint32_t k = 0; k < m->n_in; k++)
		if (m->in[k].kind == FLAT && !(s && s->op == m->in[k].op))
			for (size_t j = 0; j < n; j += VECTOR)
				__builtin_prefetch(e->at[m->in[k].op] + start + j);
	for (uint32_t k = 0; k < m->n_ins; k++)
		if (m->ins[k].to != NONE)
			for (size_t j = 0; j < n; j += VECTOR)
				__builtin_prefetch(e->at[m->ins[k].to] + start + j, 1);
}

/* n elements of a plane from `at` on. */
static void block(const struct inn_exec *e, const struct map *m, float *regs, struct operand *tab, size_t plane, size_t at, size_t n,
		  const struct strip *s)
{
	size_t start = plane * m->plane + at;

	for (uint32_t k = 0; k < m->n_in; k++) {
		const struct input *in = &m->in[k];

		if (in->kind == FLAT && !(tab[k].x = near(m, s, in->op, plane, at)))
			tab[k].x = e->at[in->op] + start;
		else if (in->kind == STRIDED)
			gather(in, e->at[in->op], start, n, regs + (size_t)in->reg * BLOCK);
	}
	for (uint32_t k = 0; k < m->n_ins; k++) {
		const struct instr *q = &m->ins[k];
		float *stored = q->to != NONE ? e->at[q->to] + start : NULL, *y = near(m, s, q->op, plane, at);

		y = y ? y : stored ? stored : regs + (size_t)q->reg * BLOCK;
		q->fn(y, &tab[q->a[0]], &tab[q->a[1]], &tab[q->a[2]], &tab[q->a[3]], n);
		if (stored && y != stored)
			memcpy(stored, y, n * sizeof(*y));
		tab[m->n_in + k].x = y;
	}
}

size_t cpu_map_scratch(const struct map *m)
{
	return round_up(((size_t)m->n_regs * BLOCK + m->n_in * VECTOR) * sizeof(float) + (m->n_in + m->n_ins) * sizeof(struct operand));
}

static float *same_of(const struct map *m, char *scratch) { return (float *)(void *)scratch + (size_t)m->n_regs * BLOCK; }
static struct operand *tab_of(const struct map *m, char *scratch) { return (struct operand *)(void *)(same_of(m, scratch) + m->n_in * VECTOR); }

static void repeat(float *to, const float *x, size_t n)
{
	for (size_t j = 0; j < VECTOR; j += n)
		memcpy(to + j, x, n * sizeof(*to));
}

void cpu_map_begin(const struct inn_exec *e, const struct map *m, char *scratch)
{
	float *same = same_of(m, scratch);
	struct operand *tab = tab_of(m, scratch);

	(void)e;
	for (uint32_t k = 0; k < m->n_in + m->n_ins; k++) {
		const struct input *in = k < m->n_in ? &m->in[k] : NULL;

		tab[k].mask = SIZE_MAX;
		if (in && in->kind == STRIDED)
			tab[k].x = (float *)(void *)scratch + (size_t)in->reg * BLOCK;
		if (in && (in->kind == IMMEDIATE || in->kind == CHANNELS))
			tab[k] = (struct operand){ same + k * VECTOR, 0 };
		for (size_t j = 0; in && in->kind == IMMEDIATE && j < VECTOR; j++)
			same[k * VECTOR + j] = in->value;
	}
}

/* Elements [from, to) of one plane. */
static void piece(const struct inn_exec *e, const struct map *m, char *scratch, size_t plane, size_t from, size_t to, const struct strip *s)
{
	float *same = same_of(m, scratch);
	size_t first = from;

	for (uint32_t k = 0; k < m->n_in; k++) {
		const struct input *in = &m->in[k];

		if (in->kind == CHANNELS)
			repeat(same + k * VECTOR, e->at[in->op] + plane / m->blocks * in->sample + plane % m->blocks * in->block, e->dev->lanes);
	}
	for (size_t n; from < to; from += n) {
		n = to - from < BLOCK ? to - from : BLOCK;
		if (from + n < to)
			fetch(e, m, plane * m->plane + from + n, to - from - n < BLOCK ? to - from - n : BLOCK, s);
		else if (plane + 1 < m->planes)
			fetch(e, m, (plane + 1) * m->plane + first, to - first < BLOCK ? to - first : BLOCK, s);
		block(e, m, (float *)(void *)scratch, tab_of(m, scratch), plane, from, n, s);
	}
}

void cpu_map_strip(const struct inn_exec *e, const struct map *m, char *scratch, size_t sample, size_t from, size_t to, const struct strip *s)
{
	for (size_t k = 0; k < m->blocks; k++)
		piece(e, m, scratch, sample * m->blocks + k, from, to, s);
}

static int run_map(struct inn_exec *e, uint32_t op, void *arg)
{
	const struct map *m = arg;
	size_t whole = m->plane / VECTOR;

	(void)op;
#pragma omp parallel num_threads(threads_for(e, m->planes * m->plane))
	{
		char *scratch = e->scratch + cpu_map_scratch(m) * (size_t)omp_get_thread_num();

		cpu_map_begin(e, m, scratch);
#pragma omp for schedule(static) nowait
		for (size_t j = 0; j < m->parts * m->planes; j++) {
			size_t part = j / m->planes, end = part + 1 < m->parts ? whole * (part + 1) / m->parts * VECTOR : m->plane;

			piece(e, m, scratch, j % m->planes, whole * part / m->parts * VECTOR, end, NULL);
		}
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
		merge(&in, src_shape(e, j, k), &op_of(e, j)->shape, m->lanes, m->planes > 1);
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
	size_t n = m->lanes ? (size_t)s->dim[0] * s->dim[1] / e->dev->lanes : 1, threads = (size_t)e->dev->threads;

	if (n && e->count[i] / n < SHORT_PLANE)
		n = 1;
	m->planes = n;
	m->plane = n ? e->count[i] / n : 0;
	m->blocks = n > 1 ? s->dim[1] / e->dev->lanes : 1;
	m->parts = n > 1 && (s->dim[0] >= threads || m->plane < (size_t)FLAT_VALUE * s->dim[1] * e->dev->lanes) ? 1 : threads;
}

/* Operation j as the next instruction; its operands from outside are inputs already. */
static void instruct(struct inn_exec *e, struct map *m, uint32_t last, uint32_t at, uint32_t j, uint32_t *result)
{
	const struct inn_op *o = op_of(e, j);
	struct instr *q = &m->ins[m->n_ins];

	*q = (struct instr){ .fn = loops_of(e)->one[o->code], .code = o->code, .n = o->n_src, .op = j,
			     .to = e->need[j] && e->last[j] == last ? j : NONE };
	for (uint32_t k = 0; k < 4; k++) {
		uint32_t s = k < o->n_src ? root_of(e, j, k) : 0;

		q->a[k] = k >= o->n_src ? q->a[0] : result[s] ? m->n_in + result[s] - 1 : input_of(e, m, at, j, k);
	}
	result[j] = ++m->n_ins;
}

/* Inputs first: their number is where results begin. */
static int program(struct inn_exec *e, struct map *m, uint32_t last, uint32_t at, const uint32_t *member, uint32_t n)
{
	uint32_t *result = cpu_alloc(e, last + 1u, sizeof(*result)); /* instruction + 1, by operation */

	if (!result || !(m->ins = cpu_alloc(e, n, sizeof(*m->ins))) || !(m->in = cpu_alloc(e, (size_t)n * 3, sizeof(*m->in))))
		return INN_ENOMEM;
	for (uint32_t j = 0; j < n; j++)
		for (uint32_t k = 0; k < op_of(e, member[j])->n_src; k++)
			if (!cpu_makes(e, last, root_of(e, member[j], k)) && input_of(e, m, at, member[j], k) == NONE)
				return INN_ENOMEM;
	for (uint32_t j = 0; j < n; j++)
		instruct(e, m, last, at, member[j], result);
	return cpu_chain(e, m, loops_of(e)) ? assign(e, m) : INN_ENOMEM;
}

int cpu_map_of(struct inn_exec *e, uint32_t last, uint32_t at, bool blocks, uint32_t strip, struct map **out)
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
	for (uint32_t j = 0; j < n; j++)
		if (e->last[member[j]] == last)
			e->blocked[member[j]] = blocks;
	m->lanes = blocks ? e->dev->lanes : 0;
	m->strip = strip;
	planes(e, m, last);
	return program(e, m, last, at, member, n);
}

int cpu_map(struct inn_exec *e, uint32_t i)
{
	struct map *m;
	bool stored = false;
	int s = cpu_map_of(e, i, i, false, NONE, &m);

	if (s)
		return s;
	for (uint32_t k = 0; k < m->n_ins; k++)
		stored |= m->ins[k].to != NONE;
	cpu_scratch(e, cpu_map_scratch(m) * (size_t)e->dev->threads);
	if (e->count[i] && stored)
		e->step[i] = (struct step){ .fn = run_map, .arg = m, .op = i };
	return INN_OK;
}
