/* lrp.bounded: inputs confined to [low, high]: z = f(x,W) - f(l,W+) - f(h,W-) (Montavon et al. 2017). Without numbers the
 * bounds follow from the preprocessing. */
#include "rule.h"

struct opts {
	struct guard guard;
	struct inn_reals low, high;
};

static const struct inn_param params[] = {
	INN_REALS(struct opts, low, NULL, -1e6, 1e6, "lower bound of the input, one number or one a channel; default: from preprocessing"),
	INN_REALS(struct opts, high, NULL, -1e6, 1e6, "upper bound"),
	STABILIZER_ROWS(struct opts),
	{ 0 },
};

static int check(inn_ctx *ctx, const struct inn_loc *loc, const void *opts)
{
	const struct inn_reals *low = &((const struct opts *)opts)->low, *high = &((const struct opts *)opts)->high;

	if (low->n > 1 && high->n > 1 && low->n != high->n)
		return inn_fail(ctx, INN_ECONFIG, loc, "lrp.bounded: low has %zu numbers and high %zu; one each, or one for each channel", low->n, high->n);
	for (size_t i = 0; low->n && high->n && (i < low->n || i < high->n); i++)
		if (low->v[i % low->n] >= high->v[i % high->n])
			return inn_fail(ctx, INN_ECONFIG, loc, "lrp.bounded: low %g is not below high %g", low->v[i % low->n], high->v[i % high->n]);
	return INN_OK;
}

/* The bound for one sample in x's shape. */
static inn_val bound(inn_build *b, const struct inn_site *s, const struct inn_reals *v, inn_val automatic, inn_val x)
{
	struct inn_shape shape = *inn_shape_of(b, x);
	inn_val c[64];

	shape.dim[0] = 1;
	if (!v->n && automatic.id)
		return inn_expand(b, automatic, &shape);
	if (v->n == 1)
		return inn_const(b, v->v[0], &shape);
	if (!v->n || v->n > 64 || v->n != shape.dim[1]) {
		if (!inn_failed(inn_build_ctx(b)))
			inn_fail(inn_build_ctx(b), INN_ECONFIG, NULL, "%s: lrp.bounded: low and high%s are one number or one for each of %u channels",
				 inn_node_name(s->node), v->n ? "" : " are missing and no preprocessing gives them: they", shape.dim[1]);
		return (inn_val){ 0 };
	}
	for (size_t i = 0; i < v->n; i++)
		c[i] = inn_const(b, v->v[i], &(struct inn_shape){ .rank = 1, .dim = { 1 } });
	return inn_expand(b, inn_channel(b, inn_concat(b, c, (uint32_t)v->n, 0), shape.rank), &shape);
}

static inn_val back(inn_build *b, const struct inn_site *s, uint32_t k, const void *opts)
{
	const struct opts *o = opts;
	inn_val W = inn_weight_of(s, INN_W_KERNEL), x = s->x[k], low = bound(b, s, &o->low, s->low, x), high = bound(b, s, &o->high, s->high, x);
	struct inn_branch br[3] = { { x, W, { 0 }, 1 }, { low, inn_pos_part(b, W), { 0 }, -1 }, { high, inn_neg_part(b, W), { 0 }, -1 } };

	return inn_branches(b, s, s->r, br, 3, stabilizer(s, &o->guard));
}

RULE("lrp.bounded", "LRP z-box rule", params, sizeof(struct opts), check, INN_T_AFFINE, INN_CONSERVES);
