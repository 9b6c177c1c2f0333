/* ThresholdedRelu: x above alpha, else 0. */
#include "layer.h"

struct opts {
	double alpha;
};

static const struct inn_param params[] = { INN_REAL(struct opts, alpha, 1, -1e30, 1e30, "threshold"), { 0 } };

static inn_val forward(FORWARD)
{
	const struct opts *o = inn_node_opts(n);
	inn_val v = arg(n, x, 0);

	(void)w;
	(void)out;
	return inn_mul(b, v, inn_gtc(b, v, o->alpha));
}

LAYER(thresholded_relu, "x above a threshold, else 0", params, sizeof(struct opts), .traits = INN_T_ACTIVATION);
