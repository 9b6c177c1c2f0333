/* iNNvestigate's `postprocess`: what becomes of every element of a gradient. */
#ifndef GRADIENT_POSTPROCESS_H
#define GRADIENT_POSTPROCESS_H
#include <innvestigate/plugin.h>

enum { KEEP, ABS, SQUARE };

static const struct inn_choice postprocess_choices[] = {
	{ "none", KEEP, "as it is" },
	{ "abs", ABS, "absolute value" },
	{ "square", SQUARE, "square" },
	{ 0 },
};

static inline inn_val postprocess(inn_build *b, inn_val g, int how)
{
	return how == ABS ? inn_abs(b, g) : how == SQUARE ? inn_mul(b, g, g) : g;
}
#endif
