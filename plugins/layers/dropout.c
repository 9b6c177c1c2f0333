/* Dropout: the identity at inference; the mask is not computed. */
#include "layer.h"

struct opts {
	double ratio;
	int64_t seed, is_test;
};

static const struct inn_param params[] = {
	INN_REAL(struct opts, ratio, 0.5, -1e30, 1e30, "unused at inference"),
	INN_INT(struct opts, seed, 0, INT64_MIN + 1, INT64_MAX, "unused at inference"),
	INN_INT(struct opts, is_test, 0, 0, 1, "unused; before opset 7"),
	{ 0 },
};

static inn_val forward(FORWARD)
{
	const struct inn_tensor *training = inn_node_const(n, 2), *ratio = inn_node_const(n, 1);

	(void)w;
	(void)out;
	if (inn_node_in(n, 2) && (!training || !training->data || (inn_tensor_int(training, 0) && (!ratio || !ratio->data || inn_tensor_real(ratio, 0) != 0))))
		return unsupported(b, n, "training_mode is not supported");
	return arg(n, x, 0);
}

LAYER(dropout, "identity at inference", params, sizeof(struct opts), .traits = INN_T_IDENTITY, .known = 2);
