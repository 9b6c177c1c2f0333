/* Gelu: x times the normal distribution function, or its tanh approximation. */
#include "layer.h"

static const struct inn_choice kinds[] = { { "none", 0, "by erf" }, { "tanh", 1, "by tanh" }, { 0 } };

struct opts {
	int approximate;
};

static const struct inn_param params[] = { INN_ENUM(struct opts, approximate, 0, kinds, "how it is computed"), { 0 } };

static inn_val forward(FORWARD)
{
	const struct opts *o = inn_node_opts(n);
	inn_val v = arg(n, x, 0), t;

	(void)w;
	(void)out;
	if (o->approximate)
		t = inn_tanh(b, inn_mulc(b, inn_add(b, v, inn_mulc(b, inn_mul(b, v, inn_mul(b, v, v)), 0.044715)), 0.7978845608028654));
	else
		t = inn_erf(b, inn_mulc(b, v, 0.7071067811865476));
	return inn_mul(b, inn_mulc(b, v, 0.5), inn_addc(b, t, 1));
}

LAYER(gelu, "Gaussian error linear unit", params, sizeof(struct opts), .traits = INN_T_ACTIVATION);
