/* Cast: constants are converted; data stays floating-point, with whole numbers or 0 and 1 where the type says so. */
#include "host.h"

struct opts {
	int64_t to;
	bool saturate;
};

static const struct inn_param params[] = {
	INN_INT(struct opts, to, 0, 0, 64, "ONNX data type"),
	INN_BOOL(struct opts, saturate, true, "unused"),
	{ 0 },
};

static int fold(FOLD)
{
	const struct opts *o = inn_node_opts(n);
	uint32_t dtype = host_dtype(o->to);

	if (dtype == INN_DTYPES)
		return unsupported_in(ctx, n, "this data type is not supported");
	if (!host_given(ctx, n, in, n_in, 1))
		return INN_EUNSUP;
	return host_cast(ctx, n, &in[0], dtype, out);
}

static inn_val forward(FORWARD)
{
	const struct opts *o = inn_node_opts(n);
	uint32_t dtype = host_dtype(o->to);

	inn_val v = operand(b, n, x, 0);

	(void)w;
	(void)out;
	if (dtype == INN_DTYPES)
		return unsupported(b, n, "this data type is not supported");
	if (host_is_float(dtype))
		return v;
	if (dtype == INN_BOOL)
		return inn_sub(b, inn_scalar(b, 1), inn_eqc(b, v, 0));
	return inn_select(b, inn_gec(b, v, 0), inn_floor(b, v), inn_neg(b, inn_floor(b, inn_neg(b, v)))); /* towards 0 */
}

LAYER(cast, "change the data type", params, sizeof(struct opts), .traits = INN_T_IDENTITY, .fold = fold);
