/* LRN: x / (bias + alpha / size * the sum of squares over `size` channels around)^beta. */
#include "layer.h"

struct opts {
	double alpha, beta, bias;
	int64_t size;
};

static const struct inn_param params[] = {
	INN_REAL(struct opts, alpha, 1e-4, -1e6, 1e6, "factor of the mean square"),
	INN_REAL(struct opts, beta, 0.75, -1e3, 1e3, "exponent"),
	INN_REAL(struct opts, bias, 1, -1e6, 1e6, "added to the mean square"),
	INN_INT(struct opts, size, 0, 0, 1024, "number of channels"),
	{ 0 },
};

static inn_val forward(FORWARD)
{
	const struct opts *o = inn_node_opts(n);
	inn_val v = arg(n, x, 0), sum = no_value;
	uint32_t size = (uint32_t)o->size, channels = inn_shape_of(b, v)->rank > 1 ? inn_dim(b, v, 1) : 0;

	(void)w;
	(void)out;
	if (!size)
		return misfit(b, n, "size is missing");
	if (!v.id || !channels)
		return misfit(b, n, "the input has no channels");
	inn_val padded = inn_pad(b, inn_mul(b, v, v), 1, (size - 1) / 2, size / 2, 1);

	for (uint32_t i = 0; i < size; i++) {
		inn_val part = inn_slice(b, padded, 1, i, i + channels, 1);

		sum = i ? inn_add(b, sum, part) : part;
	}
	return inn_div(b, v, inn_powc(b, inn_addc(b, inn_mulc(b, sum, o->alpha / size), o->bias), o->beta));
}

LAYER(lrn, "local response normalization", params, sizeof(struct opts), .traits = INN_T_NORM);
