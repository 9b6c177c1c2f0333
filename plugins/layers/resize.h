/* Resampling along one axis: which elements of the operand make an element of the result, with which weights. */
#ifndef LAYERS_RESIZE_H
#define LAYERS_RESIZE_H
#include "table.h"
#include <stdio.h>

enum resize_mode { NEAREST, LINEAR, CUBIC };
enum resize_coordinate { HALF_PIXEL, PYTORCH_HALF_PIXEL, ALIGN_CORNERS, ASYMMETRIC, CROP_AND_RESIZE, HALF_PIXEL_SYMMETRIC, HALF_PIXEL_FOR_NN };
enum resize_rounding { PREFER_FLOOR, PREFER_CEIL, FLOOR, CEIL, SIMPLE }; /* SIMPLE, of opset 10: up where it shrinks, else down */

struct resample { /* of one axis */
	uint32_t in, out;
	double scale, start, end; /* start, end: the part of the image that is taken, for CROP_AND_RESIZE */
	int mode, coordinate, rounding;
	double cubic_a;
	bool exclude_outside, antialias;
};

/* The length that a scale gives, in the arithmetic of single precision in which scales are stored. */
static inline double resize_length(uint32_t in, double scale) { return floorf((float)in * (float)scale); }

/* The result of one operation. Which of two elements is nearest may hang on the last bit: ONNX Runtime decides in single precision. */
static inline double resize_bit(const struct resample *r, double v) { return r->mode == NEAREST ? (double)(float)v : v; }

/* Where element i of the result lies in the operand. */
static inline double resize_source(const struct resample *r, uint32_t i)
{
	double scale = resize_bit(r, r->scale), point = resize_bit(r, (i + 0.5) / scale), half = resize_bit(r, point - 0.5);
	double last = r->in - 1.0, start = resize_bit(r, r->start * last), part = resize_bit(r, r->end - r->start);

	switch (r->coordinate) {
	case PYTORCH_HALF_PIXEL: return r->out > 1 ? half : 0;
	case ALIGN_CORNERS: return r->out > 1 ? resize_bit(r, i * last / (r->out - 1.0)) : 0;
	case ASYMMETRIC: return resize_bit(r, i / scale);
	case CROP_AND_RESIZE:
		if (r->out < 2)
			return resize_bit(r, resize_bit(r, 0.5 * (r->start + r->end)) * last);
		part = resize_bit(r, resize_bit(r, i * part) * last);
		return resize_bit(r, start + resize_bit(r, part / (r->out - 1.0)));
	case HALF_PIXEL_SYMMETRIC:
		part = resize_bit(r, 1 - resize_bit(r, r->out / resize_bit(r, scale * r->in)));
		return resize_bit(r, resize_bit(r, resize_bit(r, r->in / 2.0 * part) + point) - 0.5);
	case HALF_PIXEL_FOR_NN: return point;
	default: return half;
	}
}

static inline double resize_round(const struct resample *r, double at)
{
	switch (r->rounding) {
	case PREFER_FLOOR: return ceil(at - 0.5);
	case PREFER_CEIL: return floor(at + 0.5);
	case CEIL: return ceil(at);
	case SIMPLE: return r->scale < 1 ? ceil(at) : floor(at);
	default: return floor(at);
	}
}

static inline double resize_kernel(const struct resample *r, double d)
{
	double a = r->cubic_a;

	d = fabs(d);
	if (r->mode == LINEAR)
		return d < 1 ? 1 - d : 0;
	return d <= 1 ? ((a + 2) * d - (a + 3)) * d * d + 1 : d < 2 ? ((a * d - 5 * a) * d + 8 * a) * d - 4 * a : 0;
}

/* Row i of the matrix: weights by distance, stretched where antialiasing shrinks, of elements that are clamped to the operand. */
static inline void resize_row(const struct resample *r, uint32_t i, double *row)
{
	double at = resize_source(r, i), stretch = r->antialias && r->scale < 1 ? r->scale : 1, sum = 0;
	double reach = (r->mode == LINEAR ? 1 : 2) / stretch;

	for (int64_t k = (int64_t)floor(at - reach); k <= (int64_t)ceil(at + reach); k++) {
		int64_t inside = k < 0 ? 0 : k >= r->in ? r->in - 1 : k;
		double weight = resize_kernel(r, ((double)k - at) * stretch);

		if (r->exclude_outside && inside != k)
			continue;
		row[inside] += weight;
		sum += weight;
	}
	for (uint32_t k = 0; k < r->in; k++)
		row[k] /= sum;
}

static inline bool resize_outside(const struct resample *r, uint32_t i)
{
	double at = resize_source(r, i);

	return r->coordinate == CROP_AND_RESIZE && (at < 0 || at > r->in - 1.0);
}

/* The nearest element for every element of the result. */
static inline inn_val resize_nearest(inn_build *b, const inn_node *n, inn_val v, uint32_t axis, const struct resample *r, const char *name)
{
	struct inn_tensor index;
	size_t count;
	bool same = r->in == r->out;

	if (host_new(inn_build_ctx(b), n, INN_I32, &(struct inn_shape){ .rank = 1, .dim = { r->out } }, &count, &index) < 0)
		return no_value;
	for (uint32_t i = 0; i < r->out; i++) {
		double k = resize_round(r, resize_source(r, i));

		k = k < 0 ? 0 : k > r->in - 1.0 ? r->in - 1.0 : k;
		same &= k == i;
		host_put(&index, i, k);
	}
	return same ? v : inn_gather(b, v, table(b, n, name, inn_shape_of(b, v), &index), axis);
}

/* v along `axis` by r; what lies outside of a crop becomes `beyond`. */
static inline inn_val resize_axis(inn_build *b, const inn_node *n, inn_val v, uint32_t axis, const struct resample *r, double beyond)
{
	inn_ctx *ctx = inn_build_ctx(b);
	struct inn_shape s = { .rank = 2, .dim = { r->out, r->in } }, column = { .rank = inn_shape_of(b, v)->rank - axis, .dim = { r->out } };
	char name[3][16];
	struct inn_tensor matrix = { 0 }, inside = { 0 };
	bool crops = false;
	size_t count;

	snprintf(name[0], sizeof(name[0]), "index.%u", axis);
	snprintf(name[1], sizeof(name[1]), "matrix.%u", axis);
	snprintf(name[2], sizeof(name[2]), "inside.%u", axis);
	for (uint32_t d = 1; d < column.rank; d++)
		column.dim[d] = 1;
	if (host_new(ctx, n, INN_F32, &column, &count, &inside) != INN_OK)
		return no_value;
	for (uint32_t i = 0; i < r->out; i++) {
		host_put(&inside, i, !resize_outside(r, i));
		crops |= resize_outside(r, i);
	}
	struct inn_shape key = *inn_shape_of(b, v);

	if (r->mode == NEAREST) {
		v = resize_nearest(b, n, v, axis, r, name[0]);
	} else {
		if (host_new(ctx, n, INN_F64, &s, &count, &matrix) < 0)
			return no_value;
		for (uint32_t i = 0; i < r->out; i++)
			resize_row(r, i, (double *)matrix.data + (size_t)i * r->in);
		v = matrix_along(b, table(b, n, name[1], &key, &matrix), v, axis);
	}
	return crops ? inn_select(b, table(b, n, name[2], &key, &inside), v, inn_scalar(b, beyond)) : v;
}
#endif
