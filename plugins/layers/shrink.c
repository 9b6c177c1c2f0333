/* Shrink: x towards 0 by `bias` where its magnitude is above `lambd`, else 0. */
#include "layer.h"

struct opts {
	double lambd, bias;
};

static const struct inn_param params[] = {
	INN_REAL(struct opts, lambd, 0.5, -1e30, 1e30, "threshold"),
	INN_REAL(struct opts, bias, 0, -1e30, 1e30, "taken off the magnitude"),
	{ 0 },
};

static inn_val forward(FORWARD)
{
	const struct opts *o = inn_node_opts(n);
	inn_val v = arg(n, x, 0), above = inn_gtc(b, v, o->lambd), below = inn_gt(b, inn_scalar(b, -o->lambd), v);

	(void)w;
	(void)out;
	v = inn_select(b, below, inn_addc(b, v, o->bias), inn_select(b, above, inn_subc(b, v, o->bias), inn_scalar(b, 0)));
	return v;
}

LAYER(shrink, "soft threshold", params, sizeof(struct opts), .traits = INN_T_ACTIVATION);
