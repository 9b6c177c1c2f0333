/* Classes and tables of options bound to YAML. */
#include "bind.h"
#include "../base/ctx.h"
#include <innvestigate/rule.h>
#include <string.h>

const struct inn_choice inn__heads[] = {
	{ "value", INN_VALUE, "the picked output" }, { "value_plus", INN_VALUE_PLUS, "its positive part" },
	{ "one", INN_ONE, "one" }, { 0 },
};
const struct inn_choice inn__dialects[] = {
	{ "paper", INN_PAPER, "as published" }, { "innvestigate", INN_INNVESTIGATE, "as iNNvestigate computes" },
	{ "zennit", INN_ZENNIT, "as zennit computes" }, { "captum", INN_CAPTUM, "as captum computes" }, { 0 },
};

const char *const *inn__common_keys(uint32_t kind)
{
	static const char *const analyzer[] = { "type", "as", "head", "dialect", NULL };
	static const char *const other[] = { "type", NULL };

	return kind == INN_ANALYZER ? analyzer : other;
}

const char *inn__hint(inn_ctx *ctx, const struct inn__nearest *near)
{
	const char *text = near->best ? inn_printf(ctx, ", did you mean '%s'?", near->best) : NULL;

	return text ? text : "";
}

int inn__bind_work(struct inn__bind *b, size_t n, const struct inn_loc *loc)
{
	if (n <= INN__BIND_WORK - b->work) {
		b->work += n;
		return INN_OK;
	}
	return inn_fail(b->ctx, INN_ECONFIG, loc, "more than %d values once all presets are put in", INN__BIND_WORK);
}

bool inn__row(const struct inn_param *rows, size_t row_size, size_t i, struct inn_param *row)
{
	*row = (struct inn_param){ 0 };
	if (!rows)
		return false;
	memcpy(row, (const char *)rows + i * row_size, row_size < sizeof(*row) ? row_size : sizeof(*row));
	return row->name != NULL;
}

static bool among(const char *const *names, const char *name)
{
	for (; names && *names; names++)
		if (!strcmp(*names, name))
			return true;
	return false;
}

static int check_keys(struct inn__bind *b, const char *what, const struct inn_param *rows, size_t row_size, const struct inn__yaml *y,
		      const char *const *skip)
{
	struct inn_param row;
	int status = INN_OK;

	for (size_t k = 0; k < y->n; k++) {
		struct inn__nearest near = { .want = y->key[k]->text };
		bool known = among(skip, near.want);

		for (size_t i = 0; !known && inn__row(rows, row_size, i, &row); i++) {
			known = !strcmp(row.name, near.want);
			inn__nearest_offer(&near, row.name);
			if (known && (row.flags & INN_DEPRECATED))
				inn_warn(b->ctx, &y->key[k]->loc, "'%s' of %s is deprecated", row.name, what);
		}
		for (size_t i = 0; !known && skip && skip[i]; i++)
			inn__nearest_offer(&near, skip[i]);
		if (!known)
			inn__first(&status, inn_fail(b->ctx, INN_ECONFIG, &y->key[k]->loc, "%s has no option '%s'%s", what, near.want,
						     inn__hint(b->ctx, &near)));
	}
	return status;
}

int inn__bind_rows(struct inn__bind *b, const char *what, const struct inn_param *rows, size_t row_size, const struct inn__yaml *y,
		   const char *const *skip, void *opts)
{
	struct inn_param row;
	int status = INN_OK;

	if (y && y->kind != INN__MAP && !inn__yaml_null(y))
		return inn_fail(b->ctx, INN_ECONFIG, &y->loc, "%s needs a mapping of options", what);
	if (y)
		status = check_keys(b, what, rows, row_size, y, skip);
	for (size_t i = 0; inn__row(rows, row_size, i, &row); i++) {
		const struct inn__yaml *v = inn__yaml_get(y, row.name);

		if (!v && (row.flags & INN_REQUIRED))
			inn__first(&status, inn_fail(b->ctx, INN_ECONFIG, y ? &y->loc : NULL, "%s needs '%s': %s", what, row.name,
						     row.help ? row.help : "no default"));
		else
			inn__first(&status, inn__bind_value(b, what, &row, v, (char *)opts + row.offset));
	}
	return status;
}

static int common(struct inn__bind *b, const char *what, const struct inn__yaml *y, struct inn_inst *out)
{
	const struct inn__yaml *as = inn__yaml_get(y, "as"), *head = inn__yaml_get(y, "head"), *dialect = inn__yaml_get(y, "dialect");
	char *label = head || dialect ? inn_printf(b->ctx, "'head' of %s", what) : NULL;
	int status = INN_OK;

	if (as && (as->kind != INN__SCALAR || !*as->text))
		status = inn_fail(b->ctx, INN_ECONFIG, &as->loc, "'as' of %s must be a name", what);
	else if (as)
		out->label = as->text;
	if ((head || dialect) && !label)
		return INN_ENOMEM;
	if (head)
		inn__first(&status, inn__bind_choice(b, label, inn__heads, head, &out->head));
	if (dialect && (label = inn_printf(b->ctx, "'dialect' of %s", what)))
		inn__first(&status, inn__bind_choice(b, label, inn__dialects, dialect, &out->dialect));
	return status;
}

static int bind_class(struct inn__bind *b, uint32_t kind, const char *name, const struct inn__yaml *y, struct inn_inst *out)
{
	const struct inn_class *cls = out->cls;
	const struct inn__yaml *map = y->kind == INN__MAP ? y : NULL;
	void *opts = inn_alloc(b->ctx, 1, cls->opts_size);
	int status;

	if (!opts)
		return INN_ENOMEM;
	out->opts = opts;
	status = inn__bind_rows(b, name, cls->params, cls->param_size, map, inn__common_keys(kind), opts);
	if (!status && cls->check) {
		status = cls->check(b->ctx, &y->loc, opts);
		if (status && !inn_failed(b->ctx))
			status = inn_fail(b->ctx, INN_ECONFIG, &y->loc, "%s refuses these options", name);
		if (status > 0)
			status = INN_EBUG;
	}
	return status;
}

static int bind_preset(struct inn__bind *b, uint32_t kind, const char *name, const char *file, const struct inn__yaml *y,
		       struct inn_inst *out)
{
	struct inn__yaml *body;
	int status = inn__preset_expand(b, file, name, kind, y, &body);

	if (!status)
		status = inn__bind_inst(b, kind, body, out);
	if (status)
		return inn_while(b->ctx, status, &y->loc, "in preset %s, asked for here", name);
	return INN_OK;
}

static int unknown(struct inn__bind *b, uint32_t kind, const char *name, const struct inn_loc *loc)
{
	struct inn__nearest near = { .want = name };

	if (b->f->names)
		b->f->names(b->f->user, kind, inn__nearest_offer, &near);
	return inn_fail(b->ctx, INN_ECONFIG, loc, "there is no %s '%.128s'%s", inn__kind_name(kind), name, inn__hint(b->ctx, &near));
}

static int bind_named(struct inn__bind *b, uint32_t kind, const struct inn__yaml *type, const struct inn__yaml *y, struct inn_inst *out)
{
	const char *name = type->text, *file;
	uint64_t errors = inn__errors_total(b->ctx);
	int status;

	out->cls = b->f->find(b->f->user, b->ctx, kind, name, &type->loc);
	if (out->cls) {
		status = bind_class(b, kind, name, y, out);
	} else {
		if (inn__errors_total(b->ctx) != errors)
			return INN_EPLUGIN;
		file = b->f->preset ? b->f->preset(b->f->user, name) : NULL;
		if (!file)
			return unknown(b, kind, name, &type->loc);
		status = bind_preset(b, kind, name, file, y, out);
	}
	out->loc = y->loc;
	out->label = name;
	if (kind == INN_ANALYZER && y->kind == INN__MAP)
		inn__first(&status, common(b, name, y, out));
	return status;
}

int inn__bind_inst(struct inn__bind *b, uint32_t kind, const struct inn__yaml *y, struct inn_inst *out)
{
	const struct inn__yaml *type = y->kind == INN__MAP ? inn__yaml_get(y, "type") : y;
	const char *what = inn__kind_name(kind);
	int status;

	*out = (struct inn_inst){ .loc = y->loc, .head = -1, .dialect = -1 };
	if (!what)
		return inn_fail(b->ctx, INN_EBUG, &y->loc, "an option of the unknown kind %u", kind);
	if (!type && y->kind == INN__MAP)
		return inn_fail(b->ctx, INN_ECONFIG, &y->loc, "the name of the %s is missing (type: NAME)", what);
	if (type->kind != INN__SCALAR || inn__yaml_null(type))
		return inn_fail(b->ctx, INN_ECONFIG, &type->loc, "the name of a %s is needed here, or a mapping with type: NAME", what);
	if (b->depth >= INN__BIND_DEPTH)
		return inn_fail(b->ctx, INN_ECONFIG, &y->loc, "more than %d classes and presets within each other at '%.128s'",
				INN__BIND_DEPTH, type->text);
	status = inn__bind_work(b, 1, &y->loc);
	if (status)
		return status;
	b->depth++;
	status = bind_named(b, kind, type, y, out);
	b->depth--;
	return status;
}

int inn__bind_class(inn_ctx *ctx, const struct inn__finder *f, uint32_t kind, const struct inn__yaml *y, struct inn_inst *out)
{
	struct inn__bind b = { .ctx = ctx, .f = f };

	return inn__bind_inst(&b, kind, y, out);
}

int inn__bind_params(inn_ctx *ctx, const struct inn__finder *f, const char *what, const struct inn_param *rows, size_t row_size,
		     const struct inn__yaml *y, const char *const *skip, void *opts)
{
	struct inn__bind b = { .ctx = ctx, .f = f };

	return inn__bind_rows(&b, what, rows, row_size, y, skip, opts);
}

int inn__bind_name(inn_ctx *ctx, const struct inn__finder *f, uint32_t kind, const char *name, struct inn_inst *out)
{
	struct inn__yaml y = { .kind = INN__SCALAR, .text = inn_strdup(ctx, name) };

	return y.text ? inn__bind_class(ctx, f, kind, &y, out) : INN_ENOMEM;
}
