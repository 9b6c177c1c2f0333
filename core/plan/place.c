/* Lifetimes to offsets: values in order of size, each at the lowest gap among those alive with it. */
#include "value.h"
#include <stdlib.h>

struct life { uint32_t from, to; };
struct placed { uint32_t op; size_t at, end; };

static bool inside(const struct inn_block *k, uint32_t i) { return i >= k->first && i - k->first < k->n; }

/* The loop of a CARRY or LOOP_* operation: the block of its index that holds it, else the innermost around it. */
static const struct inn_block *loop_of(const struct inn_plan *p, uint32_t i)
{
	const struct inn_op *o = inn_plan_op(p, i);
	uint32_t index = inn_plan_src(p, i, o->n_src - 1);
	const struct inn_block *best = NULL;

	for (uint32_t k = 2; k < p->n_blocks; k++) {
		const struct inn_block *b = &p->blocks[k];

		if (!inside(b, i))
			continue;
		if (b->index == index)
			return b;
		if (!best || b->n <= best->n)
			best = b;
	}
	return best;
}

static void stretch(struct life *v, uint32_t from, uint32_t to)
{
	if (from < v->from)
		v->from = from;
	if (to > v->to)
		v->to = to;
}

/* Operation i reads the value at s: alive until then, and through every loop around i that s stands outside of. */
static void read_at(const struct inn_plan *p, struct life *v, uint32_t s, uint32_t i)
{
	stretch(v, i, i);
	if (p->n_blocks && inside(&p->blocks[0], s) && !inside(&p->blocks[0], i))
		stretch(v, i, p->n_ops - 1);
	for (uint32_t k = 2; k < p->n_blocks; k++) {
		const struct inn_block *b = &p->blocks[k];

		if (inside(b, i) && !inside(b, s))
			stretch(v, i, b->first + b->n - 1);
	}
}

static void lives(const struct inn_plan *p, struct life *v)
{
	for (uint32_t i = 0; i < p->n_ops; i++)
		v[i] = (struct life){ i, i };
	for (uint32_t i = 0; i < p->n_ops; i++) {
		const struct inn_op *o = inn_plan_op(p, i);

		for (uint32_t k = 0; k < o->n_src; k++)
			read_at(p, &v[inn_plan_src(p, i, k)], inn_plan_src(p, i, k), i);
		switch (o->code) {
		case INN_OP_INPUT: case INN_OP_PARAM: case INN_OP_INDEX: case INN_OP_ACCUMULATE:
			stretch(&v[i], 0, p->n_ops - 1);
			break;
		case INN_OP_OUTPUT:
			stretch(&v[i], i, p->n_ops - 1);
			break;
		case INN_OP_LOOP_SUM: case INN_OP_LOOP_STACK: case INN_OP_CARRY: case INN_OP_LOOP_LAST: {
			const struct inn_block *b = loop_of(p, i);

			if (!b)
				break;
			stretch(&v[i], b->first, b->first + b->n - 1);
			if (o->code == INN_OP_LOOP_LAST) /* the carry takes it over in the next iteration */
				stretch(&v[inn_plan_src(p, i, 0)], b->first, b->first + b->n - 1);
			break;
		}
		default:
			break;
		}
	}
}

/* A fusion group may run at its last member: until then all that it reads and makes must stand. */
static int fused_lives(inn_ctx *ctx, const struct inn_plan *p, struct life *v, uint32_t *group, uint32_t *last)
{
	uint32_t n_groups;
	int rc = inn_groups(ctx, p, group, &n_groups);

	for (uint32_t i = 0; rc == INN_OK && i < p->n_ops; i++)
		last[group[i]] = i;
	for (uint32_t i = 0; rc == INN_OK && i < p->n_ops; i++) {
		if (!group[i])
			continue;
		read_at(p, &v[i], i, last[group[i]]);
		for (uint32_t k = 0; k < inn_plan_op(p, i)->n_src; k++)
			read_at(p, &v[inn_plan_src(p, i, k)], inn_plan_src(p, i, k), last[group[i]]);
	}
	return rc;
}

struct size { size_t n; uint32_t op; };

static int larger(const void *a, const void *b)
{
	const struct size *p = a, *q = b;

	if (p->n != q->n)
		return p->n < q->n ? 1 : -1;
	return p->op < q->op ? -1 : 1;
}

/* The lowest offset where n bytes are free of every value alive with `v`. */
static size_t gap(const struct placed *at, uint32_t n_at, const struct life *life, const struct life *v, size_t n)
{
	size_t offset = 0;

	for (uint32_t i = 0; i < n_at; i++) { /* sorted by offset */
		const struct life *w = &life[at[i].op];

		if (w->to < v->from || v->to < w->from)
			continue;
		if (at[i].at >= offset && at[i].at - offset >= n)
			break;
		if (at[i].end > offset)
			offset = at[i].end;
	}
	return offset;
}

static int assign(inn_ctx *ctx, const struct size *size, uint32_t n, const struct life *life, size_t align, struct placed *at,
		  size_t *offset, size_t *total)
{
	uint32_t n_at = 0;

	*total = 0;
	for (uint32_t i = 0; i < n; i++) {
		size_t need = size[i].n;

		if (need > SIZE_MAX / 2 || *total > SIZE_MAX / 2)
			return inn_fail(ctx, INN_ELIMIT, NULL, "the plan needs more memory than can be addressed");
		need = (need + align - 1) / align * align;
		size_t where = gap(at, n_at, life, &life[size[i].op], need);
		uint32_t k = n_at++;

		for (; k && at[k - 1].at > where; k--)
			at[k] = at[k - 1];
		at[k] = (struct placed){ size[i].op, where, where + need };
		offset[size[i].op] = where;
		if (where + need > *total)
			*total = where + need;
	}
	return INN_OK;
}

int inn_place(inn_ctx *ctx, const struct inn_plan *p, size_t (*bytes)(void *user, uint32_t op), void *user, size_t align,
	      size_t *offset, size_t *total)
{
	size_t n_ops = (size_t)p->n_ops + 1;
	struct life *life = calloc(n_ops, sizeof(*life));
	struct size *size = calloc(n_ops, sizeof(*size));
	struct placed *at = calloc(n_ops, sizeof(*at));
	uint32_t n = 0, *group = calloc(2 * n_ops, sizeof(*group));
	int rc = INN_OK;

	if (!life || !size || !at || !group) {
		rc = inn_nomem(ctx);
	} else {
		lives(p, life);
		rc = fused_lives(ctx, p, life, group, group + n_ops);
	}
	if (rc == INN_OK) {
		for (uint32_t i = 0; i < p->n_ops; i++) {
			size_t need = bytes(user, i);

			offset[i] = 0;
			if (need)
				size[n++] = (struct size){ need, i };
		}
		qsort(size, n, sizeof(*size), larger);
		rc = assign(ctx, size, n, life, align ? align : 1, at, offset, total);
	}
	free(life);
	free(size);
	free(at);
	free(group);
	return rc;
}
