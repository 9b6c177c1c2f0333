/* Plugin files that must be refused, and presets beside ours. The files are built with the compiler on the path. */
#include "core/base/ctx.h"
#include "core/load/load.h"
#include "unit.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static inn_ctx *ctx;
static struct inn__registry *registry;
static char folder[64];

static void run(const char *command)
{
	ck_assert_msg(system(command) == 0, "%s", command);
}

static void setup(void)
{
	strcpy(folder, "/tmp/inn-load-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(folder));
	ctx = inn__ctx_new();
	inn__ctx_level(ctx, INN__QUIET);
	registry = inn__registry_new(ctx);
	ck_assert_ptr_nonnull(registry);
	ck_assert_int_eq(inn__registry_dir(registry, folder), INN_OK);
	run(inn_printf(ctx, "mkdir %s/rule", folder));
}

static void teardown(void)
{
	run(inn_printf(ctx, "rm -rf %s", folder));
	inn__ctx_free(ctx);
}

static const char *path_of(const char *name)
{
	return inn_printf(ctx, "%s/rule/%s.so", folder, name);
}

/* A rule plugin; `row` is its table, `head` replaces the descriptor's fields, `more` is put behind. */
static void build(const char *name, const char *cls, const char *row, const char *head, const char *more)
{
	char *source = inn_printf(ctx, "%s/%s.c", folder, name);
	FILE *f = fopen(source, "w");

	fprintf(f, "#include <innvestigate/plugin.h>\nstruct opts { double e; };\n"
		"static const struct inn_param rows[] = { %s { 0 } };\n"
		"static inn_val back(inn_build *b, const struct inn_site *s, uint32_t k, const void *o) "
		"{ (void)b; (void)k; (void)o; return s->r; }\n"
		"static const struct inn_rule_ops r = { .cls = INN_HEAD(struct inn_rule_ops, INN_RULE, \"%s\", \"b\", rows, sizeof(struct opts), NULL), "
		".back = back };\nstatic const struct inn_class *const list[] = { &r.cls, NULL };\n"
		"INN_API const struct inn_plugin inn_plugin_1;\nconst struct inn_plugin inn_plugin_1 = { .magic = INN_MAGIC, .abi = INN_ABI, "
		".size = sizeof(struct inn_plugin), .name = \"t\", .version = \"1\", .license = \"x\", .classes = list, %s };\n%s\n",
		row, cls, head, more);
	fclose(f);
	run(inn_printf(ctx, "cc -std=gnu11 -w -shared -fPIC -Icore/include -o %s %s", path_of(name), source));
}

static void refused(const char *name, const char *why)
{
	bool said = false;

	inn__errors_clear(ctx);
	ck_assert_ptr_null(inn__find(registry, INN_RULE, name, NULL));
	ck_assert_int_eq(inn__error(ctx, 0)->status, INN_EPLUGIN);
	for (uint32_t i = 0; i < inn__errors(ctx); i++) {
		const char *text = inn__error_text(ctx, inn__error(ctx, i));

		said |= strstr(text, why) && strstr(text, path_of(name));
	}
	ck_assert_msg(said, "%s", inn__error_text(ctx, inn__error(ctx, 0)));
}

#define ROW "INN_REAL(struct opts, e, 1, 0, 2, \"h\"),"

START_TEST(a_good_plugin_is_found_once)
{
	const struct inn_class *c;

	build("good", "good", ROW, ".reserved = 0", "");
	c = inn__find(registry, INN_RULE, "good", NULL);
	ck_assert_msg(c != NULL, "%s", inn__errors(ctx) ? inn__error(ctx, 0)->text : "");
	ck_assert_ptr_eq(c, inn__find(registry, INN_RULE, "good", NULL));
	ck_assert_ptr_null(inn__find(registry, INN_RULE, "absent", NULL));
	ck_assert_ptr_null(inn__find(registry, INN_RULE, "../rule/good", NULL));
	ck_assert_ptr_null(inn__find(registry, INN_ANALYZER, "good", NULL));
	ck_assert(!inn_failed(ctx));
}
END_TEST

START_TEST(files_that_are_no_plugins)
{
	FILE *f = fopen(path_of("text"), "w");
	struct stat st;

	fprintf(f, "%0100d not an object\n", 0);
	fclose(f);
	refused("text", "shared object");
	run(inn_printf(ctx, ": > %s; mkdir %s", path_of("nothing"), path_of("dir")));
	refused("nothing", "short");
	refused("dir", "regular");
	build("cut", "cut", ROW, ".reserved = 0", "");
	ck_assert_int_eq(stat(path_of("cut"), &st), 0);
	for (off_t n = st.st_size - 1; n > 0; n = n * 7 / 8) { /* no prefix of a plugin is one */
		ck_assert_int_eq(truncate(path_of("cut"), n), 0);
		refused("cut", "");
	}
	run(inn_printf(ctx, "echo 'int x;' > %s/n.c; cc -shared -fPIC -o %s %s/n.c", folder, path_of("none"), folder));
	refused("none", "inn_plugin_1");
	build("open", "open", ROW, ".reserved = 0", "");
	run(inn_printf(ctx, "chmod o+w %s", path_of("open")));
	refused("open", "");
}
END_TEST

START_TEST(plugins_that_do_not_fit)
{
	build("magic", "magic", ROW, ".magic = 5", "");
	refused("magic", "inn_plugin_1");
	build("newer", "newer", ROW, ".abi = INN_ABI + 1", "");
	refused("newer", "built for ABI 1.1, this is 1.0");
	build("major", "major", ROW, ".abi = 2u << 16", "");
	refused("major", "built for ABI 2.0, this is 1.0");
	build("size", "size", ROW, ".size = 8", "");
	refused("size", "inn_plugin_1");
	build("other", "another", ROW, ".reserved = 0", "");
	refused("other", "other");
	build("range", "range", "INN_REAL(struct opts, e, 5, 0, 2, \"h\"),", ".reserved = 0", "");
	refused("range", "default");
	build("twice", "twice", ROW ROW, ".reserved = 0", "");
	refused("twice", "two");
	build("help", "help", "INN_REAL(struct opts, e, 1, 0, 2, NULL),", ".reserved = 0", "");
	refused("help", "help");
	build("wide", "wide", "{ .name = \"e\", .help = \"h\", .offset = 4, .type = INN_P_REAL },", ".reserved = 0", "");
	refused("wide", "outside");
#if !defined(INN_SANITIZED)
	build("ctor", "ctor", ROW, ".reserved = 0", "__attribute__((constructor)) static void f(void) { __builtin_trap(); }");
	refused("ctor", "constructor");
#endif
}
END_TEST

static void count(void *arg, const struct inn_class *c, const char *file)
{
	(void)c, (void)file;
	++*(int *)arg;
}

START_TEST(broken_files_are_warnings_in_a_list)
{
	int n = 0;

	run(inn_printf(ctx, "echo text > %s", path_of("text")));
	inn__each_class(registry, INN_RULE, count, &n);
	ck_assert(!inn_failed(ctx));
}
END_TEST

int main(void)
{
	TCase *c = tcase_create("load");

	unsetenv("INNVESTIGATE_PLUGIN_PATH");
	setenv("XDG_DATA_HOME", "/nonexistent", 1);
	tcase_set_timeout(c, 120);
	tcase_add_checked_fixture(c, setup, teardown);
	tcase_add_test(c, a_good_plugin_is_found_once);
	tcase_add_test(c, files_that_are_no_plugins);
	tcase_add_test(c, plugins_that_do_not_fit);
	tcase_add_test(c, broken_files_are_warnings_in_a_list);
	return run_case(c);
}
