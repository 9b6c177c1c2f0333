/* aopc: the area over the perturbation curve, the mean over the steps 0 ... S of what the score has lost (Samek et al. 2017). */
#include "perturb.h"

static const struct inn_param params[] = {
	PERTURB_ROWS("zeros", "[9]", MEAN, MEAN, 20, 0),
	{ 0 },
};

static void build(inn_build *b, const struct inn_subject *s, const void *opts)
{
	struct perturb_curve morf = perturb_curve(b, s, opts, MORF, SCORE);

	if (!morf.v.id)
		return;
	inn_val lost = inn_sub(b, inn_slice(b, morf.v, 1, 0, 1, 1), inn_mean_axes(b, morf.v, 2));

	inn_measure(b, "score", perturb_column(b, lost), NULL, 0);
	perturb_measure(b, "morf", &morf);
}

static const struct inn_metric_ops aopc = {
	.cls = INN_HEAD(struct inn_metric_ops, INN_METRIC, "aopc", "area over the curve, most relevant regions replaced first", params,
			sizeof(struct perturb), perturb_check),
	.better = INN_HIGHER,
	.axis = "share of regions replaced",
	.build = build,
};

INN_PLUGIN("aopc", "1.0.0", "BSD-2-Clause", &aopc.cls);
