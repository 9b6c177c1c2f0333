/* What a group of elementwise operations makes again instead of reading it from memory: a value that consists of what the group reads
 * anyway. Memory takes longer than the few instructions, and a value that everybody makes again is never stored. */
#include "cpu.h"
#include <stdlib.h>
#include <string.h>

#define DEPTH 3 /* operations from what is read to what is made again */

enum mark { UNKNOWN, READ, MADE }; /* of values, for the group that is looked at */

static bool is_end(const struct inn_exec *e, uint32_t i) { return is_map(op_of(e, i)->code) && e->last[i] == i && !e->head[i]; }

static bool is_member(const struct inn_exec *e, uint32_t i, uint32_t j) { return is_map(op_of(e, j)->code) && e->last[j] == i && !e->head[j]; }

/* One number for many elements, which costs no memory worth counting, and stays. */
static bool is_small(const struct inn_exec *e, uint32_t s, uint32_t i) { return !op_of(e, s)->home && e->count[s] < e->count[i]; }

/* Group i can make s of what is marked READ, in at most `depth` steps. */
static bool can_make(const struct inn_exec *e, const uint8_t *mark, uint32_t i, uint32_t s, uint32_t depth)
{
	const struct inn_op *o = op_of(e, s);

	if (!depth || !is_map(o->code) || e->head[s] || e->last[s] == i || !inn_shape_eq(&o->shape, &op_of(e, i)->shape))
		return false;
	for (uint32_t k = 0; k < o->n_src; k++) {
		uint32_t r = root_of(e, s, k);

		if (op_of(e, r)->code != INN_OP_CONST && mark[r] == UNKNOWN && !is_small(e, r, i) && !can_make(e, mark, i, r, depth - 1))
			return false;
	}
	return true;
}

static void make(const struct inn_exec *e, uint8_t *mark, uint32_t i, uint32_t s)
{
	mark[s] = MADE;
	for (uint32_t k = 0; k < op_of(e, s)->n_src; k++) {
		uint32_t r = root_of(e, s, k);

		if (op_of(e, r)->code != INN_OP_CONST && mark[r] == UNKNOWN && !is_small(e, r, i))
			make(e, mark, i, r);
	}
}

int cpu_again(struct inn_exec *e)
{
	uint8_t *mark = cpu_alloc(e, (size_t)e->n_ops + 1, sizeof(*mark));

	for (uint32_t i = 0; mark && i < e->n_ops; i++) {
		if (!is_end(e, i))
			continue;
		memset(mark, UNKNOWN, e->n_ops);
		for (uint32_t j = 0; j <= i; j++)
			for (uint32_t k = 0; is_member(e, i, j) && k < op_of(e, j)->n_src; k++) {
				uint32_t r = root_of(e, j, k);

				if (op_of(e, r)->code != INN_OP_CONST && !is_member(e, i, r))
					mark[r] = READ;
			}
		for (uint32_t s = 0; s < i; s++) /* what is made of s comes later */
			if (mark[s] == READ && can_make(e, mark, i, s, DEPTH))
				make(e, mark, i, s);
		for (uint32_t s = 0; s < i; s++) {
			if (mark[s] != MADE)
				continue;
			if (!cpu_room(e, &e->again, e->n_again, &e->cap_again, sizeof(*e->again)))
				return INN_ENOMEM;
			e->again[e->n_again++] = (struct again){ i, s };
		}
	}
	return mark ? INN_OK : INN_ENOMEM;
}

static int by_group(const void *a, const void *b)
{
	const struct again *p = a, *q = b;

	if (p->at != q->at)
		return p->at < q->at ? -1 : 1;
	return p->op < q->op ? -1 : p->op > q->op;
}

bool cpu_makes(const struct inn_exec *e, uint32_t i, uint32_t s)
{
	const struct again one = { i, s };

	return is_member(e, i, s) || (e->n_again && bsearch(&one, e->again, e->n_again, sizeof(one), by_group));
}
