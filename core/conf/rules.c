/* The table behind INN_P_RULES. */
#include "bind.h"
#include <innvestigate/rule.h>
#include <math.h>
#include <string.h>

struct match_opts {
	struct inn_strs kind, trait;
	const char *name;
	int position;
	int64_t until;
	struct inn_reals depth;
};

static const struct inn_choice positions[] = {
	{ "any", INN_ANYWHERE, "anywhere" }, { "first", INN_FIRST, "the first layers with a kernel" },
	{ "last", INN_LAST, "the last layers with a kernel" }, { 0 },
};
static const struct inn_param match_rows[] = {
	INN_STRS(struct match_opts, kind, NULL, "layer kinds"),
	INN_STRS(struct match_opts, trait, NULL, "traits of layers"),
	INN_STR(struct match_opts, name, NULL, "pattern of node names"),
	INN_ENUM(struct match_opts, position, INN_ANYWHERE, positions, "among layers with a kernel"),
	{ .name = "until", .help = "layers with a kernel up to this one", .offset = INN_AT(struct match_opts, until, int64_t),
	  .type = INN_P_INT, .flags = INN_NULLABLE, .min = 0, .max = 1e9 },
	INN_REALS(struct match_opts, depth, NULL, 0, 1, "relative depth, [from, to]"),
	{ 0 },
};
static const char *const traits[] = {
	"affine", "rectifier", "activation", "pool", "merge", "reshape", "norm", "spatial", "gate", "sum_pool", "identity", "pad",
	"max_pool", "softmax", NULL,
};

static const struct inn__yaml *item(const struct inn__yaml *list, size_t i)
{
	return list->kind == INN__SEQ ? list->item[i] : list;
}

static int check_traits(struct inn__bind *b, const struct inn__yaml *y, const struct inn_strs *names)
{
	int status = INN_OK;

	for (size_t i = 0; y && i < names->n; i++) {
		struct inn__nearest near = { .want = names->v[i] };
		bool known = false;

		for (size_t k = 0; traits[k]; k++) {
			known |= !strcmp(traits[k], near.want);
			inn__nearest_offer(&near, traits[k]);
		}
		if (!known)
			inn__first(&status, inn_fail(b->ctx, INN_ECONFIG, &item(y, i)->loc, "layers have no trait '%.60s'%s", near.want,
						     inn__hint(b->ctx, &near)));
	}
	return status;
}

struct lookup { struct inn__nearest near; bool known, any; };

static void offer(void *arg, const char *name)
{
	struct lookup *l = arg;

	l->any = true;
	l->known |= !strcmp(name, l->near.want);
	inn__nearest_offer(&l->near, name);
}

/* A misspelt kind would match nothing, silently. */
static int check_kinds(struct inn__bind *b, const struct inn__yaml *y, const struct inn_strs *names)
{
	int status = INN_OK;

	for (size_t i = 0; y && b->f && b->f->names && i < names->n; i++) {
		struct lookup l = { .near.want = names->v[i] };

		b->f->names(b->f->user, INN_LAYER, offer, &l);
		if (l.any && !l.known)
			inn__first(&status, inn_fail(b->ctx, INN_ECONFIG, &item(y, i)->loc, "there is no layer kind '%.60s'%s", l.near.want,
						     inn__hint(b->ctx, &l.near)));
	}
	return status;
}

static int bind_match(struct inn__bind *b, const struct inn__yaml *y, struct inn_match *out)
{
	struct match_opts o = { 0 };
	int status = inn__bind_rows(b, "match", match_rows, sizeof(match_rows[0]), y, NULL, &o);

	if (!status)
		status = check_traits(b, inn__yaml_get(y, "trait"), &o.trait);
	if (!status)
		status = check_kinds(b, inn__yaml_get(y, "kind"), &o.kind);
	if (!status && o.depth.n && (o.depth.n != 2 || o.depth.v[0] > o.depth.v[1]))
		status = inn_fail(b->ctx, INN_ECONFIG, &inn__yaml_get(y, "depth")->loc, "'depth' of match must be [from, to] with from <= to");
	*out = (struct inn_match){ .kind = o.kind, .trait = o.trait, .name = o.name, .position = o.position, .until = o.until,
		.depth_from = o.depth.n == 2 ? o.depth.v[0] : NAN, .depth_to = o.depth.n == 2 ? o.depth.v[1] : NAN };
	return status;
}

static int bind_entry(struct inn__bind *b, const struct inn__yaml *y, struct inn_rule_entry *out)
{
	static const char *const keys[] = { "match", "rule", NULL };
	const struct inn__yaml *match = inn__yaml_get(y, "match"), *rule = inn__yaml_get(y, "rule");
	int status;

	if (y->kind != INN__MAP || !rule)
		return inn_fail(b->ctx, INN_ECONFIG, &y->loc, "an entry of a rule table must be {match: {...}, rule: NAME}");
	status = inn__bind_rows(b, "a rule table's entry", NULL, 0, y, keys, NULL);
	inn__first(&status, bind_match(b, match, &out->match));
	out->match.loc = y->loc;
	inn__first(&status, inn__bind_inst(b, INN_RULE, rule, &out->rule));
	return status;
}

int inn__bind_rules(struct inn__bind *b, const struct inn__yaml *y, struct inn_rules **out)
{
	struct inn_rules *rules = inn_alloc(b->ctx, 1, sizeof(*rules));
	struct inn_rule_entry *v;
	int status;

	*out = rules;
	if (!rules)
		return INN_ENOMEM;
	if (y->kind != INN__SEQ)
		return inn_fail(b->ctx, INN_ECONFIG, &y->loc, "rules must be a list of {match: {...}, rule: NAME}");
	v = inn_alloc(b->ctx, y->n, sizeof(*v));
	if (!v)
		return INN_ENOMEM;
	status = INN_OK;
	for (size_t i = 0; i < y->n; i++)
		inn__first(&status, bind_entry(b, y->item[i], &v[i]));
	*rules = (struct inn_rules){ y->n, v };
	return status;
}
