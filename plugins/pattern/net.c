/* pattern.net: what in the input a neuron answers to: back through the network with patterns in place of the weights. A pattern
 * is the direction in a layer's input that moves its output, cov[x,y] / (w cov[x,y]), fitted on data (Kindermans et al. 2018). */
#include "pattern.h"

static void build(inn_build *b, const struct inn_query *q, const void *opts, inn_val *r) { pattern_build(b, q, opts, false, r); }

static const struct inn_analyzer_ops net = {
	.cls = INN_HEAD(struct inn_analyzer_ops, INN_ANALYZER, "pattern.net", "the gradient with patterns for weights", params, sizeof(struct opts), NULL),
	.head = INN_VALUE,
	.accepts = pattern_accepts,
	.build = build,
	.fit = pattern_fit,
	.finish = pattern_finish,
	.fits = "patterns",
};

INN_PLUGIN("pattern.net", "1.0.0", "BSD-2-Clause", &net.cls);
