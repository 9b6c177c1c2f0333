/* EyeLike: ones on a diagonal. */
#include "host.h"

struct opts {
	int64_t dtype, k;
};

static const struct inn_param params[] = {
	INN_INT(struct opts, dtype, 0, 0, 64, "ONNX data type; 0: the operand's"),
	INN_INT(struct opts, k, 0, INT32_MIN, INT32_MAX, "which diagonal"),
	{ 0 },
};

static int fold(FOLD)
{
	const struct opts *o = inn_node_opts(n);
	uint32_t dtype = o->dtype ? host_dtype(o->dtype) : in[0].data ? in[0].dtype : INN_F32;
	size_t count;
	int status;

	if (!n_in || in[0].shape.rank != 2 || dtype == INN_DTYPES)
		return unsupported_in(ctx, n, "a matrix of a supported data type is expected");
	if ((status = host_new(ctx, n, dtype, &in[0].shape, &count, out)) < 0)
		return status;
	for (size_t i = 0; i < count; i++)
		if ((int64_t)(i % in[0].shape.dim[1]) - (int64_t)(i / in[0].shape.dim[1]) == o->k)
			host_put_int(out, i, 1);
	return INN_OK;
}

static inn_val forward(FORWARD)
{
	(void)x;
	(void)w;
	(void)out;
	return unsupported(b, n, "the shape must be known");
}

LAYER(eye_like, "ones on a diagonal", params, sizeof(struct opts), .traits = 0, .fold = fold, .fold_shape_only = true);
