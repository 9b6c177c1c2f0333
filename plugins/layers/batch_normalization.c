/* BatchNormalization at inference: x s + (shift - mean s) with s = scale / sqrt(var + epsilon), per channel. */
#include "layer.h"

struct opts {
	double epsilon, momentum;
	int64_t spatial, is_test;
	bool training_mode;
};

static const struct inn_param params[] = {
	INN_REAL(struct opts, epsilon, 1e-5, 0, 1e6, "added to the variance"),
	INN_REAL(struct opts, momentum, 0.9, 0, 1, "unused at inference"),
	INN_INT(struct opts, spatial, 1, 0, 1, "one mean for each channel; only 1 is supported"),
	INN_INT(struct opts, is_test, 0, 0, 1, "unused; before opset 7"),
	INN_BOOL(struct opts, training_mode, false, "statistics of the batch; not supported"),
	{ 0 },
};
static const struct inn_weight weights[] = {
	{ "scale", INN_W_SCALE, 1 }, { "B", INN_W_SHIFT, 2 }, { "mean", INN_W_MEAN, 3 }, { "var", INN_W_VAR, 4 }, { 0 },
};

static inn_val forward(FORWARD)
{
	const struct opts *o = inn_node_opts(n);
	inn_val v = arg(n, x, 0), p[4], shift;
	uint32_t rank = inn_shape_of(b, v)->rank;

	(void)out;
	if (o->training_mode || !o->spatial)
		return unsupported(b, n, "only inference with one mean for each channel is supported");
	if (!v.id)
		return v;
	if (rank < 2)
		return misfit(b, n, "the input has no channels");
	for (uint32_t i = 0; i < 4; i++) {
		p[i] = per_channel(b, n, weights[i].name, weight(n, x, w, i, 1 + i), v);
	}
	inn_val s = p[0].id ? p[0] : inn_scalar(b, 1);

	if (p[3].id)
		s = inn_div(b, s, inn_sqrt(b, inn_addc(b, p[3], o->epsilon)));
	shift = p[1];
	if (p[2].id)
		shift = shift.id ? inn_sub(b, shift, inn_mul(b, p[2], s)) : inn_neg(b, inn_mul(b, p[2], s));
	v = inn_mul(b, v, s);
	return shift.id ? inn_add(b, v, shift) : v;
}

LAYER(batch_normalization, "batch normalization", params, sizeof(struct opts), .traits = INN_T_NORM, .weights = weights);
