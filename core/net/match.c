/* Rule tables: the first entry whose match holds decides. */
#include "state.h"
#include <fnmatch.h>
#include <math.h>
#include <string.h>

static bool matches(const struct inn_match *m, const inn_node *n)
{
	int64_t index = n->kernel_index;
	uint32_t have = inn_node_traits(n);
	bool hit = !m->kind.n;

	for (size_t i = 0; i < m->kind.n && !hit; i++)
		hit = !strcmp(m->kind.v[i], n->ops->cls.name);
	if (!hit)
		return false;
	hit = !m->trait.n;
	for (size_t i = 0; i < m->trait.n && !hit; i++)
		hit = have & inn__trait_of(m->trait.v[i]);
	if (!hit || (m->name && fnmatch(m->name, n->name, 0)))
		return false;
	if ((m->position == INN_FIRST && !n->first) || (m->position == INN_LAST && !n->last))
		return false;
	if (m->until != INN_NO_INT && (index < 0 || index > m->until))
		return false;
	if (isnan(m->depth_from) && isnan(m->depth_to))
		return true;
	double depth = n->g->n_kernels > 1 ? (double)index / (n->g->n_kernels - 1) : 0;

	return index >= 0 && !(depth < m->depth_from) && !(depth > m->depth_to);
}

struct table {
	const struct inn_rules *rules;
	const struct inn_inst *fallback;
};

static const struct inn_inst *choose(const struct table *t, const inn_node *n)
{
	for (size_t i = 0; t->rules && i < t->rules->n; i++)
		if (matches(&t->rules->v[i].match, n))
			return &t->rules->v[i].rule;
	return t->fallback && t->fallback->cls ? t->fallback : NULL;
}

inn_val inn_apply_rule(inn_build *b, const struct inn_site *s, uint32_t k, const struct inn_inst *inst)
{
	inn_ctx *ctx = inn_build_ctx(b);
	const struct inn_rule_ops *rule = (const struct inn_rule_ops *)(const void *)inst->cls;

	if (!rule || rule->cls.kind != INN_RULE || !rule->back) {
		if (!inn_failed(ctx))
			inn_fail(ctx, INN_ECONFIG, &inst->loc, "a rule is missing for layer %s", s->node->label);
		return (inn_val){ 0 };
	}
	/* A normalisation that a rule presents as scale x + shift is affine here. */
	uint32_t have = inn_node_traits(s->node) | (inn_weight_of(s, INN_W_KERNEL).id ? INN_T_AFFINE : 0), missing = rule->needs & ~have;

	if (missing) {
		if (!inn_failed(ctx))
			inn_fail(ctx, INN_ECONFIG, &inst->loc, "rule %s needs layers with trait %s, which %s has not; match it with {trait: %s}",
				 rule->cls.name, inn__trait_name(missing), s->node->label, inn__trait_name(missing));
		return (inn_val){ 0 };
	}
	inn__probe_rule(b, rule->cls.name);
	return rule->back(b, s, k, inst->opts);
}

static inn_val by_table(inn_build *b, const struct inn_site *s, uint32_t k, const void *user)
{
	inn_ctx *ctx = inn_build_ctx(b);
	const struct inn_inst *inst = choose(user, s->node);

	if (inst)
		return inn_apply_rule(b, s, k, inst);
	if (!inn_failed(ctx))
		inn_fail(ctx, INN_ECONFIG, NULL, "no rule matches layer %s; an entry {match: {kind: %s}, rule: ...} or default: would", s->node->label,
			 s->node->ops->cls.name);
	return (inn_val){ 0 };
}

/* An entry that names a layer names one that is there. */
static bool names_known(const inn_graph *g, const struct inn_match *m)
{
	struct inn__nearest near = { .want = m->name };

	for (uint32_t i = 0; i < g->n_nodes; i++) {
		if (!g->node[i]->live || !g->node[i]->dynamic)
			continue;
		if (!fnmatch(m->name, g->node[i]->name, 0))
			return true;
		inn__nearest_offer(&near, g->node[i]->name);
	}
	inn__suggest(g->ctx, &m->loc, &near, "no layer is named %s", m->name);
	return false;
}

void inn_walk_rules(inn_build *b, const struct inn_query *q, inn_val seed, const struct inn_rules *rules,
		    const struct inn_inst *fallback, inn_val *r)
{
	struct table t = { rules, fallback };
	const inn_graph *g = inn__graph_of(b);

	for (size_t i = 0; g && rules && i < rules->n; i++)
		if (rules->v[i].match.name && !names_known(g, &rules->v[i].match)) {
			for (uint32_t k = 0; k < q->n_x; k++)
				r[k] = (inn_val){ 0 };
			return;
		}
	inn_walk(b, q, seed, by_table, &t, r);
}
