/* LeakyRelu: max(x, 0) + alpha min(x, 0). */
#include "layer.h"

struct opts {
	double alpha;
};

static const struct inn_param params[] = {
	INN_REAL(struct opts, alpha, 0.01, -1e30, 1e30, "slope below 0"),
	{ 0 },
};

static inn_val forward(FORWARD)
{
	const struct opts *o = inn_node_opts(n);
	inn_val v = arg(n, x, 0);

	(void)w;
	(void)out;
	return inn_add(b, inn_pos_part(b, v), inn_mulc(b, inn_neg_part(b, v), o->alpha));
}

LAYER(leaky_relu, "leaky rectifier", params, sizeof(struct opts), .traits = INN_T_ACTIVATION);
