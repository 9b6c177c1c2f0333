/* Execution order. Operations of one context (the loops open around them) are emitted level by level; a level is the
 * longest chain of loop reductions beneath. Reductions of one index and level share one sweep; what two sweeps need is
 * emitted in both. */
#include "value.h"
#include <stdlib.h>
#include <string.h>

struct emitter {
	inn_build *b;
	struct inn_plan *p;
	struct inn_op *op;
	uint32_t n, cap;
	uint32_t *src, n_src, cap_src;
	struct inn_block *block;
	uint32_t n_blocks, cap_blocks;
	uint32_t *at;    /* value -> position + 1 in the open scopes */
	bool failed;
};

static bool room(struct emitter *e, void *array, uint32_t n, uint32_t more, uint32_t *cap, size_t size)
{
	void **a = array, *q;

	if (n + more <= *cap)
		return true;
	q = realloc(*a, (size_t)(n + more) * 2 * size);
	if (!q) {
		inn_nomem(e->b->ctx);
		e->failed = true;
		return false;
	}
	*a = q;
	*cap = (n + more) * 2;
	return true;
}

/* The plan's home: loops by depth instead of by number. */
static uint64_t by_depth(const inn_build *b, uint64_t home)
{
	uint64_t h = home & BATCH;

	for (uint32_t l = 0; l < b->n_loops; l++)
		if (home >> (l + 1) & 1)
			h |= (uint64_t)2 << attr_of(b, b->loop[l])[1];
	return h;
}

static void put(struct emitter *e, uint32_t v)
{
	struct inn_op o = val(e->b, v)->op;
	uint32_t at = e->n_src;

	if (e->failed || !room(e, &e->op, e->n, 1, &e->cap, sizeof(*e->op)) ||
	    !room(e, &e->src, e->n_src, o.n_src, &e->cap_src, sizeof(*e->src)))
		return;
	for (uint32_t k = 0; k < o.n_src; k++) {
		uint32_t s = e->at[src_of(e->b, v, k)];

		if (!s) {
			inn_fail(e->b->ctx, INN_EBUG, NULL, "schedule: %s (%s) stands before its operand %u", inn_op_name(o.code), o.from, k);
			e->failed = true;
			return;
		}
		e->src[e->n_src++] = s;
	}
	o.src = at;
	o.home = by_depth(e->b, o.home);
	e->op[e->n++] = o;
	e->at[v] = e->n;
}

static uint64_t loops_of(const inn_build *b, uint32_t v) { return val(b, v)->op.home & ~(uint64_t)BATCH; }
static bool inside(uint64_t loops, uint64_t context) { return !(loops & ~context); }

static void emit(struct emitter *e, uint64_t context, uint32_t parent, const bool *target);

/* What the sweep's bodies need, marked in `need`; states among it get their LOOP_LAST into the group. */
static uint32_t with_states(struct emitter *e, uint32_t index, uint32_t *group, uint32_t n, bool *need)
{
	inn_build *b = e->b;

	for (bool again = true; again;) {
		again = false;
		memset(need, 0, b->n * sizeof(*need));
		for (uint32_t i = 0; i < n; i++)
			need[group[i]] = true;
		for (uint32_t v = b->n - 1; v > 0; v--)
			for (uint32_t k = 0; need[v] && k < val(b, v)->op.n_src; k++)
				need[src_of(b, v, k)] |= !e->at[src_of(b, v, k)];
		for (uint32_t v = 1; v < b->n; v++) {
			if (need[v] || val(b, v)->op.code != INN_OP_LOOP_LAST || !need[src_of(b, v, 1)] || src_of(b, v, 2) != index)
				continue;
			group[n++] = v;
			again = true;
		}
	}
	return n;
}

/* One sweep over index i: the bodies of the reductions in `group` (values), then the reductions. */
static void sweep(struct emitter *e, uint64_t context, uint32_t parent, uint32_t index, const uint32_t *group, uint32_t n)
{
	inn_build *b = e->b;
	bool *target = calloc(b->n, sizeof(*target));
	uint32_t *saved = malloc(b->n * sizeof(*saved)), me = e->n_blocks, first = e->n;

	if (!target || !saved || !room(e, &e->block, e->n_blocks, 1, &e->cap_blocks, sizeof(*e->block))) {
		inn_nomem(b->ctx);
		e->failed = true;
	} else {
		e->n_blocks++;
		memcpy(saved, e->at, b->n * sizeof(*saved));
		for (uint32_t i = 0; i < n; i++)
			for (uint32_t k = 0; k < val(b, group[i])->op.n_src; k++)
				target[src_of(b, group[i], k)] = true;
		emit(e, context | val(b, index)->op.home, me, target);
		for (uint32_t i = 0; i < n; i++) {
			put(e, group[i]);
			saved[group[i]] = e->at[group[i]];
		}
		e->block[me] = (struct inn_block){ .first = first, .n = e->n - first, .index = e->at[index] ? e->at[index] - 1 : first,
						   .count = attr_of(b, index)[0], .parent = parent };
		memcpy(e->at, saved, b->n * sizeof(*saved));
	}
	free(target);
	free(saved);
}

static bool reduces_here(const inn_build *b, uint32_t v, uint64_t context)
{
	return reduces_loop(val(b, v)->op.code) && inside(loops_of(b, v), context);
}

/* Marks what the targets need and is not there yet; gives the highest level. */
static uint32_t levels(struct emitter *e, uint64_t context, const bool *target, bool *need, uint32_t *level)
{
	inn_build *b = e->b;
	uint32_t top = 0;

	for (uint32_t v = b->n - 1; v > 0; v--) {
		need[v] = (need[v] || target[v]) && !e->at[v];
		for (uint32_t k = 0; need[v] && k < val(b, v)->op.n_src; k++)
			need[src_of(b, v, k)] = true;
	}
	for (uint32_t v = 1; v < b->n; v++) {
		if (!need[v])
			continue;
		for (uint32_t k = 0; k < val(b, v)->op.n_src; k++)
			if (level[src_of(b, v, k)] > level[v])
				level[v] = level[src_of(b, v, k)];
		level[v] += reduces_here(b, v, context);
		if (inside(loops_of(b, v), context) && level[v] > top)
			top = level[v];
	}
	return top;
}

static void sweeps(struct emitter *e, uint64_t context, uint32_t parent, const bool *need, const uint32_t *level, uint32_t l, uint32_t *group)
{
	inn_build *b = e->b;
	bool *states = calloc(b->n, sizeof(*states));

	if (!states) {
		inn_nomem(b->ctx);
		e->failed = true;
	}
	for (uint32_t i = 0; i < b->n_loops && !e->failed; i++) {
		uint32_t n = 0;

		for (uint32_t v = 1; v < b->n; v++)
			if (need[v] && level[v] == l && reduces_here(b, v, context) &&
			    src_of(b, v, val(b, v)->op.n_src - 1) == b->loop[i])
				group[n++] = v;
		if (n)
			n = with_states(e, b->loop[i], group, n, states);
		if (n)
			sweep(e, context, parent, b->loop[i], group, n);
	}
	free(states);
}

static void emit(struct emitter *e, uint64_t context, uint32_t parent, const bool *target)
{
	inn_build *b = e->b;
	bool *need = calloc(b->n, sizeof(*need));
	uint32_t *level = calloc(b->n, sizeof(*level)), *group = malloc(b->n * sizeof(*group));

	if (!need || !level || !group) {
		inn_nomem(b->ctx);
		e->failed = true;
	} else {
		uint32_t top = levels(e, context, target, need, level);

		for (uint32_t l = 0; l <= top && !e->failed; l++) {
			if (l)
				sweeps(e, context, parent, need, level, l, group);
			for (uint32_t v = 1; v < b->n && !e->failed; v++)
				if (need[v] && level[v] == l && inside(loops_of(b, v), context) && !reduces_here(b, v, context))
					put(e, v);
		}
	}
	free(need);
	free(level);
	free(group);
}

/* Block 0: what depends on no batch; block 1: the rest. */
static void blocks(struct emitter *e, const uint32_t *outputs, uint32_t n, bool *target)
{
	inn_build *b = e->b;

	if (!room(e, &e->block, 0, 2, &e->cap_blocks, sizeof(*e->block)))
		return;
	e->n_blocks = 2;
	inn__live(b, outputs, n, target);
	for (uint32_t v = 1; v < b->n; v++)
		target[v] = target[v] && !val(b, v)->op.home;
	emit(e, 0, 0, target);
	uint32_t once = e->n;

	memset(target, 0, b->n * sizeof(*target));
	for (uint32_t i = 0; i < n; i++)
		target[outputs[i]] = true;
	emit(e, 0, 1, target);
	e->block[0] = (struct inn_block){ .first = 0, .n = once, .count = 1 };
	e->block[1] = (struct inn_block){ .first = once, .n = e->n - once, .count = 1, .parent = 1 };
}

static uint64_t fold(uint64_t h, const void *data, size_t n)
{
	const uint8_t *p = data;

	for (size_t i = 0; i < n; i++)
		h = (h ^ p[i]) * 0x100000001b3u;
	return h;
}

static uint64_t plan_hash(const struct emitter *e, const struct inn_plan *p)
{
	uint64_t h = 0xcbf29ce484222325u;

	for (uint32_t i = 0; i < e->n; i++) {
		const struct inn_op *o = &e->op[i];

		h = fold(h, &o->code, sizeof(o->code));
		h = fold(h, o->shape.dim, o->shape.rank * sizeof(*o->shape.dim));
		h = fold(h, e->src + o->src, o->n_src * sizeof(*e->src));
		h = fold(h, p->attr + o->attr, o->n_attr * sizeof(*p->attr));
	}
	return h;
}

/* Moves the emitter's arrays into the plan. */
static bool finish(struct emitter *e, struct inn_plan *p)
{
	inn_build *b = e->b;
	uint32_t *attr = malloc((b->n_attr + 1u) * sizeof(*attr));
	const char **names = malloc((b->n_names + 1u) * sizeof(*names));
	struct inn_param_data *params = calloc(e->n + 1u, sizeof(*params));

	p->attr = attr;
	p->names = names;
	p->params = params;
	if (!attr || !names || !params) {
		inn_nomem(b->ctx);
		return false;
	}
	if (b->n_attr)
		memcpy(attr, b->attr, b->n_attr * sizeof(*attr));
	if (b->n_names)
		memcpy(names, b->name, b->n_names * sizeof(*names));
	for (uint32_t i = 0; i < e->n; i++)
		if (e->op[i].code == INN_OP_PARAM)
			params[p->n_params++] = (struct inn_param_data){ .op = i, .data = b->data[attr[e->op[i].attr]] };
	p->hash = plan_hash(e, p);
	return true;
}

struct inn_plan *inn__schedule(inn_build *b, const uint32_t *outputs, uint32_t n, bool strict)
{
	struct emitter e = { .b = b, .at = calloc(b->n, sizeof(*e.at)) };
	bool *target = calloc(b->n, sizeof(*target)), ok = false;
	struct inn_plan *p = calloc(1, sizeof(*p));

	if (!e.at || !target || !p) {
		inn_nomem(b->ctx);
	} else {
		blocks(&e, outputs, n, target);
		*p = (struct inn_plan){ .op_size = sizeof(struct inn_op), .n_ops = e.n, .ops = e.op, .src = e.src, .blocks = e.block,
					.n_blocks = e.n_blocks, .batch = b->batch, .strict = strict };
		ok = !e.failed && finish(&e, p);
	}
	free(e.at);
	free(target);
	if (ok)
		return p;
	inn__plan_free(p);
	return NULL;
}

void inn__plan_free(struct inn_plan *p)
{
	if (!p)
		return;
	free((void *)(uintptr_t)p->ops);
	free((void *)(uintptr_t)p->src);
	free((void *)(uintptr_t)p->attr);
	free((void *)(uintptr_t)p->blocks);
	free((void *)(uintptr_t)p->names);
	free((void *)(uintptr_t)p->params);
	free(p);
}
