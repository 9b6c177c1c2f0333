/* Options back as YAML flow, every default written out. */
#include "bind.h"
#include <innvestigate/rule.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct text { char *s; size_t n, room; bool failed; };

const char *inn__print_real(double v, char buf[32])
{
	double back;

	if (!isfinite(v))
		return strcpy(buf, isnan(v) ? ".nan" : v < 0 ? "-.inf" : ".inf");
	for (int precision = 1; precision <= 17; precision++) {
		snprintf(buf, 32, "%.*g", precision, v);
		for (char *p = buf; *p; p++) /* whatever the locale's decimal point is */
			if (!strchr("0123456789+-e", *p))
				*p = '.';
		if (inn__parse_real(buf, &back) && back == v)
			break;
	}
	return buf;
}

static void put(struct text *t, const char *s)
{
	size_t n = strlen(s);

	if (t->failed)
		return;
	if (t->room - t->n <= n) {
		size_t room = 2 * (t->room + n) + 64;
		char *grown = realloc(t->s, room);

		if (!grown) {
			t->failed = true;
			return;
		}
		t->s = grown;
		t->room = room;
	}
	memcpy(t->s + t->n, s, n + 1);
	t->n += n;
}

static void put_string(struct text *t, const char *s)
{
	char c[5];

	if (!s) {
		put(t, "null");
		return;
	}
	put(t, "\"");
	for (; *s; s++) {
		if ((unsigned char)*s < 0x20)
			snprintf(c, sizeof(c), "\\x%02x", (unsigned char)*s);
		else
			snprintf(c, sizeof(c), *s == '"' || *s == '\\' ? "\\%c" : "%c", *s);
		put(t, c);
	}
	put(t, "\"");
}

static void put_real(struct text *t, double v)
{
	char buf[32];

	put(t, isnan(v) ? "null" : inn__print_real(v, buf));
}

static void put_int(struct text *t, int64_t v)
{
	char buf[32];

	snprintf(buf, sizeof(buf), "%lld", (long long)v);
	put(t, v == INN_NO_INT ? "null" : buf);
}

static void put_inst(struct text *t, const struct inn_inst *inst);

static void put_strs(struct text *t, const char *key, const struct inn_strs *v)
{
	put(t, key);
	for (size_t i = 0; i < v->n; i++) {
		put(t, i ? ", " : "[");
		put_string(t, v->v[i]);
	}
	put(t, v->n ? "]" : "[]");
}

static void put_rules(struct text *t, const struct inn_rules *r)
{
	static const char *const positions[] = { [INN_ANYWHERE] = "any", [INN_FIRST] = "first", [INN_LAST] = "last" };

	put(t, "[");
	for (size_t i = 0; r && i < r->n; i++) {
		const struct inn_match *m = &r->v[i].match;

		put(t, i ? ", {match: {position: " : "{match: {position: ");
		put(t, positions[m->position]);
		if (m->kind.n)
			put_strs(t, ", kind: ", &m->kind);
		if (m->trait.n)
			put_strs(t, ", trait: ", &m->trait);
		if (m->name) {
			put(t, ", name: ");
			put_string(t, m->name);
		}
		if (m->until != INN_NO_INT) {
			put(t, ", until: ");
			put_int(t, m->until);
		}
		if (!isnan(m->depth_from)) {
			put(t, ", depth: [");
			put_real(t, m->depth_from);
			put(t, ", ");
			put_real(t, m->depth_to);
			put(t, "]");
		}
		put(t, "}, rule: ");
		put_inst(t, &r->v[i].rule);
		put(t, "}");
	}
	put(t, "]");
}

static void put_list(struct text *t, const struct inn_param *row, const void *at)
{
	const struct inn_ints *v = at; /* all lists: a count, then a pointer */

	put(t, "[");
	for (size_t i = 0; i < v->n; i++) {
		put(t, i ? ", " : "");
		if (row->type == INN_P_INTS)
			put_int(t, v->v[i]);
		else if (row->type == INN_P_REALS)
			put_real(t, ((const struct inn_reals *)at)->v[i]);
		else if (row->type == INN_P_STRS)
			put_string(t, ((const struct inn_strs *)at)->v[i]);
		else
			put_inst(t, &((const struct inn_insts *)at)->v[i]);
	}
	put(t, "]");
}

static void put_choice(struct text *t, const struct inn_param *row, int v)
{
	for (const struct inn_choice *c = row->choices; c && c->name; c++) {
		if (c->value == v) {
			put(t, c->name);
			return;
		}
	}
	put_int(t, v);
}

static void put_value(struct text *t, const struct inn_param *row, const void *at)
{
	const struct inn_source *source = at;

	switch (row->type) {
	case INN_P_BOOL: put(t, *(const bool *)at ? "true" : "false"); break;
	case INN_P_INT: put_int(t, *(const int64_t *)at); break;
	case INN_P_REAL: put_real(t, *(const double *)at); break;
	case INN_P_STR:
	case INN_P_PATH: put_string(t, *(const char *const *)at); break;
	case INN_P_ENUM: put_choice(t, row, *(const int *)at); break;
	case INN_P_CLASS: put_inst(t, at); break;
	case INN_P_RULES: put_rules(t, *(struct inn_rules *const *)at); break;
	case INN_P_SOURCE:
		if (source->path)
			put_string(t, source->path);
		else
			put_real(t, source->value);
		break;
	default: put_list(t, row, at);
	}
}

static void put_inst(struct text *t, const struct inn_inst *inst)
{
	static const char *const heads[] = { [INN_VALUE] = "value", [INN_VALUE_PLUS] = "value_plus", [INN_ONE] = "one" };
	static const char *const dialects[] = { "paper", "innvestigate", "zennit", "captum" };
	const struct inn_class *c = inst->cls;

	if (!c) {
		put(t, "null");
		return;
	}
	put(t, "{type: ");
	put(t, c->name);
	if (c->kind == INN_ANALYZER && inst->label && strcmp(inst->label, c->name)) {
		put(t, ", as: ");
		put_string(t, inst->label);
	}
	if (inst->head >= INN_VALUE && inst->head <= INN_ONE) {
		put(t, ", head: ");
		put(t, heads[inst->head]);
	}
	if (inst->dialect >= INN_PAPER && inst->dialect <= INN_CAPTUM) {
		put(t, ", dialect: ");
		put(t, dialects[inst->dialect]);
	}
	if (inst->state) {
		put(t, ", state: ");
		put_string(t, inst->state);
	}
	for (const struct inn_param *row = c->params; row && row->name;
	     row = (const struct inn_param *)(const void *)((const char *)row + c->param_size)) {
		put(t, ", ");
		put(t, row->name);
		put(t, ": ");
		put_value(t, row, (const char *)inst->opts + row->offset);
	}
	put(t, "}");
}

const char *inn__print_inst(inn_ctx *ctx, const struct inn_inst *inst)
{
	struct text t = { 0 };
	const char *text;

	put_inst(&t, inst);
	text = t.failed || !t.s ? NULL : inn_strdup(ctx, t.s);
	if (t.failed)
		inn_nomem(ctx);
	free(t.s);
	return text ? text : "";
}
