/* input: the input itself, for comparison. */
#include <innvestigate/plugin.h>

static void build(inn_build *b, const struct inn_query *q, const void *opts, inn_val *r)
{
	(void)b;
	(void)opts;
	for (uint32_t i = 0; i < q->n_x; i++)
		r[i] = q->x[i];
}

static const struct inn_analyzer_ops input = {
	.cls = INN_HEAD(struct inn_analyzer_ops, INN_ANALYZER, "input", "the input itself", NULL, 0, NULL),
	.build = build,
};

INN_PLUGIN("input", "1.0.0", "BSD-2-Clause", &input.cls);
