/* Elementwise groups: one pass over memory, in blocks that stay in the cache. */
#include "map.h"
#include <omp.h>
#include <string.h>

#define BLOCK 512u       /* elements that an instruction takes at a time: what stands between them stays in the cache */

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

/* Fetches what is read and written at n elements: short pieces of many planes are no stream that the processor sees. */
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

void cpu_map_fetch(const struct inn_exec *e, const struct map *m, uint32_t op, size_t plane, size_t from, size_t to)
{
	size_t start = plane * m->plane;

	for (uint32_t k = 0; k < m->n_in; k++)
		for (size_t j = start + from; m->in[k].kind == FLAT && m->in[k].op != op && j < start + to; j += VECTOR)
			__builtin_prefetch(e->at[m->in[k].op] + j, 0, 2);
	for (uint32_t k = 0; k < m->n_ins; k++)
		for (size_t j = start + from; m->ins[k].to != NONE && j < start + to; j += VECTOR)
			__builtin_prefetch(e->at[m->ins[k].to] + j, 1, 2);
}

/* Zeros where the last block has no channels. */
static void fill(const struct map *m, float *y, size_t n)
{
	for (size_t j = m->lanes - m->filled; j < n; j += m->lanes)
		memset(y + j, 0, m->filled * sizeof(*y));
}

/* n elements of a plane from `at` on. */
static void block(const struct inn_exec *e, const struct map *m, float *regs, struct operand *tab, size_t plane, size_t at, size_t n,
		  const struct strip *s)
{
	size_t start = plane * m->plane + at;
	bool fills = m->filled && plane % m->blocks + 1 == m->blocks;

	for (uint32_t k = 0; k < m->n_in; k++) {
		const struct input *in = &m->in[k];

		if (in->kind == FLAT)
			tab[k].x = s && s->op == in->op ? s->x + at - s->from : e->at[in->op] + start;
		else if (in->kind == STRIDED)
			gather(in, e->at[in->op], start, n, regs + (size_t)in->reg * BLOCK);
	}
	for (uint32_t k = 0; k < m->n_ins; k++) {
		const struct instr *q = &m->ins[k];
		float *y = q->to != NONE ? e->at[q->to] + start : regs + (size_t)q->reg * BLOCK;

		q->fn(y, &tab[q->a[0]], &tab[q->a[1]], &tab[q->a[2]], &tab[q->a[3]], n);
		if (fills && q->to != NONE)
			fill(m, y, n);
		tab[m->n_in + k].x = y;
	}
}

size_t cpu_map_scratch(const struct map *m)
{
	return round_up(((size_t)m->n_regs * BLOCK + m->n_in * VECTOR) * sizeof(float) + (m->n_in + m->n_ins) * sizeof(struct operand));
}

static float *same_of(const struct map *m, char *scratch) { return (float *)(void *)scratch + (size_t)m->n_regs * BLOCK; }
static struct operand *tab_of(const struct map *m, char *scratch) { return (struct operand *)(void *)(same_of(m, scratch) + m->n_in * VECTOR); }

/* The first `some` of n numbers, and zeros, again and again. */
static void repeat(float *to, const float *x, size_t some, size_t n)
{
	memset(to, 0, VECTOR * sizeof(*to));
	for (size_t j = 0; j < VECTOR; j += n)
		memcpy(to + j, x, some * sizeof(*to));
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

void cpu_map_piece(const struct inn_exec *e, const struct map *m, char *scratch, size_t plane, size_t from, size_t to, const struct strip *s)
{
	float *same = same_of(m, scratch);
	size_t first = from, lanes = m->lanes - (plane % m->blocks + 1 == m->blocks ? m->filled : 0);

	for (uint32_t k = 0; k < m->n_in; k++) {
		const struct input *in = &m->in[k];

		if (in->kind == CHANNELS)
			repeat(same + k * VECTOR, e->at[in->op] + plane / m->blocks * in->sample + plane % m->blocks * in->block, lanes, m->lanes);
	}
	for (size_t n; from < to; from += n) {
		n = to - from < BLOCK ? to - from : BLOCK;
		if (from + n < to)
			fetch(e, m, plane * m->plane + from + n, to - from - n < BLOCK ? to - from - n : BLOCK, s);
		else if (plane + 1 < m->planes && !s)
			fetch(e, m, (plane + 1) * m->plane + first, to - first < BLOCK ? to - first : BLOCK, s);
		block(e, m, (float *)(void *)scratch, tab_of(m, scratch), plane, from, n, s);
	}
}

static int run_map(struct inn_exec *e, uint32_t op, void *arg)
{
	const struct map *m = arg;
	size_t whole = m->plane / VECTOR;

	(void)op;
	cpu_deal(e, 0, m->parts * m->planes);
#pragma omp parallel num_threads(threads_for(e, m->planes * m->plane))
	{
		size_t thread = (size_t)omp_get_thread_num(), j;
		char *scratch = e->scratch + cpu_map_scratch(m) * thread;

		cpu_map_begin(e, m, scratch);
		while (cpu_next(e, 0, thread, &j)) {
			size_t part = j / m->planes, end = part + 1 < m->parts ? whole * (part + 1) / m->parts * VECTOR : m->plane;

			cpu_map_piece(e, m, scratch, j % m->planes, whole * part / m->parts * VECTOR, end, NULL);
		}
	}
	return INN_OK;
}

int cpu_map(struct inn_exec *e, uint32_t i)
{
	struct map *m;
	bool stored = false;
	int s = cpu_map_of(e, i, false, &m);

	if (s)
		return s;
	for (uint32_t k = 0; k < m->n_ins; k++)
		stored |= m->ins[k].to != NONE;
	cpu_scratch(e, cpu_map_scratch(m) * (size_t)e->dev->threads);
	if (e->count[i] && stored)
		e->step[i] = (struct step){ .fn = run_map, .arg = m, .op = i };
	return INN_OK;
}
