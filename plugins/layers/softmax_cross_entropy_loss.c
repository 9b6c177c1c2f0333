/* SoftmaxCrossEntropyLoss: minus the log of the softmax at the right class; output 1 is that logarithm for all classes. */
#include "class_loss.h"

static inn_val forward(FORWARD)
{
	inn_val v = arg(n, x, 0), logp;

	(void)w;
	if (!v.id || inn_shape_of(b, v)->rank < 2)
		return misfit(b, n, "the input has no classes");
	logp = inn_sub(b, v, inn_rmax(b, v, 2));
	logp = inn_sub(b, logp, inn_log(b, inn_sum(b, inn_exp(b, logp), 2)));
	return out ? logp : class_loss(b, n, x, logp);
}

LAYER(softmax_cross_entropy_loss, "cross-entropy of the softmax and the right class", params, sizeof(struct opts), .traits = 0, .max_out = 2);
