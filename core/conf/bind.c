/* Binding a tree to a parameter table: every finding is recorded, with its place. */
#include "bind.h"
#include <limits.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct target { inn_ctx *ctx; const struct inn__finder *f; const char *what; const struct inn_param *row; char *field; };

bool inn__is_null(const struct inn__yaml *y)
{
	return y->kind == INN__SCALAR && !y->quoted && (!strcmp(y->text, "null") || !strcmp(y->text, "~") || !*y->text);
}

int inn__suggest(inn_ctx *ctx, const struct inn_loc *loc, const struct inn__nearest *n, const char *fmt, ...)
{
	char text[512];
	va_list args;

	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	return inn_fail(ctx, INN_ECONFIG, loc, "%s%s%s%s", text, n->best ? "; did you mean " : "", n->best ? n->best : "", n->best ? "?" : "");
}

static int wrong(struct target *t, const struct inn__yaml *y, const char *expected)
{
	return inn_fail(t->ctx, INN_ECONFIG, &y->loc, "%s.%s: %s is expected%s%s", t->what, t->row->name, expected,
			y->kind == INN__SCALAR ? ", not " : "", y->kind == INN__SCALAR ? y->text : "");
}

static int ranged(struct target *t, const struct inn__yaml *y, double v)
{
	if (t->row->min < t->row->max && (v < t->row->min || v > t->row->max))
		return inn_fail(t->ctx, INN_ECONFIG, &y->loc, "%s.%s: %s is outside [%g, %g]", t->what, t->row->name, y->text, t->row->min,
				t->row->max);
	return INN_OK;
}

static int real_of(struct target *t, const struct inn__yaml *y, double *v)
{
	if (y->kind != INN__SCALAR || y->quoted || !inn__parse_real(y->text, v))
		return wrong(t, y, "a number");
	return ranged(t, y, *v);
}

static int int_of(struct target *t, const struct inn__yaml *y, int64_t *v)
{
	if (y->kind != INN__SCALAR || y->quoted || !inn__parse_int(y->text, v))
		return wrong(t, y, "an integer");
	return ranged(t, y, (double)*v);
}

static int choice_of(struct target *t, const struct inn__yaml *y, int *v)
{
	char text[256];

	if (y->kind != INN__SCALAR)
		return wrong(t, y, "a word");
	struct inn__nearest n = { .want = y->text };

	for (const struct inn_choice *c = t->row->choices; c && c->name; c++) {
		if (!strcmp(c->name, y->text)) {
			*v = c->value;
			return INN_OK;
		}
		inn__nearest_offer(&n, c->name);
	}
	int at = snprintf(text, sizeof(text), "%s.%s: %s is none of", t->what, t->row->name, y->text);

	for (const struct inn_choice *c = t->row->choices; c && c->name && at > 0 && (size_t)at < sizeof(text); c++)
		at += snprintf(text + at, sizeof(text) - (size_t)at, " %s", c->name);
	return inn__suggest(t->ctx, &y->loc, &n, "%s", text);
}

/* Relative paths are relative to the file they stand in; texts of the command line have no folder. */
static int path_of(struct target *t, const struct inn__yaml *y, const char **v)
{
	if (y->kind != INN__SCALAR || !*y->text || strlen(y->text) >= PATH_MAX)
		return wrong(t, y, "a path");
	return (*v = inn__yaml_path(t->ctx, y)) ? INN_OK : INN_ENOMEM;
}

/* A list, or one scalar as a list of one. */
static int list_of(struct target *t, const struct inn__yaml *y)
{
	size_t n = y->kind == INN__SEQ ? y->n : 1, size = t->row->type == INN_P_STRS ? sizeof(char *) : sizeof(double);
	char *v = inn_alloc(t->ctx, n, size);
	int rc = INN_OK;

	if (!v)
		return INN_ENOMEM;
	if (y->kind == INN__MAP)
		return wrong(t, y, "a list");
	for (size_t i = 0; i < n; i++) {
		const struct inn__yaml *e = y->kind == INN__SEQ ? y->item[i] : y;
		int r = INN_OK;

		if (t->row->type == INN_P_INTS)
			r = int_of(t, e, (int64_t *)(void *)(v + i * size));
		else if (t->row->type == INN_P_REALS)
			r = real_of(t, e, (double *)(void *)(v + i * size));
		else if (e->kind == INN__SCALAR)
			memcpy(v + i * size, &e->text, size);
		else
			r = wrong(t, e, "a text");
		rc = rc < 0 ? rc : r;
	}
	*(struct inn_reals *)(void *)t->field = (struct inn_reals){ n, (double *)(void *)v }; /* INTS, STRS: the same layout */
	return rc;
}

static int classes_of(struct target *t, const struct inn__yaml *y)
{
	struct inn_insts *out = (void *)t->field;
	size_t n = y->kind == INN__SEQ ? y->n : 1;
	struct inn_inst *v = inn_alloc(t->ctx, n, sizeof(*v));
	int rc = INN_OK;

	if (!v)
		return INN_ENOMEM;
	for (size_t i = 0; i < n; i++) {
		int r = inn__bind_class(t->ctx, t->f, t->row->kind, y->kind == INN__SEQ ? y->item[i] : y, &v[i]);

		rc = rc < 0 ? rc : r;
	}
	*out = (struct inn_insts){ n, v };
	return rc;
}

static int absent(struct target *t);

static int bind_value(struct target *t, const struct inn__yaml *y)
{
	if (inn__is_null(y)) {
		if (!(t->row->flags & INN_NULLABLE))
			return wrong(t, y, "a value");
		if (t->row->type == INN_P_REAL)
			*(double *)(void *)t->field = NAN;
		else if (t->row->type == INN_P_INT)
			*(int64_t *)(void *)t->field = INN_NO_INT;
		return INN_OK; /* the rest is zero when absent */
	}
	switch (t->row->type) {
	case INN_P_BOOL:
		if (y->kind != INN__SCALAR || y->quoted || (strcmp(y->text, "true") && strcmp(y->text, "false")))
			return wrong(t, y, "true or false");
		*(bool *)t->field = y->text[0] == 't';
		return INN_OK;
	case INN_P_INT: return int_of(t, y, (int64_t *)(void *)t->field);
	case INN_P_REAL: return real_of(t, y, (double *)(void *)t->field);
	case INN_P_STR:
		if (y->kind != INN__SCALAR)
			return wrong(t, y, "a text");
		*(const char **)(void *)t->field = y->text;
		return INN_OK;
	case INN_P_PATH: return path_of(t, y, (const char **)(void *)t->field);
	case INN_P_ENUM: return choice_of(t, y, (int *)(void *)t->field);
	case INN_P_INTS: case INN_P_REALS: case INN_P_STRS: return list_of(t, y);
	case INN_P_CLASS: return inn__bind_class(t->ctx, t->f, t->row->kind, y, (struct inn_inst *)(void *)t->field);
	case INN_P_CLASSES: return classes_of(t, y);
	case INN_P_RULES: return inn__bind_rules(t->ctx, t->f, y, (struct inn_rules **)(void *)t->field);
	case INN_P_SOURCE: {
		struct inn_source *s = (void *)t->field;

		if (y->kind == INN__SCALAR && !y->quoted && inn__parse_real(y->text, &s->value))
			return INN_OK;
		return path_of(t, y, &s->path);
	}
	default: return inn_fail(t->ctx, INN_EBUG, NULL, "%s.%s: unknown type of parameter", t->what, t->row->name);
	}
}

static int absent(struct target *t)
{
	const struct inn_param *r = t->row;
	struct inn__yaml *y;
	int rc;

	switch (r->type) {
	case INN_P_BOOL: *(bool *)t->field = r->def != 0; return INN_OK;
	case INN_P_INT: *(int64_t *)(void *)t->field = r->flags & INN_NULLABLE ? INN_NO_INT : (int64_t)r->def; return INN_OK;
	case INN_P_REAL: *(double *)(void *)t->field = r->flags & INN_NULLABLE ? (double)NAN : r->def; return INN_OK;
	case INN_P_ENUM: *(int *)(void *)t->field = (int)r->def; return INN_OK;
	case INN_P_SOURCE: ((struct inn_source *)(void *)t->field)->value = r->def; return INN_OK;
	case INN_P_STR: case INN_P_PATH: *(const char **)(void *)t->field = r->sdef; return INN_OK;
	default: break;
	}
	if (r->type == INN_P_RULES) { /* readers find an empty table, never none */
		*(void **)(void *)t->field = inn_alloc(t->ctx, 1, sizeof(struct inn_rules));
		return *(void **)(void *)t->field ? INN_OK : INN_ENOMEM;
	}
	if (!r->sdef)
		return INN_OK;
	if ((rc = inn__yaml_text(t->ctx, "(default)", r->sdef, &y)) < 0)
		return rc;
	return bind_value(t, y);
}

static const struct inn_param *row_at(const struct inn_param *rows, size_t size, size_t i)
{
	const struct inn_param *r = rows && i < MAX_ROWS ? (const struct inn_param *)(const void *)((const char *)rows + i * size) : NULL;

	return r && r->name ? r : NULL;
}

static bool listed(const char *const *names, const char *name)
{
	for (; names && *names; names++)
		if (!strcmp(*names, name))
			return true;
	return false;
}

static int unknown_keys(struct target *t, const struct inn_param *rows, size_t size, const struct inn__yaml *y, const char *const *skip)
{
	const struct inn_param *r;
	int rc = INN_OK;

	for (size_t i = 0; i < y->n; i++) {
		const struct inn__yaml *key = y->key[i];
		struct inn__nearest n = { .want = key->text };
		bool known = listed(skip, key->text);

		for (size_t k = 0; !known && (r = row_at(rows, size, k)); k++) {
			known = !strcmp(r->name, key->text);
			inn__nearest_offer(&n, r->name);
		}
		for (const char *const *s = skip; !known && s && *s; s++)
			inn__nearest_offer(&n, *s);
		if (!known)
			rc = inn__suggest(t->ctx, &key->loc, &n, "%s has no parameter %s", t->what, key->text);
	}
	return rc;
}

int inn__bind_params(inn_ctx *ctx, const struct inn__finder *f, const char *what, const struct inn_param *rows, size_t row_size,
		     const struct inn__yaml *y, const char *const *skip, void *opts)
{
	struct target t = { .ctx = ctx, .f = f, .what = what };
	int rc = INN_OK;

	if (y && y->kind != INN__MAP)
		return inn_fail(ctx, INN_ECONFIG, &y->loc, "%s: a mapping of parameters is expected", what);
	if (y)
		rc = unknown_keys(&t, rows, row_size, y, skip);
	for (size_t k = 0; (t.row = row_at(rows, row_size, k)); k++) {
		const struct inn__yaml *v = y ? inn__yaml_get(y, t.row->name) : NULL;
		int r;

		t.field = (char *)opts + t.row->offset;
		if (!v && (t.row->flags & INN_REQUIRED) && y)
			r = inn_fail(ctx, INN_ECONFIG, &y->loc, "%s: %s is missing", what, t.row->name);
		else
			r = v ? bind_value(&t, v) : absent(&t);
		rc = rc < 0 ? rc : r;
	}
	return rc;
}
