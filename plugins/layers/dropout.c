/* Dropout: the identity at inference; the mask is not computed. */
#include "layer.h"

struct opts {
	double ratio;
	int64_t seed;
};

static const struct inn_param params[] = {
	INN_REAL(struct opts, ratio, 0.5, -1e30, 1e30, "unused at inference"),
	INN_INT(struct opts, seed, 0, INT64_MIN + 1, INT64_MAX, "unused at inference"),
	{ 0 },
};

static inn_val forward(FORWARD)
{
	inn_val v = arg(n, x, 0);

	(void)b;
	(void)w;
	(void)out;
	return v;
}

LAYER(dropout, "identity at inference", params, sizeof(struct opts), .traits = INN_T_IDENTITY);
