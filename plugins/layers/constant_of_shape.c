/* ConstantOfShape: one value everywhere. */
#include "host.h"

static int fold(FOLD)
{
	const struct inn_tensor *value = inn_node_attr_tensor(n, "value");
	int64_t v[MAX_LIST];
	int rank = numbers(ctx, n, 0, NULL, v), status;
	struct inn_shape s = { .rank = (uint32_t)rank };
	size_t count;

	if (rank < 0 || rank > (int)INN_MAX_RANK || !n_in || !in[0].data)
		return unsupported_in(ctx, n, "a constant shape of at most 8 axes is supported");
	for (int i = 0; i < rank; i++) {
		if (v[i] < 0 || v[i] > INT32_MAX)
			return unsupported_in(ctx, n, "a size is negative or too large");
		s.dim[i] = (uint32_t)v[i];
	}
	if (value && (!inn_shape_count(&value->shape, &count) || count != 1))
		return unsupported_in(ctx, n, "value must be one number");
	if ((status = host_new(ctx, n, value ? value->dtype : INN_F32, &s, &count, out)) < 0)
		return status;
	for (size_t i = 0; value && i < count; i++)
		memcpy(host_at(out, i), value->data, inn_dtype_size(value->dtype));
	return INN_OK;
}

static inn_val forward(FORWARD)
{
	(void)x;
	(void)w;
	(void)out;
	return unsupported(b, n, "the shape must be constant");
}

LAYER(constant_of_shape, "one value everywhere", NULL, 0, .traits = 0, .fold = fold);
