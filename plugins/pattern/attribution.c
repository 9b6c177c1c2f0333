/* pattern.attribution: how much each part of the signal that pattern.net shows adds to the output: back through the network
 * with patterns times weights in place of the weights (Kindermans et al. 2018). */
#include "pattern.h"

static void build(inn_build *b, const struct inn_query *q, const void *opts, inn_val *r) { pattern_build(b, q, opts, true, r); }

static const struct inn_analyzer_ops attribution = {
	.cls = INN_HEAD(struct inn_analyzer_ops, INN_ANALYZER, "pattern.attribution", "the gradient with patterns times weights for weights", params, sizeof(struct opts), NULL),
	.head = INN_VALUE,
	.accepts = pattern_accepts,
	.build = build,
	.fit = pattern_fit,
	.finish = pattern_finish,
	.fits = "patterns",
};

INN_PLUGIN("pattern.attribution", "1.0.0", "BSD-2-Clause", &attribution.cls);
