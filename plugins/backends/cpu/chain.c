/* Chains of elementwise instructions, made one, so that what stands between them never leaves the registers. The numbers are those
 * of the single instructions. */
#include "map.h"

/* The instruction whose result operand j of q is, if it does `code`, only q reads it, and it is not stored; else NULL. */
static struct instr *only_for(const struct map *m, const uint32_t *uses, const struct instr *q, uint32_t j, uint32_t code)
{
	struct instr *s = q->a[j] < m->n_in ? NULL : &m->ins[q->a[j] - m->n_in];

	return s && s->code == code && s->to == NONE && uses[q->a[j] - m->n_in] == 1 ? s : NULL;
}

static void become(struct instr *q, loop_fn fn, uint32_t a, uint32_t b, uint32_t c, uint32_t d)
{
	q->code = INN_OPS;
	q->fn = fn;
	q->a[0] = a;
	q->a[1] = b;
	q->a[2] = c;
	q->a[3] = d;
}

/* What rules divide by: z + eps [z = 0], and z + eps with the sign of z. */
static bool stabilizer(const struct map *m, const struct loops *l, const uint32_t *uses, struct instr *q)
{
	for (uint32_t j = 0; q->code == INN_OP_ADD && j < 2; j++) {
		uint32_t z = q->a[1 - j];
		struct instr *part = only_for(m, uses, q, j, INN_OP_MUL), *when = part ? only_for(m, uses, part, 0, INN_OP_EQ) : NULL;

		if (when && when->a[0] == z) {
			become(q, l->guard, z, when->a[1], part->a[1], z);
			part->fn = when->fn = NULL;
			return true;
		}
		part = only_for(m, uses, q, j, INN_OP_SELECT);
		when = part ? only_for(m, uses, part, 0, INN_OP_GE) : NULL;
		if (when && when->a[0] == z) {
			become(q, l->sign, z, when->a[1], part->a[1], part->a[2]);
			part->fn = when->fn = NULL;
			return true;
		}
	}
	return false;
}

static void pair(const struct map *m, const struct loops *l, const uint32_t *uses, struct instr *q)
{
	for (const struct pair *p = l->pairs; p->fn; p++) {
		struct instr *s = q->code == p->second ? only_for(m, uses, q, p->at, p->first) : NULL;

		if (!s)
			continue;
		become(q, p->fn, s->a[0], s->a[1], q->a[1 - p->at], s->a[0]);
		s->fn = NULL;
		return;
	}
}

/* (top > x) and (x > low), one after the other. */
static void between(const struct map *m, const struct loops *l, const uint32_t *uses, struct instr *q)
{
	struct instr *s = q->fn == l->gt_mul ? only_for(m, uses, q, 2, INN_OPS) : NULL;

	if (!s || s->fn != l->gt_mul || (s->a[1] != q->a[0] && q->a[1] != s->a[0]))
		return;
	if (s->a[1] == q->a[0])
		become(q, l->between, s->a[0], q->a[0], q->a[1], s->a[2]);
	else
		become(q, l->between, q->a[0], q->a[1], s->a[1], s->a[2]);
	s->fn = NULL;
}

/* x * c / (z + eps). */
static void quotient(const struct map *m, const struct loops *l, const uint32_t *uses, struct instr *q)
{
	struct instr *s = q->fn == l->div_add ? only_for(m, uses, q, 2, INN_OP_MUL) : NULL;

	if (!s)
		return;
	become(q, l->mul_div_add, s->a[0], s->a[1], q->a[0], q->a[1]);
	s->fn = NULL;
}

bool cpu_chain(struct inn_exec *e, struct map *m, const struct loops *l)
{
	uint32_t *uses = cpu_alloc(e, m->n_ins + 1u, sizeof(*uses)), *now = cpu_alloc(e, m->n_ins + 1u, sizeof(*now)), n = 0;

	if (!uses || !now)
		return false;
	for (uint32_t k = 0; k < m->n_ins; k++)
		for (uint32_t j = 0; j < m->ins[k].n; j++)
			if (m->ins[k].a[j] >= m->n_in)
				uses[m->ins[k].a[j] - m->n_in]++;
	for (uint32_t k = 0; k < m->n_ins; k++)
		if (!stabilizer(m, l, uses, &m->ins[k]))
			pair(m, l, uses, &m->ins[k]);
	for (uint32_t k = 0; k < m->n_ins; k++) {
		between(m, l, uses, &m->ins[k]);
		quotient(m, l, uses, &m->ins[k]);
	}
	for (uint32_t k = 0; k < m->n_ins; k++) {
		struct instr *q = &m->ins[n];

		if (!m->ins[k].fn)
			continue;
		*q = m->ins[k];
		for (uint32_t j = 0; j < 4; j++)
			if (q->a[j] >= m->n_in)
				q->a[j] = m->n_in + now[q->a[j] - m->n_in];
		now[k] = n++;
	}
	m->n_ins = n;
	return true;
}
