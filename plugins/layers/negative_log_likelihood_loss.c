/* NegativeLogLikelihoodLoss: minus the log-probability of the right class. */
#include "class_loss.h"

static inn_val forward(FORWARD)
{
	(void)w;
	(void)out;
	return class_loss(b, n, x, arg(n, x, 0));
}

LAYER(negative_log_likelihood_loss, "negative log-likelihood of the right class", params, sizeof(struct opts), .traits = 0);
