/* What stages on pictures share. */
#ifndef IMAGE_H
#define IMAGE_H

#include <innvestigate/plugin.h>

#define SIDE_MAX 16384u

static inline int image_check(inn_ctx *ctx, const struct inn_tensor *t)
{
	char buf[INN_SHAPE_STR];

	if (t->shape.rank == 3 && t->shape.dim[0] && t->shape.dim[1] && t->shape.dim[2] && t->shape.dim[2] <= 4)
		return INN_OK;
	return inn_fail(ctx, INN_ESHAPE, NULL, "%s is no picture: [H,W,C] with at most 4 channels is expected",
			inn_shape_str(&t->shape, buf));
}

#endif
