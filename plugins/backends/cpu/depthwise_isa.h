/* The kernels of depthwise.c, included once per instruction set: V(name) names them, TARGET selects the instructions, LANES is the
 * number of channels in a block, FMA(a, b, c) is a * b + c, KERNELS the table of those for up to PIXELS neighbours. */
#include "finish_isa.h"

#define NEXT(t, pitch) acc[t] = FMA(*(const V(vec) *)(const void *)(s->x + (at + (t) * (int64_t)(pitch)) * LANES), u, acc[t])
#define ALL(pixels, pitch) _Pragma("GCC unroll 16") for (int t = 0; t < pixels; t++) NEXT(t, pitch)
#define CASE(t)                                                                                                                \
	case t:                                                                                                                \
		if (t >= last || t >= n)                                                                                       \
			break;                                                                                                 \
		NEXT(t < last ? t : 0, s->pitch);                                                                                   \
		__attribute__((fallthrough));
#define KERNEL(pixels)                                                                                                         \
	TARGET static void V(depthwise_##pixels)(const struct spot *s, const struct finish *how, const float *more, const float *by, float *y) \
	{                                                                                                                      \
		enum { last = pixels };                                                                                        \
		const struct finish f = *how; /* results could be anything, for all that the compiler knows */                 \
		const size_t step = s->step * LANES;                                                                           \
		const V(vec) first = *(const V(vec) *)(const void *)s->first;                                                  \
		V(vec) acc[pixels];                                                                                            \
                                                                                                                               \
		_Pragma("GCC unroll 16") for (int t = 0; t < pixels; t++) acc[t] = first;                                      \
		for (uint32_t a = 0; a < s->rows->n; a++)                                                                      \
			for (uint32_t b = 0; b < s->strip->n_taps; b++) {                                                      \
				const struct reach *r = &s->strip->tap[b];                                                     \
				const int64_t at = s->rows->at[a] * s->width + r->at;                                          \
				const V(vec) u = *(const V(vec) *)(const void *)(s->u + (s->rows->tap[a] + r->tap) * LANES);   \
				const int n = r->end;                                                                          \
                                                                                                                               \
				if (r->all && s->pitch == 1) {                                                                 \
					ALL(pixels, 1);                                                                        \
				} else if (r->all && s->pitch == 2) {                                                          \
					ALL(pixels, 2);                                                                        \
				} else {                                                                                       \
					switch (r->first) {                                                                    \
						CASE(0) CASE(1) CASE(2) CASE(3) CASE(4) CASE(5) CASE(6) CASE(7) CASE(8) CASE(9) \
						CASE(10) CASE(11) CASE(12) CASE(13)                                            \
					default: break;                                                                        \
					}                                                                                      \
				}                                                                                              \
			}                                                                                                      \
		_Pragma("GCC unroll 16") for (int t = 0; t < pixels; t++)                                                      \
		{                                                                                                              \
			size_t at = (size_t)t * step;                                                                          \
                                                                                                                               \
			*(V(vec) *)(void *)(y + at) = V(finish)(&f, acc[t], more, by, at);                                     \
		}                                                                                                              \
	}
KERNEL(1) KERNEL(2) KERNEL(3) KERNEL(4) KERNEL(5) KERNEL(6) KERNEL(7) KERNEL(8)
#if PIXELS > 8
KERNEL(9) KERNEL(10) KERNEL(11) KERNEL(12) KERNEL(13) KERNEL(14)
#endif
static const pixels_fn KERNELS[PIXELS] = {
	V(depthwise_1), V(depthwise_2), V(depthwise_3), V(depthwise_4), V(depthwise_5), V(depthwise_6), V(depthwise_7), V(depthwise_8),
#if PIXELS > 8
	V(depthwise_9), V(depthwise_10), V(depthwise_11), V(depthwise_12), V(depthwise_13), V(depthwise_14),
#endif
};
#undef INLINE
#undef NEXT
#undef ALL
#undef CASE
#undef KERNEL
#undef V
#undef TARGET
#undef LANES
#undef FMA
#undef KERNELS
#undef PIXELS
