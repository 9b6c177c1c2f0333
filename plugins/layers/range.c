/* Range: start, start + delta ... below limit, of constants. */
#include "host.h"

static int fold(FOLD)
{
	struct inn_shape s = { .rank = 1 };
	size_t count;
	int status;

	for (uint32_t k = 0; k < 3; k++)
		if (k >= n_in || !in[k].data || !inn_shape_count(&in[k].shape, &count) || count != 1)
			return unsupported_in(ctx, n, "start, limit and delta must be constant numbers");
	double start = inn_tensor_real(&in[0], 0), delta = inn_tensor_real(&in[2], 0);
	double steps = ceil((inn_tensor_real(&in[1], 0) - start) / delta);

	if (delta == 0 || !(steps < FOLD_MAX))
		return unsupported_in(ctx, n, "delta is 0 or the range is too long");
	s.dim[0] = steps > 0 ? (uint32_t)steps : 0;
	status = host_new(ctx, n, in[0].dtype, &s, &count, out);
	for (size_t i = 0; status == INN_OK && i < count; i++)
		host_put(out, i, start + (double)i * delta);
	return status;
}

static inn_val forward(FORWARD)
{
	(void)x;
	(void)w;
	(void)out;
	return unsupported(b, n, "start, limit and delta must be constant numbers");
}

LAYER(range, "evenly spaced numbers", NULL, 0, .traits = 0, .fold = fold, .known = 7);
