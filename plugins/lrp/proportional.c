/* lrp.proportional: at max pooling every element of a window gets its share by value, as the z rule gives it to a sum over the
 * window (releases 1.0.0 to 1.0.5 of iNNvestigate pool so in Deep Taylor). */
#include "rule.h"

struct opts {
	struct guard guard;
};

static const struct inn_param params[] = { STABILIZER_ROWS(struct opts), { 0 } };

static inn_val back(inn_build *b, const struct inn_site *s, uint32_t k, const void *opts)
{
	const struct opts *o = opts;
	struct inn_window win;
	inn_val x = s->x[k];

	if (!inn_window_of(b, s, &win))
		return (inn_val){ 0 };
	win.count_pad = 1;
	inn_val c = inn_ratio(b, s->r, inn_pool_avg(b, x, &win), stabilizer(s, &o->guard));

	return inn_mul(b, x, inn_pool_avg_dx(b, c, &win, inn_shape_of(b, x)->dim + 2));
}

RULE("lrp.proportional", "a pool shares by value", params, sizeof(struct opts), NULL, INN_T_MAX_POOL, INN_CONSERVES);
