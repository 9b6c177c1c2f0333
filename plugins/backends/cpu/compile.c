/* A plan becomes steps; then everything is placed and all memory is taken. */
#include "cpu.h"
#include <omp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#define LARGE_PAGE ((size_t)2 << 20)

void *cpu_alloc(struct inn_exec *e, size_t n, size_t size)
{
	size_t head = round_up(sizeof(struct alloc));
	struct alloc *a = size && n > (SIZE_MAX - head) / size ? NULL : calloc(1, head + n * size);

	if (!a) {
		inn_nomem(e->ctx);
		return NULL;
	}
	a->next = e->allocs;
	e->allocs = a;
	return (char *)a + head;
}

bool cpu_room(struct inn_exec *e, void *array, uint32_t n, uint32_t *cap, size_t size)
{
	void **a = array, *q;

	if (n < *cap)
		return true;
	q = realloc(*a, ((size_t)n * 2 + 16) * size);
	if (!q) {
		inn_nomem(e->ctx);
		return false;
	}
	*a = q;
	*cap = n * 2 + 16;
	return true;
}

void cpu_strides(const struct inn_shape *in, const struct inn_shape *out, size_t *stride)
{
	size_t s = 1;
	uint32_t shift = out->rank - in->rank;

	for (uint32_t d = out->rank; d-- > 0;) {
		stride[d] = d < shift || in->dim[d - shift] == 1 ? 0 : s;
		if (d >= shift)
			s *= in->dim[d - shift];
	}
}

void cpu_release(inn_exec *e)
{
	if (!e)
		return;
	for (uint32_t i = 0; i < e->n_prims; i++)
		dnnl_primitive_destroy(e->prim[i]);
	for (uint32_t i = 0; i < e->n_slots; i++)
		if (e->slot[i].memory)
			dnnl_memory_destroy(e->slot[i].memory);
	free(e->prim);
	free(e->slot);
	free(e->weight);
	free(e->once);
	free(e->read);
	free(e->again);
	free(e->arena);
	free(e->scratch);
	free(e->kept);
	while (e->allocs) {
		struct alloc *next = e->allocs->next;

		free(e->allocs);
		e->allocs = next;
	}
	free(e);
}

static bool tables(struct inn_exec *e)
{
	size_t n = (size_t)e->n_ops + 1;

	return (e->root = cpu_alloc(e, n, sizeof(*e->root))) && (e->group = cpu_alloc(e, n, sizeof(*e->group))) &&
	       (e->last = cpu_alloc(e, n, sizeof(*e->last))) && (e->need = cpu_alloc(e, n, sizeof(*e->need))) &&
	       (e->count = cpu_alloc(e, 2 * n, sizeof(*e->count))) && (e->offset = cpu_alloc(e, 2 * n, sizeof(*e->offset))) &&
	       (e->at = cpu_alloc(e, 2 * n, sizeof(*e->at))) && (e->iter = cpu_alloc(e, n, sizeof(*e->iter))) &&
	       (e->carry = cpu_alloc(e, n, sizeof(*e->carry))) && (e->state = cpu_alloc(e, n, sizeof(*e->state))) &&
	       (e->step = cpu_alloc(e, n, sizeof(*e->step))) && (e->blocked = cpu_alloc(e, n, sizeof(*e->blocked))) &&
	       (e->twin = cpu_alloc(e, n, sizeof(*e->twin))) && (e->tail = cpu_alloc(e, n, sizeof(*e->tail))) &&
	       (e->head = cpu_alloc(e, n, sizeof(*e->head))) && (e->after = cpu_alloc(e, n, sizeof(*e->after))) &&
	       (e->quotient = cpu_alloc(e, n, sizeof(*e->quotient))) && (e->inside = cpu_alloc(e, n, sizeof(*e->inside))) &&
	       (e->behind = cpu_alloc(e, n, sizeof(*e->behind))) && (e->moved = cpu_alloc(e, n, sizeof(*e->moved)));
}

/* Which values share memory, and which are computed together. */
static int analyse(struct inn_exec *e)
{
	uint32_t groups, *last;
	int s = inn_groups(e->ctx, e->p, e->group, &groups);

	for (uint32_t i = 0; i < e->n_ops; i++)
		e->root[i] = op_of(e, i)->code == INN_OP_RESHAPE ? e->root[inn_plan_src(e->p, i, 0)] : i;
	if (s || (s = cpu_fuse(e)))
		return s;
	if (!(last = cpu_alloc(e, (size_t)groups + 1, sizeof(*last))))
		return INN_ENOMEM;
	for (uint32_t i = 0; i < e->n_ops; i++) {
		const struct inn_op *o = op_of(e, i);

		if (!inn_shape_count(&o->shape, &e->count[i]) || e->count[i] > SIZE_MAX / 64)
			return inn_fail(e->ctx, INN_ELIMIT, NULL, "cpu: the result of %s (%s) is too large", inn_op_name(o->code), o->from);
		e->count[e->n_ops + i] = e->count[i];
		if (e->group[i])
			last[e->group[i]] = i;
		e->last[i] = i;
		if (o->code == INN_OP_LOOP_LAST)
			e->carry[inn_plan_src(e->p, i, 1)] = i + 1;
	}
	for (uint32_t i = 0; i < e->n_ops; i++)
		if (e->group[i])
			e->last[i] = last[e->group[i]];
	return cpu_again(e);
}

/* Source r of operation i is read from memory; i stands in group `at`, as a member or once more. */
static bool is_read(const struct inn_exec *e, uint32_t at, uint32_t i, uint32_t r)
{
	const struct tail *t = e->head[i] ? &e->tail[e->head[i] - 1] : NULL;

	if (t && (r == e->head[i] - 1 || e->head[r] == e->head[i] || r == t->by || r == t->below))
		return false; /* inside a tail */
	return !is_map(op_of(e, i)->code) || (op_of(e, r)->code != INN_OP_CONST && (e->head[i] || !cpu_makes(e, at, r)));
}

/* Which values need memory at all. */
static void needs(struct inn_exec *e)
{
	for (uint32_t i = 0; i < e->n_ops; i++) {
		const struct inn_op *o = op_of(e, i);

		if (o->code == INN_OP_RESHAPE)
			continue;
		e->quotient[i] = o->code == INN_OP_DIV && o->home; /* not of weights */
		if (e->tail[i].at && e->tail[i].by != NONE)
			e->need[root_of(e, e->tail[i].by, 0)] = true;
		for (uint32_t k = 0; k < o->n_src; k++) {
			uint32_t r = root_of(e, i, k);

			e->quotient[i] |= e->quotient[r];
			e->need[r] |= is_read(e, e->last[i], i, r);
		}
		if (inn_op_class(o->code) == 'O' || o->code == INN_OP_INPUT || o->code == INN_OP_PARAM || o->code == INN_OP_INDEX)
			e->need[i] = o->code != INN_OP_ACCUMULATE;
	}
	for (uint32_t n = 0; n < e->n_again; n++)
		for (uint32_t k = 0; k < op_of(e, e->again[n].op)->n_src; k++) {
			uint32_t r = root_of(e, e->again[n].op, k);

			e->need[r] |= is_read(e, e->again[n].at, e->again[n].op, r);
		}
}

/* Families that look at layouts record for themselves what they read. */
static bool asks(uint32_t code)
{
	char c = inn_op_class(code);

	return c == 'U' || c == 'E' || c == 'W' || code == INN_OP_CONV || code == INN_OP_CONV_DX || code == INN_OP_CONV_DW ||
	       code == INN_OP_CONCAT || code == INN_OP_SLICE || code == INN_OP_RESHAPE;
}

static int build(struct inn_exec *e, uint32_t i)
{
	const struct inn_op *o = op_of(e, i);

	for (uint32_t k = 0; k < o->n_src && !asks(o->code); k++)
		if (cpu_dense(e, i, i, k) == NONE)
			return INN_ENOMEM;
	if (e->behind[i]) {
		uint32_t from = e->behind[i] - 1;

		return cpu_product(e, from, e->tail[from].at ? e->tail[from].at : from);
	}
	if (e->tail[i].at || e->moved[i])
		return INN_OK; /* done where its tail ends, or with what stands behind */
	if (e->head[i]) {
		uint32_t from = e->head[i] - 1;

		if (e->tail[from].at != i)
			return INN_OK;
		return inn_op_class(op_of(e, from)->code) == 'W' ? cpu_pool(e, from, i) : cpu_product(e, from, i);
	}
	switch (inn_op_class(o->code)) {
	case 'U':
	case 'E': return e->last[i] == i ? cpu_map(e, i) : INN_OK;
	case 'R': return cpu_reduce(e, i);
	case 'M': return o->code == INN_OP_RESHAPE ? INN_OK : cpu_move(e, i);
	case 'P': return o->code == INN_OP_MATMUL ? cpu_matmul(e, i) : cpu_product(e, i, i);
	case 'W': return cpu_pool(e, i, i);
	case 'N': return cpu_random(e, i);
	default: return cpu_loop(e, i);
	}
}

static double mib(uint64_t bytes) { return (double)bytes / 1048576; }

static uint64_t total(const struct inn_exec *e) { return (uint64_t)e->arena_size + e->scratch_size + e->kept_size + e->state_size; }

/* Large memory in large pages: fewer faults where it is first written, fewer misses where it is read. */
static char *region(size_t n)
{
	size_t page = n < LARGE_PAGE ? ALIGN : LARGE_PAGE;
	char *p = aligned_alloc(page, (n / page + 1) * page);

	if (p && page == LARGE_PAGE)
		madvise(p, (n / page + 1) * page, MADV_HUGEPAGE);
	return p;
}

static int take(struct inn_exec *e)
{
	inn_info(e->ctx, "cpu: %.1f MiB: values %.1f, weights in layouts of their own %.1f, scratch %.1f, states %.1f", mib(total(e)),
		 mib(e->arena_size), mib(e->kept_size), mib(e->scratch_size), mib(e->state_size));
	e->arena = region(e->arena_size);
	e->scratch = region(e->scratch_size);
	e->kept = region(e->kept_size);
	if (!e->arena || !e->scratch || !e->kept)
		return inn_nomem(e->ctx);
	cpu_addresses(e);
	for (uint32_t i = 0; i < e->n_slots; i++) {
		struct slot *s = &e->slot[i];
		char *at = s->place == AT_VALUE ? (char *)e->at[s->op] : (s->place == AT_KEPT ? e->kept : e->scratch) + s->offset;
		int r = cpu_dnnl(e, s->op % e->n_ops, "a memory handle", dnnl_memory_set_data_handle(s->memory, at));

		if (r)
			return r;
	}
	return INN_OK;
}

/* Everything but the memory. */
static int prepare(inn_ctx *ctx, inn_dev *dev, const struct inn_plan *p, int lean, inn_exec **out)
{
	inn_exec *e = *out = calloc(1, sizeof(*e));
	int s;

	if (!e)
		return inn_nomem(ctx);
	*e = (inn_exec){ .ctx = ctx, .dev = dev, .p = p, .n_ops = p->n_ops, .lean = lean };
	omp_set_num_threads(dev->threads); /* oneDNN divides the work when a primitive is made */
	s = tables(e) ? cpu_make_lots(e) : INN_ENOMEM;
	if (!s)
		s = analyse(e);
	if (!s) {
		needs(e);
		cpu_find_after(e);
	}
	for (uint32_t i = 0; !s && i < e->n_ops; i++)
		s = build(e, i);
	if (!s)
		s = cpu_twins(e);
	return s ? s : cpu_place(e);
}

int cpu_compile(inn_ctx *ctx, inn_dev *dev, const struct inn_plan *p, uint64_t limit, inn_exec **out)
{
	int s = prepare(ctx, dev, p, EVERY_WEIGHT, out);

	for (int lean = SMALL_TILES; !s && lean <= NO_TILES && limit && total(*out) > limit; lean++) {
		if (!cpu_can_give_up(*out, lean))
			continue;
		inn_info(ctx, "cpu: %.1f MiB are above the limit of %.1f MiB: %s", mib(total(*out)), mib(limit),
			 lean == SMALL_TILES ? "Winograd with smaller weights" : "without Winograd");
		cpu_release(*out);
		s = prepare(ctx, dev, p, lean, out);
	}
	if (!s)
		s = limit && total(*out) > limit ? cpu_over(*out, total(*out), limit) : take(*out);
	if (s) {
		cpu_release(*out);
		*out = NULL;
	}
	return s;
}
