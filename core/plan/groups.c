/* Fusion groups: elementwise operations of one shape in one block, joined along their operands. */
#include "value.h"
#include <stdlib.h>

struct readers { uint32_t *first, *list; }; /* of op i: list[first[i] .. first[i + 1]) */
struct work {
	const struct inn_plan *p;
	struct readers r;
	uint32_t *group, *next, *head, *block; /* members of group g: head[g], next[...]; ops + 1, 0 ends */
};

static bool index_readers(const struct inn_plan *p, struct readers *r)
{
	size_t n = 0;

	for (uint32_t i = 0; i < p->n_ops; i++)
		n += inn_plan_op(p, i)->n_src;
	r->first = calloc((size_t)p->n_ops + 2, sizeof(*r->first));
	r->list = calloc(n + 1, sizeof(*r->list));
	if (!r->first || !r->list)
		return false;
	for (uint32_t i = 0; i < p->n_ops; i++)
		for (uint32_t k = 0; k < inn_plan_op(p, i)->n_src; k++)
			r->first[inn_plan_src(p, i, k) + 2]++;
	for (uint32_t i = 0; i < p->n_ops; i++)
		r->first[i + 2] += r->first[i + 1];
	for (uint32_t i = 0; i < p->n_ops; i++)
		for (uint32_t k = 0; k < inn_plan_op(p, i)->n_src; k++)
			r->list[r->first[inn_plan_src(p, i, k) + 1]++] = i;
	return true;
}

static void blocks(const struct inn_plan *p, uint32_t *block)
{
	for (uint32_t k = 0; k < p->n_blocks; k++) /* sorted by first: the inner ones come later */
		for (uint32_t i = 0; i < p->blocks[k].n; i++)
			block[p->blocks[k].first + i] = k;
}

/* Group g may run at i instead: nobody else reads a member before i, but those in g or `also`. */
static bool movable(const struct work *w, uint32_t g, uint32_t also, uint32_t i)
{
	for (uint32_t m = w->head[g]; m; m = w->next[m - 1])
		for (uint32_t k = w->r.first[m - 1]; k < w->r.first[m]; k++) {
			uint32_t reader = w->r.list[k];

			if (reader < i && w->group[reader] != g && (!also || w->group[reader] != also))
				return false;
		}
	return true;
}

static void push(struct work *w, uint32_t g, uint32_t i)
{
	w->next[i] = w->head[g];
	w->head[g] = i + 1;
	w->group[i] = g;
}

static void merge(struct work *w, uint32_t into, uint32_t from)
{
	while (w->head[from]) {
		uint32_t m = w->head[from] - 1;

		w->head[from] = w->next[m];
		push(w, into, m);
	}
}

/* Every elementwise operation starts as its own group i + 1, and takes in those of its operands that may wait for it. */
static void join(struct work *w, uint32_t i)
{
	const struct inn_op *o = inn_plan_op(w->p, i);

	if (!elementwise(o->code))
		return;
	push(w, i + 1, i);
	for (uint32_t k = 0; k < o->n_src; k++) {
		uint32_t s = inn_plan_src(w->p, i, k), g = w->group[s];

		if (!g || g == i + 1 || w->block[s] != w->block[i] || !inn_shape_eq(&inn_plan_op(w->p, s)->shape, &o->shape))
			continue;
		if (movable(w, g, i + 1, i))
			merge(w, i + 1, g);
	}
}

int inn_groups(inn_ctx *ctx, const struct inn_plan *p, uint32_t *group, uint32_t *n_groups)
{
	size_t n = (size_t)p->n_ops + 1;
	struct work w = { .p = p, .group = group, .next = calloc(n, sizeof(uint32_t)), .head = calloc(n, sizeof(uint32_t)),
			  .block = calloc(n, sizeof(uint32_t)) };
	int rc = INN_OK;

	*n_groups = 0;
	for (uint32_t i = 0; i < p->n_ops; i++)
		group[i] = 0;
	if (!w.next || !w.head || !w.block || !index_readers(p, &w.r)) {
		rc = inn_nomem(ctx);
	} else {
		blocks(p, w.block);
		for (uint32_t i = 0; i < p->n_ops; i++)
			join(&w, i);
		for (uint32_t g = 1; g <= p->n_ops; g++) { /* number the groups of two and more */
			bool several = w.head[g] && w.next[w.head[g] - 1];

			*n_groups += several;
			for (uint32_t m = w.head[g]; m; m = w.next[m - 1])
				group[m - 1] = several ? *n_groups : 0;
		}
	}
	free(w.next);
	free(w.head);
	free(w.block);
	free(w.r.first);
	free(w.r.list);
	return rc;
}
