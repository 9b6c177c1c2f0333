/* The list of (match, rule) behind INN_P_RULES. */
#include "bind.h"
#include <math.h>
#include <string.h>

static const struct inn_choice positions[] = { { "any", INN_ANYWHERE, "" }, { "first", INN_FIRST, "" }, { "last", INN_LAST, "" }, { 0 } };
struct match { struct inn_match m; struct inn_reals depth; };
static const struct inn_param rows[] = {
	INN_STRS(struct match, m.kind, NULL, "layer kinds"),
	INN_STRS(struct match, m.trait, NULL, "traits"),
	INN_STR(struct match, m.name, NULL, "glob over node names"),
	INN_ENUM(struct match, m.position, INN_ANYWHERE, positions, "position"),
	INN_INT(struct match, m.until, -1, -1, 1e9, "layers with a kernel 0 ... until"),
	INN_REALS(struct match, depth, NULL, 0, 1, "from, to"),
	{ 0 },
};
static const struct { const char *name; uint32_t trait; } traits[] = {
	{ "affine", INN_T_AFFINE }, { "rectifier", INN_T_RECTIFIER }, { "activation", INN_T_ACTIVATION }, { "pool", INN_T_POOL },
	{ "merge", INN_T_MERGE }, { "reshape", INN_T_RESHAPE }, { "norm", INN_T_NORM }, { "spatial", INN_T_SPATIAL },
	{ "gate", INN_T_GATE }, { "sum_pool", INN_T_SUM_POOL }, { "identity", INN_T_IDENTITY }, { "pad", INN_T_PAD },
	{ "max_pool", INN_T_MAX_POOL }, { "softmax", INN_T_SOFTMAX },
};
#define N_TRAITS (sizeof(traits) / sizeof(*traits))

uint32_t inn__trait_of(const char *name)
{
	for (size_t i = 0; i < N_TRAITS; i++)
		if (!strcmp(traits[i].name, name))
			return traits[i].trait;
	return 0;
}

const char *inn__trait_name(uint32_t mask)
{
	for (size_t i = 0; i < N_TRAITS; i++)
		if (mask & traits[i].trait)
			return traits[i].name;
	return NULL;
}

static int check_traits(inn_ctx *ctx, const struct inn__yaml *y, const struct inn_strs *s)
{
	for (size_t i = 0; i < s->n; i++) {
		struct inn__nearest n = { .want = s->v[i] };

		for (size_t k = 0; k < N_TRAITS; k++)
			inn__nearest_offer(&n, traits[k].name);
		if (!inn__trait_of(s->v[i]))
			return inn__suggest(ctx, &y->loc, &n, "no trait is named %s", s->v[i]);
	}
	return INN_OK;
}

struct wanted { const char *name; bool found; struct inn__nearest near; };

static void offer_kind(void *user, const char *name)
{
	struct wanted *w = user;

	w->found |= !strcmp(w->name, name);
	inn__nearest_offer(&w->near, name);
}

static int check_kinds(inn_ctx *ctx, const struct inn__finder *f, const struct inn__yaml *y, const struct inn_strs *s)
{
	for (size_t i = 0; i < s->n; i++) {
		struct wanted w = { .name = s->v[i], .near = { .want = s->v[i] } };
		int rc = inn__search(ctx, &y->loc);

		if (rc < 0)
			return rc;
		f->names(f->user, INN_LAYER, offer_kind, &w);
		if (!w.found)
			return inn__suggest(ctx, &y->loc, &w.near, "no kind of layer is named %s", s->v[i]);
	}
	return INN_OK;
}

/* The rows are named by their fields; the keys are those names without "m.". */
static int bind_match(inn_ctx *ctx, const struct inn__finder *f, const struct inn__yaml *y, struct inn_match *out)
{
	struct inn_param plain[sizeof(rows) / sizeof(*rows)];
	struct match m = { 0 };

	memcpy(plain, rows, sizeof(rows));
	for (int i = 0; plain[i].name; i++)
		if (!strncmp(plain[i].name, "m.", 2))
			plain[i].name += 2;
	int rc = inn__bind_params(ctx, f, "match", plain, sizeof(*plain), y, NULL, &m);

	if (rc >= 0)
		rc = check_traits(ctx, y, &m.m.trait);
	if (rc >= 0)
		rc = check_kinds(ctx, f, y, &m.m.kind);
	if (rc >= 0 && m.depth.n && m.depth.n != 2)
		rc = inn_fail(ctx, INN_ECONFIG, &y->loc, "depth: two numbers, from and to, are expected");
	if (!inn__yaml_get(y, "until"))
		m.m.until = INN_NO_INT;
	m.m.depth_from = m.depth.n == 2 ? m.depth.v[0] : (double)NAN;
	m.m.depth_to = m.depth.n == 2 ? m.depth.v[1] : (double)NAN;
	m.m.loc = y->loc;
	*out = m.m;
	return rc;
}

int inn__bind_rules(inn_ctx *ctx, const struct inn__finder *f, const struct inn__yaml *y, struct inn_rules **out)
{
	struct inn_rules *r = inn_alloc(ctx, 1, sizeof(*r));
	struct inn_rule_entry *v = inn_alloc(ctx, y->n, sizeof(*v));
	int rc = INN_OK;

	if (!r || !v)
		return INN_ENOMEM;
	if (y->kind != INN__SEQ)
		return inn_fail(ctx, INN_ECONFIG, &y->loc, "a list of {match, rule} is expected");
	for (size_t i = 0; i < y->n; i++) {
		static const char *const keys[] = { "match", "rule", NULL };
		const struct inn__yaml *e = y->item[i], *match = inn__yaml_get(e, "match"), *rule = inn__yaml_get(e, "rule");
		struct inn__yaml empty = { .kind = INN__MAP, .loc = e->loc };
		int a = inn__bind_params(ctx, f, "rules", NULL, 0, e, keys, NULL), b, c;

		if (e->kind != INN__MAP || !rule)
			return inn_fail(ctx, INN_ECONFIG, &e->loc, "{match, rule} is expected");
		b = bind_match(ctx, f, match ? match : &empty, &v[i].match);
		c = inn__bind_class(ctx, f, INN_RULE, rule, &v[i].rule);
		rc = rc < 0 ? rc : a < 0 ? a : b < 0 ? b : c;
	}
	r->n = y->n;
	r->v = v;
	*out = r;
	return rc;
}
