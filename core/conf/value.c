/* One row's value: numbers, names, paths, nested classes. */
#include "bind.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char *kind_of(const struct inn__yaml *y)
{
	return y->kind == INN__SEQ ? "a list" : y->kind == INN__MAP ? "a mapping" : y->quoted ? "a string" : "this value";
}

static int wants(struct inn__bind *b, const char *what, const struct inn_param *row, const struct inn__yaml *y, const char *wanted)
{
	if (y->kind == INN__SCALAR)
		return inn_fail(b->ctx, INN_ECONFIG, &y->loc, "'%s' of %s must be %s, not '%.60s'", row->name, what, wanted, y->text);
	return inn_fail(b->ctx, INN_ECONFIG, &y->loc, "'%s' of %s must be %s, not %s", row->name, what, wanted, kind_of(y));
}

static int in_range(struct inn__bind *b, const char *what, const struct inn_param *row, const struct inn__yaml *y, double v)
{
	char low[32], high[32];

	if ((row->min == 0 && row->max == 0) || (v >= row->min && v <= row->max))
		return INN_OK;
	snprintf(low, sizeof(low), "%g", row->min);
	snprintf(high, sizeof(high), "%g", row->max);
	return inn_fail(b->ctx, INN_ECONFIG, &y->loc, "'%s' of %s is %.40s, outside %s to %s%s%s", row->name, what, y->text, low, high,
			row->unit ? " " : "", row->unit ? row->unit : "");
}

static int real(struct inn__bind *b, const char *what, const struct inn_param *row, const struct inn__yaml *y, double *v)
{
	if (y->kind != INN__SCALAR || y->quoted || !inn__parse_real(y->text, v))
		return wants(b, what, row, y, "a number");
	return in_range(b, what, row, y, *v);
}

static int integer(struct inn__bind *b, const char *what, const struct inn_param *row, const struct inn__yaml *y, int64_t *v)
{
	if (y->kind != INN__SCALAR || y->quoted || !inn__parse_int(y->text, v))
		return wants(b, what, row, y, "an integer");
	return in_range(b, what, row, y, (double)*v);
}

static int boolean(struct inn__bind *b, const char *what, const struct inn_param *row, const struct inn__yaml *y, bool *v)
{
	*v = y->kind == INN__SCALAR && !y->quoted && !strcmp(y->text, "true");
	if (*v || (y->kind == INN__SCALAR && !y->quoted && !strcmp(y->text, "false")))
		return INN_OK;
	return wants(b, what, row, y, "true or false");
}

/* Relative to the folder of the file it stands in; texts of the command line have none. */
static int path(struct inn__bind *b, const struct inn__yaml *y, const char **out)
{
	const char *file = y->loc.file ? y->loc.file : "", *slash = strrchr(file, '/');
	int folder = slash ? (int)(slash - file) + 1 : 0;
	char *cwd;

	*out = NULL;
	if (!*y->text)
		return inn_fail(b->ctx, INN_ECONFIG, &y->loc, "an empty path");
	if (*y->text == '/') {
		*out = y->text;
		return INN_OK;
	}
	if (*file == '/') {
		*out = inn_printf(b->ctx, "%.*s%s", folder, file, y->text);
	} else {
		cwd = getcwd(NULL, 0);
		if (!cwd)
			return inn_fail(b->ctx, INN_EIO, &y->loc, "the working directory cannot be read");
		*out = inn_printf(b->ctx, "%s/%.*s%s", cwd, folder, file, y->text);
		free(cwd);
	}
	return *out ? INN_OK : INN_ENOMEM;
}

static int string(struct inn__bind *b, const char *what, const struct inn_param *row, const struct inn__yaml *y, const char **v)
{
	if (y->kind != INN__SCALAR || inn__yaml_null(y))
		return wants(b, what, row, y, "a string");
	if (row->type == INN_P_PATH)
		return path(b, y, v);
	*v = y->text;
	return INN_OK;
}

static int source(struct inn__bind *b, const char *what, const struct inn_param *row, const struct inn__yaml *y, struct inn_source *v)
{
	v->path = NULL;
	if (y->kind != INN__SCALAR || inn__yaml_null(y))
		return wants(b, what, row, y, "a number or the path of an array file");
	if (!y->quoted && inn__parse_real(y->text, &v->value))
		return in_range(b, what, row, y, v->value);
	v->value = 0;
	return path(b, y, &v->path);
}

int inn__bind_choice(struct inn__bind *b, const char *what, const struct inn_choice *choices, const struct inn__yaml *y, int *v)
{
	struct inn__nearest near = { .want = y->text };
	char list[200] = "";
	size_t n = 0;

	for (const struct inn_choice *c = choices; y->kind == INN__SCALAR && c && c->name; c++) {
		if (!strcmp(c->name, y->text)) {
			*v = c->value;
			return INN_OK;
		}
		inn__nearest_offer(&near, c->name);
	}
	for (const struct inn_choice *c = choices; c && c->name && n < sizeof(list); c++)
		n += (size_t)snprintf(list + n, sizeof(list) - n, "%s%s", n ? ", " : "", c->name);
	return inn_fail(b->ctx, INN_ECONFIG, &y->loc, "%s is '%.60s' but must be one of %s%s", what,
			y->kind == INN__SCALAR ? y->text : kind_of(y), list, inn__hint(b->ctx, &near));
}

static int choice(struct inn__bind *b, const char *what, const struct inn_param *row, const struct inn__yaml *y, int *v)
{
	char label[160];

	snprintf(label, sizeof(label), "'%s' of %s", row->name, what);
	return inn__bind_choice(b, label, row->choices, y, v);
}

int inn__bind_list(struct inn__bind *b, const char *what, const struct inn_param *row, const struct inn__yaml *y, void *at)
{
	const size_t size = row->type == INN_P_INTS ? sizeof(int64_t) : row->type == INN_P_REALS ? sizeof(double) : sizeof(char *);
	size_t n = y->kind == INN__SEQ ? y->n : 1;
	char *v;
	int status;

	if (y->kind == INN__MAP)
		return wants(b, what, row, y, "a list");
	status = inn__bind_work(b, n, &y->loc);
	if (status)
		return status;
	v = inn_alloc(b->ctx, n, size);
	if (!v)
		return INN_ENOMEM;
	for (size_t i = 0; i < n; i++) {
		const struct inn__yaml *item = y->kind == INN__SEQ ? y->item[i] : y;

		if (row->type == INN_P_INTS)
			inn__first(&status, integer(b, what, row, item, (int64_t *)(void *)v + i));
		else if (row->type == INN_P_REALS)
			inn__first(&status, real(b, what, row, item, (double *)(void *)v + i));
		else
			inn__first(&status, string(b, what, row, item, (const char **)(void *)v + i));
	}
	if (row->type == INN_P_INTS)
		*(struct inn_ints *)at = (struct inn_ints){ n, (const int64_t *)(void *)v };
	else if (row->type == INN_P_REALS)
		*(struct inn_reals *)at = (struct inn_reals){ n, (const double *)(void *)v };
	else
		*(struct inn_strs *)at = (struct inn_strs){ n, (const char *const *)(void *)v };
	return status;
}

static int classes(struct inn__bind *b, uint32_t kind, const struct inn__yaml *y, struct inn_insts *out)
{
	size_t n = y->kind == INN__SEQ ? y->n : 1;
	struct inn_inst *v = inn_alloc(b->ctx, n, sizeof(*v));
	int status = INN_OK;

	if (!v)
		return INN_ENOMEM;
	for (size_t i = 0; i < n; i++)
		inn__first(&status, inn__bind_inst(b, kind, y->kind == INN__SEQ ? y->item[i] : y, &v[i]));
	*out = (struct inn_insts){ n, v };
	return status;
}

/* What an absent value is, where no text of a default needs to be bound. */
static int absent(struct inn__bind *b, const struct inn_param *row, bool null, void *at)
{
	bool none = null || (row->flags & INN_NULLABLE);

	switch (row->type) {
	case INN_P_BOOL: *(bool *)at = row->def != 0; break;
	case INN_P_INT: *(int64_t *)at = none ? INN_NO_INT : (int64_t)row->def; break;
	case INN_P_REAL: *(double *)at = none ? NAN : row->def; break;
	case INN_P_STR:
	case INN_P_PATH: *(const char **)at = null ? NULL : row->sdef; break;
	case INN_P_ENUM: *(int *)at = (int)row->def; break;
	case INN_P_CLASS: *(struct inn_inst *)at = (struct inn_inst){ .head = -1, .dialect = -1 }; break;
	case INN_P_SOURCE: *(struct inn_source *)at = (struct inn_source){ .value = none ? NAN : row->def }; break;
	case INN_P_RULES: *(struct inn_rules **)at = inn_alloc(b->ctx, 1, sizeof(struct inn_rules));
		return *(struct inn_rules **)at ? INN_OK : INN_ENOMEM;
	}
	return INN_OK; /* lists and CLASSES: zeroed already */
}

int inn__bind_value(struct inn__bind *b, const char *what, const struct inn_param *row, const struct inn__yaml *y, void *at)
{
	bool list = row->type == INN_P_INTS || row->type == INN_P_REALS || row->type == INN_P_STRS;
	struct inn__yaml *text;
	int status;

	if (!y) {
		if (!row->sdef || !(list || row->type == INN_P_CLASS))
			return absent(b, row, false, at);
		status = inn__yaml_text(b->ctx, what, row->sdef, &text);
		if (status)
			return inn_while(b->ctx, INN_EPLUGIN, NULL, "default of '%s' of %s", row->name, what);
		y = text;
	}
	status = inn__bind_work(b, 1, &y->loc);
	if (status)
		return status;
	if (inn__yaml_null(y) && ((row->flags & INN_NULLABLE) || (list && !row->sdef)))
		return absent(b, row, true, at);
	switch (row->type) {
	case INN_P_BOOL: return boolean(b, what, row, y, at);
	case INN_P_INT: return integer(b, what, row, y, at);
	case INN_P_REAL: return real(b, what, row, y, at);
	case INN_P_STR:
	case INN_P_PATH: return string(b, what, row, y, at);
	case INN_P_ENUM: return choice(b, what, row, y, at);
	case INN_P_CLASS: return inn__bind_inst(b, row->kind, y, at);
	case INN_P_CLASSES: return classes(b, row->kind, y, at);
	case INN_P_SOURCE: return source(b, what, row, y, at);
	case INN_P_RULES: return inn__bind_rules(b, y, at);
	}
	if (list)
		return inn__bind_list(b, what, row, y, at);
	return inn_fail(b->ctx, INN_EPLUGIN, NULL, "'%s' of %s has the unknown type %u", row->name, what, row->type);
}
