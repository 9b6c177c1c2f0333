/* Size: the number of elements. */
#include "host.h"

static int fold(FOLD)
{
	size_t count, total;
	int status = host_new(ctx, n, INN_I64, &(struct inn_shape){ 0 }, &count, out);

	if (status < 0 || !n_in || !inn_shape_count(&in[0].shape, &total))
		return status < 0 ? status : unsupported_in(ctx, n, "the operand is missing");
	host_put_int(out, 0, (int64_t)total);
	return INN_OK;
}

static inn_val forward(FORWARD)
{
	(void)x;
	(void)w;
	(void)out;
	return unsupported(b, n, "a size is not data");
}

LAYER(size, "number of elements", NULL, 0, .traits = 0, .fold = fold, .fold_shape_only = true);
