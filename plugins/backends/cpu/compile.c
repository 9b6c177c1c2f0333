/* A plan becomes steps; then everything is placed and all memory is taken. */
#include "cpu.h"
#include <stdlib.h>
#include <string.h>

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

int cpu_once(struct inn_exec *e, int (*fn)(struct inn_exec *, uint32_t, void *), uint32_t op, void *arg)
{
	if (!cpu_room(e, &e->once, e->n_once, &e->cap_once, sizeof(*e->once)))
		return INN_ENOMEM;
	e->once[e->n_once++] = (struct step){ .fn = fn, .arg = arg, .op = op };
	return INN_OK;
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
	uint32_t n = e->n_ops + 1;

	return (e->root = cpu_alloc(e, n, sizeof(*e->root))) && (e->group = cpu_alloc(e, n, sizeof(*e->group))) &&
	       (e->last = cpu_alloc(e, n, sizeof(*e->last))) && (e->need = cpu_alloc(e, n, sizeof(*e->need))) &&
	       (e->count = cpu_alloc(e, n, sizeof(*e->count))) && (e->offset = cpu_alloc(e, n, sizeof(*e->offset))) &&
	       (e->at = cpu_alloc(e, n, sizeof(*e->at))) && (e->iter = cpu_alloc(e, n, sizeof(*e->iter))) &&
	       (e->carry = cpu_alloc(e, n, sizeof(*e->carry))) && (e->state = cpu_alloc(e, n, sizeof(*e->state))) &&
	       (e->step = cpu_alloc(e, n, sizeof(*e->step)));
}

/* Which values share memory, which are computed together, and which need memory at all. */
static int analyse(struct inn_exec *e)
{
	uint32_t groups, *last;
	int s = inn_groups(e->ctx, e->p, e->group, &groups);

	if (s)
		return s;
	if (!(last = cpu_alloc(e, (size_t)groups + 1, sizeof(*last))))
		return INN_ENOMEM;
	for (uint32_t i = 0; i < e->n_ops; i++) {
		const struct inn_op *o = op_of(e, i);

		if (!inn_shape_count(&o->shape, &e->count[i]) || e->count[i] > SIZE_MAX / 64)
			return inn_fail(e->ctx, INN_ELIMIT, NULL, "cpu: the result of %s (%s) is too large", inn_op_name(o->code), o->from);
		e->root[i] = o->code == INN_OP_RESHAPE ? e->root[inn_plan_src(e->p, i, 0)] : i;
		if (e->group[i])
			last[e->group[i]] = i;
		e->last[i] = i;
		if (o->code == INN_OP_LOOP_LAST)
			e->carry[inn_plan_src(e->p, i, 1)] = i + 1;
	}
	for (uint32_t i = 0; i < e->n_ops; i++) {
		const struct inn_op *o = op_of(e, i);
		bool map = is_map(o->code);

		if (e->group[i])
			e->last[i] = last[e->group[i]];
		if (o->code == INN_OP_RESHAPE)
			continue;
		for (uint32_t k = 0; k < o->n_src; k++) {
			uint32_t r = src_of(e, i, k);

			if (!(map && (op_of(e, r)->code == INN_OP_CONST || (e->group[r] && e->group[r] == e->group[i]))))
				e->need[r] = true;
		}
		if (inn_op_class(o->code) == 'O' || o->code == INN_OP_INPUT || o->code == INN_OP_PARAM || o->code == INN_OP_INDEX)
			e->need[i] = o->code != INN_OP_ACCUMULATE;
	}
	return INN_OK;
}

static size_t bytes_of(void *user, uint32_t i)
{
	const struct inn_exec *e = user;

	return e->need[i] && e->root[i] == i ? round_up(e->count[i] * sizeof(float)) : 0;
}

/* The plan as it is executed: sources are what holds the memory, and the last member of a group reads for all. */
static int lower(struct inn_exec *e, struct inn_plan *low)
{
	uint32_t total = 0, at = 0;
	struct inn_op *ops = cpu_alloc(e, e->n_ops + 1u, sizeof(*ops));
	uint32_t *src;

	for (uint32_t i = 0; i < e->n_ops; i++)
		total += op_of(e, i)->n_src;
	src = cpu_alloc(e, total + 1u, sizeof(*src));
	if (!ops || !src)
		return INN_ENOMEM;
	uint32_t *next = cpu_alloc(e, e->n_ops + 1u, sizeof(*next)), *head = cpu_alloc(e, e->n_ops + 1u, sizeof(*head));

	if (!next || !head)
		return INN_ENOMEM;
	for (uint32_t i = e->n_ops; i-- > 0;) { /* members of each group, first to last */
		next[i] = head[e->last[i]];
		head[e->last[i]] = i + 1;
	}
	for (uint32_t i = 0; i < e->n_ops; i++) {
		ops[i] = *op_of(e, i);
		ops[i].src = at;
		if (op_of(e, i)->code != INN_OP_RESHAPE)
			for (uint32_t m = head[i]; m; m = next[m - 1])
				for (uint32_t k = 0; k < op_of(e, m - 1)->n_src; k++)
					src[at++] = src_of(e, m - 1, k) + 1;
		ops[i].n_src = at - ops[i].src;
	}
	*low = *e->p;
	low->op_size = sizeof(*ops);
	low->ops = ops;
	low->src = src;
	return INN_OK;
}

static int build(struct inn_exec *e, uint32_t i)
{
	const struct inn_op *o = op_of(e, i);

	switch (inn_op_class(o->code)) {
	case 'U':
	case 'E': return e->last[i] == i ? cpu_map(e, i) : INN_OK;
	case 'R': return cpu_reduce(e, i);
	case 'M': return o->code == INN_OP_RESHAPE ? INN_OK : cpu_move(e, i);
	case 'P': return o->code == INN_OP_MATMUL ? cpu_matmul(e, i) : cpu_product(e, i);
	case 'W': return cpu_pool(e, i);
	case 'N': return cpu_random(e, i);
	default: return cpu_loop(e, i);
	}
}

/* Says which values are the largest. */
static int over(struct inn_exec *e, uint64_t total, uint64_t limit)
{
	uint32_t big[3] = { NONE, NONE, NONE };
	char s[INN_SHAPE_STR], t[INN_SHAPE_STR];

	for (uint32_t i = 0; i < e->n_ops; i++) {
		uint32_t at = i;

		for (uint32_t k = 0; k < 3; k++) {
			uint32_t was = big[k];

			if (was == NONE || bytes_of(e, at) > bytes_of(e, was)) {
				big[k] = at;
				if (was == NONE)
					break;
				at = was;
			}
		}
	}
	const struct inn_op *a = op_of(e, big[0]), *b = op_of(e, big[1] == NONE ? big[0] : big[1]);

	return inn_fail(e->ctx, INN_ELIMIT, NULL, "cpu: needs %.1f MiB, memory_limit is %.1f MiB; the largest values are %s %s (%s) and %s %s (%s)",
			(double)total / 1048576, (double)limit / 1048576, inn_op_name(a->code), inn_shape_str(&a->shape, s), a->from,
			inn_op_name(b->code), inn_shape_str(&b->shape, t), b->from);
}

static int take(struct inn_exec *e, uint64_t limit)
{
	uint64_t total = (uint64_t)e->arena_size + e->scratch_size + e->kept_size + e->state_size;

	if (limit && total > limit && e->n_ops)
		return over(e, total, limit);
	e->arena = aligned_alloc(ALIGN, round_up(e->arena_size + 1));
	e->scratch = aligned_alloc(ALIGN, round_up(e->scratch_size + 1));
	e->kept = aligned_alloc(ALIGN, round_up(e->kept_size + 1));
	if (!e->arena || !e->scratch || !e->kept)
		return inn_nomem(e->ctx);
	for (uint32_t i = 0; i < e->n_ops; i++)
		if (bytes_of(e, i))
			e->at[i] = (float *)(void *)(e->arena + e->offset[i]);
	for (uint32_t i = 0; i < e->n_slots; i++) {
		struct slot *s = &e->slot[i];
		char *at = s->place == AT_VALUE ? (char *)e->at[s->op] : (s->place == AT_KEPT ? e->kept : e->scratch) + s->offset;
		int r = cpu_dnnl(e, s->op, "a memory handle", dnnl_memory_set_data_handle(s->memory, at));

		if (r)
			return r;
	}
	return INN_OK;
}

int cpu_compile(inn_ctx *ctx, inn_dev *dev, const struct inn_plan *p, uint64_t limit, inn_exec **out)
{
	inn_exec *e = calloc(1, sizeof(*e));
	struct inn_plan low;
	int s;

	if (!e)
		return inn_nomem(ctx);
	*e = (inn_exec){ .ctx = ctx, .dev = dev, .p = p, .n_ops = p->n_ops };
	s = tables(e) ? analyse(e) : INN_ENOMEM;
	for (uint32_t i = 0; !s && i < e->n_ops; i++)
		s = build(e, i);
	if (!s)
		s = lower(e, &low);
	if (!s)
		s = inn_place(ctx, &low, bytes_of, e, ALIGN, e->offset, &e->arena_size);
	if (!s)
		s = take(e, limit);
	if (s) {
		cpu_release(e);
		return s;
	}
	*out = e;
	return INN_OK;
}
