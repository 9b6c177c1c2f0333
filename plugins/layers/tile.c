/* Tile: repeats along every axis. */
#include "host.h"

static bool repeats_of(inn_ctx *ctx, const inn_node *n, uint32_t rank, int64_t *v)
{
	int count = numbers(ctx, n, 1, NULL, v);

	for (int i = 0; i < count; i++)
		if (v[i] < 1 || v[i] > 1 << 16)
			count = -1;
	return count == (int)rank;
}

static int fold(FOLD)
{
	int64_t v[MAX_LIST];
	struct inn_tensor now, next;
	int status;

	if (!n_in || !in[0].data || !repeats_of(ctx, n, in[0].shape.rank, v))
		return unsupported_in(ctx, n, "repeats must be constant, one for every axis");
	now = in[0];
	for (uint32_t d = 0; d < now.shape.rank; d++) { /* [.., n, ..] as [.., r, n, ..] with step 0 */
		struct inn_shape s = now.shape, wide = { .rank = s.rank + 1 };
		int64_t own[INN_MAX_RANK], step[INN_MAX_RANK];

		if (s.rank == INN_MAX_RANK || v[d] * s.dim[d] > INT32_MAX)
			return unsupported_in(ctx, n, "at most 7 axes are supported");
		host_steps(&s, own);
		for (uint32_t k = 0; k < wide.rank; k++) {
			wide.dim[k] = k == d ? (uint32_t)v[d] : s.dim[k < d ? k : k - 1];
			step[k] = k == d ? 0 : own[k < d ? k : k - 1];
		}
		if ((status = host_view(ctx, n, &now, &wide, 0, step, &next)) < 0)
			return status;
		now = next;
		now.shape = s;
		now.shape.dim[d] *= (uint32_t)v[d];
	}
	*out = now;
	return INN_OK;
}

static inn_val forward(FORWARD)
{
	inn_val v = arg(n, x, 0), same[256];
	int64_t r[MAX_LIST];

	(void)w;
	(void)out;
	if (!v.id || !repeats_of(inn_build_ctx(b), n, inn_shape_of(b, v)->rank, r))
		return unsupported(b, n, "repeats must be constant, one for every axis");
	for (uint32_t d = 0; d < inn_shape_of(b, v)->rank; d++) {
		if (r[d] > 256)
			return unsupported(b, n, "at most 256 repeats are supported");
		for (int64_t i = 0; i < r[d]; i++)
			same[i] = v;
		v = inn_concat(b, same, (uint32_t)r[d], d);
	}
	return v;
}

LAYER(tile, "repeats along axes", NULL, 0, .traits = INN_T_RESHAPE, .fold = fold);
