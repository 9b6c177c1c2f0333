/* The commands analyze, predict, plan and check over one network given on the command line. */
#include "job.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

struct session { /* what every request opens, in this order */
	struct inn__pre pre;
	struct inn_target target;
	struct inn_inst analyzer;
	struct inn_model *model;
	inn_graph *graph;
	struct inn__samples samples;
	struct inn__exec *exec;
};

/* All that can be bound before a model is opened. */
static int bind(inn_job *job, const struct inn__request *r, struct session *s)
{
	int status = inn__defaults(job), more;

	if (status < 0)
		return status;
	if (r->preprocess)
		status = inn__pre_load(job, r->preprocess, &s->pre);
	if ((more = inn__target_parse(job, r->target, &s->target)) < 0 && status == INN_OK)
		status = more;
	if (r->analyzer && (more = inn__bind_text(job, INN_ANALYZER, "-a", r->analyzer, &s->analyzer)) < 0 && status == INN_OK)
		status = more;
	if (r->batch < 0 || r->batch > 4096)
		return inn_fail(job->ctx, INN_ECONFIG, NULL, "--batch %lld is not within 1 to 4096", (long long)r->batch);
	return status;
}

/* The network and its samples, if some are given. */
static int open_both(inn_job *job, const struct inn__request *r, bool plain, struct session *s)
{
	int status = inn__model_of(job, r->model, &s->model);

	if (status == INN_OK && r->n_input)
		status = inn__samples_for(s->model, plain, r->input, r->n_input, &s->pre, &s->samples);
	if (status == INN_OK && plain && s->samples.declared && r->batch)
		status = inn_fail(job->ctx, INN_ECONFIG, NULL, "--batch does not go with inputs by name: they are taken whole");
	if (status == INN_OK && !(s->graph = inn__model_graph(s->model, plain)))
		status = inn__last_status(job->ctx);
	return status;
}

static int make(inn_job *job, const struct inn__request *r, bool plain, struct session *s)
{
	struct inn__what w = {
		.model = s->model, .analyzer = &s->analyzer, .n_analyzer = s->analyzer.cls ? 1 : 0, .n_maps = 1, .plain = plain,
		.pre = &s->pre, .audit = r->audit, .watch = { r->n_layer, r->layer }, .batch = (uint32_t)r->batch,
		.target = plain ? NULL : &s->target, .logits = !plain && !s->analyzer.cls,
	};

	w.declared = plain && s->samples.declared;
	return inn__plan_make(job, &w, s->samples.n ? s->samples.n : 1, &s->exec);
}

static void finish(inn_job *job, struct session *s, struct inn_tensor *out)
{
	for (uint32_t i = 0; out && i < s->exec->n_out; i++)
		inn_tensor_free(&out[i]);
	free(out);
	inn__exec_free(job, s->exec);
	inn__samples_free(&s->samples);
}

/* Runs what is opened; gives the outputs, freed by finish. */
static int compute(inn_job *job, struct session *s, struct inn_tensor **out)
{
	int status = inn__exec_load(job, s->exec);

	*out = NULL;
	if (status < 0)
		return status;
	if (!(*out = calloc(s->exec->n_out + 1u, sizeof(**out))))
		return inn_nomem(job->ctx);
	return inn__execute(job, s->exec, &s->samples, *out);
}

static int write_all(inn_job *job, const char *path, const inn_graph *g, bool outputs, const struct inn_tensor *t, uint32_t n)
{
	const struct inn_format_ops *f = inn__format_for(job, path);

	if (!f)
		return inn__last_status(job->ctx);
	if (!f->write_named) {
		if (n > 1 && !outputs)
			return inn_fail(job->ctx, INN_ECONFIG, NULL, "%s: the network has %u inputs; write to a file that holds several arrays", path, n);
		return inn__write_tensor(job, path, &t[0]);
	}
	struct inn_named *v = inn_alloc(job->ctx, n, sizeof(*v));

	if (!v)
		return INN_ENOMEM;
	for (uint32_t i = 0; i < n; i++) {
		v[i].name = outputs ? inn__graph_output(g, i)->name : inn__graph_input(g, i)->name;
		v[i].t = t[i];
	}
	return inn__write_named(job, path, v, n);
}

/* The first eight samples as one picture. */
static int write_picture(inn_job *job, const char *path, const struct inn_tensor *map, size_t n)
{
	struct inn_tensor tile[8], sheet = { 0 };
	const char *label[8];
	int status = INN_OK;

	memset(tile, 0, sizeof(tile));
	n = n > 8 ? 8 : n;
	for (size_t i = 0; status == INN_OK && i < n; i++) {
		status = inn__heat_map(job, map, i, &tile[i]);
		if (!(label[i] = inn_printf(job->ctx, "%zu", i)))
			status = INN_ENOMEM;
	}
	if (status == INN_OK && n > 1)
		status = inn__sheet(job, tile, n, label, 4, &sheet);
	if (status == INN_OK)
		status = inn__write_tensor(job, path, n > 1 ? &sheet : &tile[0]);
	for (size_t i = 0; i < n; i++)
		inn_tensor_free(&tile[i]);
	inn_tensor_free(&sheet);
	return status;
}

/* The maps, and the relevance of the layers asked for. */
static int write_maps(inn_job *job, const struct inn__request *r, const struct session *s, const struct inn_tensor *t)
{
	const struct inn__layers *l = &s->exec->layers[0];
	uint32_t n = s->exec->n_x, more = l->probe.n_watched;

	if (!more)
		return write_all(job, r->output, s->graph, false, t, n);
	struct inn_named *v = inn_alloc(job->ctx, n + more, sizeof(*v));

	if (!v)
		return INN_ENOMEM;
	for (uint32_t i = 0; i < n; i++)
		v[i] = (struct inn_named){ inn__graph_input(s->graph, i)->name, t[i] };
	for (uint32_t i = 0; i < more; i++)
		v[n + i] = (struct inn_named){ l->probe.watched[i].name, t[l->first + i] };
	return inn__write_named(job, r->output, v, n + more);
}

static bool picture_file(const inn_job *job, const struct inn_format_ops *f)
{
	for (size_t i = 0; i < job->def.pictures.n; i++)
		if (!strcmp(job->def.pictures.v[i], f->cls.name))
			return true;
	return false;
}

/* The result as JSON, or the audit as a table; too large a leak is an error after that. */
static int report(inn_job *job, const struct inn__request *r, const struct session *s, const struct inn_tensor *t, FILE *out)
{
	const struct inn__layers *l = &s->exec->layers[0];
	bool audited = l->audit != UINT32_MAX;
	struct inn__text text = { 0 };
	char shape[INN_SHAPE_STR];
	int status = INN_OK;

	if (r->json) {
		inn__text_add(&text, "{\"schema\": 1, \"output\": ");
		inn__text_json(&text, r->output);
		inn__text_add(&text, ", \"shape\": %s%s", inn_shape_str(&t[0].shape, shape), audited ? ", \"audit\": " : "");
	}
	if (audited)
		status = inn__audit_text(job, l, &t[l->audit], r->json ? INN__AUDIT_JSON : INN__AUDIT_TABLE, 0, &text);
	inn__text_add(&text, r->json ? "}\n" : "");
	if (status == INN_OK && text.s)
		fputs(text.s, out);
	free(text.s);
	if (status == INN_OK && audited && !isnan(r->audit_limit))
		status = inn__audit_limit(job, s->analyzer.label, l, &t[l->audit], r->audit_limit);
	return status;
}

int inn__request_analyze(inn_job *job, const struct inn__request *r, FILE *out)
{
	struct session s = { 0 };
	struct inn_tensor *map = NULL;
	const struct inn_format_ops *f = NULL;
	int status = bind(job, r, &s);

	if (status == INN_OK && !(f = inn__format_for(job, r->output)))
		status = inn__last_status(job->ctx);
	if (status == INN_OK && r->n_layer && !f->write_named)
		status = inn_fail(job->ctx, INN_ECONFIG, NULL, "--outputs: %s holds one array; write to a file that holds several", r->output);
	if (status == INN_OK && (status = inn__writable(job->ctx, r->output)) == INN_OK)
		status = open_both(job, r, false, &s);
	if (status == INN_OK)
		status = make(job, r, false, &s);
	if (status == INN_OK)
		status = compute(job, &s, &map);
	if (status == INN_OK) {
		if (picture_file(job, f))
			status = write_picture(job, r->output, &map[0], s.samples.n);
		else
			status = write_maps(job, r, &s, map);
	}
	if (status == INN_OK)
		status = report(job, r, &s, map, out);
	finish(job, &s, map);
	return status;
}

int inn__request_predict(inn_job *job, const struct inn__request *r, FILE *out)
{
	struct session s = { 0 };
	struct inn__labels labels = { 0 };
	struct inn_tensor *y = NULL;
	int status = bind(job, r, &s);

	if (status == INN_OK && r->output && !inn__format_for(job, r->output))
		status = inn__last_status(job->ctx);
	if (status == INN_OK && r->output)
		status = inn__writable(job->ctx, r->output);
	if (status == INN_OK)
		status = open_both(job, r, true, &s);
	if (status == INN_OK && (status = inn__labels_load(job, r->labels, s.model, &labels)) == INN_OK)
		status = make(job, r, true, &s);
	if (status == INN_OK)
		status = compute(job, &s, &y);
	if (status == INN_OK && r->output)
		status = write_all(job, r->output, s.graph, true, y, s.exec->n_out);
	if (status == INN_OK && (!r->output || r->json)) {
		fputs(r->json ? "{\"schema\": 1, \"samples\": [" : "", out);
		inn__print_top(job, &y[0], &s.samples, &labels, r->top ? (uint32_t)r->top : 5, r->json, out);
		fputs(r->json ? "]}\n" : "", out);
	}
	finish(job, &s, y);
	return status;
}

/* The forward pass alone: the unit of costs. */
static int forward_cost(inn_job *job, struct session *s, uint32_t batch, double *unit)
{
	struct inn__what w = { .model = s->model, .batch = batch, .logits = true };
	struct inn__exec *e = NULL;
	struct inn__cost c;
	int status = inn__plan_make(job, &w, 1, &e);

	*unit = 1;
	if (status == INN_OK) {
		inn__plan_cost(e->plan, &c);
		*unit = c.forward + c.backward + c.other > 0 ? c.forward + c.backward + c.other : 1;
	}
	inn__exec_free(job, e);
	return status;
}

static void print_layers(const inn_graph *g, FILE *out)
{
	struct inn__node_info n;
	char shape[INN_SHAPE_STR];

	for (uint32_t i = 0; i < inn_graph_nodes(g); i++) {
		if (!inn__graph_info(g, i, &n))
			continue;
		if (n.kernel_index >= 0)
			fprintf(out, "%4lld", (long long)n.kernel_index);
		else
			fprintf(out, "    ");
		fprintf(out, "  %-22s %-18s %s%s%s\n", n.kind, inn_shape_str(&n.out, shape), n.name, n.first ? "  (first)" : "",
			n.last ? "  (last)" : "");
	}
}

static int print_costs(inn_job *job, struct inn_model *m, const struct inn__exec *e, FILE *out)
{
	struct session s = { .model = m };
	struct inn__cost c;
	double unit;
	int status = forward_cost(job, &s, e->batch, &unit);

	if (status < 0)
		return status;
	inn__plan_cost(e->plan, &c);
	fprintf(out, "F %.2f B %.2f once %.3g z %u\n", c.forward / unit, c.backward / unit, c.once / unit, c.z);
	if (c.other > 0)
		fprintf(out, "other %.2f\n", c.other / unit);
	return INN_OK;
}

int inn__show_plan(inn_job *job, const struct inn__show *show, struct inn_model *m, struct inn__exec *e, struct inn__samples *s, FILE *out)
{
	bool json = show->profile && show->json;
	struct inn__profile p = { 0 };
	int status = INN_OK;

	if (!json)
		print_layers(e->graph, out);
	if (!json && (status = print_costs(job, m, e, out)) < 0)
		return status;
	if (!json && show->dump)
		inn__plan_dump(e->plan, out);
	if (show->profile && (status = inn__profile(job, e, s, show->floor, &p)) == INN_OK)
		status = inn__profile_show(job, e->plan, &p, json, out);
	return status;
}

/* All of an analysis but the run: what plan and check need. */
static int prepare(inn_job *job, const struct inn__request *r, struct session *s)
{
	int status = bind(job, r, s);

	if (status == INN_OK)
		status = open_both(job, r, false, s);
	return status == INN_OK ? make(job, r, false, s) : status;
}

int inn__request_plan(inn_job *job, const struct inn__request *r, FILE *out)
{
	struct session s = { 0 };
	int status = prepare(job, r, &s);

	if (status == INN_OK)
		status = inn__show_plan(job, &r->show, s.model, s.exec, &s.samples, out);
	finish(job, &s, NULL);
	return status;
}

int inn__request_check(inn_job *job, const struct inn__request *r, FILE *out)
{
	struct session s = { 0 };
	int status = prepare(job, r, &s);

	if (status == INN_OK)
		fprintf(out, "%s: ok\n", r->model);
	finish(job, &s, NULL);
	return status;
}
