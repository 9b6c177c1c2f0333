/* Jobs, their defaults and the calls of the public interface. */
#include "job.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

inn_job *inn_job_new(void)
{
	inn_job *job = calloc(1, sizeof(*job));

	if (!job)
		return NULL;
	job->ctx = inn__ctx_new();
	job->reg = job->ctx ? inn__registry_new(job->ctx) : NULL;
	if (!job->reg) {
		inn__ctx_free(job->ctx);
		free(job);
		return NULL;
	}
	job->finds = *inn__registry_finder(job->reg);
	job->finder = &job->finds;
	return job;
}

static void free_analysis(inn_job *job);

void inn_job_free(inn_job *job)
{
	if (!job)
		return;
	free_analysis(job);
	for (struct inn_model *m = job->models; m; m = m->next)
		inn__exec_free(job, m->predict);
	for (struct inn__archive *a = job->archives; a; a = a->next)
		inn__archive_close(a);
	inn__backend_close(job);
	for (struct inn_model *m = job->models; m; m = m->next) {
		inn__graph_free(m->graph);
		inn__graph_free(m->plain);
		inn__file_unmap(&m->file);
	}
	inn__ctx_free(job->ctx);
	free(job);
}

inn_ctx *inn_job_ctx(inn_job *job) { return job->ctx; }
void inn_job_stop(inn_job *job) { inn__ctx_stop(job->ctx); }
uint32_t inn_error_count(const inn_job *job) { return inn__errors(job->ctx); }
void inn__job_threads(inn_job *job, uint32_t threads) { job->threads = threads; }

void inn__job_progress(inn_job *job, inn__progress_fn fn, void *user)
{
	job->progress = fn;
	job->progress_user = user;
}

void inn__job_verbosity(inn_job *job, enum inn__verbosity v)
{
	inn__ctx_level(job->ctx, v == INN__SAY_ERRORS ? INN__QUIET : v == INN__SAY_ALL ? INN__VERBOSE : INN__NORMAL);
}

const char *inn_error(const inn_job *job, uint32_t i)
{
	const struct inn__error *e = inn__error(job->ctx, i);

	return e ? inn__error_text(job->ctx, e) : NULL;
}

int inn_error_status(const inn_job *job)
{
	const struct inn__error *e = inn__error(job->ctx, 0);

	return e ? e->status : INN_OK;
}

int inn_exit_code(int status)
{
	switch (status) {
#define INN_X(name, value, code, text) case value: return code;
	INN_STATUS_MAP(INN_X)
#undef INN_X
	default: return 1;
	}
}

int inn__last_status(const inn_ctx *ctx)
{
	for (uint32_t n = inn__errors(ctx); n-- > 0;)
		if (!inn__error(ctx, n)->context)
			return inn__error(ctx, n)->status;
	return INN_ENOMEM;
}

static const struct inn_param default_rows[] = {
	INN_STRS(struct inn__defaults, backends, "[]", "what `auto` tries"),
	INN_CLASSES(struct inn__defaults, passes, INN_PASS, "what changes a network before it is analyzed"),
	INN_CLASSES(struct inn__defaults, predict_passes, INN_PASS, "what changes a network before it predicts"),
	INN_STRS(struct inn__defaults, pictures, "[]", "formats whose files are one picture"),
	INN_STR(struct inn__defaults, heat_map, "", "stage that turns a map into a picture"),
	INN_STR(struct inn__defaults, sheet, "", "stage that lays out pictures"),
	INN_STR(struct inn__defaults, plot, "", "stage that draws curves"),
	INN_STR(struct inn__defaults, plots, "", "suffix of drawn curves"),
	INN_STR(struct inn__defaults, control, "", "analyzer that knows nothing, measured beside all others"),
	INN_STR(struct inn__defaults, preprocess, "preprocess", "folder of preprocessing files"),
	INN_STR(struct inn__defaults, maps, "", "suffix of raw maps"),
	INN_STR(struct inn__defaults, archive, "", "suffix of files with several arrays"),
	INN_STR(struct inn__defaults, finish, "", "backend that makes a state of the sums over a data set"),
	INN_STR(struct inn__defaults, labels, "labels.txt", "class names beside a model"),
	{ 0 },
};

int inn__defaults(inn_job *job)
{
	static const char *const skip[] = { "formats", "words", "pairs", NULL };
	const char *path;
	struct inn__yaml *y;
	int status;

	if (job->have_defaults)
		return INN_OK;
	if (!(path = inn__data_path(job->reg, "defaults.yaml")))
		return inn_fail(job->ctx, INN_ECONFIG, NULL, "defaults.yaml is not found beside the library");
	if ((status = inn__yaml_file(job->ctx, path, &y)) < 0)
		return status;
	status = inn__bind_params(job->ctx, job->finder, "defaults", default_rows, sizeof(*default_rows), y, skip, &job->def);
	if (status < 0)
		return status;
	job->aliases = inn__yaml_get(y, "formats");
	job->finds.words = inn__yaml_get(y, "words");
	job->finds.pairs = inn__yaml_get(y, "pairs");
	job->have_defaults = true;
	return INN_OK;
}

int inn__bind_text(inn_job *job, uint32_t kind, const char *label, const char *text, struct inn_inst *out)
{
	struct inn__yaml *y;
	int status = inn__yaml_text(job->ctx, label, text, &y);

	inn__ctx_binding(job->ctx)->searches = 0;
	return status < 0 ? status : inn__bind_class(job->ctx, job->finder, kind, y, out);
}

int inn_job_backend(inn_job *job, const char *yaml)
{
	if (job->dev)
		return inn_fail(job->ctx, INN_ECONFIG, NULL, "the backend is chosen before the first model runs");
	job->backend_given = true;
	if (!strcmp(yaml, "auto")) {
		job->backend = (struct inn_inst){ 0 };
		return INN_OK;
	}
	return inn__bind_text(job, INN_BACKEND, "backend", yaml, &job->backend);
}

int inn_job_plugins(inn_job *job, const char *dir) { return inn__registry_dir(job->reg, dir); }

int inn_model_open(inn_job *job, const char *path, inn_model **m)
{
	inn__errors_clear(job->ctx);
	int status = inn__model_of(job, path, m);

	return status < 0 ? status : inn__model_graph(*m, false) ? INN_OK : inn__last_status(job->ctx);
}

struct inn_analysis {
	struct inn_analysis *next;
	struct inn_model *model;
	struct inn_inst inst;
	struct inn__exec *exec;  /* of the last call, taken again where it fits */
	struct inn_target target;
	struct inn_strs layers;
};

static void free_analysis(inn_job *job)
{
	for (struct inn_analysis *a = job->analyses; a; a = a->next)
		inn__exec_free(job, a->exec);
}

int inn_analyzer(inn_job *job, inn_model *m, const char *yaml, inn_analysis **out)
{
	struct inn_analysis *a = inn_alloc(job->ctx, 1, sizeof(*a));
	int status;

	inn__errors_clear(job->ctx);
	*out = NULL;
	if (!a)
		return INN_ENOMEM;
	if ((status = inn__bind_text(job, INN_ANALYZER, "analyzer", yaml, &a->inst)) < 0)
		return status;
	a->model = m;
	a->next = job->analyses;
	job->analyses = a;
	*out = a;
	return INN_OK;
}

static int borrow(inn_job *job, const struct inn_tensor *x, uint32_t n_x, struct inn__samples *s)
{
	inn__errors_clear(job->ctx);
	*s = (struct inn__samples){ .job = job, .n_x = n_x };
	if (!n_x || !x[0].shape.rank || !x[0].shape.dim[0])
		return inn_fail(job->ctx, INN_EDATA, NULL, "an input without samples");
	s->n = x[0].shape.dim[0];
	s->array = calloc(n_x, sizeof(*s->array));
	if (!s->array)
		return inn_nomem(job->ctx);
	memcpy(s->array, x, n_x * sizeof(*x));
	return INN_OK;
}

static void drop_exec(inn_analysis *a)
{
	inn__exec_free(a->model->job, a->exec);
	a->exec = NULL;
}

int inn_analysis_layers(inn_analysis *a, const char *const *layer, size_t n)
{
	inn_ctx *ctx = a->model->job->ctx;
	const char **v = inn_alloc(ctx, n + 1, sizeof(*v));

	inn__errors_clear(ctx);
	for (size_t i = 0; v && i < n; i++)
		if (!(v[i] = inn_strdup(ctx, layer[i])))
			return INN_ENOMEM;
	drop_exec(a);
	a->layers = (struct inn_strs){ n, v };
	return v ? INN_OK : INN_ENOMEM;
}

/* Which output holds the relevance at the layer asked for as number i; UINT32_MAX after an error. */
static uint32_t output_of(inn_analysis *a, size_t i)
{
	const struct inn__layers *l = &a->exec->layers[0];

	for (uint32_t k = 0; k < l->probe.n_watched; k++)
		if (!strcmp(l->probe.watched[k].name, a->layers.v[i]))
			return l->first + k;
	inn_fail(a->model->job->ctx, INN_ECONFIG, NULL, "no relevance passes a layer named %s", a->layers.v[i]);
	return UINT32_MAX;
}

/* Runs into r: the maps, then the layers in the order asked for. */
static int execute(inn_analysis *a, const struct inn__samples *s, struct inn_tensor *r)
{
	uint32_t n_x = a->exec->n_x;
	struct inn_tensor *all = calloc(a->exec->n_out + 1u, sizeof(*all));
	int status = all ? INN_OK : inn_nomem(a->model->job->ctx);

	for (size_t i = 0; status == INN_OK && i < n_x + a->layers.n; i++) {
		uint32_t at = i < n_x ? (uint32_t)i : output_of(a, i - n_x);

		if (at == UINT32_MAX)
			status = INN_ECONFIG;
		else
			all[at].dtype = r[i].dtype;
	}
	if (status == INN_OK)
		status = inn__execute(a->model->job, a->exec, s, all);
	for (size_t i = 0; status == INN_OK && i < n_x + a->layers.n; i++) {
		uint32_t at = i < n_x ? (uint32_t)i : output_of(a, i - n_x);

		r[i] = all[at];
		all[at].data = NULL;
	}
	for (uint32_t k = 0; all && k < a->exec->n_out; k++)
		inn_tensor_free(&all[k]);
	free(all);
	return status;
}

int inn_analyze(inn_analysis *a, const struct inn_tensor *x, uint32_t n_x, const struct inn_target *target, struct inn_tensor *r)
{
	static const struct inn_target max = { .kind = INN_TARGET_MAX };
	inn_job *job = a->model->job;
	struct inn__samples s;
	int status = borrow(job, x, n_x, &s);

	if (!target)
		target = &max;
	if (a->exec && (!status) && (a->target.kind != target->kind || a->exec->batch != inn__batch_for(s.n)))
		drop_exec(a);
	if (status == INN_OK && !a->exec) {
		struct inn__what w = { .model = a->model, .analyzer = &a->inst, .n_analyzer = 1, .n_maps = 1, .target = target, .watch = a->layers };

		a->target = *target;
		status = inn__plan_make(job, &w, s.n, &a->exec);
		if (status == INN_OK && (status = inn__exec_load(job, a->exec)) < 0)
			drop_exec(a);
	}
	if (status == INN_OK && (status = inn__samples_fit(&s, a->exec->graph)) == INN_OK) {
		a->exec->target = target;
		status = execute(a, &s, r);
	}
	inn__samples_free(&s);
	return status;
}

int inn_fit(inn_analysis *a, const struct inn_tensor *x, uint32_t n_x, const char *state)
{
	inn_job *job = a->model->job;
	inn_graph *g = inn__model_graph(a->model, false);
	struct inn__samples s;
	struct inn__fit f = { .model = a->model, .analyzer = &a->inst, .samples = &s };
	int status = borrow(job, x, n_x, &s);

	if (status == INN_OK && !g)
		status = inn__last_status(job->ctx);
	if (status == INN_OK && (status = inn__samples_fit(&s, g)) == INN_OK)
		status = inn__fit(job, &f, state);
	if (status == INN_OK && !(a->inst.state = inn_strdup(job->ctx, state)))
		status = INN_ENOMEM;
	inn__exec_free(job, a->exec); /* it may hold another state */
	a->exec = NULL;
	inn__samples_free(&s);
	return status;
}

/* The plan of the network's outputs for so many samples: made once for each batch. */
static int predict_exec(inn_model *m, size_t n_samples)
{
	struct inn__what w = { .model = m, .plain = true };
	int status;

	if (m->predict && m->predict_batch == inn__batch_for(n_samples))
		return INN_OK;
	inn__exec_free(m->job, m->predict);
	m->predict = NULL;
	m->predict_batch = inn__batch_for(n_samples);
	if ((status = inn__plan_make(m->job, &w, n_samples, &m->predict)) == INN_OK && (status = inn__exec_load(m->job, m->predict)) == INN_OK)
		return INN_OK;
	inn__exec_free(m->job, m->predict);
	m->predict = NULL;
	return status;
}

int inn_predict(inn_model *m, const struct inn_tensor *x, uint32_t n_x, struct inn_tensor *y)
{
	struct inn__samples s;
	struct inn_tensor *all = NULL;
	int status = borrow(m->job, x, n_x, &s);

	if (status == INN_OK)
		status = predict_exec(m, s.n);
	if (status == INN_OK)
		status = inn__samples_fit(&s, m->predict->graph);
	if (status == INN_OK && !(all = calloc(m->predict->n_out + 1u, sizeof(*all))))
		status = inn_nomem(m->job->ctx);
	if (status == INN_OK) {
		all[0] = *y;
		status = inn__execute(m->job, m->predict, &s, all);
		*y = all[0];
		for (uint32_t i = 1; i < m->predict->n_out; i++)
			inn_tensor_free(&all[i]);
	}
	free(all);
	inn__samples_free(&s);
	return status;
}
