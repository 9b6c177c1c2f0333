/* A profile as a table, or as JSON. */
#include "job.h"
#include <stdlib.h>
#include <string.h>

#define NAMES 4u /* operations of a group that are named */

static double share(const struct inn__profile *p, const struct inn__part *q)
{
	return p->total > 0 ? 100 * q->seconds / p->total : 0;
}

static double rate(double amount, double seconds) { return seconds > 0 ? amount / seconds * 1e-9 : 0; }

/* The product of a part is what it is about; else its first operation. */
static uint32_t head_of(const struct inn_plan *plan, const struct inn__part *q)
{
	uint32_t head = q->n_with ? q->with[0] : q->op;

	for (uint32_t m = 0; m <= q->n_with; m++) {
		uint32_t i = m ? q->with[m - 1] : q->op;

		if (inn_op_class(inn_plan_op(plan, i)->code) == 'P')
			head = i;
	}
	return head;
}

/* "conv+add+max", or "mul+add+max+3 more". */
static void names(const struct inn_plan *plan, const struct inn__part *q, struct inn__text *t)
{
	uint32_t named = q->n_with + 1 > NAMES + 1 ? NAMES : q->n_with + 1;

	for (uint32_t m = 0; m < named; m++)
		inn__text_add(t, "%s%s", m ? "+" : "", inn_op_name(inn_plan_op(plan, m < q->n_with ? q->with[m] : q->op)->code));
	if (named < q->n_with + 1)
		inn__text_add(t, "+%u more", q->n_with + 1 - named);
}

static void row(const struct inn_plan *plan, const struct inn__profile *p, const struct inn__part *q, struct inn__text *t)
{
	const struct inn_op *head = inn_plan_op(plan, head_of(plan, q));
	char s[INN_SHAPE_STR];

	inn__text_add(t, "%9.3f %5.1f%% %8.1f %9.2f %7.1f ", q->seconds * 1e3, share(p, q), rate(q->flops, q->seconds), q->bytes / 1048576,
		      rate(q->bytes, q->seconds));
	inn__text_add(t, q->floor > 0 ? "%8.3f" : "       -", q->floor * 1e3);
	inn__text_add(t, " %6llu  %%%u ", (unsigned long long)q->runs, q->op);
	if (q->extra)
		inn__text_add(t, "%s of %s", q->how, inn_op_name(head->code));
	else
		names(plan, q, t);
	inn__text_add(t, " %s", inn_shape_str(&inn_plan_op(plan, q->op)->shape, s));
	inn__text_add(t, "%s%s", *head->from ? " " : "", head->from);
	inn__text_add(t, !q->extra && *q->how ? " (%s)\n" : "\n", q->how);
}

/* What parts are summed up under. */
static const char *kind_of(const struct inn_plan *plan, const struct inn__part *q)
{
	uint32_t code = inn_plan_op(plan, head_of(plan, q))->code;
	char c = inn_op_class(code);

	return q->extra ? q->how : c == 'U' || c == 'E' ? "elementwise" : inn_op_name(code);
}

static int slower(const void *a, const void *b)
{
	const struct inn__part *p = a, *q = b;

	return p->seconds < q->seconds ? 1 : p->seconds > q->seconds ? -1 : strcmp(p->how, q->how);
}

/* Sums over parts of one kind, the slowest first. */
static void summary(const struct inn_plan *plan, const struct inn__profile *p, struct inn__text *t)
{
	struct inn__part *sum = calloc(p->n + 1, sizeof(*sum));
	size_t n = 0;

	for (size_t j = 0; sum && j < p->n; j++) {
		const struct inn__part *q = &p->part[j];
		const char *kind = kind_of(plan, q);
		size_t k = 0;

		while (k < n && strcmp(sum[k].how, kind))
			k++;
		if (q->once)
			continue;
		n += k == n;
		sum[k].how = kind;
		sum[k].seconds += q->seconds;
		sum[k].flops += q->flops;
		sum[k].bytes += q->bytes;
		sum[k].runs++;
	}
	if (sum)
		qsort(sum, n, sizeof(*sum), slower);
	for (size_t k = 0; k < n; k++)
		inn__text_add(t, "%9.3f %5.1f%% %8.1f %9.2f %7.1f %8s %6s  %llu x %s\n", sum[k].seconds * 1e3, share(p, &sum[k]),
			      rate(sum[k].flops, sum[k].seconds), sum[k].bytes / 1048576, rate(sum[k].bytes, sum[k].seconds), "", "",
			      (unsigned long long)sum[k].runs, sum[k].how);
	free(sum);
}

/* What stands under the rows: all parts, and those that a floor is known of. */
static void totals(const struct inn__profile *p, struct inn__text *t)
{
	double floor = 0, of = 0, once = 0;

	for (size_t j = 0; j < p->n; j++) {
		const struct inn__part *q = &p->part[j];

		once += q->once ? q->seconds : 0;
		floor += q->once ? 0 : q->floor;
		of += !q->once && q->floor > 0 ? q->seconds : 0;
	}
	inn__text_add(t, "%.3f ms in all parts, %.3f ms for the batch, the best of %u; %.3f ms once\n", p->total * 1e3, p->wall * 1e3, p->batches,
		      once * 1e3);
	if (floor > 0)
		inn__text_add(t, "floor %.3f ms of products that take %.3f ms: %.2f of it; all parts %.2f of it\n", floor * 1e3, of * 1e3, of / floor,
			      p->total / floor);
}

static void table(const struct inn_plan *plan, const struct inn__profile *p, struct inn__text *t)
{
	const char *head = "       ms  share  GFLOP/s       MiB    GB/s    floor   runs  ";

	inn__text_add(t, "%soperations\n", head);
	for (size_t j = 0; j < p->n; j++)
		if (!p->part[j].once)
			row(plan, p, &p->part[j], t);
	inn__text_add(t, "%ssums\n", head);
	summary(plan, p, t);
	totals(p, t);
}

static void part_json(const struct inn_plan *plan, const struct inn__profile *p, const struct inn__part *q, struct inn__text *t)
{
	const struct inn_op *o = inn_plan_op(plan, q->op), *head = inn_plan_op(plan, head_of(plan, q));
	char s[INN_SHAPE_STR];

	inn__text_add(t, "{\"op\": %u, \"with\": [", q->op);
	for (uint32_t m = 0; m < q->n_with; m++)
		inn__text_add(t, "%s%u", m ? ", " : "", q->with[m]);
	inn__text_add(t, "], \"kind\": ");
	inn__text_json(t, kind_of(plan, q));
	inn__text_add(t, ", \"name\": ");
	inn__text_json(t, inn_op_name(head->code));
	inn__text_add(t, ", \"from\": ");
	inn__text_json(t, head->from);
	inn__text_add(t, ", \"how\": ");
	inn__text_json(t, q->how);
	inn__text_add(t, ", \"shape\": %s, \"once\": %s, \"runs\": %llu, \"ms\": %.6g, \"share\": %.6g, \"gflop\": %.6g, \"gflops\": %.6g, ",
		      inn_shape_str(&o->shape, s), q->once ? "true" : "false", (unsigned long long)q->runs, q->seconds * 1e3,
		      q->once ? 0 : share(p, q), q->flops * 1e-9, rate(q->flops, q->seconds));
	inn__text_add(t, "\"bytes\": %.0f, \"gbs\": %.6g, \"floor_ms\": ", q->bytes, rate(q->bytes, q->seconds));
	inn__text_add(t, q->floor > 0 ? "%.6g}" : "null}", q->floor * 1e3);
}

static void json_of(const struct inn_plan *plan, const struct inn__profile *p, struct inn__text *t)
{
	inn__text_add(t, "{\"schema\": 1, \"batch\": %u, \"ms\": %.6g, \"wall_ms\": %.6g, \"parts\": [", plan->batch, p->total * 1e3, p->wall * 1e3);
	for (size_t j = 0; j < p->n; j++) {
		inn__text_add(t, j ? ",\n " : "\n ");
		part_json(plan, p, &p->part[j], t);
	}
	inn__text_add(t, "\n]}\n");
}

int inn__profile_show(inn_job *job, const struct inn_plan *plan, const struct inn__profile *p, bool json, FILE *out)
{
	struct inn__text t = { 0 };
	int status = INN_OK;

	(json ? json_of : table)(plan, p, &t);
	if (t.failed)
		status = inn_nomem(job->ctx);
	else if (t.s)
		fputs(t.s, out);
	free(t.s);
	return status;
}
