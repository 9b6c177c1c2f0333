/* HardSigmoid: max(0, min(1, alpha x + beta)). */
#include "layer.h"

struct opts {
	double alpha, beta;
};

static const struct inn_param params[] = {
	INN_REAL(struct opts, alpha, 0.2, -1e30, 1e30, "slope"),
	INN_REAL(struct opts, beta, 0.5, -1e30, 1e30, "value at 0"),
	{ 0 },
};

static inn_val forward(FORWARD)
{
	const struct opts *o = inn_node_opts(n);
	inn_val v = arg(n, x, 0);

	(void)w;
	(void)out;
	return inn_maxc(b, inn_minc(b, inn_addc(b, inn_mulc(b, v, o->alpha), o->beta), 1), 0);
}

LAYER(hard_sigmoid, "piecewise linear sigmoid", params, sizeof(struct opts), .traits = INN_T_ACTIVATION);
