/* Memory of a plan, and its walk: operations in order, blocks as often as their index says. */
#include "ref.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static size_t max_size(size_t a, size_t b) { return a > b ? a : b; }

size_t ref_scratch(const struct inn_plan *p, uint32_t i)
{
	const struct inn_op *o = inn_plan_op(p, i);
	size_t n = 1;

	switch (o->code) {
	case INN_OP_POOL_MAX: case INN_OP_POOL_AVG: case INN_OP_POOL_MAX_DX: case INN_OP_POOL_AVG_DX: {
		bool back = o->code == INN_OP_POOL_MAX_DX || o->code == INN_OP_POOL_AVG_DX;
		const struct inn_shape *s = back ? &o->shape : &inn_plan_op(p, inn_plan_src(p, i, 0))->shape;

		for (uint32_t d = 2; d < s->rank; d++) /* a plane of sums, and the cells of one window */
			n *= s->dim[d];
		return n * (sizeof(double) + sizeof(size_t));
	}
	case INN_OP_SUM: case INN_OP_SCATTER:
		return ref_count(&o->shape) * sizeof(double);
	case INN_OP_MATMUL:
		return o->shape.dim[o->shape.rank - 1] * sizeof(double);
	case INN_OP_RANK: /* value and place */
		return o->shape.dim[o->shape.rank - 1] * 2 * sizeof(double);
	case INN_OP_CONV: case INN_OP_CONV_DX: /* one plane */
		for (uint32_t d = 2; d < o->shape.rank; d++)
			n *= o->shape.dim[d];
		return n * sizeof(double);
	default:
		return 0;
	}
}

static size_t bytes(void *user, uint32_t i)
{
	const struct inn_exec *e = user;
	const struct inn_op *o = inn_plan_op(e->plan, i);

	if (e->value[i]) /* the plan's own */
		return 0;
	if (o->code == INN_OP_ACCUMULATE)
		return max_size(ref_count(&o->shape), 1) * sizeof(double);
	return e->one[i] ? e->size : max_size(ref_count(&o->shape), 1) * e->size;
}

static int over_limit(inn_ctx *ctx, struct inn_exec *e, size_t total, uint64_t limit)
{
	uint32_t top[3], n = 0;
	char text[3][160];

	for (uint32_t i = 0; i < e->plan->n_ops; i++) {
		uint32_t k = n < 3 ? n++ : 3;

		for (; k && bytes(e, top[k - 1]) < bytes(e, i); k--)
			if (k < 3)
				top[k] = top[k - 1];
		if (k < 3)
			top[k] = i;
	}
	for (uint32_t k = 0; k < 3; k++) {
		const struct inn_op *o = k < n ? inn_plan_op(e->plan, top[k]) : NULL;

		text[k][0] = 0;
		if (o)
			snprintf(text[k], sizeof(text[k]), "%s%s%s%.80s %.1f MiB", k ? ", " : "", inn_op_name(o->code),
				 *o->from ? " of " : "", o->from, (double)bytes(e, top[k]) / 1048576);
	}
	return inn_fail(ctx, INN_ELIMIT, NULL, "the plan needs %.1f MiB, above the limit of %.1f MiB; the largest are %s%s%s",
			(double)total / 1048576, (double)limit / 1048576, text[0], text[1], text[2]);
}

/* A constant that only elementwise operations read is kept as one element. */
static void mark_constants(struct inn_exec *e)
{
	const struct inn_plan *p = e->plan;

	for (uint32_t i = 0; i < p->n_ops; i++)
		e->one[i] = inn_plan_op(p, i)->code == INN_OP_CONST;
	for (uint32_t i = 0; i < p->n_ops; i++) {
		char c = inn_op_class(inn_plan_op(p, i)->code);

		for (uint32_t k = 0; c != 'E' && c != 'U' && k < inn_plan_op(p, i)->n_src; k++)
			e->one[inn_plan_src(p, i, k)] = false;
	}
}

static int carries(inn_ctx *ctx, struct inn_exec *e)
{
	const struct inn_plan *p = e->plan;

	for (uint32_t i = 0; i < p->n_ops; i++)
		e->next[i] = UINT32_MAX;
	for (uint32_t i = 0; i < p->n_ops; i++)
		if (inn_plan_op(p, i)->code == INN_OP_LOOP_LAST)
			e->next[inn_plan_src(p, i, 1)] = inn_plan_src(p, i, 0);
	for (uint32_t i = 0; i < p->n_ops; i++) {
		if (inn_plan_op(p, i)->code != INN_OP_CARRY)
			continue;
		if (e->next[i] == UINT32_MAX)
			return inn_fail(ctx, INN_EBUG, NULL, "a loop's state never gets its next value");
		if (inn_plan_op(p, e->next[i])->code == INN_OP_CARRY && !(e->stash[i] = malloc(bytes(e, i))))
			return inn_nomem(ctx);
	}
	return INN_OK;
}

/* Parameters that the plan holds in this precision are read where they lie. */
static void borrow(struct inn_exec *e)
{
	const struct inn_plan *p = e->plan;

	for (uint32_t k = 0; k < p->n_params; k++) {
		const struct inn_tensor *t = p->params[k].data;

		if (t && t->dtype == ref_dtype(e, p->params[k].op) && (uintptr_t)t->data % sizeof(double) == 0 &&
		    inn_shape_eq(&t->shape, &inn_plan_op(p, p->params[k].op)->shape))
			e->value[p->params[k].op] = t->data;
	}
}

static int place(inn_ctx *ctx, struct inn_exec *e, size_t *offset, uint64_t limit)
{
	const struct inn_plan *p = e->plan;
	size_t total = 0, scratch = 64;
	int rc = inn_place(ctx, p, bytes, e, 64, offset, &total);

	if (rc < 0)
		return rc;
	for (uint32_t i = 0; i < p->n_ops; i++)
		scratch = max_size(scratch, ref_scratch(p, i));
	if (limit && total + scratch > limit)
		return over_limit(ctx, e, total + scratch, limit);
	e->arena = aligned_alloc(64, (total + 127) / 64 * 64);
	e->scratch = malloc(scratch);
	if (!e->arena || !e->scratch)
		return inn_nomem(ctx);
	for (uint32_t i = 0; i < p->n_ops; i++) {
		if (!e->value[i])
			e->value[i] = e->arena + offset[i];
		if (inn_plan_op(p, i)->code == INN_OP_ACCUMULATE)
			memset(e->value[i], 0, bytes(e, i));
	}
	return INN_OK;
}

int ref_compile(inn_ctx *ctx, struct inn_exec *e, uint64_t limit)
{
	const struct inn_plan *p = e->plan;
	size_t n = (size_t)p->n_ops + 1, *offset = calloc(n, sizeof(*offset));
	int rc;

	e->value = calloc(n, sizeof(*e->value));
	e->one = calloc(n, sizeof(*e->one));
	e->stash = calloc(n, sizeof(*e->stash));
	e->next = calloc(n, sizeof(*e->next));
	e->inner = calloc(n, sizeof(*e->inner));
	e->iter = calloc((size_t)p->n_blocks + 1, sizeof(*e->iter));
	if (!offset || !e->value || !e->one || !e->stash || !e->next || !e->inner || !e->iter) {
		free(offset);
		return inn_nomem(ctx);
	}
	for (uint32_t k = 0; k < p->n_blocks; k++) /* sorted by first: the inner ones come later */
		for (uint32_t i = 0; i < p->blocks[k].n; i++)
			e->inner[p->blocks[k].first + i] = k;
	mark_constants(e);
	borrow(e);
	rc = carries(ctx, e);
	if (rc == INN_OK)
		rc = place(ctx, e, offset, limit);
	free(offset);
	return rc;
}

void ref_free(struct inn_exec *e)
{
	if (!e)
		return;
	for (uint32_t i = 0; e->stash && i < e->plan->n_ops; i++)
		free(e->stash[i]);
	free(e->arena);
	free(e->scratch);
	free(e->value);
	free(e->one);
	free(e->stash);
	free(e->next);
	free(e->inner);
	free(e->iter);
	free(e->spent);
	free(e);
}

/* The plan's claim about the sign of result i must hold. */
static int check_sign(inn_ctx *ctx, const struct inn_exec *e, uint32_t i)
{
	const struct inn_op *o = inn_plan_op(e->plan, i);
	struct inn_tensor t = { .dtype = ref_dtype(e, i), .data = e->value[i] };
	size_t n = e->one[i] ? 1 : ref_count(&o->shape);

	if (!o->sign || t.dtype == INN_U32)
		return INN_OK;
	for (size_t k = 0; k < n; k++) {
		double v = inn_tensor_real(&t, k);

		if ((v < 0 && (o->sign & INN_NONNEG)) || (v > 0 && (o->sign & INN_NONPOS)))
			return inn_fail(ctx, INN_EBUG, NULL, "%s%s%s (operation %u): %g at %zu has not the sign it is known to have",
					inn_op_name(o->code), *o->from ? " of " : "", o->from, i, v, k);
	}
	return INN_OK;
}

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static int one_op(inn_ctx *ctx, struct inn_exec *e, uint32_t i)
{
	double start = e->spent ? now() : 0;
	int rc = e->f64 ? ref_op_f64(ctx, e, i) : ref_op_f32(ctx, e, i);

	if (e->spent) {
		e->spent[i].seconds += now() - start;
		e->spent[i].runs++;
	}
	return rc == INN_OK && e->check ? check_sign(ctx, e, i) : rc;
}

static void keep_states(struct inn_exec *e, const struct inn_block *b)
{
	for (uint32_t i = b->first; i < b->first + b->n; i++)
		if (e->stash[i] && inn_plan_src(e->plan, i, 1) == b->index)
			memcpy(e->stash[i], e->value[e->next[i]], ref_count(&inn_plan_op(e->plan, i)->shape) * e->size);
}

/* All iterations of block k with what is nested in it. */
static int run_block(inn_ctx *ctx, struct inn_exec *e, uint32_t k)
{
	const struct inn_plan *p = e->plan;
	const struct inn_block *b = &p->blocks[k];
	uint32_t times = k < 2 ? 1 : b->count;
	int rc = INN_OK;

	for (uint32_t it = 0; rc == INN_OK && it < times; it++) {
		uint32_t child = k < 2 ? 2 : k + 1;

		if (k >= 2) {
			if (e->f64)
				*(double *)e->value[b->index] = it;
			else
				*(float *)e->value[b->index] = (float)it;
		}
		e->iter[k] = it;
		for (uint32_t i = b->first; rc == INN_OK && i < b->first + b->n;) {
			while (child < p->n_blocks && (p->blocks[child].first < i || !p->blocks[child].n))
				child++;
			if (child < p->n_blocks && p->blocks[child].first == i) {
				rc = run_block(ctx, e, child);
				i += p->blocks[child++].n;
			} else {
				rc = one_op(ctx, e, i++);
			}
		}
		if (rc == INN_OK && k >= 2)
			keep_states(e, b);
	}
	return rc;
}

int ref_run(inn_ctx *ctx, struct inn_exec *e)
{
	int rc = INN_OK;

	if (!e->started && e->plan->n_blocks)
		rc = run_block(ctx, e, 0);
	e->started = true;
	if (rc == INN_OK && e->plan->n_blocks > 1)
		rc = run_block(ctx, e, 1);
	return rc;
}

int ref_profile(inn_ctx *ctx, struct inn_exec *e, void (*show)(void *user, const struct inn_timing *t), void *user)
{
	for (uint32_t i = 0; e->spent && i < e->plan->n_ops; i++) {
		struct ref_spent *s = &e->spent[i];

		if (s->runs)
			show(user, &(struct inn_timing){ .op = i, .how = "", .runs = s->runs, .seconds = s->seconds });
		*s = (struct ref_spent){ 0 };
	}
	if (!e->spent && !(e->spent = calloc((size_t)e->plan->n_ops + 1, sizeof(*e->spent))))
		return inn_nomem(ctx);
	return INN_OK;
}
