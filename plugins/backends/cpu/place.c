/* Where values stand in the arena: those with memory of their own by their lifetimes, the others inside of these. */
#include "cpu.h"

size_t cpu_bytes(const struct inn_exec *e, uint32_t at)
{
	uint32_t i = at < e->n_ops ? at : at - e->n_ops;

	if (at == NONE)
		return 0;
	return (at < e->n_ops ? e->need[i] && e->root[i] == i && !e->inside[i].of : e->twin[i]) ? round_up(cpu_floats(e, at) * sizeof(float)) : 0;
}

/* The plan as it is executed: a step reads what it recorded; behind the step that makes a value stand its twin and what
 * reads it once. Parameters are made by the step that copies them. Where a value stands inside of another, the other is read: it
 * lives from the first step that writes a part of it. */
struct low {
	struct inn_exec *e;
	struct inn_plan p;
	struct inn_op *ops;
	uint32_t *src, n_src, *block_at; /* src: locations, until all have their position */
	uint32_t *location, *position;   /* of each operation of p; of each location */
};

static size_t low_bytes(void *user, uint32_t k)
{
	const struct low *l = user;

	return cpu_bytes(l->e, l->location[k]);
}

static void low_op(struct low *l, uint32_t at, const struct inn_op *o)
{
	uint32_t k = l->p.n_ops++;

	l->ops[k] = *o;
	l->ops[k].src = l->n_src;
	l->ops[k].n_src = 0;
	l->location[k] = at;
	if (at != NONE)
		l->position[at] = k;
}

static void low_src(struct low *l, uint32_t location)
{
	size_t shift = 0;

	l->src[l->n_src++] = cpu_host(l->e, location, &shift);
	l->ops[l->p.n_ops - 1].n_src++;
}

static int low_blocks(struct low *l)
{
	const struct inn_plan *p = l->e->p;
	struct inn_block *b = cpu_alloc(l->e, p->n_blocks + 1u, sizeof(*b));

	if (!b)
		return INN_ENOMEM;
	for (uint32_t k = 0; k < p->n_blocks; k++) {
		uint32_t end = p->blocks[k].first + p->blocks[k].n;

		b[k] = p->blocks[k];
		b[k].first = l->block_at[b[k].first];
		b[k].n = l->block_at[end] - b[k].first;
		b[k].index = b[k].index < l->e->n_ops ? l->position[b[k].index] : 0;
	}
	l->p.blocks = b;
	return INN_OK;
}

static int lower(struct inn_exec *e, struct low *l)
{
	static const struct inn_op made = { .code = INN_OP_IOTA, .from = "" }, sink = { .code = INN_OP_ACCUMULATE, .from = "" };
	size_t n = (size_t)e->n_ops + 1, all = 3 * n + e->n_once;
	uint32_t r = 0, once = 0;

	*l = (struct low){ .e = e, .p = *e->p };
	if (!(l->ops = cpu_alloc(e, all, sizeof(*l->ops))) || !(l->src = cpu_alloc(e, e->n_reads + all, sizeof(*l->src))) ||
	    !(l->block_at = cpu_alloc(e, n, sizeof(*l->block_at))) || !(l->location = cpu_alloc(e, all, sizeof(*l->location))) ||
	    !(l->position = cpu_alloc(e, 2 * n, sizeof(*l->position))))
		return INN_ENOMEM;
	l->p.n_ops = 0;
	for (uint32_t i = 0; i < e->n_ops; i++) {
		const struct inn_op twin = { .code = INN_OP_RESHAPE, .from = "" };

		l->block_at[i] = l->p.n_ops;
		low_op(l, i, op_of(e, i)->code == INN_OP_PARAM ? &made : op_of(e, i));
		if (e->inside[i].of)
			low_src(l, i);
		for (; r < e->n_reads && e->read[r].op == i; r++)
			low_src(l, e->read[r].location);
		for (const struct twin *t = e->after[i].next; t; t = t->next) {
			low_op(l, e->n_ops + t->op, &twin);
			low_src(l, t->op);
		}
		for (; once < e->n_once && e->once[once].value == i; once++) {
			low_op(l, NONE, &sink);
			low_src(l, e->once[once].location);
		}
	}
	l->block_at[e->n_ops] = l->p.n_ops;
	for (uint32_t k = 0; k < l->n_src; k++)
		l->src[k] = l->position[l->src[k]] + 1;
	l->p.op_size = sizeof(*l->ops);
	l->p.ops = l->ops;
	l->p.src = l->src;
	return low_blocks(l);
}

int cpu_place(struct inn_exec *e)
{
	struct low l;

	cpu_sort_once(e);
	int s = lower(e, &l);
	size_t *offset = s ? NULL : cpu_alloc(e, l.p.n_ops + 1u, sizeof(*offset));

	if (!offset)
		return s ? s : INN_ENOMEM;
	s = inn_place(e->ctx, &l.p, low_bytes, &l, ALIGN, offset, &e->arena_size);
	for (uint32_t k = 0; !s && k < l.p.n_ops; k++)
		if (l.location[k] != NONE)
			e->offset[l.location[k]] = offset[k];
	return s;
}

void cpu_addresses(struct inn_exec *e)
{
	for (uint32_t at = 0; at < 2 * e->n_ops; at++)
		if (cpu_bytes(e, at))
			e->at[at] = (float *)(void *)(e->arena + e->offset[at]);
	for (uint32_t i = 0; i < e->n_ops; i++) {
		size_t shift = 0;

		if (e->inside[i].of)
			e->at[i] = e->at[cpu_host(e, i, &shift)];
		e->at[i] = e->at[i] ? e->at[i] + shift : NULL;
	}
}
