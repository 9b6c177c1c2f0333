/* What is done once per model: parameters are copied from where the model holds them, block 0 runs, and each weight is brought
 * into the layouts that are used right behind the operation that makes it, so that its dense form soon gives up its memory. */
#include "cpu.h"
#include <omp.h>
#include <stdlib.h>

#define PIECE ((size_t)1 << 20) /* elements copied before their source is given back */

static int load(struct inn_exec *e, uint32_t i, void *arg)
{
	const struct inn_tensor *t = arg;
	size_t n = e->count[i], size = inn_dtype_size(t->dtype);

	if (!t->data)
		return inn_fail(e->ctx, INN_EBUG, NULL, "cpu: parameter %u was never written", i);
#pragma omp parallel for num_threads(threads_for(e, n)) schedule(static)
	for (size_t from = 0; from < n; from += PIECE) {
		const char *source = (const char *)t->data + from * size;
		size_t some = n - from < PIECE ? n - from : PIECE;

		inn_convert(source, t->dtype, e->at[i] + from, INN_F32, some);
		inn_done(source, some * size);
	}
	return INN_OK;
}

int cpu_param(struct inn_exec *e, uint32_t i)
{
	struct step *s = &e->step[i];

	*s = (struct step){ .fn = e->count[i] ? load : NULL, .arg = cpu_alloc(e, 1, sizeof(struct inn_tensor)), .op = i };
	return s->arg ? INN_OK : INN_ENOMEM;
}

int cpu_once(struct inn_exec *e, int (*fn)(struct inn_exec *, uint32_t, void *), uint32_t op, void *arg, uint32_t location)
{
	if (!cpu_room(e, &e->once, e->n_once, &e->cap_once, sizeof(*e->once)))
		return INN_ENOMEM;
	e->once[e->n_once] = (struct once){ .step = { fn, arg, op }, .location = location, .order = e->n_once };
	e->n_once++;
	return INN_OK;
}

static int earlier(const void *a, const void *b)
{
	const struct once *p = a, *q = b;

	if (p->value != q->value)
		return p->value < q->value ? -1 : 1;
	return p->order < q->order ? -1 : 1;
}

void cpu_sort_once(struct inn_exec *e)
{
	for (uint32_t k = 0; k < e->n_once; k++)
		e->once[k].value = e->last[e->once[k].location % e->n_ops];
	if (e->n_once)
		qsort(e->once, e->n_once, sizeof(*e->once), earlier);
}

int cpu_run_once(struct inn_exec *e, uint32_t i)
{
	int s = INN_OK;

	for (; !s && e->next_once < e->n_once && e->once[e->next_once].value == i; e->next_once++) {
		const struct step *o = &e->once[e->next_once].step;
		double start = cpu_now(e);

		s = o->fn(e, o->op, o->arg);
		cpu_spend(e, o->op, AS_WEIGHTS, start);
	}
	return s;
}
