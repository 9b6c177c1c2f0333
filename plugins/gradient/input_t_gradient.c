/* input_t_gradient: x * d y_c / d x, for a ReLU network the same as LRP-Z (Shrikumar et al. 2016). */
#include "postprocess.h"

struct opts {
	int postprocess;
};

static const struct inn_param params[] = {
	INN_ENUM(struct opts, postprocess, KEEP, postprocess_choices, "applied to the gradient before the product"),
	{ 0 },
};

static void build(inn_build *b, const struct inn_query *q, const void *opts, inn_val *r)
{
	const struct opts *o = opts;
	inn_val y = inn_forward(b, q->x), seed = inn_seed(b, q, y);

	for (uint32_t i = 0; i < q->n_x; i++)
		r[i] = inn_mul(b, q->x[i], postprocess(b, inn_grad(b, y, q->x[i], seed, NULL, 0), o->postprocess));
}

static const struct inn_analyzer_ops input_t_gradient = {
	.cls = INN_HEAD(struct inn_analyzer_ops, INN_ANALYZER, "input_t_gradient", "input times gradient", params, sizeof(struct opts), NULL),
	.head = INN_ONE,
	.build = build,
};

INN_PLUGIN("input_t_gradient", "1.0.0", "BSD-2-Clause", &input_t_gradient.cls);
