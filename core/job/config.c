/* Binding a run: every finding is reported before anything heavy is opened. */
#include "config.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define MAX_CLASSES 512 /* analyzers or metrics of a run: their labels are compared pairwise */
#define MAX_PAIRS 16384 /* every metric is recorded for every analyzer */

static const struct inn_choice nonfinite_choices[] = {
	{ "error", 0, "stop where a map is not finite" },
	{ "keep", 1, "write it as it is" },
	{ 0 },
};
static const struct inn_param run_rows[] = {
	INN_CLASSES(struct inn__run, analyzers, INN_ANALYZER, "what to compute"),
	INN_CLASSES(struct inn__run, metrics, INN_METRIC, "how the analyzers are compared"),
	INN_INT(struct inn__run, batch, 0, 0, 4096, "samples at a time; 0: by the number of samples"),
	INN_INT(struct inn__run, threads, 0, 0, 1024, "threads of the backend; 0: all"),
	INN_STRS(struct inn__run, outputs, "[]", "layers whose relevance is written too: globs over their names"),
	INN_STR(struct inn__run, memory, "", "limit on what computing takes, as in 512M or 2GiB; less than that: iterations one by one, smaller batches, or a refusal"),
	INN_BOOL(struct inn__run, strict, false, "only direct algorithms"),
	INN_ENUM(struct inn__run, nonfinite, 0, nonfinite_choices, "maps that are not finite"),
	{ 0 },
};
static const struct inn_param output_rows[] = {
	INN_STR(struct inn__output, dir, "", "folder, from the working directory"),
	INN_STR(struct inn__output, sheet, "", "picture of all maps, in dir"),
	INN_STR(struct inn__output, maps, "", "suffix of the files of raw maps, or none"),
	INN_STR(struct inn__output, plots, "", "suffix of the pictures of curves, or none"),
	INN_INT(struct inn__output, columns, 0, 0, 64, "pictures side by side in the sheet; 0: as fits"),
	{ 0 },
};

static void keep(int *status, int more)
{
	if (more < 0 && *status == INN_OK)
		*status = more;
}

static int bind_model(inn_job *job, const struct inn__yaml *y, struct inn__run *r)
{
	if (!y)
		return inn_fail(job->ctx, INN_ECONFIG, &(struct inn_loc){ .file = r->path }, "model: is missing");
	return inn__model_bind(job, y, &r->model, &r->passes);
}

static int add_input(inn_job *job, const struct inn__yaml *y, const char *name, size_t *cap, struct inn__run *r)
{
	if (y->kind == INN__SEQ) {
		int status = INN_OK;

		for (size_t i = 0; status == INN_OK && i < y->n; i++)
			status = add_input(job, y->item[i], name, cap, r);
		return status;
	}
	if (y->kind != INN__SCALAR || !y->text || !*y->text)
		return inn_fail(job->ctx, INN_ECONFIG, &y->loc, "input: a path is expected");
	if (r->n_input == *cap) {
		const char **v = inn_alloc(job->ctx, *cap * 2 + 8, sizeof(*v));

		if (!v)
			return INN_ENOMEM;
		if (r->n_input)
			memcpy(v, r->input, r->n_input * sizeof(*v));
		r->input = v;
		*cap = *cap * 2 + 8;
	}
	const char *path = inn__yaml_path(job->ctx, y);

	if (!path || (name && !(path = inn_printf(job->ctx, "%s=%s", name, path))))
		return INN_ENOMEM;
	r->input[r->n_input++] = path;
	return INN_OK;
}

static int bind_input_key(inn_job *job, const struct inn__yaml *y, size_t i, bool paths, size_t *cap, struct inn__run *r)
{
	const char *key = y->key[i]->text;
	const struct inn__yaml *v = y->item[i];

	if (!strcmp(key, "labels") || !strcmp(key, "preprocess")) {
		if (!strcmp(key, "preprocess") && v->kind == INN__MAP)
			return inn_fail(job->ctx, INN_ECONFIG, &v->loc, "input.preprocess: a name or the path of a file is expected");
		if (v->kind != INN__SCALAR)
			return inn_fail(job->ctx, INN_ECONFIG, &v->loc, "input.%s: one value is expected", key);
		if (key[0] == 'l')
			return (r->labels = inn__yaml_path(job->ctx, v)) ? INN_OK : INN_ENOMEM;
		int status = inn__pre_load(job, strcmp(inn__suffix(v->text), "yaml") ? v->text : inn__yaml_path(job->ctx, v), &r->pre);

		return status < 0 ? inn_while(job->ctx, status, &v->loc, "in input.preprocess") : status;
	}
	if (!strcmp(key, "samples")) {
		if (v->kind != INN__SCALAR || !inn__parse_int(v->text, &r->samples) || r->samples < 1)
			return inn_fail(job->ctx, INN_ECONFIG, &v->loc, "input.samples: a number above 0 is expected");
		return INN_OK;
	}
	if (!strcmp(key, "path"))
		return add_input(job, v, NULL, cap, r);
	if (paths) {
		struct inn__nearest near = { .want = key };

		inn__nearest_offer(&near, "path");
		inn__nearest_offer(&near, "labels");
		inn__nearest_offer(&near, "preprocess");
		inn__nearest_offer(&near, "samples");
		return inn__suggest(job->ctx, &y->key[i]->loc, &near, "input: unknown key %s", key);
	}
	r->input_keys = y;
	return add_input(job, v, key, cap, r);
}

static int bind_input(inn_job *job, const struct inn__yaml *y, struct inn__run *r)
{
	size_t cap = 0;
	int status = INN_OK;

	if (!y)
		return inn_fail(job->ctx, INN_ECONFIG, &(struct inn_loc){ .file = r->path }, "input: is missing");
	if (y->kind != INN__MAP)
		return add_input(job, y, NULL, &cap, r);
	for (size_t i = 0; i < y->n; i++)
		keep(&status, bind_input_key(job, y, i, inn__yaml_get(y, "path") != NULL, &cap, r));
	if (status == INN_OK && !r->n_input)
		status = inn_fail(job->ctx, INN_ECONFIG, &y->loc, "input: path is missing");
	return status;
}

struct fit_opts { int64_t batch; };
static const struct inn_param fit_rows[] = {
	INN_INT(struct fit_opts, batch, 0, 0, 4096, "samples at a time; 0: by the number of samples"),
	{ 0 },
};

static int bind_fit(inn_job *job, const struct inn__yaml *y, struct inn__run *r)
{
	static const char *const skip[] = { "input", NULL };
	struct fit_opts o = { 0 };
	int status = INN_OK;

	if (!y)
		return INN_OK;
	if (!(r->fit = inn_alloc(job->ctx, 1, sizeof(*r->fit))))
		return INN_ENOMEM;
	keep(&status, inn__bind_params(job->ctx, job->finder, "fit", fit_rows, sizeof(*fit_rows), y, skip, &o));
	if (status == INN_OK && !inn__yaml_get(y, "input"))
		status = inn_fail(job->ctx, INN_ECONFIG, &y->loc, "fit: input is missing");
	if (status == INN_OK)
		status = bind_input(job, inn__yaml_get(y, "input"), r->fit);
	if (!r->fit->pre.n)
		r->fit->pre = r->pre;
	r->fit->batch = o.batch;
	return status;
}

static int bind_backend(inn_job *job, const struct inn__yaml *y)
{
	if (!y || job->backend_given)
		return INN_OK;
	job->backend_given = true;
	if (y->kind == INN__SCALAR && !strcmp(y->text, "auto"))
		return INN_OK;
	return inn__bind_class(job->ctx, job->finder, INN_BACKEND, y, &job->backend);
}

static int bind_memory(inn_job *job, const struct inn__yaml *y, const char *s)
{
	char digits[32];
	size_t n = strlen(s);
	uint64_t unit = 1;
	double v;

	if (!n)
		return INN_OK;
	if (n > 2 && s[n - 2] == 'i' && s[n - 1] == 'B')
		n -= 2;
	switch (s[n - 1]) {
	case 'k': case 'K': unit = (uint64_t)1 << 10; break;
	case 'm': case 'M': unit = (uint64_t)1 << 20; break;
	case 'g': case 'G': unit = (uint64_t)1 << 30; break;
	}
	n -= unit > 1;
	if (n < sizeof(digits)) {
		memcpy(digits, s, n);
		digits[n] = 0;
	}
	if (n >= sizeof(digits) || !inn__parse_real(digits, &v) || v <= 0 || v > 1e6)
		if (n >= sizeof(digits) || unit > 1 || !inn__parse_real(digits, &v) || v < 1 || v > 1e15)
			return inn_fail(job->ctx, INN_ECONFIG, y ? &y->loc : NULL, "memory: %s is no size; 512M and 2GiB are", s);
	job->memory = (uint64_t)(v * (double)unit);
	return INN_OK;
}

static int bind_target(inn_job *job, const struct inn__yaml *y, struct inn__run *r)
{
	struct inn__text t = { 0 };

	if (y && y->kind == INN__SCALAR && y->text[0] == '@' && y->text[1]) {
		struct inn__yaml file = *y;

		file.text++;
		const char *path = inn__yaml_path(job->ctx, &file);

		if (!path || !(path = inn_printf(job->ctx, "@%s", path)))
			return INN_ENOMEM;
		return inn__target_parse(job, path, &r->target);
	}
	if (!y)
		return INN_OK;
	if (y->kind == INN__SCALAR)
		inn__text_add(&t, "%s", y->text);
	for (size_t i = 0; y->kind == INN__SEQ && i < y->n; i++)
		inn__text_add(&t, "%s%s", i ? "," : "", y->item[i]->kind == INN__SCALAR ? y->item[i]->text : "?");
	const char *s = t.s && !t.failed ? inn_strdup(job->ctx, t.s) : NULL;

	free(t.s);
	if (!s)
		return inn_fail(job->ctx, INN_ECONFIG, &y->loc, "target: an index, a list or a word is expected");
	int status = inn__target_parse(job, s, &r->target);

	return status < 0 ? inn_while(job->ctx, status, &y->loc, "in target") : status;
}

/* audit: true, false, or the largest share of the output's relevance that a layer may keep. */
static int bind_audit(inn_job *job, const struct inn__yaml *y, struct inn__run *r)
{
	r->audit_limit = NAN;
	if (!y)
		return INN_OK;
	r->audit = y->kind == INN__SCALAR && strcmp(y->text, "false");
	if (y->kind != INN__SCALAR || (strcmp(y->text, "true") && r->audit && (!inn__parse_real(y->text, &r->audit_limit) || r->audit_limit < 0)))
		return inn_fail(job->ctx, INN_ECONFIG, &y->loc, "audit: true, false or the share that a layer may keep (0.01) is expected");
	return INN_OK;
}

/* Labels become names of files: none may stand twice. */
static int check_labels(inn_job *job, const char *what, const struct inn_insts *v)
{
	if (v->n > MAX_CLASSES)
		return inn_fail(job->ctx, INN_ECONFIG, &v->v[MAX_CLASSES].loc, "%s: more than %d of them", what, MAX_CLASSES);
	for (size_t i = 0; i < v->n; i++) {
		const struct inn_inst *a = &v->v[i];

		if (!a->label || !*a->label || strchr(a->label, '/') || a->label[0] == '.' || strlen(a->label) > 200)
			return inn_fail(job->ctx, INN_ECONFIG, &a->loc, "%s: the label %s makes no file name", what, a->label ? a->label : "");
		for (size_t k = 0; k < i; k++)
			if (!strcmp(a->label, v->v[k].label))
				return inn_fail(job->ctx, INN_ECONFIG, &a->loc, "%s: %s stands here twice; give one another label with `as:`", what,
						a->label);
	}
	return INN_OK;
}

/* What every analyzer is compared with: one of them that is of the control's class, else the control itself. */
static int bind_control(inn_job *job, struct inn__run *r)
{
	int status;

	if (r->target.kind != INN_TARGET_MAX && r->target.kind != INN_TARGET_INDEX)
		return inn_fail(job->ctx, INN_ECONFIG, &r->metrics.v[0].loc, "metrics need one target a sample: max, an index or a list");
	if ((status = inn__bind_name(job->ctx, job->finder, INN_ANALYZER, job->def.control, &r->control)) < 0)
		return status;
	for (size_t i = 0; i < r->analyzers.n; i++) {
		const struct inn_inst *a = &r->analyzers.v[i];

		if (a->cls == r->control.cls)
			return INN_OK;
		if (!strcmp(a->label, r->control.label))
			return inn_fail(job->ctx, INN_ECONFIG, &a->loc, "analyzers: %s is what the metrics' control is called; give it another label", a->label);
	}
	return INN_OK;
}

static int check_classes(inn_job *job, struct inn__run *r)
{
	int status;

	if (!r->analyzers.n)
		return inn_fail(job->ctx, INN_ECONFIG, &(struct inn_loc){ .file = r->path }, "analyzers: at least one is needed");
	if ((status = check_labels(job, "analyzers", &r->analyzers)) < 0 || (status = check_labels(job, "metrics", &r->metrics)) < 0)
		return status;
	if (r->analyzers.n * r->metrics.n > MAX_PAIRS)
		return inn_fail(job->ctx, INN_ECONFIG, &r->metrics.v[0].loc, "metrics: %zu of them for %zu analyzers are more than %d pairs", r->metrics.n,
				r->analyzers.n, MAX_PAIRS);
	return r->metrics.n ? bind_control(job, r) : INN_OK;
}

static int check_suffix(inn_job *job, const struct inn__yaml *y, const char *key, const char *suffix)
{
	const char *file = inn_printf(job->ctx, "x.%s", suffix);

	if (!strcmp(suffix, "none") || (file && !strchr(file, '/') && inn__format_for(job, file)))
		return INN_OK;
	return inn_while(job->ctx, INN_ECONFIG, &y->loc, "in output.%s: %s", key, suffix);
}

static int bind_output(inn_job *job, const struct inn__yaml *y, struct inn__run *r)
{
	int status = INN_OK;

	if (!y || y->kind != INN__MAP)
		return inn_fail(job->ctx, INN_ECONFIG, y ? &y->loc : &(struct inn_loc){ .file = r->path }, "output: a mapping with dir is needed");
	status = inn__bind_params(job->ctx, job->finder, "output", output_rows, sizeof(*output_rows), y, NULL, &r->output);
	if (status == INN_OK && !*r->output.dir)
		status = inn_fail(job->ctx, INN_ECONFIG, &y->loc, "output: dir is missing");
	if (status == INN_OK && !*r->output.maps)
		r->output.maps = job->def.maps;
	if (status == INN_OK && !*r->output.plots)
		r->output.plots = job->def.plots;
	if (status == INN_OK)
		status = check_suffix(job, y, "maps", r->output.maps);
	if (status == INN_OK)
		status = check_suffix(job, y, "plots", r->output.plots);
	if (status == INN_OK && *r->output.sheet && !inn__format_for(job, r->output.sheet))
		status = inn_while(job->ctx, INN_ECONFIG, &y->loc, "in output.sheet");
	return status;
}

int inn__run_bind(inn_job *job, const struct inn__config *c, struct inn__run *r)
{
	static const char *const skip[] = { "model", "input", "backend", "output", "target", "audit", "fit", "limits", NULL };
	struct inn__yaml *y;
	int status = inn__defaults(job);

	*r = (struct inn__run){ .path = c->path };
	inn__ctx_binding(job->ctx)->searches = 0;
	if (status < 0 || (status = inn__yaml_file(job->ctx, c->path, &y)) < 0)
		return status;
	if (y->kind != INN__MAP)
		return inn_fail(job->ctx, INN_ECONFIG, &y->loc, "a run's configuration is a mapping");
	if ((status = inn__yaml_include(job->ctx, y)) < 0)
		return status;
	for (size_t i = 0; i < c->n_set; i++)
		keep(&status, inn__yaml_set(job->ctx, y, c->set[i]));
	if (status < 0 || (status = inn__yaml_include(job->ctx, y)) < 0) /* -s include=FILE */
		return status;
	const struct inn__yaml *target = inn__yaml_get(y, "target");

	keep(&status, inn__limits_bind(job, inn__yaml_get(y, "limits"), false));
	keep(&status, inn__bind_params(job->ctx, job->finder, "run", run_rows, sizeof(*run_rows), y, skip, r));
	keep(&status, bind_model(job, inn__yaml_get(y, "model"), r));
	keep(&status, bind_input(job, inn__yaml_get(y, "input"), r));
	keep(&status, bind_fit(job, inn__yaml_get(y, "fit"), r));
	keep(&status, bind_backend(job, inn__yaml_get(y, "backend")));
	keep(&status, bind_output(job, inn__yaml_get(y, "output"), r));
	if (r->memory)
		keep(&status, bind_memory(job, inn__yaml_get(y, "memory"), r->memory));
	keep(&status, bind_target(job, target, r));
	keep(&status, bind_audit(job, inn__yaml_get(y, "audit"), r));
	if (status == INN_OK)
		status = check_classes(job, r);
	job->strict = r->strict;
	job->keep_nonfinite = r->nonfinite == 1;
	if (r->threads && !job->threads)
		job->threads = (uint32_t)r->threads;
	return status;
}
