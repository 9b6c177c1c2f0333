/* insertion: all is replaced, then the most relevant comes back first; the score is the area under the curve (Petsiuk et al.
 * 2018, who blur). */
#include "perturb.h"

static const struct inn_param params[] = {
	PERTURB_ROWS("blur", "[1]", MEAN, MEAN, 20, 0),
	{ 0 },
};

static int check(inn_ctx *ctx, const struct inn_loc *loc, const void *opts)
{
	const struct perturb *o = opts;

	if (o->recompute_analysis)
		return inn_fail(ctx, INN_ECONFIG, loc, "insertion: recompute_analysis has no meaning where all is replaced at first");
	return perturb_check(ctx, loc, opts);
}

static void build(inn_build *b, const struct inn_subject *s, const void *opts)
{
	struct perturb_curve c = perturb_curve(b, s, opts, INSERTED, SCORE);

	inn_measure(b, "score", perturb_area(b, &c), NULL, 0);
	perturb_measure(b, "inserted", &c);
}

static const struct inn_metric_ops insertion = {
	.cls = INN_HEAD(struct inn_metric_ops, INN_METRIC, "insertion", "area under the score, most relevant cells inserted first", params,
			sizeof(struct perturb), check),
	.better = INN_HIGHER,
	.axis = "share of cells inserted",
	.build = build,
};

INN_PLUGIN("insertion", "1.0.0", "BSD-2-Clause", &insertion.cls);
