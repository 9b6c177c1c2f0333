/* lrp: layer-wise relevance propagation by a table of rules (Bach et al. 2015). The named methods (lrp.epsilon,
 * lrp.sequential_preset_a, deep_taylor ...) are presets over this analyzer: configs/presets. */
#include <innvestigate/plugin.h>

struct opts {
	struct inn_rules *rules;
	struct inn_inst fallback;
};

static const struct inn_param params[] = {
	INN_RULES(struct opts, rules, "list of {match, rule}, first match wins"),
	{ .name = "default", .help = "rule of layers that nothing matches; null: such a layer is an error",
	  .offset = INN_AT(struct opts, fallback, struct inn_inst), .type = INN_P_CLASS, .kind = INN_RULE, .flags = INN_NULLABLE },
	{ 0 },
};

static void build(inn_build *b, const struct inn_query *q, const void *opts, inn_val *r)
{
	const struct opts *o = opts;

	inn_walk_rules(b, q, inn_seed(b, q, inn_forward(b, q->x)), o->rules, &o->fallback, r);
}

static const struct inn_analyzer_ops lrp = {
	.cls = INN_HEAD(struct inn_analyzer_ops, INN_ANALYZER, "lrp", "layer-wise relevance propagation by rules", params, sizeof(struct opts), NULL),
	.build = build,
};

INN_PLUGIN("lrp", "1.0.0", "BSD-2-Clause", &lrp.cls);
