/* gradient: d y_c / d x (Simonyan et al. 2014), for the picked outputs. */
#include "postprocess.h"

struct opts {
	int postprocess;
};

static const struct inn_param params[] = {
	INN_ENUM(struct opts, postprocess, KEEP, postprocess_choices, "applied to every element"),
	{ 0 },
};

static void build(inn_build *b, const struct inn_query *q, const void *opts, inn_val *r)
{
	const struct opts *o = opts;
	inn_val y = inn_forward(b, q->x), seed = inn_seed(b, q, y);

	for (uint32_t i = 0; i < q->n_x; i++)
		r[i] = postprocess(b, inn_grad(b, y, q->x[i], seed, NULL, 0), o->postprocess);
}

static const struct inn_analyzer_ops gradient = {
	.cls = INN_HEAD(struct inn_analyzer_ops, INN_ANALYZER, "gradient", "gradient of the output", params, sizeof(struct opts), NULL),
	.head = INN_ONE,
	.build = build,
};

INN_PLUGIN("gradient", "1.0.0", "BSD-2-Clause", &gradient.cls);
