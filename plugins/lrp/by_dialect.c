/* lrp.by_dialect: the rule of a dialect where a toolkit differs from the published one in more than numbers. */
#include "rule.h"

struct opts {
	struct inn_inst rule, of[4]; /* of: by enum inn_dialect */
};

#define OF(d, n) { .name = n, .help = "in dialect " n, .type = INN_P_CLASS, .kind = INN_RULE, .flags = INN_NULLABLE, \
		   .offset = (uint32_t)offsetof(struct opts, of[d]) }

static const struct inn_param params[] = {
	{ .name = "rule", .help = "where nothing else is said", .type = INN_P_CLASS, .kind = INN_RULE, .flags = INN_REQUIRED,
	  .offset = INN_AT(struct opts, rule, struct inn_inst) },
	OF(INN_INNVESTIGATE, "innvestigate"),
	OF(INN_ZENNIT, "zennit"),
	OF(INN_CAPTUM, "captum"),
	{ 0 },
};

static inn_val back(inn_build *b, const struct inn_site *s, uint32_t k, const void *opts)
{
	const struct opts *o = opts;
	const struct inn_inst *own = s->dialect < 4 ? &o->of[s->dialect] : &o->rule;

	return inn_apply_rule(b, s, k, own->cls ? own : &o->rule);
}

RULE("lrp.by_dialect", "a rule for each dialect", params, sizeof(struct opts), NULL, 0, 0);
