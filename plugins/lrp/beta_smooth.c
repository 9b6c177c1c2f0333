/* beta_smooth: at a ReLU the gradient of a softplus of sharpness beta (Dombrowski et al. 2019): sigmoid(beta x) R. */
#include "rule.h"

struct opts {
	double beta;
};

static const struct inn_param params[] = { INN_REAL(struct opts, beta, 10, 0, 1e6, "sharpness"), { 0 } };

static inn_val back(inn_build *b, const struct inn_site *s, uint32_t k, const void *opts)
{
	const struct opts *o = opts;

	return inn_mul(b, s->r, inn_sigmoid(b, inn_mulc(b, s->x[k], o->beta)));
}

RULE("beta_smooth", "the derivative of a softplus in place of ReLU's", params, sizeof(struct opts), NULL, INN_T_RECTIFIER, 0);
