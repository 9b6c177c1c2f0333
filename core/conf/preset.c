/* Presets: a params table, and a body in which ${name} stands for a value and ${a - 1} for arithmetic. */
#include "bind.h"
#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

struct expansion { inn_ctx *ctx; const struct inn__finder *f; const struct inn__yaml *params, *given; };

static bool is_param(const struct expansion *x, const char *name) { return inn__yaml_get(x->params, name); }

/* The user's value, else the row's default; NULL if it is null. */
static const struct inn__yaml *value_of(const struct expansion *x, const char *name)
{
	static const char *const types[] = { "real", "int", "bool", "str", "enum", "class", "reals", "ints", NULL };
	const struct inn__yaml *v = inn__yaml_get(x->given, name), *row = inn__yaml_get(x->params, name);

	for (int i = 0; !v && types[i]; i++)
		v = inn__yaml_get(row, types[i]);
	if (!inn__yaml_get(x->given, name) && inn__yaml_get(row, "class")) /* class: names the kind; default: the value */
		v = inn__yaml_get(row, "default");
	return v && !inn__is_null(v) ? v : NULL;
}

struct calc { const struct expansion *x; const char *p; bool ok; unsigned depth; };

static double sum(struct calc *c);

static double atom(struct calc *c)
{
	char word[64];
	size_t n = 0;
	double v = 0;

	while (isspace((unsigned char)*c->p))
		c->p++;
	if (*c->p == '(' && c->depth++ < 32) {
		c->p++;
		v = sum(c);
		while (isspace((unsigned char)*c->p))
			c->p++;
		if (*c->p == ')')
			c->p++;
		else
			c->ok = false;
		return v;
	}
	if (*c->p == '-' && c->depth++ < 32) {
		c->p++;
		return -atom(c);
	}
	while (n < sizeof(word) - 1 && (isalnum((unsigned char)*c->p) || *c->p == '_' || *c->p == '.')) {
		word[n++] = *c->p++;
		if (isdigit((unsigned char)word[0]) && (word[n - 1] == 'e' || word[n - 1] == 'E') && (*c->p == '-' || *c->p == '+') &&
		    n < sizeof(word) - 1)
			word[n++] = *c->p++;
	}
	word[n] = 0;
	const struct inn__yaml *y = n ? value_of(c->x, word) : NULL;

	if (!n || !inn__parse_real(y && y->kind == INN__SCALAR ? y->text : word, &v))
		c->ok = false;
	return v;
}

static double term(struct calc *c)
{
	double v = atom(c);

	for (;;) {
		while (isspace((unsigned char)*c->p))
			c->p++;
		if (*c->p != '*' && *c->p != '/')
			return v;
		bool times = *c->p++ == '*';
		double w = atom(c);

		v = times ? v * w : v / w;
	}
}

static double sum(struct calc *c)
{
	double v = term(c);

	for (;;) {
		while (isspace((unsigned char)*c->p))
			c->p++;
		if (!c->ok || (*c->p != '+' && *c->p != '-'))
			return v;
		bool plus = *c->p++ == '+';
		double w = term(c);

		v = plus ? v + w : v - w;
	}
}

static int substitute(struct expansion *x, struct inn__yaml *y, struct inn__yaml **out)
{
	size_t n = strlen(y->text);
	char *inner = inn_printf(x->ctx, "%.*s", (int)(n - 3), y->text + 2);
	struct inn__yaml *r = inn_alloc(x->ctx, 1, sizeof(*r));

	if (!inner || !r)
		return INN_ENOMEM;
	if (is_param(x, inner)) {
		const struct inn__yaml *v = value_of(x, inner);

		*r = v ? *v : (struct inn__yaml){ .kind = INN__SCALAR, .loc = y->loc, .text = "null" };
		*out = r;
		return INN_OK;
	}
	char number[32];
	struct calc c = { .x = x, .p = inner, .ok = true };
	double v = sum(&c);

	if (!c.ok || *c.p || !isfinite(v))
		return inn_fail(x->ctx, INN_ECONFIG, &y->loc, "%s: neither a parameter nor arithmetic over parameters", y->text);
	*r = (struct inn__yaml){ .kind = INN__SCALAR, .loc = y->loc, .text = inn_strdup(x->ctx, inn__print_real(v, number)) };
	*out = r;
	return r->text ? INN_OK : INN_ENOMEM;
}

static int expand(struct expansion *x, struct inn__yaml *y, struct inn__yaml **out)
{
	size_t n = y->kind == INN__SCALAR ? strlen(y->text) : 0, kept = 0;
	struct inn__yaml *r;

	if (n > 3 && y->text[0] == '$' && y->text[1] == '{' && y->text[n - 1] == '}')
		return substitute(x, y, out);
	if (!(r = inn_alloc(x->ctx, 1, sizeof(*r))))
		return INN_ENOMEM;
	*r = *y;
	*out = r;
	if (!y->n)
		return INN_OK;
	r->key = inn_alloc(x->ctx, y->n, sizeof(*r->key));
	r->item = inn_alloc(x->ctx, y->n, sizeof(*r->item));
	if (!r->key || !r->item)
		return INN_ENOMEM;
	for (size_t i = 0; i < y->n; i++) {
		const struct inn__yaml *when = inn__yaml_get(y->item[i], "when");

		if (y->kind == INN__MAP && !strcmp(y->key[i]->text, "when"))
			continue;
		if (when && when->kind == INN__SCALAR && !value_of(x, when->text))
			continue;
		int rc = expand(x, y->item[i], &r->item[kept]);

		if (rc < 0)
			return rc;
		/* An absent parameter leaves its key away: the default of what reads it holds. */
		if (y->kind == INN__MAP && inn__is_null(r->item[kept]) && !inn__is_null(y->item[i]))
			continue;
		r->key[kept++] = y->key[i];
	}
	r->n = kept;
	return INN_OK;
}

static bool is_common(const char *key)
{
	static const char *const common[] = { "type", "as", "head", "dialect", "state" };

	for (size_t k = 0; k < sizeof(common) / sizeof(*common); k++)
		if (!strcmp(common[k], key))
			return true;
	return false;
}

/* Whether a preset has the parameter, or the one it is built on has it and the body leaves it open. Offers all there are. */
static bool takes(struct expansion *x, const struct inn__yaml *file, const char *key, struct inn__nearest *near, unsigned depth)
{
	const struct inn__yaml *params = inn__yaml_get(file, "params"), *type = inn__yaml_get(file, "type");
	const char *path = type && type->kind == INN__SCALAR ? x->f->preset(x->f->user, type->text) : NULL;
	struct inn__yaml *base;

	for (size_t k = 0; params && k < params->n; k++)
		inn__nearest_offer(near, params->key[k]->text);
	if (inn__yaml_get(params, key))
		return true;
	if (!path || depth > 16 || inn__yaml_get(file, key) || inn__search(x->ctx, &type->loc) < 0 || inn__yaml_file(x->ctx, path, &base) < 0)
		return false;
	return takes(x, base, key, near, depth + 1);
}

static int check_given(struct expansion *x, const struct inn__yaml *file, const char *name)
{
	int rc = INN_OK;

	for (size_t i = 0; x->given && i < x->given->n; i++) {
		const struct inn__yaml *key = x->given->key[i];
		struct inn__nearest n = { .want = key->text };

		if (is_common(key->text) || takes(x, file, key->text, &n, 0))
			continue;
		rc = inn__suggest(x->ctx, &key->loc, &n, "%s has no parameter %s", name, key->text);
	}
	return rc;
}

/* A class without a default that may not be absent. */
static int check_missing(struct expansion *x, const char *preset, const struct inn_loc *loc)
{
	for (size_t i = 0; x->params && i < x->params->n; i++) {
		const struct inn__yaml *row = x->params->item[i], *cls = inn__yaml_get(row, "class"), *help = inn__yaml_get(row, "help");

		if (cls && !inn__yaml_get(row, "nullable") && !value_of(x, x->params->key[i]->text))
			return inn_fail(x->ctx, INN_ECONFIG, x->given ? &x->given->loc : loc, "%s: %s is missing: %s", preset,
					x->params->key[i]->text, help && help->kind == INN__SCALAR ? help->text : cls->text);
	}
	return INN_OK;
}

static int check_range(struct expansion *x, const char *preset)
{
	int rc = INN_OK;

	for (size_t i = 0; x->params && i < x->params->n; i++) {
		const struct inn__yaml *row = x->params->item[i], *v = inn__yaml_get(x->given, x->params->key[i]->text);
		const struct inn__yaml *lo = inn__yaml_get(row, "min"), *hi = inn__yaml_get(row, "max");
		double d, a, b;

		if (!v || !lo || !hi || v->kind != INN__SCALAR || !inn__parse_real(lo->text, &a) || !inn__parse_real(hi->text, &b))
			continue;
		if (!inn__parse_real(v->text, &d))
			rc = inn_fail(x->ctx, INN_ECONFIG, &v->loc, "%s.%s: a number is expected, not %s", preset, x->params->key[i]->text, v->text);
		else if (d < a || d > b)
			rc = inn_fail(x->ctx, INN_ECONFIG, &v->loc, "%s.%s: %s is outside [%g, %g]", preset, x->params->key[i]->text, v->text, a, b);
	}
	return rc;
}

/* The file without its table, and what the user gave for the preset that it is built on. */
static int body_of(struct expansion *x, const struct inn__yaml *file, struct inn__yaml *body)
{
	size_t n = file->n + (x->given ? x->given->n : 0);

	*body = *file;
	body->n = 0;
	body->key = inn_alloc(x->ctx, n, sizeof(*body->key));
	body->item = inn_alloc(x->ctx, n, sizeof(*body->item));
	if (!body->key || !body->item)
		return INN_ENOMEM;
	for (size_t i = 0; i < file->n; i++)
		if (file->item[i] != x->params) {
			body->key[body->n] = file->key[i];
			body->item[body->n++] = file->item[i];
		}
	for (size_t i = 0; x->given && i < x->given->n; i++)
		if (!is_param(x, x->given->key[i]->text) && !is_common(x->given->key[i]->text)) {
			body->key[body->n] = x->given->key[i];
			body->item[body->n++] = x->given->item[i];
		}
	return INN_OK;
}

int inn__preset_expand(inn_ctx *ctx, const struct inn__finder *f, const char *path, const struct inn__yaml *given, struct inn__yaml **body)
{
	struct expansion x = { .ctx = ctx, .f = f, .given = given };
	const struct inn__yaml *type = inn__yaml_get(given, "type");
	const char *file_name = strrchr(path, '/') ? strrchr(path, '/') + 1 : path;
	const char *name = type ? type->text : inn_printf(ctx, "%.*s", (int)strlen(file_name) - 5, file_name); /* without .yaml */
	struct inn__yaml *file, open;
	int rc = inn__search(ctx, given ? &given->loc : NULL);

	if (rc == INN_OK)
		rc = inn__yaml_file(ctx, path, &file);

	if (rc < 0)
		return rc;
	if (file->kind != INN__MAP)
		return inn_fail(ctx, INN_ECONFIG, &file->loc, "a preset is a mapping");
	x.params = inn__yaml_get(file, "params");
	if ((rc = check_given(&x, file, name)) < 0 || (rc = check_missing(&x, name, &file->loc)) < 0 ||
	    (rc = check_range(&x, name)) < 0 || (rc = body_of(&x, file, &open)) < 0)
		return rc;
	return expand(&x, &open, body);
}
