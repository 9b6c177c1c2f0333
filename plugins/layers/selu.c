/* Selu: gamma (x above 0, alpha (exp x - 1) below). */
#include "layer.h"

struct opts {
	double alpha, gamma;
};

static const struct inn_param params[] = {
	INN_REAL(struct opts, alpha, 1.67326319217681884765625, -1e30, 1e30, "scale below 0"),
	INN_REAL(struct opts, gamma, 1.05070102214813232421875, -1e30, 1e30, "scale of all"),
	{ 0 },
};

static inn_val forward(FORWARD)
{
	const struct opts *o = inn_node_opts(n);
	inn_val v = arg(n, x, 0);
	inn_val low = inn_subc(b, inn_exp(b, inn_neg_part(b, v)), 1);

	(void)w;
	(void)out;
	return inn_mulc(b, inn_add(b, inn_pos_part(b, v), inn_mulc(b, low, o->alpha)), o->gamma);
}

LAYER(selu, "scaled exponential linear unit", params, sizeof(struct opts), .traits = INN_T_ACTIVATION);
