#include "house.h"
#include <innvestigate/data.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define CLASSES 1024

/* Names that nothing has are not looked for in the file system again and again, where each search would take memory of the registry. */
static const struct inn_class *cls[CLASSES];
static size_t n_cls;
static struct inn__registry *reg;
static struct inn__finder finder;

static void keep(void *user, const struct inn_class *c, const char *file)
{
	(void)user;
	(void)file;
	if (c && n_cls < CLASSES)
		cls[n_cls++] = c;
}

static const struct inn_class *find(void *user, inn_ctx *ctx, uint32_t kind, const char *name, const struct inn_loc *loc)
{
	(void)user, (void)ctx, (void)loc;
	for (size_t i = 0; i < n_cls; i++)
		if (cls[i]->kind == kind && !strcmp(cls[i]->name, name))
			return cls[i];
	return NULL;
}

static struct preset { const char *name, *path; struct preset *next; } *presets;

static void keep_preset(void *user, const char *name, const char *path)
{
	struct preset *p = malloc(sizeof(*p));

	(void)user;
	if (!p)
		abort();
	*p = (struct preset){ name, path, presets };
	presets = p;
}

static const char *preset(void *user, const char *name)
{
	(void)user;
	for (const struct preset *p = presets; p; p = p->next)
		if (!strcmp(p->name, name))
			return p->path;
	return NULL;
}

static void names(void *user, uint32_t kind, void (*each)(void *, const char *), void *arg)
{
	(void)user;
	for (size_t i = 0; i < n_cls; i++)
		if (cls[i]->kind == kind)
			each(arg, cls[i]->name);
	for (const struct preset *p = presets; p && kind == INN_ANALYZER; p = p->next)
		each(arg, p->name);
}

static void open_house(void)
{
	char exe[4096] = "", dir[4200];
	inn_ctx *ctx = inn__ctx_new();
	struct inn__yaml *defaults;

	if (!ctx || readlink("/proc/self/exe", exe, sizeof(exe) - 1) < 1)
		abort();
	snprintf(dir, sizeof(dir), "%s/../plugins", dirname(exe));
	if (!(reg = inn__registry_new(ctx)) || inn__registry_dir(reg, dir) < 0)
		abort();
	for (uint32_t kind = INN_LAYER; kind < INN_KINDS; kind++)
		if (kind != INN_BACKEND)
			inn__each_class(reg, kind, keep, NULL);
	keep(NULL, inn__find(reg, INN_BACKEND, "reference", NULL), NULL); /* the others load libraries that a target does not need */
	inn__each_config(reg, "presets", keep_preset, NULL);
	if (!n_cls || !presets || inn__yaml_file(ctx, inn__data_path(reg, "defaults.yaml"), &defaults) < 0) {
		fprintf(stderr, "no plugins in %s\n", dir);
		exit(2);
	}
	finder = (struct inn__finder){ NULL, find, preset, names, inn__yaml_get(defaults, "words"), inn__yaml_get(defaults, "pairs") };
}

int LLVMFuzzerInitialize(int *argc, char ***argv);

/* libFuzzer counts the code of what is opened before its loop. */
int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc;
	(void)argv;
	house_finder();
	return 0;
}

const struct inn__finder *house_finder(void)
{
	if (!reg)
		open_house();
	return &finder;
}

const struct inn_format_ops *house_format(const char *name)
{
	return (const struct inn_format_ops *)(const void *)house_finder()->find(NULL, NULL, INN_FORMAT, name, NULL);
}

inn_ctx *house_ctx(void)
{
	inn_ctx *ctx = inn__ctx_new();

	if (!ctx)
		abort();
	inn__ctx_level(ctx, INN__QUIET);
	return ctx;
}
