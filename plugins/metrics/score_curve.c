/* score_curve: what the network says of the target while the most relevant regions are replaced first; the score is the area
 * under it, over the share of regions replaced. iNNvestigate's PerturbationAnalysis. */
#include "perturb.h"

static const struct inn_param params[] = {
	PERTURB_ROWS("zeros", "[9]", MEAN, MEAN, 20, 0),
	INN_BOOL(struct perturb, lerf, false, "the curve of the least relevant first beside it"),
	{ 0 },
};

static void build(inn_build *b, const struct inn_subject *s, const void *opts) { perturb_areas(b, s, opts, SCORE); }

static const struct inn_metric_ops score_curve = {
	.cls = INN_HEAD(struct inn_metric_ops, INN_METRIC, "score_curve", "area under the target's score, most relevant regions replaced first",
			params, sizeof(struct perturb), perturb_check),
	.better = INN_LOWER,
	.axis = "share of regions replaced",
	.build = build,
};

INN_PLUGIN("score_curve", "1.0.0", "BSD-2-Clause", &score_curve.cls);
