/* Cast: floating-point numbers stay what they are; constants are converted. */
#include "host.h"

struct opts {
	int64_t to;
	bool saturate;
};

static const struct inn_param params[] = {
	INN_INT(struct opts, to, 1, 0, 64, "ONNX data type"),
	INN_BOOL(struct opts, saturate, true, "unused"),
	{ 0 },
};

static int fold(FOLD)
{
	const struct opts *o = inn_node_opts(n);
	uint32_t dtype = host_dtype(o->to);

	if (!n_in || dtype == INN_DTYPES)
		return unsupported_in(ctx, n, "this data type is not supported");
	return host_cast(ctx, n, &in[0], dtype, out);
}

static inn_val forward(FORWARD)
{
	const struct opts *o = inn_node_opts(n);
	uint32_t dtype = host_dtype(o->to);

	(void)w;
	(void)out;
	if (dtype == INN_DTYPES || !host_is_float(dtype))
		return unsupported(b, n, "data can only be cast to a floating-point type");
	return operand(b, n, x, 0);
}

LAYER(cast, "change the data type", params, sizeof(struct opts), .traits = INN_T_IDENTITY, .fold = fold);
