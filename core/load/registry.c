/* The registry: where plugins are looked for, and the classes found so far. The only dlopen. */
#include "../base/ctx.h"
#include "elf.h"
#include "load.h"
#include "register.h"
#include <dirent.h>
#include <dlfcn.h>
#include <fenv.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define MAX_DIRS 32
#if defined(INN_SANITIZED)
#define CONSTRUCTORS SIZE_MAX /* the sanitizer brings its own */
#else
#define CONSTRUCTORS sizeof(void *)
#endif

struct entry { const struct inn_class *cls; const char *file; struct entry *next; };
struct inn__registry {
	inn_ctx *ctx;
	struct inn__finder finder;
	const char *dir[MAX_DIRS]; /* plugin folders, in order */
	unsigned n_dirs, n_given;
	const char *config[4];     /* folders with presets/ and defaults.yaml */
	unsigned n_configs;
	struct entry *entries;
};

static const char *const kinds[INN_KINDS] = { "", "layer", "rule", "analyzer", "pass", "stage", "fill", "backend", "format", "metric" };

const char *inn__kind_name(uint32_t kind) { return kind > 0 && kind < INN_KINDS ? kinds[kind] : NULL; }

static int add_dir(struct inn__registry *r, const char *dir, unsigned at)
{
	char *copy = inn_strdup(r->ctx, dir);

	if (!copy)
		return INN_ENOMEM;
	if (r->n_dirs == MAX_DIRS)
		return inn_fail(r->ctx, INN_ECONFIG, NULL, "more than %d plugin folders", MAX_DIRS);
	memmove(&r->dir[at + 1], &r->dir[at], (r->n_dirs - at) * sizeof(*r->dir));
	r->dir[at] = copy;
	r->n_dirs++;
	return INN_OK;
}

int inn__registry_dir(struct inn__registry *r, const char *dir) { return add_dir(r, dir, r->n_given++); }

/* Folders beside this library: in the build tree plugins/ and configs/, else innvestigate/plugins ... */
static int beside_library(struct inn__registry *r)
{
	char real[PATH_MAX];
	Dl_info info;
	char *slash;
	const char *sub = "";

	if (!dladdr((void *)(uintptr_t)inn__kind_name, &info) || !info.dli_fname || !realpath(info.dli_fname, real) ||
	    !(slash = strrchr(real, '/')))
		return INN_OK;
	*slash = 0;
	char *probe = inn_printf(r->ctx, "%s/configs", real);

	if (!probe)
		return INN_ENOMEM;
	if (access(probe, F_OK))
		sub = "/innvestigate";
	char *plugins = inn_printf(r->ctx, "%s%s/plugins", real, sub), *configs = inn_printf(r->ctx, "%s%s/configs", real, sub);

	if (!plugins || !configs)
		return INN_ENOMEM;
	r->config[r->n_configs++] = configs;
	return add_dir(r, plugins, r->n_dirs);
}

static int search_path(struct inn__registry *r)
{
	const char *path = secure_getenv("INNVESTIGATE_PLUGIN_PATH"), *data = secure_getenv("XDG_DATA_HOME"), *home = secure_getenv("HOME");
	char *copy = path ? inn_strdup(r->ctx, path) : NULL, *rest = NULL, *mine = NULL;
	int rc = INN_OK;

	for (char *d = copy ? strtok_r(copy, ":", &rest) : NULL; d && rc >= 0; d = strtok_r(NULL, ":", &rest))
		rc = *d == '/' ? add_dir(r, d, r->n_dirs) : INN_OK;
	if (data && *data == '/')
		mine = inn_printf(r->ctx, "%s/innvestigate", data);
	else if (home && *home == '/')
		mine = inn_printf(r->ctx, "%s/.local/share/innvestigate", home);
	if (mine) {
		r->config[r->n_configs++] = mine;
		char *plugins = inn_printf(r->ctx, "%s/plugins", mine);

		if (rc >= 0)
			rc = plugins ? add_dir(r, plugins, r->n_dirs) : INN_ENOMEM;
	}
	return rc < 0 ? rc : beside_library(r);
}

static const struct inn_class *find(void *user, inn_ctx *ctx, uint32_t kind, const char *name, const struct inn_loc *loc)
{
	(void)ctx;
	return inn__find(user, kind, name, loc);
}

static const char *preset(void *user, const char *name) { return inn__preset_path(user, name); }

struct inn__registry *inn__registry_new(inn_ctx *ctx)
{
	struct inn__registry *r = inn_alloc(ctx, 1, sizeof(*r));

	if (!r)
		return NULL;
	r->ctx = ctx;
	r->finder = (struct inn__finder){ r, find, preset, inn__each_name, NULL, NULL };
	return search_path(r) < 0 ? NULL : r;
}

const struct inn__finder *inn__registry_finder(struct inn__registry *r) { return &r->finder; }

/* [a-z][A-Za-z0-9_+]*(\.[A-Za-z0-9_+]+)* shorter than 128: safe to join to a folder. */
static bool good_name(const char *s)
{
	size_t n = strnlen(s, 128);

	if (n == 128 || s[0] < 'a' || s[0] > 'z' || s[n - 1] == '.' || strstr(s, ".."))
		return false;
	return strspn(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_+.") == n;
}

static const struct inn_class *known(const struct inn__registry *r, uint32_t kind, const char *name)
{
	for (const struct entry *e = r->entries; e; e = e->next)
		if (e->cls->kind == kind && !strcmp(e->cls->name, name))
			return e->cls;
	return NULL;
}

static int check_head(inn_ctx *ctx, const char *path)
{
	struct inn_loc loc = { .file = path };
	struct inn__elf e;
	int rc = inn__elf_read(ctx, path, &e);

	if (rc < 0)
		return rc;
	if (e.magic != INN_MAGIC || e.size < sizeof(struct inn_plugin))
		return inn_fail(ctx, INN_EPLUGIN, &loc, "its inn_plugin_1 is no plugin's head");
	if (e.abi >> 16 != INN_ABI >> 16 || (e.abi & 0xffff) > (INN_ABI & 0xffff))
		return inn_fail(ctx, INN_EPLUGIN, &loc, "built for ABI %u.%u, this is %u.%u", e.abi >> 16, e.abi & 0xffff, INN_ABI >> 16,
				INN_ABI & 0xffff);
	if (e.init_array > CONSTRUCTORS)
		return inn_fail(ctx, INN_EPLUGIN, &loc, "has a constructor: plugins must not run code when they are opened");
	return INN_OK;
}

int inn__load_file(struct inn__registry *r, const char *path, const struct inn_plugin **out)
{
	struct inn_loc loc = { .file = inn_strdup(r->ctx, path) };
	fenv_t before, after;
	int rc = loc.file ? check_head(r->ctx, loc.file) : INN_ENOMEM;

	if (rc < 0)
		return rc;
	fegetenv(&before);
	void *so = dlopen(path, RTLD_NOW | RTLD_LOCAL);

	fegetenv(&after);
	fesetenv(&before);
	if (!so) {
		const char *why = dlerror();

		return inn_fail(r->ctx, INN_EPLUGIN, &loc, "%s", why ? why : "cannot be opened");
	}
#if defined(__x86_64__)
	if (before.__mxcsr != after.__mxcsr && (before.__mxcsr ^ after.__mxcsr) & ~0x3fu)
		return inn_fail(r->ctx, INN_EPLUGIN, &loc, "changes the floating-point mode (built with -ffast-math?)");
#endif
	const struct inn_plugin *p = dlsym(so, "inn_plugin_1");

	if (!p)
		return inn_fail(r->ctx, INN_EPLUGIN, &loc, "exports no inn_plugin_1");
	for (unsigned i = 0; p->classes && p->classes[i] && i < 256; i++) {
		const struct inn_class *cls;
		struct entry *e;

		if ((rc = inn__register(r->ctx, &loc, p->classes[i], &cls)) < 0)
			return rc;
		if (!good_name(cls->name))
			return inn_fail(r->ctx, INN_EPLUGIN, &loc, "a class has no valid name");
		if (known(r, cls->kind, cls->name))
			continue;
		if (!(e = inn_alloc(r->ctx, 1, sizeof(*e))))
			return INN_ENOMEM;
		*e = (struct entry){ cls, loc.file, r->entries };
		r->entries = e;
	}
	if (out)
		*out = p;
	return INN_OK;
}

const struct inn_class *inn__find(struct inn__registry *r, uint32_t kind, const char *name, const struct inn_loc *loc)
{
	const struct inn_class *c = good_name(name) ? known(r, kind, name) : NULL;

	if (c || !good_name(name) || !inn__kind_name(kind))
		return c;
	for (unsigned i = 0; i < r->n_dirs; i++) {
		char path[PATH_MAX];
		int n = snprintf(path, sizeof(path), "%s/%s/%s.so", r->dir[i], kinds[kind], name);

		if (n < 0 || (size_t)n >= sizeof(path) || access(path, F_OK))
			continue;
		if (inn__load_file(r, path, NULL) < 0) {
			inn_while(r->ctx, INN_EPLUGIN, loc, "while opening %s %s", kinds[kind], name);
			return NULL;
		}
		if (!(c = known(r, kind, name)))
			inn_fail(r->ctx, INN_EPLUGIN, &(struct inn_loc){ .file = inn_strdup(r->ctx, path) }, "holds no %s %s", kinds[kind], name);
		return c;
	}
	return NULL;
}

/* Calls `each` with the stem of every file *suffix in dir, sorted. */
static void each_file(const char *dir, const char *suffix, void (*each)(void *, const char *stem, const char *dir), void *arg)
{
	struct dirent **list = NULL;
	int n = scandir(dir, &list, NULL, alphasort);

	for (int i = 0; i < n; i++) {
		size_t len = strlen(list[i]->d_name), cut = strlen(suffix);

		if (len > cut && !strcmp(list[i]->d_name + len - cut, suffix)) {
			list[i]->d_name[len - cut] = 0;
			each(arg, list[i]->d_name, dir);
		}
		free(list[i]);
	}
	free(list);
}

struct each_class { struct inn__registry *r; uint32_t kind; void (*each)(void *, const struct inn_class *, const char *); void *arg; };

static void class_of_file(void *user, const char *stem, const char *dir)
{
	struct each_class *e = user;
	inn_ctx *ctx = e->r->ctx;
	uint32_t before = inn__errors(ctx);
	const struct inn_class *c = inn__find(e->r, e->kind, stem, NULL);

	if (!c && inn__errors(ctx) > before) {
		inn_warn(ctx, NULL, "%s/%s.so: %s", dir, stem, inn__error(ctx, before)->text);
		if (!before)
			inn__errors_clear(ctx);
	}
	if (c)
		e->each(e->arg, c, inn_printf(ctx, "%s/%s.so", dir, stem));
}

void inn__each_class(struct inn__registry *r, uint32_t kind, void (*each)(void *, const struct inn_class *, const char *), void *arg)
{
	struct each_class e = { r, kind, each, arg };

	for (unsigned i = 0; i < r->n_dirs; i++) {
		char *dir = inn_printf(r->ctx, "%s/%s", r->dir[i], kinds[kind]);

		if (dir)
			each_file(dir, ".so", class_of_file, &e);
	}
}

struct each_name { void (*each)(void *, const char *); void *arg; inn_ctx *ctx; };

static void name_of_file(void *user, const char *stem, const char *dir)
{
	struct each_name *e = user;
	char *name = inn_strdup(e->ctx, stem);

	(void)dir;
	if (name)
		e->each(e->arg, name);
}

void inn__each_name(void *user, uint32_t kind, void (*each)(void *, const char *), void *arg)
{
	struct inn__registry *r = user;
	struct each_name e = { each, arg, r->ctx };

	for (unsigned i = 0; i < r->n_dirs; i++) {
		char *dir = inn_printf(r->ctx, "%s/%s", r->dir[i], kinds[kind]);

		if (dir)
			each_file(dir, ".so", name_of_file, &e);
	}
	for (unsigned i = 0; kind == INN_ANALYZER && i < r->n_configs; i++) {
		char *dir = inn_printf(r->ctx, "%s/presets", r->config[i]);

		if (dir)
			each_file(dir, ".yaml", name_of_file, &e);
	}
}

const char *inn__data_path(struct inn__registry *r, const char *name)
{
	for (unsigned i = 0; i < r->n_configs; i++) {
		char *path = inn_printf(r->ctx, "%s/%s", r->config[i], name);

		if (path && !access(path, F_OK))
			return path;
	}
	return NULL;
}

const char *inn__preset_path(struct inn__registry *r, const char *name)
{
	char *file = good_name(name) ? inn_printf(r->ctx, "presets/%s.yaml", name) : NULL;

	return file ? inn__data_path(r, file) : NULL;
}

struct each_config { void (*each)(void *, const char *, const char *); void *arg; inn_ctx *ctx; };

static void config_of_file(void *user, const char *stem, const char *dir)
{
	struct each_config *e = user;
	char *name = inn_strdup(e->ctx, stem), *path = inn_printf(e->ctx, "%s/%s.yaml", dir, stem);

	if (name && path)
		e->each(e->arg, name, path);
}

void inn__each_config(struct inn__registry *r, const char *folder, void (*each)(void *, const char *, const char *), void *arg)
{
	struct each_config e = { each, arg, r->ctx };

	for (unsigned i = 0; i < r->n_configs; i++) {
		char *dir = inn_printf(r->ctx, "%s/%s", r->config[i], folder);

		if (dir)
			each_file(dir, ".yaml", config_of_file, &e);
	}
}
