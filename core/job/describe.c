/* What there is: lists of classes and presets, and their help, made from the parameter tables. */
#include "job.h"
#include <ctype.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

struct listing { struct inn__text *t; const char *kind; bool json, any; size_t n; };

static void item(struct listing *l, const char *kind, const char *name, const char *brief)
{
	if (l->json) {
		inn__text_add(l->t, "%s{\"kind\": ", l->n ? ", " : "");
		inn__text_json(l->t, kind);
		inn__text_add(l->t, ", \"name\": ");
		inn__text_json(l->t, name);
		inn__text_add(l->t, ", \"brief\": ");
		inn__text_json(l->t, brief);
		inn__text_add(l->t, "}");
	} else {
		inn__text_add(l->t, "  %-30s %s\n", name, brief ? brief : "");
	}
	l->n++;
}

static void list_class(void *user, const struct inn_class *cls, const char *file)
{
	struct listing *l = user;

	(void)file;
	item(l, l->kind, cls->name, cls->brief);
}

/* The first line of a file, if it is a comment. */
static const char *file_brief(const char *file, char *buf, size_t n)
{
	FILE *f = fopen(file, "re");

	buf[0] = 0;
	if (f && !fgets(buf, (int)n, f))
		buf[0] = 0;
	if (f)
		fclose(f);
	buf[strcspn(buf, "\r\n")] = 0;
	return buf[0] == '#' ? buf + 1 + strspn(buf + 1, " ") : "";
}

static void list_file(void *user, const char *name, const char *file)
{
	struct listing *l = user;
	char buf[200];

	item(l, l->kind, name, file_brief(file, buf, sizeof(buf)));
}

void inn__offer_file(void *near, const char *name, const char *file)
{
	(void)file;
	inn__nearest_offer(near, name);
}

/* What is listed, in this order: what requests name comes first. `folder`: of files instead of classes. */
static const struct listed { const char *name; uint32_t kind; const char *folder; } listed[] = {
	{ "analyzer", INN_ANALYZER, NULL }, { "preset", 0, "presets" },     { "preprocess", 0, "preprocess" }, { "metric", INN_METRIC, NULL },
	{ "fill", INN_FILL, NULL },	    { "backend", INN_BACKEND, NULL }, { "rule", INN_RULE, NULL },	 { "pass", INN_PASS, NULL },
	{ "stage", INN_STAGE, NULL },	    { "format", INN_FORMAT, NULL },   { "layer", INN_LAYER, NULL },
};
#define N_LISTED (sizeof(listed) / sizeof(*listed))

static int unknown_kind(inn_job *job, const char *kind)
{
	struct inn__nearest near = { .want = kind };

	for (size_t i = 0; i < N_LISTED; i++)
		inn__nearest_offer(&near, listed[i].name);
	return inn__suggest(job->ctx, NULL, &near, "no kind of plugin is called %s", kind);
}

/* Analyzers are presets too. */
static bool asked(const char *kind, const struct listed *k)
{
	return !kind || !strcmp(kind, k->name) || (!strcmp(kind, "analyzer") && !strcmp(k->name, "preset"));
}

int inn__list(inn_job *job, const char *kind, bool json, FILE *out)
{
	struct inn__text t = { 0 };
	struct listing l = { .t = &t, .json = json };
	bool found = false;

	for (const struct listed *k = listed; k < listed + N_LISTED; k++) {
		if (!asked(kind, k))
			continue;
		found = true;
		l.kind = k->name;
		if (!json)
			inn__text_add(&t, "%s\n", k->name);
		if (k->folder)
			inn__each_config(job->reg, k->folder, list_file, &l);
		else
			inn__each_class(job->reg, k->kind, list_class, &l);
	}
	int status = found ? INN_OK : unknown_kind(job, kind);

	if (status == INN_OK && t.failed)
		status = inn_nomem(job->ctx);
	if (status == INN_OK && json)
		fprintf(out, "{\"schema\": 1, \"classes\": [%s]}\n", t.s ? t.s : "");
	else if (status == INN_OK)
		fputs(t.s ? t.s : "", out);
	free(t.s);
	return status;
}

static const char *type_name(const struct inn_param *p)
{
	static const char *const name[] = { "", "true or false", "integer", "number", "text", "path", "one of", "integers", "numbers", "texts", "", "",
					    "list of match and rule", "number or array file" };

	if (p->type == INN_P_CLASS || p->type == INN_P_CLASSES)
		return inn__kind_name(p->kind);
	return p->type < sizeof(name) / sizeof(*name) ? name[p->type] : "";
}

static void print_default(const struct inn_param *p, FILE *out)
{
	switch (p->type) {
	case INN_P_BOOL: fprintf(out, ", default %s", p->def != 0 ? "true" : "false"); break;
	case INN_P_INT: case INN_P_REAL:
		if (p->flags & INN_REQUIRED)
			fprintf(out, ", required");
		else if (!(p->flags & INN_NULLABLE) || (!isnan(p->def) && p->def > -9e18))
			fprintf(out, ", default %.10g", p->def);
		fprintf(out, ", %.10g to %.10g", p->min, p->max);
		break;
	case INN_P_SOURCE:
		if (!(p->flags & INN_REQUIRED))
			fprintf(out, ", default %.10g", p->def);
		break;
	case INN_P_ENUM:
		for (const struct inn_choice *c = p->choices; c && c->name; c++)
			if (c->value == (int)p->def)
				fprintf(out, ", default %s", c->name);
		break;
	default:
		if (p->sdef && *p->sdef)
			fprintf(out, ", default %s", p->sdef);
		else if (p->flags & INN_REQUIRED)
			fprintf(out, ", required");
	}
}

static void print_class(const struct inn_class *cls, FILE *out)
{
	fprintf(out, "%s (%s): %s\n", cls->name, inn__kind_name(cls->kind), cls->brief ? cls->brief : "");
	if (cls->doc)
		fprintf(out, "\n%s\n", cls->doc);
	for (const struct inn_param *p = cls->params; p && p->name;
	     p = (const struct inn_param *)(const void *)((const char *)p + cls->param_size)) {
		fprintf(out, "\n  %s  (%s", p->name, type_name(p));
		print_default(p, out);
		fprintf(out, "%s%s)\n      %s\n", p->unit ? ", in " : "", p->unit ? p->unit : "", p->help ? p->help : "");
		for (const struct inn_choice *c = p->choices; c && c->name; c++)
			fprintf(out, "        %-14s %s\n", c->name, c->help ? c->help : "");
	}
	if (cls->kind == INN_ANALYZER)
		fprintf(out, "\n  head  (value, value_plus or one)\n      what the reverse pass begins with\n"
			"\n  dialect  (paper, innvestigate, zennit or captum, default paper)\n      whose numbers, where they differ\n");
	if (cls->kind == INN_ANALYZER && ((const struct inn_analyzer_ops *)(const void *)cls)->fit)
		fprintf(out, "\n  state  (path)\n      the file that `innvestigate fit` wrote\n");
}

/* A preset's file, and those it is built on. */
static void print_preset(inn_job *job, const char *name, const char *path, unsigned depth, FILE *out)
{
	char buf[512], base[128] = "";
	FILE *f = fopen(path, "re");

	fprintf(out, "%s (preset): ", name);
	for (bool first = true; f && fgets(buf, sizeof(buf), f); first = false) {
		fprintf(out, "%s%s", first ? "" : "  ", buf + (first && buf[0] == '#' ? 2 : 0));
		sscanf(buf, "type: %127s", base);
	}
	if (f)
		fclose(f);
	if (*base && depth < 16 && (path = inn__preset_path(job->reg, base))) {
		fprintf(out, "\nbuilt on, with its parameters, ");
		print_preset(job, base, path, depth + 1, out);
	}
}

int inn__help(inn_job *job, const char *name, FILE *out)
{
	struct inn__nearest near = { .want = name };
	uint32_t before = inn__errors(job->ctx);
	bool found = false;
	const char *preset;

	for (uint32_t k = 1; k < INN_KINDS; k++) {
		const struct inn_class *cls = inn__find(job->reg, k, name, NULL);

		if (!cls)
			continue;
		fprintf(out, "%s", found ? "\n" : "");
		print_class(cls, out);
		found = true;
	}
	if ((preset = inn__preset_path(job->reg, name))) {
		fprintf(out, "%s", found ? "\n" : "");
		print_preset(job, name, preset, 0, out);
		found = true;
	}
	if (found)
		return INN_OK;
	if (inn__errors(job->ctx) > before)
		return inn__last_status(job->ctx);
	for (uint32_t k = 1; k < INN_KINDS; k++)
		job->finder->names(job->finder->user, k, inn__nearest_offer, &near);
	inn__each_config(job->reg, "presets", inn__offer_file, &near);
	return inn__suggest(job->ctx, NULL, &near, "nothing is called %s", name);
}

int inn__plugin_check(inn_job *job, const char *path, FILE *out)
{
	const struct inn_plugin *p;
	int status = inn__load_file(job->reg, path, &p);

	if (status < 0)
		return status;
	fprintf(out, "%s: %s %s (%s), ABI %u.%u: ok\n", path, p->name, p->version, p->license ? p->license : "no licence", p->abi >> 16,
		p->abi & 0xffff);
	for (uint32_t i = 0; p->classes && p->classes[i]; i++)
		fprintf(out, "  %s %s\n", inn__kind_name(p->classes[i]->kind), p->classes[i]->name);
	return INN_OK;
}
