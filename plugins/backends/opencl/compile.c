/* A plan becomes launches; then everything is placed, all memory is taken and the kernels are made. */
#include "opencl.h"
#include <stdlib.h>
#include <string.h>

#define MEMBERS 48u  /* operations of one generated kernel */
#define OPERANDS 40u /* values that it reads or stores */

void *ocl_alloc(struct inn_exec *e, size_t n, size_t size)
{
	size_t head = round_up(sizeof(struct alloc), 16);
	struct alloc *a = size && n > (SIZE_MAX - head) / size ? NULL : calloc(1, head + n * size);

	if (!a) {
		e->status = inn_nomem(e->ctx);
		return NULL;
	}
	a->next = e->allocs;
	e->allocs = a;
	return (char *)a + head;
}

bool ocl_room(struct inn_exec *e, void *array, size_t n, size_t more, size_t *cap, size_t size)
{
	void **a = array, *q;

	if (n + more <= *cap)
		return true;
	q = realloc(*a, (n + more) * 2 * size);
	if (!q) {
		e->status = inn_nomem(e->ctx);
		return false;
	}
	*a = q;
	*cap = (n + more) * 2;
	return true;
}

static void release_mem(cl_mem m)
{
	if (m)
		clReleaseMemObject(m);
}

void ocl_release(inn_exec *e)
{
	if (!e)
		return;
	clFinish(e->dev->queue);
	ocl_times(e);
	ocl_report(e);
	for (uint32_t i = 0; e->step && i < e->n_ops; i++)
		for (struct launch *l = e->step[i].first; l; l = l->next)
			if (l->kernel)
				clReleaseKernel(l->kernel);
	if (e->written)
		clReleaseEvent(e->written);
	for (uint32_t i = 0; e->param && i < e->n_ops; i++)
		release_mem(e->param[i]);
	release_mem(e->arena);
	release_mem(e->scratch);
	release_mem(e->kept);
	release_mem(e->in);
	release_mem(e->out);
	release_mem(e->constants);
	free(e->in_host);
	free(e->out_host);
	free(e->source);
	free(e->table);
	free(e->fix);
	free(e->packed);
	free(e->pending);
	free(e->timing);
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

	return (e->root = ocl_alloc(e, n, sizeof(*e->root))) && (e->group = ocl_alloc(e, n, sizeof(*e->group))) &&
	       (e->part = ocl_alloc(e, n, sizeof(*e->part))) && (e->last = ocl_alloc(e, n, sizeof(*e->last))) &&
	       (e->quotient = ocl_alloc(e, n, sizeof(*e->quotient))) && (e->need = ocl_alloc(e, n, sizeof(*e->need))) &&
	       (e->count = ocl_alloc(e, n, sizeof(*e->count))) && (e->value = ocl_alloc(e, n, sizeof(*e->value))) &&
	       (e->iter = ocl_alloc(e, n, sizeof(*e->iter))) && (e->total = ocl_alloc(e, n, sizeof(*e->total))) &&
	       (e->state = ocl_alloc(e, n, sizeof(*e->state))) && (e->block = ocl_alloc(e, n, sizeof(*e->block))) &&
	       (e->step = ocl_alloc(e, n, sizeof(*e->step))) && (e->param = ocl_alloc(e, n, sizeof(*e->param)));
}

/* Sizes, and the plan as it is placed: whoever reads a reshape reads what it is a view of. */
static int roots(struct inn_exec *e)
{
	uint32_t n_src = 0, *src;

	for (uint32_t i = 0; i < e->n_ops; i++) {
		const struct inn_op *o = op_of(e, i);

		if (!inn_shape_count(&o->shape, &e->count[i]) || e->count[i] > INT32_MAX - ALIGN)
			return inn_fail(e->ctx, INN_ELIMIT, NULL, "opencl: the result of %s (%s) is too large", inn_op_name(o->code), o->from);
		e->root[i] = o->code == INN_OP_RESHAPE ? e->root[inn_plan_src(e->p, i, 0)] : i;
		n_src = o->src + o->n_src > n_src ? o->src + o->n_src : n_src;
	}
	if (!(src = ocl_alloc(e, n_src + 1u, sizeof(*src))))
		return INN_ENOMEM;
	for (uint32_t i = 0; i < e->n_ops; i++)
		for (uint32_t k = 0; k < op_of(e, i)->n_src; k++)
			src[op_of(e, i)->src + k] = root_of(e, i, k) + 1;
	e->plan = *e->p;
	e->plan.src = src;
	for (uint32_t k = 0; k < e->p->n_blocks; k++) { /* sorted by first: the inner ones come later */
		const struct inn_block *b = &e->p->blocks[k];

		for (uint32_t i = b->first; i < b->first + b->n; i++)
			e->block[i] = k;
		if (k >= 2)
			e->total[b->index] = b->count;
	}
	return INN_OK;
}

/* A group that would need too many arguments or registers runs as several kernels, one after the other. */
static int parts(struct inn_exec *e, uint32_t n_groups)
{
	struct { uint32_t part, members, operands; } *g = ocl_alloc(e, n_groups + 1u, sizeof(*g));
	uint32_t n = 0;

	if (!g)
		return INN_ENOMEM;
	for (uint32_t i = 0; i < e->n_ops; i++) {
		uint32_t id = e->group[i], n_src = op_of(e, i)->n_src;

		if (!is_map(op_of(e, i)->code))
			continue;
		if (!id) {
			e->part[i] = ++n;
			continue;
		}
		if (!g[id].part || g[id].members + 1 > MEMBERS || g[id].operands + n_src + 1 > OPERANDS) {
			g[id].part = ++n;
			g[id].members = g[id].operands = 0;
		}
		e->part[i] = g[id].part;
		g[id].members++;
		for (uint32_t k = 0; k < n_src; k++) {
			uint32_t r = root_of(e, i, k);

			g[id].operands += op_of(e, r)->code != INN_OP_CONST && e->part[r] != e->part[i];
		}
	}
	return INN_OK;
}

/* Which values are computed together, and which need memory at all. */
static int analyse(struct inn_exec *e)
{
	uint32_t groups, *last;
	int s = roots(e);

	if (!s)
		s = inn_groups(e->ctx, &e->plan, e->group, &groups);
	if (!s)
		s = parts(e, groups);
	if (s || !(last = ocl_alloc(e, (size_t)groups + 1, sizeof(*last))))
		return s ? s : INN_ENOMEM;
	for (uint32_t i = 0; i < e->n_ops; i++) {
		const struct inn_op *o = op_of(e, i);

		last[e->group[i]] = i;
		if (o->code == INN_OP_RESHAPE)
			continue;
		e->quotient[i] = o->code == INN_OP_DIV;
		for (uint32_t k = 0; k < o->n_src; k++) {
			uint32_t r = root_of(e, i, k);

			e->quotient[i] |= e->quotient[r];
			if (!(is_map(o->code) && (op_of(e, r)->code == INN_OP_CONST || (e->part[r] && e->part[r] == e->part[i]))))
				e->need[r] = true;
		}
		if (inn_op_class(o->code) == 'O' || o->code == INN_OP_INPUT || o->code == INN_OP_PARAM || o->code == INN_OP_INDEX)
			e->need[i] = o->code != INN_OP_ACCUMULATE;
		e->takes |= o->code == INN_OP_GATHER || o->code == INN_OP_SCATTER;
	}
	for (uint32_t i = 0; i < e->n_ops; i++)
		e->last[i] = e->group[i] ? last[e->group[i]] : i;
	return INN_OK;
}

static void build(struct inn_exec *e, uint32_t i)
{
	const struct inn_op *o = op_of(e, i);

	e->scratch_top = 0;
	e->into = i;
	switch (inn_op_class(o->code)) {
	case 'U':
	case 'E':
		if (e->last[i] == i)
			ocl_map(e, i);
		break;
	case 'R': ocl_reduce(e, i); break;
	case 'M': ocl_move(e, i); break;
	case 'P':
		if (o->code == INN_OP_MATMUL)
			ocl_matmul(e, i);
		else
			ocl_conv(e, i);
		break;
	case 'W': ocl_pool(e, i); break;
	case 'N': ocl_random(e, i); break;
	default: ocl_loop(e, i); break;
	}
}

/* Everything but the memory. */
static int prepare(inn_ctx *ctx, inn_dev *dev, const struct inn_plan *p, enum lean lean, inn_exec **out)
{
	inn_exec *e = *out = calloc(1, sizeof(*e));
	int s;

	if (!e)
		return inn_nomem(ctx);
	*e = (inn_exec){ .ctx = ctx, .dev = dev, .p = p, .n_ops = p->n_ops, .lean = lean };
	s = tables(e) ? analyse(e) : INN_ENOMEM;
	for (uint32_t i = 0; !s && !e->status && i < e->n_ops; i++)
		build(e, i);
	if (!s)
		s = e->status;
	return s ? s : ocl_place(e);
}

int ocl_compile(inn_ctx *ctx, inn_dev *dev, const struct inn_plan *p, uint64_t limit, inn_exec **out)
{
	int s = prepare(ctx, dev, p, EVERY_WEIGHT, out);

	for (enum lean lean = SMALL_TILES; !s && lean <= NO_TILES && !ocl_fits(*out, limit); lean++) {
		if ((*out)->largest_side < (lean == SMALL_TILES ? 4 : 2))
			continue;
		inn_info(ctx, "opencl: %.1f MiB are too much: %s", (double)ocl_total(*out) / 1048576,
			 lean == SMALL_TILES ? "Winograd with smaller weights" : "without Winograd");
		ocl_release(*out);
		s = prepare(ctx, dev, p, lean, out);
	}
	if (!s)
		s = ocl_take(*out, limit);
	if (!s)
		s = ocl_bind(*out);
	if (s) {
		ocl_release(*out);
		*out = NULL;
	}
	return s;
}
