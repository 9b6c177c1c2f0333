/* A run: everything a configuration asks for, in one plan. */
#include "report.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define SHEET_SAMPLES 8u
#define TOP_SAMPLES 16u
#define SHOWN_LEAKS 5u

struct running {
	inn_job *job;
	struct inn__run r;
	struct inn_model *model;
	inn_graph *graph;
	struct inn__samples samples;
	struct inn__labels labels;
	struct inn_inst *measured; /* the analyzers, and behind them the metrics' control if it is none of them */
	size_t n_measured, control;
	struct inn__exec *exec;
	struct inn_tensor *out;
	struct inn__report report; /* of the metrics, once they are measured */
	struct inn__text manifest;
	const char *manifest_path, *journal_path;
};

static int gather_measured(struct running *u)
{
	const struct inn_insts *a = &u->r.analyzers;
	const struct inn_inst *control = &u->r.control;

	if (!(u->measured = inn_alloc(u->job->ctx, a->n + 1, sizeof(*u->measured))))
		return INN_ENOMEM;
	memcpy(u->measured, a->v, a->n * sizeof(*a->v));
	u->measured[a->n] = *control;
	for (u->control = 0; control->cls && u->measured[u->control].cls != control->cls;)
		u->control++;
	u->n_measured = a->n + (control->cls && u->control == a->n);
	return INN_OK;
}

/* Model, samples and plan. */
static int open_all(struct running *u, enum inn__fit_how how)
{
	inn_job *job = u->job;
	struct inn__run *r = &u->r;
	int status = inn__model_open(job, r->model, &r->passes, &u->model);

	if (status < 0)
		return status;
	if ((status = inn__labels_load(job, r->labels, u->model, &u->labels)) < 0 ||
	    (status = inn__samples_for(u->model, false, r->input, r->n_input, &r->pre, &u->samples)) < 0)
		return r->input_keys && status == INN_EDATA ? inn_while(job->ctx, status, &r->input_keys->loc, "in input") : status;
	u->graph = inn__model_graph(u->model, false);
	inn__samples_first(&u->samples, r->samples);
	if ((status = inn__run_fit(job, r, u->model, how)) < 0 || (status = gather_measured(u)) < 0)
		return status;
	struct inn__what w = {
		.model = u->model, .analyzer = u->measured, .n_analyzer = u->n_measured, .metric = r->metrics.v, .n_metric = r->metrics.n,
		.target = &r->target, .pre = &r->pre, .logits = true, .batch = (uint32_t)r->batch, .audit = r->audit, .watch = r->outputs,
	};
	bool maps = strcmp(r->output.maps, "none");

	w.n_maps = maps || *r->output.sheet ? r->analyzers.n : 0;
	if ((status = inn__plan_make(job, &w, u->samples.n, &u->exec)) < 0)
		return status;
	u->exec->map_rows = maps ? 0 : SHEET_SAMPLES;
	return INN_OK;
}

static void close_all(struct running *u)
{
	for (uint32_t i = 0; u->out && i < u->exec->n_out; i++)
		inn_tensor_free(&u->out[i]);
	free(u->out);
	free(u->manifest.s);
	inn__exec_free(u->job, u->exec);
	inn__samples_free(&u->samples);
}

static const char *map_path(struct running *u, size_t a)
{
	const char *suffix = u->exec->n_x > 1 ? u->job->def.archive : u->r.output.maps;

	return inn_printf(u->job->ctx, "%s/%s.%s", u->r.output.dir, u->r.analyzers.v[a].label, suffix);
}

static const char *sheet_path(struct running *u)
{
	const char *s = u->r.output.sheet;

	return s[0] == '/' ? s : inn_printf(u->job->ctx, "%s/%s", u->r.output.dir, s);
}

/* True if all files of this run are there. */
static bool finished(struct running *u)
{
	bool all = (!*u->r.output.sheet || !access(sheet_path(u), R_OK)) && inn__report_there(u->job, &u->r);

	for (size_t a = 0; all && strcmp(u->r.output.maps, "none") && a < u->r.analyzers.n; a++) {
		const char *path = map_path(u, a);

		all = path && !access(path, R_OK);
	}
	for (size_t a = 0; all && a < u->r.analyzers.n; a++)
		all = inn__layers_there(u->job, u->r.output.dir, u->r.analyzers.v[a].label, &u->exec->layers[a]);
	return all;
}

static int write_maps(struct running *u)
{
	struct inn_named *v = inn_alloc(u->job->ctx, u->exec->n_x, sizeof(*v));
	int status = v ? INN_OK : INN_ENOMEM;

	for (size_t a = 0; status == INN_OK && strcmp(u->r.output.maps, "none") && a < u->r.analyzers.n; a++) {
		const char *path = map_path(u, a);

		for (uint32_t i = 0; i < u->exec->n_x; i++) {
			v[i].name = inn__graph_input(u->graph, i)->name;
			v[i].t = u->out[a * u->exec->n_x + i];
		}
		status = path ? inn__write_named(u->job, path, v, u->exec->n_x) : INN_ENOMEM;
	}
	return status;
}

static int write_layers(struct running *u)
{
	int status = INN_OK;

	for (size_t a = 0; status == INN_OK && a < u->r.analyzers.n; a++)
		status = inn__layers_write(u->job, u->r.output.dir, u->r.analyzers.v[a].label, &u->exec->layers[a], u->out);
	return status;
}

static bool pictures(const struct running *u) { return u->samples.path || u->samples.stack; }

/* The tiles of one sample: the picture, if it is one, then a map for each analyzer. */
static int row(struct running *u, size_t sample, struct inn_tensor *tile, const char **label, size_t *n)
{
	int status = INN_OK;

	if (pictures(u)) {
		char name[INN__SAMPLE_NAME];

		status = inn__read_image(u->job->ctx, &u->samples, sample, &tile[*n]);
		if (!(label[(*n)++] = inn_strdup(u->job->ctx, inn__sample_name(&u->samples, sample, name))))
			status = INN_ENOMEM;
	}
	for (size_t a = 0; status == INN_OK && a < u->r.analyzers.n; a++) {
		status = inn__heat_map(u->job, &u->out[a * u->exec->n_x], sample, &tile[*n]);
		label[(*n)++] = u->r.analyzers.v[a].label;
	}
	return status;
}

static uint32_t columns(const struct running *u, size_t rows, size_t each)
{
	if (u->r.output.columns)
		return (uint32_t)u->r.output.columns;
	if (rows > 1 || each <= 4)
		return (uint32_t)each;
	return each <= 6 ? 3 : each <= 8 ? 4 : each <= 10 ? 5 : each <= 12 ? 4 : 5;
}

static int write_sheet(struct running *u)
{
	size_t rows = u->samples.n < SHEET_SAMPLES ? u->samples.n : SHEET_SAMPLES, each = u->r.analyzers.n + pictures(u), n = 0;
	struct inn_tensor *tile, sheet = { 0 };
	const char **label = inn_alloc(u->job->ctx, rows * each, sizeof(*label)), *path = sheet_path(u);
	int status = INN_OK;

	tile = calloc(rows * each, sizeof(*tile));
	if (!tile || !label || !path)
		status = inn_nomem(u->job->ctx);
	for (size_t s = 0; status == INN_OK && s < rows; s++)
		status = row(u, s, tile, label, &n);
	if (status == INN_OK)
		status = inn__sheet(u->job, tile, n, label, columns(u, rows, each), &sheet);
	if (status == INN_OK)
		status = inn__write_tensor(u->job, path, &sheet);
	for (size_t i = 0; tile && i < rows * each; i++)
		inn_tensor_free(&tile[i]);
	free(tile);
	inn_tensor_free(&sheet);
	return status;
}

/* The audit of analyzer a, or NULL. */
static const struct inn_tensor *audit_of(const struct running *u, size_t a)
{
	const struct inn__layers *l = &u->exec->layers[a];

	return u->out && l->audit != UINT32_MAX ? &u->out[l->audit] : NULL;
}

static void show_rest_json(struct running *u, FILE *out)
{
	struct inn__text t = { 0 };
	bool any = false;
	int status = INN_OK;

	inn__text_add(&t, "]");
	if (u->report.entry) {
		inn__text_add(&t, ", \"metrics\": ");
		inn__report_json(&u->report, &t);
	}
	for (size_t a = 0; status == INN_OK && a < u->r.analyzers.n; a++) {
		if (!audit_of(u, a))
			continue;
		inn__text_add(&t, any ? ", " : ", \"audits\": {");
		inn__text_json(&t, u->r.analyzers.v[a].label);
		inn__text_add(&t, ": ");
		status = inn__audit_text(u->job, &u->exec->layers[a], audit_of(u, a), INN__AUDIT_JSON, 0, &t);
		any = true;
	}
	inn__text_add(&t, any ? "}}\n" : "}\n");
	fputs(t.s ? t.s : "", out);
	free(t.s);
}

static void show_rest(struct running *u, bool skipped, FILE *out)
{
	struct inn__text t = { 0 };
	int status = INN_OK;

	if (u->report.entry)
		inn__report_print(&u->report, out);
	for (size_t a = 0; status == INN_OK && a < u->r.analyzers.n; a++) {
		if (!audit_of(u, a))
			continue;
		inn__text_add(&t, "audit of %s: the layers that keep most\n", u->r.analyzers.v[a].label);
		status = inn__audit_text(u->job, &u->exec->layers[a], audit_of(u, a), INN__AUDIT_TABLE, SHOWN_LEAKS, &t);
	}
	fputs(t.s ? t.s : "", out);
	free(t.s);
	if (skipped)
		fprintf(out, "%s: already there\n", u->r.output.dir);
	else
		fprintf(out, "%s: %zu analyzers, %zu sample%s%s%s\n", u->r.output.dir, u->r.analyzers.n, u->samples.n, u->samples.n == 1 ? "" : "s",
			*u->r.output.sheet ? "; the sheet is " : "", *u->r.output.sheet ? sheet_path(u) : "");
}

static void show(struct running *u, bool json, bool skipped, FILE *out)
{
	struct inn__text t = { 0 };
	struct inn_tensor *y = u->out ? &u->out[u->exec->logits] : NULL;
	struct inn_tensor few;

	if (json) {
		inn__text_add(&t, "{\"schema\": 1, \"output\": ");
		inn__text_json(&t, u->r.output.dir);
		inn__text_add(&t, ", \"skipped\": %s, \"samples\": [", skipped ? "true" : "false");
		fputs(t.s ? t.s : "", out);
		free(t.s);
	}
	if (y) {
		few = *y;
		if (few.shape.dim[0] > TOP_SAMPLES)
			few.shape.dim[0] = TOP_SAMPLES;
		inn__print_top(u->job, &few, &u->samples, &u->labels, 5, json, out);
	}
	if (json)
		show_rest_json(u, out);
	else
		show_rest(u, skipped, out);
}

/* Whether to go on, given what is in the folder: INN__SAME means that it is all done. */
static int look(struct running *u, bool force, bool *done)
{
	uint64_t errors = inn__errors_total(u->job->ctx);
	int status = inn__make_folder(u->job->ctx, u->r.output.dir);

	*done = false;
	if (status < 0)
		return status;
	inn__manifest(u->job, &u->r, u->model, &u->samples, u->exec, &u->manifest);
	u->manifest_path = inn_printf(u->job->ctx, "%s/manifest.json", u->r.output.dir);
	u->journal_path = inn_printf(u->job->ctx, "%s/unfinished.journal", u->r.output.dir);
	if (!u->manifest_path || !u->journal_path || u->manifest.failed || inn__errors_total(u->job->ctx) > errors)
		return inn_nomem(u->job->ctx);
	switch (inn__manifest_compare(u->manifest_path, &u->manifest)) {
	case INN__OTHER:
		if (!force)
			return inn_fail(u->job->ctx, INN_ECONFIG, NULL, "%s holds the results of another run; --force writes over them", u->r.output.dir);
		break;
	case INN__SAME:
		*done = !force && finished(u);
		break;
	case INN__NONE:
		break;
	}
	return INN_OK;
}

/* All samples, those of an interrupted run included. */
static int compute(struct running *u, bool anew)
{
	int status;

	if (anew)
		unlink(u->journal_path);
	if ((status = inn__exec_load(u->job, u->exec)) < 0)
		return status;
	if (!(u->out = calloc(u->exec->n_out + 1u, sizeof(*u->out))))
		return inn_nomem(u->job->ctx);
	status = inn__journal_new(u->job->ctx, u->journal_path, inn__manifest_hash(&u->manifest), &u->exec->journal);
	return status < 0 ? status : inn__execute(u->job, u->exec, &u->samples, u->out);
}

static int write_report(struct running *u)
{
	u->report = (struct inn__report){ .job = u->job, .run = &u->r, .exec = u->exec, .out = u->out, .analyzers = u->measured,
					  .n_analyzers = u->n_measured, .control = u->control, .samples = u->samples.n };
	int status = inn__report_make(&u->report);

	return status < 0 ? status : inn__report_write(&u->report);
}

static int work(struct running *u, bool anew)
{
	int status = compute(u, anew);

	if (status < 0)
		return status;
	unlink(u->manifest_path); /* it speaks of what is overwritten now */
	if ((status = write_maps(u)) < 0 || (status = write_layers(u)) < 0)
		return status;
	if (*u->r.output.sheet && (status = write_sheet(u)) < 0)
		return status;
	return u->r.metrics.n ? write_report(u) : INN_OK;
}

static int hold_audits(struct running *u)
{
	int status = INN_OK;

	for (size_t a = 0; !isnan(u->r.audit_limit) && a < u->r.analyzers.n; a++) {
		int more = !audit_of(u, a) ? INN_OK : inn__audit_limit(u->job, u->r.analyzers.v[a].label, &u->exec->layers[a], audit_of(u, a), u->r.audit_limit);

		status = status < 0 ? status : more;
	}
	return status;
}

/* The manifest comes last: with it the run is done, which it is not while an audit finds too much. */
static int conclude(struct running *u)
{
	int status = hold_audits(u);

	return status < 0 ? status : inn__write_file(u->job->ctx, u->manifest_path, u->manifest.s, u->manifest.n);
}

int inn__config_run(inn_job *job, const struct inn__config *c, FILE *out)
{
	struct running u = { .job = job };
	bool done = false;
	int status = inn__run_bind(job, c, &u.r);

	if (status == INN_OK && (status = open_all(&u, c->force ? INN__FIT_OVER : INN__FIT)) == INN_OK)
		status = inn__exec_settle(job, u.exec);
	if (status == INN_OK)
		status = look(&u, c->force, &done);
	if (status == INN_OK && !done)
		status = work(&u, c->force);
	if (status == INN_OK)
		show(&u, c->json, done, out);
	if (status == INN_OK && !done)
		status = conclude(&u);
	if (u.exec)
		inn__journal_free(u.exec->journal, status == INN_OK);
	close_all(&u);
	return status;
}

int inn__config_check(inn_job *job, const struct inn__config *c, FILE *out)
{
	struct running u = { .job = job };
	int status = inn__run_bind(job, c, &u.r);

	if (status == INN_OK)
		status = open_all(&u, INN__FIT_CHECK);
	if (status == INN_OK)
		fprintf(out, "%s: ok\n", c->path);
	close_all(&u);
	return status;
}

int inn__config_plan(inn_job *job, const struct inn__config *c, FILE *out)
{
	struct running u = { .job = job };
	int status = inn__run_bind(job, c, &u.r);

	if (status == INN_OK && (status = open_all(&u, INN__FIT_CHECK)) == INN_OK)
		status = inn__show_plan(job, &c->show, u.model, u.exec, &u.samples, out);
	close_all(&u);
	return status;
}
