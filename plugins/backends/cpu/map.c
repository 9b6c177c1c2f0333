/* Elementwise groups: one pass over memory, in blocks that stay in the cache. */
#include "cpu.h"
#include <math.h>
#include <omp.h>
#include <string.h>

#define BLOCK 2048u

typedef void (*loop_fn)(float *restrict y, const float *restrict a, const float *restrict b, const float *restrict c, size_t n);

#define TARGET
#define V(name) base_##name
#include "map_ops.h"
#if defined(__x86_64__)
#define TARGET __attribute__((target("avx512f,avx512vl,avx512dq,avx512bw")))
#define V(name) wide_##name
#include "map_ops.h"
#endif

enum source { IMMEDIATE, FLAT, STRIDED };
struct input {
	enum source kind;
	uint32_t op, reg;   /* reg: where the block is gathered; not for FLAT */
	float value;
	uint32_t nd;
	size_t dim[INN_MAX_RANK + 1], stride[INN_MAX_RANK + 1]; /* merged axes, innermost last */
};
struct instr { loop_fn fn; uint32_t a[3], op, reg; }; /* a: inputs, then results; op: where it is stored or NONE */
struct map {
	struct input *in;
	struct instr *ins;
	uint32_t n_in, n_ins, n_regs;
	size_t count;
};

/* Axes of the output, in the order in which it is stored, merged as far as the dense operand is read with one stride. */
static void merge(struct input *in, const struct inn_shape *x, const struct inn_shape *y, uint32_t lanes)
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

static void block(const struct inn_exec *e, const struct map *m, float *regs, const float **tab, size_t start)
{
	size_t n = m->count - start < BLOCK ? m->count - start : BLOCK;

	for (uint32_t k = 0; k < m->n_in; k++) {
		const struct input *in = &m->in[k];

		if (in->kind == FLAT)
			tab[k] = e->at[in->op] + start;
		else if (in->kind == STRIDED)
			gather(in, e->at[in->op], start, n, regs + (size_t)in->reg * BLOCK);
	}
	for (uint32_t k = 0; k < m->n_ins; k++) {
		const struct instr *q = &m->ins[k];
		float *y = q->op != NONE ? e->at[q->op] + start : regs + (size_t)q->reg * BLOCK;

		q->fn(y, tab[q->a[0]], tab[q->a[1]], tab[q->a[2]], n);
		tab[m->n_in + k] = y;
	}
}

static size_t scratch_of(const struct map *m)
{
	return round_up((size_t)m->n_regs * BLOCK * sizeof(float) + (m->n_in + m->n_ins) * sizeof(void *));
}

static int run_map(struct inn_exec *e, uint32_t op, void *arg)
{
	const struct map *m = arg;
	size_t n_blocks = (m->count + BLOCK - 1) / BLOCK;

	(void)op;
#pragma omp parallel num_threads(threads_for(e, m->count))
	{
		float *regs = (float *)(void *)(e->scratch + scratch_of(m) * (size_t)omp_get_thread_num());
		const float **tab = (const float **)(void *)(regs + (size_t)m->n_regs * BLOCK);

		for (uint32_t k = 0; k < m->n_in; k++) {
			float *r = regs + (size_t)m->in[k].reg * BLOCK;

			tab[k] = r;
			for (size_t j = 0; m->in[k].kind == IMMEDIATE && j < BLOCK; j++)
				r[j] = m->in[k].value;
		}
#pragma omp for schedule(static)
		for (size_t b = 0; b < n_blocks; b++)
			block(e, m, regs, tab, b * BLOCK);
	}
	return INN_OK;
}

static bool same_read(const struct input *a, const struct input *b)
{
	if (a->kind != b->kind || a->op != b->op || a->kind == IMMEDIATE)
		return a->kind == IMMEDIATE && b->kind == IMMEDIATE && !memcmp(&a->value, &b->value, sizeof(a->value));
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
		merge(&in, src_shape(e, j, k), &op_of(e, j)->shape, e->blocked[i] ? e->dev->lanes : 0);
		in.op = cpu_dense(e, i, j, k);
	}
	if (in.op == NONE)
		return NONE;
	for (uint32_t n = 0; n < m->n_in; n++)
		if (same_read(&in, &m->in[n]))
			return n;
	if (in.kind != FLAT)
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
		if (m->ins[k].op == NONE)
			m->ins[k].reg = n_idle ? idle[--n_idle] : m->n_regs++;
		for (uint32_t j = 0; j < k; j++)
			if (last[j] == k && m->ins[j].op == NONE)
				idle[n_idle++] = m->ins[j].reg;
	}
	return INN_OK;
}

static loop_fn loop_of(const struct inn_exec *e, uint32_t code)
{
#if defined(__x86_64__)
	if (e->dev->wide)
		return wide_table[code];
#endif
	(void)e;
	return base_table[code];
}

int cpu_map(struct inn_exec *e, uint32_t i)
{
	struct map *m = cpu_alloc(e, 1, sizeof(*m));
	uint32_t *result = cpu_alloc(e, i + 1u, sizeof(*result)), first = i, n = 0; /* instruction + 1, by operation */
	bool blocked = false;

	for (uint32_t j = i + 1; j-- > 0;)
		if (e->last[j] == i && is_map(op_of(e, j)->code)) {
			first = j;
			n++;
			for (uint32_t k = 0; k < op_of(e, j)->n_src; k++)
				blocked |= whole(e, j, k) && cpu_is_block(e, j, k);
		}
	for (uint32_t j = first; j <= i; j++)
		if (e->last[j] == i && is_map(op_of(e, j)->code))
			e->blocked[j] = blocked;
	if (!m || !result || !(m->ins = cpu_alloc(e, n, sizeof(*m->ins))) || !(m->in = cpu_alloc(e, (size_t)n * 3, sizeof(*m->in))))
		return INN_ENOMEM;
	for (uint32_t pass = 0; pass < 2; pass++) { /* inputs first: their number is where results begin */
		for (uint32_t j = first; j <= i; j++) {
			const struct inn_op *o = op_of(e, j);

			if (e->last[j] != i || !is_map(o->code))
				continue;
			struct instr *q = &m->ins[pass ? m->n_ins : 0];

			for (uint32_t k = 0; k < o->n_src; k++) {
				uint32_t s = root_of(e, j, k);
				bool inside = s < j && s >= first && e->last[s] == i && is_map(op_of(e, s)->code);

				if (!inside && (q->a[k] = input_of(e, m, i, j, k)) == NONE)
					return INN_ENOMEM;
				if (inside && pass)
					q->a[k] = m->n_in + result[s] - 1;
			}
			for (uint32_t k = o->n_src; k < 3; k++)
				q->a[k] = q->a[0];
			if (!pass)
				continue;
			q->fn = loop_of(e, o->code);
			q->op = e->need[j] ? j : NONE;
			result[j] = ++m->n_ins;
		}
	}
	m->count = e->count[i];
	if (assign(e, m))
		return INN_ENOMEM;
	cpu_scratch(e, scratch_of(m) * (size_t)e->dev->threads);
	if (m->count)
		e->step[i] = (struct step){ .fn = run_map, .arg = m, .op = i };
	return INN_OK;
}
