/* YAML under its limits, tables of options, presets. */
#include "core/base/ctx.h"
#include "core/conf/conf.h"
#include "unit.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static inn_ctx *ctx;
static char folder[64];

struct opts {
	double epsilon;
	int64_t n;
	bool bias;
	int mode;
	struct inn_reals low;
	struct inn_source reference;
	const char *file;
	struct inn_inst inner;
	struct inn_rules *rules;
};
static const struct inn_choice modes[] = { { "split", 4, "" }, { "whole", 7, "" }, { 0 } };
static const struct inn_param rows[] = {
	INN_REAL(struct opts, epsilon, 0.25, 0, 10, "h"), INN_INT(struct opts, n, 64, 1, 1000, "h"), INN_BOOL(struct opts, bias, true, "h"),
	INN_ENUM(struct opts, mode, 4, modes, "h"), INN_REALS(struct opts, low, NULL, -5, 5, "h"), INN_SOURCE(struct opts, reference, 0, "h"),
	INN_PATH(struct opts, file, NULL, "h"), INN_CLASS(struct opts, inner, INN_ANALYZER, NULL, "h"), INN_RULES(struct opts, rules, "h"),
	{ 0 },
};
static const struct inn_class outer = { .size = sizeof(outer), .kind = INN_ANALYZER, .param_size = sizeof(struct inn_param),
	.name = "outer", .brief = "b", .params = rows, .opts_size = sizeof(struct opts) };
static const struct inn_class rule = { .size = sizeof(rule), .kind = INN_RULE, .param_size = sizeof(struct inn_param),
	.name = "rule", .brief = "b" };

static const struct inn_class *find(void *user, inn_ctx *c, uint32_t kind, const char *name, const struct inn_loc *loc)
{
	(void)user, (void)c, (void)loc;
	return kind == INN_ANALYZER && !strcmp(name, "outer") ? &outer : kind == INN_RULE && !strcmp(name, "rule") ? &rule : NULL;
}

static const char *preset(void *user, const char *name)
{
	char *path = inn_printf(ctx, "%s/%s.yaml", folder, name);

	(void)user;
	return path && !access(path, R_OK) ? path : NULL;
}

static void names(void *user, uint32_t kind, void (*each)(void *, const char *), void *arg)
{
	(void)user;
	if (kind != INN_LAYER)
		each(arg, kind == INN_RULE ? "rule" : "outer");
}

static const struct inn__finder finder = { NULL, find, preset, names, NULL, NULL };

static void setup(void)
{
	strcpy(folder, "/tmp/inn-conf-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(folder));
	ctx = inn__ctx_new();
	inn__ctx_level(ctx, INN__QUIET);
}

static void teardown(void)
{
	char command[128];

	snprintf(command, sizeof(command), "rm -rf %s", folder);
	ck_assert_int_eq(system(command), 0);
	inn__ctx_free(ctx);
}

static const char *put(const char *name, const char *text)
{
	char *path = inn_printf(ctx, "%s/%s", folder, name);
	FILE *f = fopen(path, "w");

	fputs(text, f);
	fclose(f);
	return path;
}

static void refused(const char *text, const char *why, unsigned line, unsigned col)
{
	struct inn__yaml *y;
	const struct inn__error *e;

	inn__errors_clear(ctx);
	ck_assert_int_eq(inn__yaml_text(ctx, "t", text, &y), INN_ECONFIG);
	e = inn__error(ctx, 0);
	ck_assert_msg(strstr(e->text, why) != NULL, "%s", e->text);
	if (line)
		ck_assert_msg(e->loc.line == line && e->loc.col == col, "%u:%u %s", e->loc.line, e->loc.col, e->text);
}

START_TEST(yaml_limits)
{
	char *text = malloc(3 << 20), *p = text;

	refused("a: 1\nb: 2\na: 3\n", "uplicate", 3, 1);
	refused("a: &x [1, *x]\n", "alias", 1, 11);
	refused("a: *nothing\n", "alias", 1, 4);
	refused("a: &x {b: 1}\nc:\n  <<: *x\n", "merge", 3, 3);
	refused("a: 1\n---\nb: 2\n", "document", 2, 1);
	refused("", "empty", 0, 0);
	refused("# nothing\n", "empty", 0, 0);
	refused("a: [1, 2\nb: 3\n", "", 0, 0);
	refused("{[1]: 2}\n", "key", 1, 2);
	refused("a: \"x\\0y\"\n", "zero", 1, 4);
	for (int i = 0; i < 70; i++)
		*p++ = '[';
	*p = 0;
	refused(text, "64", 1, 66);
	p = text + sprintf(text, "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n");
	for (int i = 1; i < 12; i++)
		p += sprintf(p, "a%d: &a%d [*a%d, *a%d, *a%d, *a%d, *a%d, *a%d, *a%d, *a%d]\n", i, i, i - 1, i - 1, i - 1, i - 1, i - 1, i - 1, i - 1,
			     i - 1);
	refused(text, "100000", 0, 0);
	p = text + sprintf(text, "a0: &a0 [x]\n"); /* depth by aliases alone */
	for (int i = 1; i < 100; i++)
		p += sprintf(p, "a%d: &a%d [*a%d]\n", i, i, i - 1);
	refused(text, "64", 0, 0);
	memset(text, ' ', 3 << 20);
	text[(3 << 20) - 1] = 0;
	refused(text, "1 MiB", 0, 0);
	free(text);
}
END_TEST

START_TEST(yaml_places)
{
	struct inn__yaml *y;

	ck_assert_int_eq(inn__yaml_file(ctx, put("a.yaml", "\xef\xbb\xbf""a: 1\r\nb:\r\n  - {c: 1e-3}\r\n"), &y), INN_OK);
	y = inn__yaml_get(inn__yaml_get(y, "b")->item[0], "c");
	ck_assert_uint_eq(y->loc.line, 3);
	ck_assert_uint_eq(y->loc.col, 9);
	ck_assert_str_eq(y->text, "1e-3");
	ck_assert_int_eq(inn__yaml_file(ctx, "/nonexistent/x", &y), INN_ECONFIG);
	ck_assert_int_eq(inn__yaml_file(ctx, "/tmp", &y), INN_ECONFIG);
}
END_TEST

START_TEST(yaml_assignments)
{
	struct inn__yaml *y;

	ck_assert_int_eq(inn__yaml_text(ctx, "t", "{list: [one, two], x: null}", &y), INN_OK);
	ck_assert_int_eq(inn__yaml_set(ctx, y, "list.0.epsilon=3"), INN_OK);
	ck_assert_str_eq(inn__yaml_get(inn__yaml_get(y, "list")->item[0], "type")->text, "one");
	ck_assert_str_eq(inn__yaml_get(inn__yaml_get(y, "list")->item[0], "epsilon")->text, "3");
	ck_assert_int_eq(inn__yaml_set(ctx, y, "new.deep.er={a: [1, 2]}"), INN_OK);
	ck_assert_uint_eq(inn__yaml_get(inn__yaml_get(inn__yaml_get(inn__yaml_get(y, "new"), "deep"), "er"), "a")->n, 2);
	ck_assert_int_eq(inn__yaml_set(ctx, y, "list.9=3"), INN_ECONFIG);
	ck_assert_int_eq(inn__yaml_set(ctx, y, "nothing"), INN_ECONFIG);
	ck_assert_int_eq(inn__yaml_set(ctx, y, "=3"), INN_ECONFIG);
}
END_TEST

START_TEST(numbers)
{
	static const char *const bad[] = { "", ".", "-", "1e", "1e999", "nan", "inf", "0x1p3", "1,5", "1.5.2", " 1", "1 " };
	char buf[32];
	int64_t i;
	double v;

	for (size_t k = 0; k < sizeof(bad) / sizeof(*bad); k++)
		ck_assert_msg(!inn__parse_real(bad[k], &v), "%s", bad[k]);
	ck_assert(inn__parse_real("1e-3", &v) && v == 1e-3);
	ck_assert(inn__parse_real("-.5", &v) && v == -0.5);
	ck_assert(inn__parse_int("-12", &i) && i == -12);
	ck_assert(!inn__parse_int("1e3", &i) && !inn__parse_int("9999999999999999999", &i));
	ck_assert_str_eq(inn__print_real(0.1, buf), "0.1");
	ck_assert_str_eq(inn__print_real(1.0 / 3, buf), "0.3333333333333333");
}
END_TEST

static int bind(const char *text, struct inn_inst *out)
{
	struct inn__yaml *y;

	inn__errors_clear(ctx);
	ck_assert_int_eq(inn__yaml_file(ctx, put("run.yaml", text), &y), INN_OK);
	return inn__bind_class(ctx, &finder, INN_ANALYZER, y, out);
}

START_TEST(options_are_bound)
{
	struct inn_inst inst;
	const struct opts *o;

	ck_assert_int_eq(bind("outer", &inst), INN_OK);
	o = inst.opts;
	ck_assert(o->epsilon == 0.25 && o->n == 64 && o->bias && o->mode == 4 && !o->low.n && !o->inner.cls && o->rules && !o->rules->n);
	ck_assert_int_eq(bind("type: outer\nas: me\nhead: one\ndialect: zennit\nepsilon: 1e-3\nmode: whole\nlow: 2\nreference: a.npy\n"
			      "file: /abs\ninner: {type: outer, n: 3}\nrules:\n"
			      "  - {match: {trait: [affine], position: first, depth: [0, 0.5]}, rule: rule}\n", &inst), INN_OK);
	o = inst.opts;
	ck_assert_str_eq(inst.label, "me");
	ck_assert(inst.head == INN_ONE && inst.dialect == INN_ZENNIT && o->epsilon == 1e-3 && o->mode == 7 && o->low.n == 1 && o->low.v[0] == 2);
	ck_assert_str_eq(o->reference.path, inn_printf(ctx, "%s/a.npy", folder));
	ck_assert_str_eq(o->file, "/abs");
	ck_assert_int_eq(((const struct opts *)o->inner.opts)->n, 3);
	ck_assert(o->rules->n == 1 && o->rules->v[0].match.position == INN_FIRST && o->rules->v[0].match.depth_to == 0.5);
	ck_assert(o->rules->v[0].match.until == INN_NO_INT);
	struct inn__yaml *again; /* what is printed binds to the same */

	ck_assert_int_eq(inn__yaml_text(ctx, "printed", inn__print_inst(ctx, &inst), &again), INN_OK);
	ck_assert_str_eq(inn__yaml_get(again, "epsilon")->text, "0.001");
	ck_assert_int_eq(inn__bind_class(ctx, &finder, INN_ANALYZER, again, &inst), INN_OK);
}
END_TEST

static bool recorded(unsigned line, unsigned col, const char *text)
{
	for (uint32_t i = 0; i < inn__errors(ctx); i++) {
		const struct inn__error *e = inn__error(ctx, i);

		if (e->loc.line == line && e->loc.col == col && strstr(e->text, text))
			return true;
	}
	return false;
}

START_TEST(all_findings_in_one_run)
{
	struct inn_inst inst;

	ck_assert_int_eq(bind("type: outer\nepsilom: 1\nn: 5000\nbias: yes\nmode: splt\nlow: [1, 9]\nhead: two\n", &inst), INN_ECONFIG);
	ck_assert(recorded(2, 1, "epsilon"));
	ck_assert(recorded(3, 4, "1000"));
	ck_assert(recorded(4, 7, "true or false"));
	ck_assert(recorded(5, 7, "split"));
	ck_assert(recorded(6, 10, "9"));
	ck_assert(recorded(7, 7, "value_plus"));
	ck_assert_int_eq(bind("type: outr\n", &inst), INN_ECONFIG);
	ck_assert(recorded(1, 7, "outer"));
	ck_assert_int_eq(bind("type: outer\nrules: [{match: {trait: [afine]}, rule: rule}]\n", &inst), INN_ECONFIG);
	ck_assert(strstr(inn__error(ctx, 0)->text, "affine"));
	ck_assert_int_eq(bind("type: outer\nrules: [{match: {foo: 1}, rule: rule}, 3]\n", &inst), INN_ECONFIG);
	ck_assert_int_eq(bind("[outer]\n", &inst), INN_ECONFIG);
	ck_assert_int_eq(bind("{n: 3}\n", &inst), INN_ECONFIG);
}
END_TEST

START_TEST(presets_expand)
{
	struct inn_inst inst;
	const struct opts *o;

	put("soft.yaml", "params:\n  e: {real: 0.5, min: 0, max: 2, help: h}\n  r: {class: rule, nullable: true, help: h}\n"
	    "  l: {reals: null, nullable: true, help: h}\n"
	    "type: outer\nhead: value_plus\nepsilon: \"${(e + 1) * 2 - 1e-1}\"\nlow: \"${l}\"\nrules:\n"
	    "  - {match: {position: first}, rule: \"${r}\", when: r}\n  - {rule: rule}\n");
	ck_assert_int_eq(bind("soft", &inst), INN_OK);
	o = inst.opts;
	ck_assert_str_eq(inst.label, "soft");
	ck_assert(inst.head == INN_VALUE_PLUS && fabs(o->epsilon - 2.9) < 1e-15 && o->rules->n == 1 && !o->low.n);
	ck_assert_int_eq(bind("{type: soft, e: 1, r: rule, head: one, as: x, l: [1, 2]}", &inst), INN_OK);
	o = inst.opts;
	ck_assert_str_eq(inst.label, "x");
	ck_assert(inst.head == INN_ONE && o->rules->n == 2 && o->low.n == 2);
	ck_assert_int_eq(bind("{type: soft, e: 7}", &inst), INN_ECONFIG);
	ck_assert(recorded(1, 17, "7"));
	ck_assert_int_eq(bind("{type: soft, f: 7}", &inst), INN_ECONFIG);
	put("self.yaml", "type: self\n");
	put("inner.yaml", "type: outer\ninner: inner\n");
	ck_assert_int_eq(bind("self", &inst), INN_ECONFIG);
	ck_assert_int_eq(bind("inner", &inst), INN_ECONFIG);
	put("odd.yaml", "type: outer\nepsilon: \"${1 / 0}\"\n");
	ck_assert_int_eq(bind("odd", &inst), INN_ECONFIG);
	char deep[70000];

	memset(deep, '-', sizeof(deep) - 1);
	deep[sizeof(deep) - 1] = 0;
	put("deep.yaml", inn_printf(ctx, "type: outer\nepsilon: \"${%s1}\"\n", deep));
	ck_assert_int_eq(bind("deep", &inst), INN_ECONFIG);
}
END_TEST

int main(void)
{
	TCase *c = tcase_create("conf");

	tcase_add_checked_fixture(c, setup, teardown);
	tcase_add_test(c, yaml_limits);
	tcase_add_test(c, yaml_places);
	tcase_add_test(c, yaml_assignments);
	tcase_add_test(c, numbers);
	tcase_add_test(c, options_are_bound);
	tcase_add_test(c, all_findings_in_one_run);
	tcase_add_test(c, presets_expand);
	return run_case(c);
}
