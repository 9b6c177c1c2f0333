/* abpc: the area between the curves of the least and of the most relevant regions first, the mean of their difference over the
 * steps 0 ... S. A map that says nothing has 0. */
#include "perturb.h"

static const struct inn_param params[] = {
	PERTURB_ROWS("zeros", "[9]", MEAN, MEAN, 20, 0),
	{ 0 },
};

static void build(inn_build *b, const struct inn_subject *s, const void *opts)
{
	struct perturb_curve morf = perturb_curve(b, s, opts, MORF, SCORE), lerf = perturb_curve(b, s, opts, LERF, SCORE);

	if (!morf.v.id || !lerf.v.id)
		return;
	inn_measure(b, "score", perturb_column(b, inn_mean_axes(b, inn_sub(b, lerf.v, morf.v), 2)), NULL, 0);
	perturb_measure(b, "morf", &morf);
	perturb_measure(b, "lerf", &lerf);
}

static const struct inn_metric_ops abpc = {
	.cls = INN_HEAD(struct inn_metric_ops, INN_METRIC, "abpc", "area between the curves of least and most relevant regions first", params,
			sizeof(struct perturb), perturb_check),
	.better = INN_HIGHER,
	.axis = "share of regions replaced",
	.build = build,
};

INN_PLUGIN("abpc", "1.0.0", "BSD-2-Clause", &abpc.cls);
