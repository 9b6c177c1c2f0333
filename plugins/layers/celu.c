/* Celu: max(x, 0) + min(0, alpha (exp(x / alpha) - 1)). */
#include "layer.h"

struct opts {
	double alpha;
};

static const struct inn_param params[] = {
	INN_REAL(struct opts, alpha, 1, 1e-30, 1e30, "scale below 0"),
	{ 0 },
};

static inn_val forward(FORWARD)
{
	const struct opts *o = inn_node_opts(n);
	inn_val v = arg(n, x, 0);
	inn_val low = inn_subc(b, inn_exp(b, inn_divc(b, inn_neg_part(b, v), o->alpha)), 1);

	(void)w;
	(void)out;
	return inn_add(b, inn_pos_part(b, v), inn_mulc(b, low, o->alpha));
}

LAYER(celu, "continuously differentiable exponential linear unit", params, sizeof(struct opts), .traits = INN_T_ACTIVATION);
