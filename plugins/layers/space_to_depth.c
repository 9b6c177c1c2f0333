/* SpaceToDepth: blocks of pixels become blocks of channels. */
#include "layer.h"

struct opts {
	int64_t blocksize;
};

static const struct inn_param params[] = { INN_INT(struct opts, blocksize, 0, 0, 4096, "pixels in a block's row"), { 0 } };

static inn_val forward(FORWARD)
{
	const struct opts *o = inn_node_opts(n);
	inn_val v = arg(n, x, 0);
	struct inn_shape s = *inn_shape_of(b, v);
	uint32_t k = (uint32_t)o->blocksize, order[6] = { 0, 3, 5, 1, 2, 4 };

	(void)w;
	(void)out;
	if (!v.id)
		return v;
	if (s.rank != 4 || !k || s.dim[2] % k || s.dim[3] % k)
		return misfit(b, n, "the plane does not make whole blocks");
	struct inn_shape split = { .rank = 6, .dim = { s.dim[0], s.dim[1], s.dim[2] / k, k, s.dim[3] / k, k } };
	struct inn_shape joined = { .rank = 4, .dim = { s.dim[0], s.dim[1] * k * k, s.dim[2] / k, s.dim[3] / k } };

	return inn_reshape(b, inn_permute(b, inn_reshape(b, v, &split), order), &joined);
}

LAYER(space_to_depth, "blocks of pixels to blocks of channels", params, sizeof(struct opts), .traits = INN_T_RESHAPE);
