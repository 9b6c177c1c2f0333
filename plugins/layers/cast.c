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

static uint32_t dtype_of(int64_t to)
{
	static const uint32_t type[17] = { INN_DTYPES, INN_F32, INN_U8, INN_I8, INN_U16, INN_I16, INN_I32, INN_I64, INN_DTYPES, INN_BOOL, INN_F16,
					   INN_F64, INN_U32, INN_U64, INN_DTYPES, INN_DTYPES, INN_BF16 };

	return to >= 0 && to < 17 ? type[to] : INN_DTYPES;
}

static int fold(FOLD)
{
	const struct opts *o = inn_node_opts(n);
	uint32_t dtype = dtype_of(o->to);
	size_t count;
	int status;

	if (!n_in || dtype == INN_DTYPES)
		return unsupported_in(ctx, n, "this data type is not supported");
	if ((status = host_new(ctx, n, dtype, &in[0].shape, &count, out)) < 0)
		return status;
	for (size_t i = 0; i < count; i++)
		if (dtype == INN_BOOL)
			host_put_int(out, i, inn_tensor_real(&in[0], i) != 0);
		else if (host_is_float(in[0].dtype) && !host_is_float(dtype))
			host_put_int(out, i, inn_tensor_int(&in[0], i)); /* towards 0 */
		else
			inn_convert(host_at(&in[0], i), in[0].dtype, host_at(out, i), dtype, 1);
	return INN_OK;
}

static inn_val forward(FORWARD)
{
	const struct opts *o = inn_node_opts(n);
	uint32_t dtype = dtype_of(o->to);

	(void)w;
	(void)out;
	if (dtype == INN_DTYPES || !host_is_float(dtype))
		return unsupported(b, n, "data can only be cast to a floating-point type");
	return operand(b, n, x, 0);
}

LAYER(cast, "change the data type", params, sizeof(struct opts), .traits = INN_T_IDENTITY, .fold = fold);
