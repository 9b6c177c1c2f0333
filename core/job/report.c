/* The numbers of a report: means, intervals, ranks and how an analyzer compares with the control. */
#include "report.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

static const struct inn_metric_ops *metric(const struct inn__report *r, size_t m)
{
	return (const struct inn_metric_ops *)(const void *)r->run->metrics.v[m].cls;
}

static enum inn__verdict compare(const struct inn__interval *a, const struct inn__interval *control, int better)
{
	if (isnan(a->low) || isnan(control->low))
		return INN__UNKNOWN;
	if (a->low > control->high)
		return better == INN_HIGHER ? INN__ABOVE : INN__BELOW;
	if (a->high < control->low)
		return better == INN_HIGHER ? INN__BELOW : INN__ABOVE;
	return INN__OVERLAPS;
}

/* Insertion sort: equal scores keep the analyzers' order. */
static void sort(struct inn__entry *e, size_t n, int better)
{
	for (size_t i = 1; i < n; i++) {
		struct inn__entry x = e[i];
		size_t k = i;

		for (; k && (better == INN_HIGHER ? e[k - 1].score.mean < x.score.mean : e[k - 1].score.mean > x.score.mean); k--)
			e[k] = e[k - 1];
		e[k] = x;
	}
}

int inn__report_make(struct inn__report *r)
{
	inn_ctx *ctx = r->job->ctx;
	const struct inn__exec *e = r->exec;
	size_t n_metrics = r->run->metrics.n;

	r->series = inn_alloc(ctx, e->n_measures + 1u, sizeof(*r->series));
	r->entry = inn_alloc(ctx, n_metrics * r->n_analyzers + 1, sizeof(*r->entry));
	if (!r->series || !r->entry)
		return INN_ENOMEM;
	for (uint32_t i = 0; i < e->n_measures; i++) {
		const struct inn__measure *m = &e->measure[i];
		struct inn__interval *v = inn_alloc(ctx, m->n_at + 1u, sizeof(*v));

		if (!v)
			return INN_ENOMEM;
		inn__intervals(&r->out[m->out], v);
		r->series[i] = (struct inn__series){ m, v };
		if (!m->n_at && !strcmp(m->name, "score"))
			r->entry[m->metric * r->n_analyzers + m->analyzer] = (struct inn__entry){ .analyzer = &r->analyzers[m->analyzer], .score = v[0] };
	}
	for (size_t m = 0; m < n_metrics; m++) {
		struct inn__entry *v = r->entry + m * r->n_analyzers;
		struct inn__interval control = v[r->control].score;

		for (size_t a = 0; a < r->n_analyzers; a++)
			v[a].verdict = a == r->control ? INN__CONTROL : compare(&v[a].score, &control, metric(r, m)->better);
		sort(v, r->n_analyzers, metric(r, m)->better);
	}
	return INN_OK;
}

void inn__report_print(const struct inn__report *r, FILE *out)
{
	const char *control = r->analyzers[r->control].label;
	int width = 0;

	for (size_t a = 0; a < r->n_analyzers; a++)
		width = (int)strlen(r->analyzers[a].label) > width ? (int)strlen(r->analyzers[a].label) : width;
	for (size_t m = 0; m < r->run->metrics.n; m++) {
		fprintf(out, "%s: %s (%s is better; mean of %zu sample%s%s)\n", r->run->metrics.v[m].label, metric(r, m)->cls.brief,
			metric(r, m)->better == INN_HIGHER ? "higher" : "lower", r->samples, r->samples == 1 ? "" : "s",
			r->samples == 1 ? "" : " and 95 % confidence interval");
		for (size_t a = 0; a < r->n_analyzers; a++) {
			static const char *const text[] = { "the control", "better than %s", "worse than %s", "no different from %s", "" };
			const struct inn__entry *e = &r->entry[m * r->n_analyzers + a];
			const char *phrase = text[e->verdict], *gap = strstr(phrase, "%s");

			fprintf(out, "%4zu  %-*s  %9.4f", a + 1, width, e->analyzer->label, e->score.mean);
			if (!isnan(e->score.low))
				fprintf(out, "  [%.4f, %.4f]", e->score.low, e->score.high);
			if (gap)
				fprintf(out, "  %.*s%s", (int)(gap - phrase), phrase, control);
			else if (*phrase)
				fprintf(out, "  %s", phrase);
			fputc('\n', out);
		}
	}
}

