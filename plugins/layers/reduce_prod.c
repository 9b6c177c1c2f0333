/* The product, over the axes that an attribute or, since opset 18, input 1 lists; none: all. */
#include "reduce.h"

static double real(double p, double q) { return p * q; }
static bool whole(int64_t p, int64_t q, int64_t *r) { return !__builtin_mul_overflow(p, q, r); }
static int fold(FOLD) { return reduce_fold(ctx, n, in, n_in, real, whole, out); }

/* Halves multiplied with each other until one element is left. */
static inn_val product(inn_build *b, inn_val v, uint32_t axis)
{
	for (uint32_t length = inn_dim(b, v, axis); length > 1; length = inn_dim(b, v, axis)) {
		uint32_t half = length / 2;
		inn_val rest = inn_slice(b, v, axis, 2 * half, length, 1);

		v = inn_mul(b, inn_slice(b, v, axis, 0, half, 1), inn_slice(b, v, axis, half, 2 * half, 1));
		if (length % 2)
			v = inn_concat(b, (inn_val[]){ v, rest }, 2, axis);
	}
	return v;
}

static inn_val over(REDUCE)
{
	for (uint32_t d = 0; d < inn_shape_of(b, v)->rank; d++)
		if (mask >> d & 1)
			v = product(b, v, d);
	return v;
}

REDUCE_LAYER(reduce_prod, "product over axes", .traits = 0, .fold = fold);
