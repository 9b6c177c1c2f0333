/* Binding a class by name: a plugin's, or a preset where no plugin has the name. */
#include "../base/ctx.h"
#include "bind.h"
#include <stdio.h>
#include <string.h>

static const struct inn_choice heads[] = { { "value", INN_VALUE, "" }, { "value_plus", INN_VALUE_PLUS, "" }, { "one", INN_ONE, "" }, { 0 } };
static const struct inn_choice dialects[] = {
	{ "paper", INN_PAPER, "" }, { "innvestigate", INN_INNVESTIGATE, "" }, { "zennit", INN_ZENNIT, "" }, { "captum", INN_CAPTUM, "" }, { 0 },
};
struct common { const char *as, *state; int head, dialect; };
static const struct inn_param common_rows[] = {
	INN_STR(struct common, as, NULL, "label in outputs"),
	INN_ENUM(struct common, head, -1, heads, "what seeds the reverse pass"),
	INN_ENUM(struct common, dialect, -1, dialects, "whose exact numbers"),
	INN_PATH(struct common, state, NULL, "what fitting gave"), /* of analyzers that are fitted */
	{ 0 },
};
static const char *const common_keys[] = { "type", "as", "head", "dialect", "state", NULL };
static const char *const labelled[] = { "type", "as", NULL }; /* of metrics, which have labels but no head */
static const char *const type_only[] = { "type", NULL };

#define MAX_NESTING 16 /* classes and presets within each other */
#define MAX_SEARCHES 4096

int inn__search(inn_ctx *ctx, const struct inn_loc *loc)
{
	if (++inn__ctx_binding(ctx)->searches <= MAX_SEARCHES)
		return INN_OK;
	return inn_fail(ctx, INN_ECONFIG, loc, "more than %d presets, kinds of layers and unknown names", MAX_SEARCHES);
}

static int no_such(inn_ctx *ctx, const struct inn__finder *f, uint32_t kind, const char *name, const struct inn_loc *loc)
{
	struct inn__nearest n = { .want = name };
	int rc = inn__search(ctx, loc);

	if (rc < 0)
		return rc;
	f->names(f->user, kind, inn__nearest_offer, &n);
	return inn__suggest(ctx, loc, &n, "no %s is named %.128s", inn__kind_name(kind) ? inn__kind_name(kind) : "class", name);
}

static bool fitted(const struct inn_class *cls)
{
	return cls->kind == INN_ANALYZER && ((const struct inn_analyzer_ops *)(const void *)cls)->fit;
}

/* The common keys of analyzers, and the label of metrics; a preset's own stand behind the user's. */
static int bind_common(inn_ctx *ctx, const struct inn__finder *f, const char *name, const struct inn__yaml *y, struct inn_inst *out)
{
	struct inn__yaml few = { .kind = INN__MAP };
	struct inn__yaml *key[4], *item[4];
	struct common c = { .head = -1, .dialect = -1 };

	few.key = key;
	few.item = item;
	few.loc = y ? y->loc : few.loc;
	for (size_t i = 0; y && y->kind == INN__MAP && i < y->n; i++)
		for (int k = 1; common_keys[k]; k++)
			if (!strcmp(y->key[i]->text, common_keys[k])) {
				few.key[few.n] = y->key[i];
				few.item[few.n++] = y->item[i];
			}
	int rc = inn__bind_params(ctx, f, name, common_rows, sizeof(*common_rows), few.n ? &few : NULL, NULL, &c);

	if (c.as)
		out->label = c.as;
	if (c.head >= 0)
		out->head = c.head;
	if (c.dialect >= 0)
		out->dialect = c.dialect;
	if (c.state && !fitted(out->cls))
		return inn_fail(ctx, INN_ECONFIG, &inn__yaml_get(y, "state")->loc, "%s has no parameter state: it is not fitted", name);
	if (c.state)
		out->state = c.state;
	return rc;
}

static int bind_found(inn_ctx *ctx, const struct inn__finder *f, const struct inn_class *cls, const struct inn__yaml *y, struct inn_inst *out)
{
	void *opts = inn_alloc(ctx, 1, cls->opts_size);
	const char *const *skip = cls->kind == INN_ANALYZER ? common_keys : cls->kind == INN_METRIC ? labelled : type_only;
	int rc;

	if (!opts)
		return INN_ENOMEM;
	rc = inn__bind_params(ctx, f, cls->name, cls->params, cls->param_size, y && y->kind == INN__MAP ? y : NULL, skip, opts);
	if (rc >= 0 && cls->check)
		rc = cls->check(ctx, &out->loc, opts);
	out->cls = cls;
	out->opts = opts;
	return rc;
}

static int bind_nested(inn_ctx *ctx, const struct inn__finder *f, uint32_t kind, const struct inn__yaml *y, struct inn_inst *out);

static const struct inn__yaml *of_kind(const struct inn__yaml *map, uint32_t kind) { return map ? inn__yaml_get(map, inn__kind_name(kind)) : NULL; }

/* [a, b] as the class that stands for two numbers. */
static int bind_pair(inn_ctx *ctx, const struct inn__finder *f, uint32_t kind, const struct inn__yaml *y, struct inn_inst *out)
{
	const struct inn__yaml *pair = of_kind(f->pairs, kind);
	struct inn__yaml map = { .kind = INN__MAP, .loc = y->loc, .n = 3 }, type = { .text = "type", .loc = y->loc }, *key[3], *item[3];

	if (!pair || pair->n != 3 || y->n != 2)
		return inn_fail(ctx, INN_ECONFIG, &y->loc, "a name%s or a mapping with type: is expected", pair ? ", two numbers" : "");
	for (int i = 0; i < 3; i++) {
		key[i] = i ? pair->item[i] : &type;
		item[i] = i ? y->item[i - 1] : pair->item[0];
	}
	map.key = key;
	map.item = item;
	return bind_nested(ctx, f, kind, &map, out);
}

/* Binds into an instance that may have its label already. */
static int bind_named(inn_ctx *ctx, const struct inn__finder *f, uint32_t kind, const struct inn__yaml *y, struct inn_inst *out)
{
	const struct inn__yaml *type = y->kind == INN__MAP ? inn__yaml_get(y, "type") : y, *word;
	const struct inn_class *cls;
	const char *path;
	int rc;

	if (y->kind == INN__SEQ)
		return bind_pair(ctx, f, kind, y, out);
	if (!type || type->kind != INN__SCALAR || !*type->text)
		return inn_fail(ctx, INN_ECONFIG, &y->loc, "a name or a mapping with type: is expected");
	if (!out->label)
		out->label = type->text;
	if ((word = of_kind(f->words, kind)) && (word = inn__yaml_get(word, type->text)) && y->kind == INN__SCALAR)
		return bind_nested(ctx, f, kind, word, out);
	uint64_t errors = inn__errors_total(ctx);

	cls = f->find(f->user, ctx, kind, type->text, &type->loc);
	if (cls) {
		rc = bind_found(ctx, f, cls, y, out);
		if (kind == INN_ANALYZER || kind == INN_METRIC) {
			int more = bind_common(ctx, f, cls->name, y, out);

			rc = rc < 0 ? rc : more;
		}
		return rc;
	}
	if (inn__errors_total(ctx) != errors)
		return INN_EPLUGIN;
	path = f->preset(f->user, type->text);
	if (!path)
		return no_such(ctx, f, kind, type->text, &type->loc);
	struct inn__yaml *body;

	if ((rc = inn__preset_expand(ctx, f, path, y->kind == INN__MAP ? y : NULL, &body)) < 0 || (rc = bind_nested(ctx, f, kind, body, out)) < 0)
		return inn_while(ctx, rc, &type->loc, "while binding %s", type->text);
	return kind == INN_ANALYZER ? bind_common(ctx, f, type->text, y, out) : rc;
}

static int bind_nested(inn_ctx *ctx, const struct inn__finder *f, uint32_t kind, const struct inn__yaml *y, struct inn_inst *out)
{
	unsigned *nesting = &inn__ctx_binding(ctx)->nesting;
	int rc;

	if (*nesting == MAX_NESTING)
		return inn_fail(ctx, INN_ECONFIG, &y->loc, "classes and presets nested deeper than %d: do they refer to each other in a circle?",
				MAX_NESTING);
	++*nesting;
	rc = bind_named(ctx, f, kind, y, out);
	--*nesting;
	return rc;
}

int inn__bind_class(inn_ctx *ctx, const struct inn__finder *f, uint32_t kind, const struct inn__yaml *y, struct inn_inst *out)
{
	*out = (struct inn_inst){ .loc = y->loc, .head = -1, .dialect = -1 };
	return bind_nested(ctx, f, kind, y, out);
}

int inn__bind_name(inn_ctx *ctx, const struct inn__finder *f, uint32_t kind, const char *name, struct inn_inst *out)
{
	struct inn__yaml *y = inn_alloc(ctx, 1, sizeof(*y));

	if (!y || !(y->text = inn_strdup(ctx, name)))
		return INN_ENOMEM;
	return inn__bind_class(ctx, f, kind, y, out);
}
