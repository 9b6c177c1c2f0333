/* Metrics: what they measure of every analyzer's maps becomes outputs of the same plan. */
#include "job.h"
#include <stdio.h>
#include <string.h>

struct taker { /* what inn_measure adds to */
	inn_job *job;
	const struct inn__what *w;
	struct inn__exec *e;
	inn_build *b;
	uint32_t metric, analyzer, *out;
	bool score; /* there is one */
};

static bool room(struct taker *t)
{
	struct inn__measure *v;

	if (t->e->n_measures & (t->e->n_measures - 1)) /* full at powers of two */
		return true;
	v = inn_alloc(t->job->ctx, t->e->n_measures ? 2u * t->e->n_measures : 1, sizeof(*v));
	if (v && t->e->n_measures)
		memcpy(v, t->e->measure, t->e->n_measures * sizeof(*v));
	t->e->measure = v ? v : t->e->measure;
	return v;
}

static void take(void *user, const char *name, inn_val v, const double *at, uint32_t n_at)
{
	struct taker *t = user;
	const struct inn_inst *m = &t->w->metric[t->metric];
	const struct inn_shape *s = inn_shape_of(t->b, v);
	char buf[INN_SHAPE_STR], output[256];

	if (!v.id)
		return;
	if (s->rank != (n_at ? 2 : 1) || (s->dim[0] != t->e->batch && s->dim[0] != 1) || (n_at && s->dim[1] != n_at)) {
		inn_fail(t->job->ctx, INN_EBUG, &m->loc, "%s: %s has shape %s; [samples] or [samples,%u] is expected", m->label, name,
			 inn_shape_str(s, buf), n_at);
		return;
	}
	double *copy = inn_alloc(t->job->ctx, n_at + 1u, sizeof(*copy));
	const char *own = inn_strdup(t->job->ctx, name);

	if (!copy || !own || !room(t))
		return;
	if (n_at)
		memcpy(copy, at, n_at * sizeof(*copy));
	t->score |= !n_at && !strcmp(name, "score");
	t->e->measure[t->e->n_measures++] = (struct inn__measure){ t->metric, t->analyzer, *t->out, n_at, own, copy };
	snprintf(output, sizeof(output), "%u (%s of %s)", (*t->out)++, m->label, t->w->analyzer[t->analyzer].label);
	inn__output(t->b, output, v);
}

static int record(struct taker *t, const struct inn_query *q, const inn_val *map, inn_val y)
{
	const struct inn_inst *m = &t->w->metric[t->metric], *a = &t->w->analyzer[t->analyzer];
	struct inn_subject s = { .size = sizeof(s), .q = q, .analyzer = a, .map = map + t->analyzer * q->n_x, .y = y };
	const char *from = inn__build_from(t->b, m->label);

	t->score = false;
	((const struct inn_metric_ops *)(const void *)m->cls)->build(t->b, &s, m->opts);
	inn__build_from(t->b, from);
	if (!inn_failed(t->job->ctx) && !t->score)
		inn_fail(t->job->ctx, INN_EBUG, &m->loc, "%s gives no score", m->label);
	if (inn_failed(t->job->ctx))
		return inn_while(t->job->ctx, inn__last_status(t->job->ctx), &m->loc, "while building %s of %s", m->label, a->label);
	return INN_OK;
}

int inn__measures_record(inn_job *job, const struct inn__what *w, struct inn__exec *e, inn_build *b, const struct inn_query *q,
			 const inn_val *map, inn_val y, uint32_t *out)
{
	struct taker t = { .job = job, .w = w, .e = e, .b = b, .out = out };
	int status = INN_OK;

	inn__build_set_measure(b, take, &t);
	for (t.metric = 0; status == INN_OK && t.metric < w->n_metric; t.metric++)
		for (t.analyzer = 0; status == INN_OK && t.analyzer < w->n_analyzer; t.analyzer++)
			status = record(&t, q, map, y);
	inn__build_set_measure(b, NULL, NULL);
	return status;
}
