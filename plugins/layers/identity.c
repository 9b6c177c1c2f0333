/* Identity. */
#include "host.h"

static int fold(FOLD)
{
	return n_in && in[0].data ? host_reshape(ctx, n, &in[0], &in[0].shape, out) : unsupported_in(ctx, n, "the operand is missing");
}

static inn_val forward(FORWARD)
{
	(void)b;
	(void)w;
	(void)out;
	return arg(n, x, 0);
}

LAYER(identity, "identity", NULL, 0, .traits = INN_T_IDENTITY, .fold = fold);
