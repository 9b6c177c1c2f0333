/* region_perturbation: what the score loses while the most relevant regions are replaced, one a step; the score is the mean
 * loss over the steps 1 ... S (Samek et al. 2017; the defaults are Quantus's, with noise in the place of its black). */
#include "perturb.h"

static const struct inn_param params[] = {
	PERTURB_ROWS("uniform", "[8]", SUM, SUM, 100, 1),
	{ 0 },
};

static void build(inn_build *b, const struct inn_subject *s, const void *opts)
{
	struct perturb_curve all = perturb_curve(b, s, opts, MORF, SCORE), lost = perturb_from(b, &all, 1);

	if (!lost.v.id)
		return;
	lost.v = inn_sub(b, inn_slice(b, all.v, 1, 0, 1, 1), lost.v);
	inn_measure(b, "score", perturb_column(b, inn_mean_axes(b, lost.v, 2)), NULL, 0);
	perturb_measure(b, "lost", &lost);
}

static const struct inn_metric_ops region_perturbation = {
	.cls = INN_HEAD(struct inn_metric_ops, INN_METRIC, "region_perturbation", "mean loss of the score, most relevant regions replaced first",
			params, sizeof(struct perturb), perturb_check),
	.better = INN_HIGHER,
	.axis = "share of regions replaced",
	.build = build,
};

INN_PLUGIN("region_perturbation", "1.0.0", "BSD-2-Clause", &region_perturbation.cls);
