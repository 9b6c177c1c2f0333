/* pixel_flipping: every channel of every cell is replaced on its own, the most relevant first (Bach et al. 2015). The curve
 * begins after the first step and the score is the area under it over the steps, as in Quantus, whose area is (points - 1)
 * times this one. */
#include "perturb.h"

static const struct inn_param params[] = {
	PERTURB_ROWS("zeros", "[1]", NONE, MEAN, 32, 0),
	{ 0 },
};

static void build(inn_build *b, const struct inn_subject *s, const void *opts)
{
	struct perturb_curve all = perturb_curve(b, s, opts, MORF, SCORE), c = perturb_from(b, &all, 1);

	if (!c.v.id)
		return;
	inn_val sum = inn_sum(b, c.v, 2), first = inn_slice(b, c.v, 1, 0, 1, 1), last = inn_slice(b, c.v, 1, c.n - 1, c.n, 1);
	inn_val area = c.n > 1 ? inn_divc(b, inn_sub(b, sum, inn_mulc(b, inn_add(b, first, last), 0.5)), c.n - 1.0) : sum;

	inn_measure(b, "score", perturb_column(b, area), NULL, 0);
	perturb_measure(b, "morf", &c);
}

static const struct inn_metric_ops pixel_flipping = {
	.cls = INN_HEAD(struct inn_metric_ops, INN_METRIC, "pixel_flipping", "area under the score, most relevant values replaced first", params,
			sizeof(struct perturb), perturb_check),
	.better = INN_LOWER,
	.axis = "share of values replaced",
	.build = build,
};

INN_PLUGIN("pixel_flipping", "1.0.0", "BSD-2-Clause", &pixel_flipping.cls);
