/* DepthToSpace: blocks of channels become blocks of pixels. */
#include "layer.h"

enum { DCR, CRD };
static const struct inn_choice modes[] = { { "DCR", DCR, "the block is the slower part of the channel" }, { "CRD", CRD, "the faster one" }, { 0 } };

struct opts {
	int64_t blocksize;
	int mode;
};

static const struct inn_param params[] = {
	INN_INT(struct opts, blocksize, 0, 0, 4096, "pixels in a block's row"),
	INN_ENUM(struct opts, mode, DCR, modes, "order within the channel"),
	{ 0 },
};

static inn_val forward(FORWARD)
{
	const struct opts *o = inn_node_opts(n);
	inn_val v = arg(n, x, 0);
	struct inn_shape s = *inn_shape_of(b, v);
	uint32_t k = (uint32_t)o->blocksize;

	(void)w;
	(void)out;
	if (!v.id)
		return v;
	if (s.rank != 4 || !k || s.dim[1] % (k * k))
		return misfit(b, n, "the channels do not make whole blocks");
	uint32_t c = s.dim[1] / (k * k), h = s.dim[2], width = s.dim[3];
	struct inn_shape split = { .rank = 6, .dim = { s.dim[0], k, k, c, h, width } }, joined = { .rank = 4, .dim = { s.dim[0], c, h * k, width * k } };
	uint32_t dcr[6] = { 0, 3, 4, 1, 5, 2 }, crd[6] = { 0, 1, 4, 2, 5, 3 };

	if (o->mode == CRD) {
		split.dim[1] = c;
		split.dim[3] = k;
	}
	return inn_reshape(b, inn_permute(b, inn_reshape(b, v, &split), o->mode == CRD ? crd : dcr), &joined);
}

LAYER(depth_to_space, "blocks of channels to blocks of pixels", params, sizeof(struct opts), .traits = INN_T_RESHAPE);
