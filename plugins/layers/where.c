/* Where: x where the condition holds, else y. */
#include "host.h"

static int fold(FOLD)
{
	struct inn_tensor v[3];
	struct inn_shape s;
	size_t count;
	int status;

	if (!host_given(ctx, n, in, n_in, 3))
		return INN_EUNSUP;
	if (!inn_shape_broadcast(&in[0].shape, &in[1].shape, &s) || !inn_shape_broadcast(&s, &in[2].shape, &s) ||
	    in[1].dtype != in[2].dtype)
		return unsupported_in(ctx, n, "the operands do not fit");
	for (uint32_t k = 0; k < 3; k++)
		if ((status = host_expand(ctx, n, &in[k], &s, &v[k])) < 0)
			return status;
	if ((status = host_new(ctx, n, in[1].dtype, &s, &count, out)) < 0)
		return status;
	for (size_t i = 0; i < count; i++)
		memcpy(host_at(out, i), host_at(&v[inn_tensor_int(&v[0], i) ? 1 : 2], i), inn_dtype_size(in[1].dtype));
	return INN_OK;
}

static inn_val forward(FORWARD)
{
	(void)w;
	(void)out;
	return inn_select(b, operand(b, n, x, 0), operand(b, n, x, 1), operand(b, n, x, 2));
}

LAYER(where, "choose by a condition", NULL, 0, .traits = INN_T_MERGE, .fold = fold);
