/* ArgMax: the position of the largest element along an axis. */
#include "arg.h"

static inn_val forward(FORWARD)
{
	(void)w;
	(void)out;
	return arg_largest(b, n, arg(n, x, 0));
}

LAYER(arg_max, "position of the largest element", arg_params, sizeof(struct arg_opts), .traits = 0);
