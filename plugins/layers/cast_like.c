/* CastLike: as Cast; the type is that of operand 1. */
#include "host.h"

struct opts {
	bool saturate;
};

static const struct inn_param params[] = { INN_BOOL(struct opts, saturate, true, "unused"), { 0 } };

static int fold(FOLD)
{
	if (!host_given(ctx, n, in, n_in, 2))
		return INN_EUNSUP;
	return host_cast(ctx, n, &in[0], in[1].dtype, out);
}

static inn_val forward(FORWARD)
{
	const struct inn_tensor *like = inn_node_const(n, 1);

	(void)w;
	(void)out;
	if (like && !host_is_float(like->dtype))
		return unsupported(b, n, "data can only be cast to a floating-point type");
	return operand(b, n, x, 0);
}

LAYER(cast_like, "change the data type to that of another", params, sizeof(struct opts), .traits = INN_T_IDENTITY, .fold = fold);
