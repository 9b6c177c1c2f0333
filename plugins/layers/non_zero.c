/* NonZero of a constant: the positions of its elements that are not 0, one column each. */
#include "host.h"

static int fold(FOLD)
{
	struct inn_shape s = { .rank = 2 };
	size_t count, held = 0, at = 0;
	int status;

	if (!n_in || !in[0].data || !inn_shape_count(&in[0].shape, &count))
		return unsupported_in(ctx, n, "the operand must be constant");
	for (size_t i = 0; i < count; i++)
		held += inn_tensor_real(&in[0], i) != 0;
	s.dim[0] = in[0].shape.rank;
	s.dim[1] = (uint32_t)held;
	if ((status = host_new(ctx, n, INN_I64, &s, &held, out)) < 0)
		return status;
	held = s.dim[1];
	for (size_t i = 0; i < count; i++) {
		size_t rest = i;

		if (inn_tensor_real(&in[0], i) == 0)
			continue;
		for (uint32_t d = in[0].shape.rank; d-- > 0; rest /= in[0].shape.dim[d])
			host_put_int(out, d * held + at, (int64_t)(rest % in[0].shape.dim[d]));
		at++;
	}
	return INN_OK;
}

static inn_val forward(FORWARD)
{
	(void)x;
	(void)w;
	(void)out;
	return unsupported(b, n, "the operand must be constant");
}

LAYER(non_zero, "positions that are not 0", NULL, 0, .traits = 0, .fold = fold);
