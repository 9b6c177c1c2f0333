/* Where the time goes: seconds of every step, of every copy to the other layout, and of the weights made once. */
#include "cpu.h"
#include <stdlib.h>
#include <time.h>

double cpu_now(const struct inn_exec *e)
{
	struct timespec t;

	if (!e->spent)
		return 0;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

void cpu_spend(struct inn_exec *e, uint32_t op, enum spent_as as, double since)
{
	if (!e->spent)
		return;
	e->spent[AS_KINDS * op + as].seconds += cpu_now(e) - since;
	e->spent[AS_KINDS * op + as].runs++;
}

/* The operation at whose step operation i is computed. */
static uint32_t step_of(const struct inn_exec *e, uint32_t i)
{
	uint32_t of = e->head[i] ? e->head[i] - 1 : i;

	return cpu_step_of(e, e->tail[of].at ? e->tail[of].at : of);
}

/* The implementation that oneDNN chose: of the product itself, not of the reorders around it. */
static const char *primitive(const struct product *q)
{
	const char *name = "";

	for (uint32_t k = 0; k < q->n; k++) {
		const_dnnl_primitive_desc_t pd;
		dnnl_primitive_kind_t kind;
		const char *info;

		if (!dnnl_primitive_get_primitive_desc(q->call[k].prim, &pd) && !dnnl_primitive_desc_query(pd, dnnl_query_primitive_kind, 0, &kind) &&
		    kind != dnnl_reorder && !dnnl_primitive_desc_query(pd, dnnl_query_impl_info_str, 0, &info))
			name = info;
	}
	return name;
}

static const char *how(const struct inn_exec *e, uint32_t i)
{
	return e->step[i].fn == cpu_run_product ? primitive(e->step[i].arg) : e->step[i].how ? e->step[i].how : "";
}

int cpu_profile(inn_ctx *ctx, inn_exec *e, void (*show)(void *user, const struct inn_timing *t), void *user)
{
	static const char *const other[] = { [AS_TWIN] = "reorder", [AS_WEIGHTS] = "weights" };
	uint32_t *with;

	e->ctx = ctx;
	if (!e->spent)
		return (e->spent = cpu_alloc(e, AS_KINDS * ((size_t)e->n_ops + 1), sizeof(*e->spent))) ? INN_OK : INN_ENOMEM;
	if (!(with = calloc((size_t)e->n_ops + 1, sizeof(*with))))
		return inn_nomem(ctx);
	for (uint32_t k = 0; k < AS_KINDS * e->n_ops; k++) {
		uint32_t i = k / AS_KINDS, as = k % AS_KINDS;
		struct inn_timing t = { .op = i, .with = with, .runs = e->spent[k].runs, .seconds = e->spent[k].seconds };

		e->spent[k] = (struct spent){ 0 };
		if (!t.runs)
			continue;
		t.how = as == AS_STEP ? how(e, i) : other[as];
		t.extra = as != AS_STEP;
		for (uint32_t j = 0; as == AS_STEP && j < i; j++)
			if (step_of(e, j) == i)
				with[t.n_with++] = j;
		show(user, &t);
	}
	free(with);
	return INN_OK;
}
