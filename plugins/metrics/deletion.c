/* deletion: the most relevant cells are replaced first; the score is the area under the curve (Petsiuk et al. 2018). */
#include "perturb.h"

static const struct inn_param params[] = {
	PERTURB_ROWS("zeros", "[1]", MEAN, MEAN, 20, 0),
	{ 0 },
};

static void build(inn_build *b, const struct inn_subject *s, const void *opts) { perturb_areas(b, s, opts, SCORE); }

static const struct inn_metric_ops deletion = {
	.cls = INN_HEAD(struct inn_metric_ops, INN_METRIC, "deletion", "area under the score, most relevant cells replaced first", params,
			sizeof(struct perturb), perturb_check),
	.better = INN_LOWER,
	.axis = "share of cells replaced",
	.build = build,
};

INN_PLUGIN("deletion", "1.0.0", "BSD-2-Clause", &deletion.cls);
