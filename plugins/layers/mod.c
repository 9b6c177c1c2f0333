/* Mod: with the sign of the divisor as in Python, with fmod of the dividend as in C. */
#include "host.h"

struct opts {
	bool fmod;
};

static const struct inn_param params[] = { INN_BOOL(struct opts, fmod, false, "the sign of the dividend"), { 0 } };

static double floored(double p, double q) { return p - floor(p / q) * q; }

static bool floored_whole(int64_t p, int64_t q, int64_t *r)
{
	if (!q)
		return false;
	*r = q == -1 ? 0 : p % q;
	if (*r && (*r < 0) != (q < 0))
		*r += q;
	return true;
}

static bool truncated_whole(int64_t p, int64_t q, int64_t *r)
{
	if (!q)
		return false;
	*r = q == -1 ? 0 : p % q;
	return true;
}

static int fold(FOLD)
{
	const struct opts *o = inn_node_opts(n);

	return host_binary(ctx, n, in, n_in, o->fmod ? fmod : floored, o->fmod ? truncated_whole : floored_whole, INN_DTYPES, out);
}

static inn_val forward(FORWARD)
{
	const struct opts *o = inn_node_opts(n);
	inn_val p = operand(b, n, x, 0), q = operand(b, n, x, 1), ratio = inn_div(b, p, q);

	(void)w;
	(void)out;
	if (o->fmod)
		ratio = inn_select(b, inn_gec(b, ratio, 0), inn_floor(b, ratio), inn_neg(b, inn_floor(b, inn_neg(b, ratio))));
	else
		ratio = inn_floor(b, ratio);
	return inn_sub(b, p, inn_mul(b, ratio, q));
}

LAYER(mod, "remainder", params, sizeof(struct opts), .traits = INN_T_GATE, .fold = fold);
