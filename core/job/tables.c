/* A report's files. */
#include "report.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char *in_folder(inn_job *job, const struct inn__run *run, const char *name, const char *suffix)
{
	return inn_printf(job->ctx, "%s/%s.%s", run->output.dir, name, suffix);
}

static void number(struct inn__text *t, double v, const char *none)
{
	char buf[32];

	inn__text_add(t, "%s", isfinite(v) ? inn__print_real(v, buf) : none);
}

static void interval_csv(struct inn__text *t, const struct inn__interval *v)
{
	number(t, v->mean, "");
	inn__text_add(t, ",");
	number(t, v->low, "");
	inn__text_add(t, ",");
	number(t, v->high, "");
}

/* A field of a table: quoted if it must be. */
static void field(struct inn__text *t, const char *s)
{
	if (!strpbrk(s, ",\"\n\r")) {
		inn__text_add(t, "%s", s);
		return;
	}
	inn__text_add(t, "\"");
	for (; *s; s++)
		inn__text_add(t, *s == '"' ? "\"\"" : "%c", *s);
	inn__text_add(t, "\"");
}

static const char *better(const struct inn__report *r, size_t m)
{
	return ((const struct inn_metric_ops *)(const void *)r->run->metrics.v[m].cls)->better == INN_HIGHER ? "higher" : "lower";
}

static const char *const verdicts[] = { "control", "better", "worse", "overlaps", "unknown" };

static void scores_csv(const struct inn__report *r, struct inn__text *t)
{
	inn__text_add(t, "metric,rank,analyzer,score,low,high,samples,better,against_control\n");
	for (size_t m = 0; m < r->run->metrics.n; m++)
		for (size_t a = 0; a < r->n_analyzers; a++) {
			const struct inn__entry *e = &r->entry[m * r->n_analyzers + a];

			field(t, r->run->metrics.v[m].label);
			inn__text_add(t, ",%zu,", a + 1);
			field(t, e->analyzer->label);
			inn__text_add(t, ",");
			interval_csv(t, &e->score);
			inn__text_add(t, ",%zu,%s,%s\n", r->samples, better(r, m), verdicts[e->verdict]);
		}
}

static void curves_csv(const struct inn__report *r, struct inn__text *t)
{
	inn__text_add(t, "metric,analyzer,curve,point,at,mean,low,high\n");
	for (uint32_t i = 0; i < r->exec->n_measures; i++) {
		const struct inn__measure *m = r->series[i].of;

		for (uint32_t p = 0; p < m->n_at; p++) {
			field(t, r->run->metrics.v[m->metric].label);
			inn__text_add(t, ",");
			field(t, r->analyzers[m->analyzer].label);
			inn__text_add(t, ",");
			field(t, m->name);
			inn__text_add(t, ",%u,", p);
			number(t, m->at[p], "");
			inn__text_add(t, ",");
			interval_csv(t, &r->series[i].v[p]);
			inn__text_add(t, "\n");
		}
	}
}

static void array_json(struct inn__text *t, const char *key, const double *v, size_t n, size_t stride)
{
	inn__text_add(t, ", \"%s\": [", key);
	for (size_t i = 0; i < n; i++) {
		inn__text_add(t, i ? ", " : "");
		number(t, v[i * stride], "null");
	}
	inn__text_add(t, "]");
}

/* The curves and the other numbers of one analyzer under one metric. */
static void series_json(const struct inn__report *r, size_t metric, const struct inn_inst *analyzer, struct inn__text *t)
{
	bool first = true;

	for (uint32_t i = 0; i < r->exec->n_measures; i++) {
		const struct inn__measure *m = r->series[i].of;
		const struct inn__interval *v = r->series[i].v;

		if (m->metric != metric || &r->analyzers[m->analyzer] != analyzer)
			continue;
		inn__text_add(t, "%s\n        {\"name\": ", first ? "" : ",");
		inn__text_json(t, m->name);
		if (m->n_at)
			array_json(t, "at", m->at, m->n_at, 1);
		array_json(t, "mean", &v->mean, m->n_at ? m->n_at : 1, 3);
		array_json(t, "low", &v->low, m->n_at ? m->n_at : 1, 3);
		array_json(t, "high", &v->high, m->n_at ? m->n_at : 1, 3);
		inn__text_add(t, "}");
		first = false;
	}
}

static void entry_json(const struct inn__report *r, size_t m, size_t a, struct inn__text *t)
{
	const struct inn__entry *e = &r->entry[m * r->n_analyzers + a];

	inn__text_add(t, "      {\"rank\": %zu, \"analyzer\": ", a + 1);
	inn__text_json(t, e->analyzer->label);
	inn__text_add(t, ", \"score\": ");
	number(t, e->score.mean, "null");
	inn__text_add(t, ", \"low\": ");
	number(t, e->score.low, "null");
	inn__text_add(t, ", \"high\": ");
	number(t, e->score.high, "null");
	inn__text_add(t, ", \"against_control\": \"%s\", \"series\": [", verdicts[e->verdict]);
	series_json(r, m, e->analyzer, t);
	inn__text_add(t, "]}%s\n", a + 1 < r->n_analyzers ? "," : "");
}

void inn__report_json(const struct inn__report *r, struct inn__text *t)
{
	inn__text_add(t, "{\n  \"schema\": 1,\n  \"samples\": %zu,\n  \"interval\": \"Student's t\",\n", r->samples);
	inn__text_add(t, "  \"confidence\": 0.95,\n  \"control\": ");
	inn__text_json(t, r->analyzers[r->control].label);
	inn__text_add(t, ",\n  \"metrics\": [\n");
	for (size_t m = 0; m < r->run->metrics.n; m++) {
		inn__text_add(t, "    {\"metric\": ");
		inn__text_json(t, r->run->metrics.v[m].label);
		inn__text_add(t, ", \"configuration\": ");
		inn__text_json(t, inn__print_inst(r->job->ctx, &r->run->metrics.v[m]));
		inn__text_add(t, ", \"better\": \"%s\", \"analyzers\": [\n", better(r, m));
		for (size_t a = 0; a < r->n_analyzers; a++)
			entry_json(r, m, a, t);
		inn__text_add(t, "    ]}%s\n", m + 1 < r->run->metrics.n ? "," : "");
	}
	inn__text_add(t, "  ]\n}\n");
}

static int write_text(struct inn__report *r, const char *name, const char *suffix, void (*fill)(const struct inn__report *, struct inn__text *))
{
	struct inn__text t = { 0 };
	uint64_t errors = inn__errors_total(r->job->ctx);
	const char *path = in_folder(r->job, r->run, name, suffix);

	fill(r, &t);
	int status = path && !t.failed && inn__errors_total(r->job->ctx) == errors ? inn__write_file(r->job->ctx, path, t.s, t.n) : inn_nomem(r->job->ctx);

	free(t.s);
	return status;
}

/* Every sample's numbers, for statistics of one's own. */
static int write_samples(struct inn__report *r)
{
	const struct inn__exec *e = r->exec;
	struct inn_named *v = inn_alloc(r->job->ctx, e->n_measures, sizeof(*v));
	const char *path = in_folder(r->job, r->run, "metrics", r->job->def.archive);

	if (!v || !path)
		return INN_ENOMEM;
	for (uint32_t i = 0; i < e->n_measures; i++) {
		const struct inn__measure *m = &e->measure[i];

		v[i].name = inn_printf(r->job->ctx, "%s.%s.%s", r->run->metrics.v[m->metric].label, r->analyzers[m->analyzer].label, m->name);
		v[i].t = r->out[m->out];
		if (!v[i].name)
			return INN_ENOMEM;
	}
	return inn__write_named(r->job, path, v, e->n_measures);
}

/* The curves of one metric that have this one's name and points, in one picture. */
static int plot(struct inn__report *r, uint32_t first, const char *path)
{
	const struct inn__measure *f = r->series[first].of;
	struct inn_tensor v = { .dtype = INN_F64, .shape = { .rank = 3, .dim = { 0, f->n_at, 3 } } }, picture = { 0 };
	const char **label = inn_alloc(r->job->ctx, r->n_analyzers, sizeof(*label));
	const struct inn_inst *m = &r->run->metrics.v[f->metric];
	const char *title = inn_printf(r->job->ctx, "%s: %s", m->label, f->name);
	int status;

	if (!label || !title)
		return INN_ENOMEM;
	v.shape.dim[0] = (uint32_t)r->n_analyzers;
	if ((status = inn_tensor_alloc(r->job->ctx, &v)) < 0)
		return status;
	v.shape.dim[0] = 0;
	for (size_t a = 0; a < r->n_analyzers; a++) /* the best first */
		for (uint32_t i = 0; i < r->exec->n_measures; i++) {
			const struct inn__measure *s = r->series[i].of;
			const struct inn_inst *who = r->entry[f->metric * r->n_analyzers + a].analyzer;

			if (s->metric != f->metric || &r->analyzers[s->analyzer] != who || strcmp(s->name, f->name) || s->n_at != f->n_at)
				continue;
			memcpy((double *)v.data + (size_t)v.shape.dim[0] * 3 * f->n_at, r->series[i].v, 3 * f->n_at * sizeof(double));
			label[v.shape.dim[0]++] = who->label;
		}
	status = inn__plot(r->job, &v, label, f->at, title, ((const struct inn_metric_ops *)(const void *)m->cls)->axis, &picture);
	if (status == INN_OK)
		status = inn__write_tensor(r->job, path, &picture);
	inn_tensor_free(&picture);
	inn_tensor_free(&v);
	return status;
}

static int write_plots(struct inn__report *r)
{
	int status = INN_OK;

	for (uint32_t i = 0; status == INN_OK && i < r->exec->n_measures; i++) {
		const struct inn__measure *m = r->series[i].of;
		const char *name = inn_printf(r->job->ctx, "%s.%s", r->run->metrics.v[m->metric].label, m->name);
		const char *path = name ? in_folder(r->job, r->run, name, r->run->output.plots) : NULL;

		if (!path)
			status = INN_ENOMEM;
		else if (m->n_at > 1 && !m->analyzer)
			status = plot(r, i, path);
	}
	return status;
}

int inn__report_write(struct inn__report *r)
{
	int status = write_text(r, "metrics", "json", inn__report_json);

	if (status == INN_OK)
		status = write_text(r, "metrics", "csv", scores_csv);
	if (status == INN_OK)
		status = write_text(r, "curves", "csv", curves_csv);
	if (status == INN_OK)
		status = write_samples(r);
	return status == INN_OK && strcmp(r->run->output.plots, "none") ? write_plots(r) : status;
}

bool inn__report_there(inn_job *job, const struct inn__run *run)
{
	static const char *const name[] = { "metrics.json", "metrics.csv", "curves.csv" };
	bool all = true;

	for (size_t i = 0; run->metrics.n && i < sizeof(name) / sizeof(*name); i++) {
		const char *path = inn_printf(job->ctx, "%s/%s", run->output.dir, name[i]);

		all = all && path && !access(path, R_OK);
	}
	return all;
}
