/* ArgMin: the position of the smallest element along an axis. */
#include "arg.h"

static inn_val forward(FORWARD)
{
	(void)w;
	(void)out;
	return arg_largest(b, n, inn_neg(b, arg(n, x, 0)));
}

LAYER(arg_min, "position of the smallest element", arg_params, sizeof(struct arg_opts), .traits = 0);
