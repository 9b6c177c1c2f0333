/* Resize: axis by axis, by a list of nearest elements or by a matrix. Opset 10 has scales alone, as input 1. */
#include "resize.h"

static const struct inn_choice modes[] = { { "nearest", NEAREST, "one element" }, { "linear", LINEAR, "two" }, { "cubic", CUBIC, "four" }, { 0 } };
static const struct inn_choice coordinates[] = {
	{ "half_pixel", HALF_PIXEL, "pixels are areas" }, { "pytorch_half_pixel", PYTORCH_HALF_PIXEL, "the same, and 0 for one pixel" },
	{ "align_corners", ALIGN_CORNERS, "the first and last pixels stay" }, { "asymmetric", ASYMMETRIC, "pixels are points" },
	{ "tf_crop_and_resize", CROP_AND_RESIZE, "of a part of the image" }, { "half_pixel_symmetric", HALF_PIXEL_SYMMETRIC, "the centre stays" },
	{ "tf_half_pixel_for_nn", HALF_PIXEL_FOR_NN, "half a pixel further" }, { 0 },
};
static const struct inn_choice roundings[] = {
	{ "round_prefer_floor", PREFER_FLOOR, "halves down" }, { "round_prefer_ceil", PREFER_CEIL, "halves up" }, { "floor", FLOOR, "down" },
	{ "ceil", CEIL, "up" }, { 0 },
};
enum { STRETCH, NOT_LARGER, NOT_SMALLER };
static const struct inn_choice policies[] = {
	{ "stretch", STRETCH, "the sizes as they are" }, { "not_larger", NOT_LARGER, "one scale, at most the sizes" },
	{ "not_smaller", NOT_SMALLER, "one scale, at least the sizes" }, { 0 },
};

struct opts {
	int mode, coordinate_transformation_mode, nearest_mode, keep_aspect_ratio_policy;
	double cubic_coeff_a, extrapolation_value;
	bool exclude_outside, antialias;
	struct inn_ints axes;
};

static const struct inn_param params[] = {
	INN_ENUM(struct opts, mode, NEAREST, modes, "interpolation"),
	INN_ENUM(struct opts, coordinate_transformation_mode, HALF_PIXEL, coordinates, "where an element of the result lies in the operand"),
	INN_ENUM(struct opts, nearest_mode, PREFER_FLOOR, roundings, "which element is nearest"),
	INN_ENUM(struct opts, keep_aspect_ratio_policy, STRETCH, policies, "what sizes mean"),
	INN_REAL(struct opts, cubic_coeff_a, -0.75, -1e6, 1e6, "shape of the cubic kernel"),
	INN_REAL(struct opts, extrapolation_value, 0, -1e300, 1e300, "outside of a crop"),
	INN_BOOL(struct opts, exclude_outside, false, "elements outside have no weight"),
	INN_BOOL(struct opts, antialias, false, "a wider kernel where the image shrinks"),
	INN_INTS(struct opts, axes, NULL, -8, 7, "axes that roi, scales and sizes are for; none: all"),
	{ 0 },
};

/* Input k as reals, in v; their number, 0 if absent, -1 after an error. */
static int reals(inn_ctx *ctx, const inn_node *n, uint32_t k, double v[MAX_LIST])
{
	const struct inn_tensor *t = inn_node_const(n, k);
	size_t count;

	if (!inn_node_in(n, k))
		return 0;
	if (!t || (!t->data && t->shape.dim[0]) || !inn_shape_count(&t->shape, &count) || count > MAX_LIST)
		return unsupported_in(ctx, n, "scales, sizes and roi must be constant"), -1;
	for (size_t i = 0; i < count; i++)
		v[i] = inn_tensor_real(t, i);
	return (int)count;
}

/* One scale for all axes, from the sizes asked for. */
static void keep_aspect(const struct inn_shape *s, const uint32_t *axis, uint32_t n, int policy, double *scale, double *size)
{
	double one = policy == NOT_LARGER ? INFINITY : 0;

	for (uint32_t i = 0; i < n; i++) {
		double k = size[i] / s->dim[axis[i]];

		one = policy == NOT_LARGER ? fmin(one, k) : fmax(one, k);
	}
	for (uint32_t i = 0; i < n; i++) {
		scale[i] = one;
		size[i] = floor(one * s->dim[axis[i]] + 0.5);
	}
}

/* r for each of the n axes; false after an error. */
static bool plan(inn_ctx *ctx, const inn_node *n, const struct inn_shape *s, const uint32_t *axis, uint32_t count, struct resample *r)
{
	const struct opts *o = inn_node_opts(n);
	bool old = inn_node_opset(n) < 11;
	double roi[MAX_LIST] = { 0 }, scale[MAX_LIST], size[MAX_LIST];
	int n_roi = old ? 0 : reals(ctx, n, 1, roi), n_scale = reals(ctx, n, old ? 1 : 2, scale), n_size = old ? 0 : reals(ctx, n, 3, size);

	if (n_roi < 0 || n_scale < 0 || n_size < 0)
		return false;
	if ((n_size ? n_size : n_scale) != (int)count || (o->coordinate_transformation_mode == CROP_AND_RESIZE && n_roi != 2 * (int)count))
		return unsupported_in(ctx, n, "one scale or size for each axis, and a roi for a crop, are expected"), false;
	for (uint32_t i = 0; i < count; i++) {
		if (!n_size)
			size[i] = resize_length(s->dim[axis[i]], scale[i]);
		else
			scale[i] = size[i] / s->dim[axis[i]];
	}
	if (n_size && o->keep_aspect_ratio_policy != STRETCH)
		keep_aspect(s, axis, count, o->keep_aspect_ratio_policy, scale, size);
	for (uint32_t i = 0; i < count; i++) {
		if (!(scale[i] > 0) || !(size[i] >= 1) || size[i] > 1 << 20 || !s->dim[axis[i]])
			return unsupported_in(ctx, n, "a scale or size is not positive or too large"), false;
		if (!n_size && fabs(size[i] - s->dim[axis[i]] * scale[i]) > 1e-3 &&
		    (o->coordinate_transformation_mode == ALIGN_CORNERS || o->coordinate_transformation_mode == CROP_AND_RESIZE))
			return unsupported_in(ctx, n, "corners are only aligned where the scale gives a whole size: it is not settled what "
					      "else they are"), false;
		r[i] = (struct resample){ .in = s->dim[axis[i]], .out = (uint32_t)size[i], .scale = scale[i], .start = roi[i], .end = roi[count + i],
					  .mode = o->mode, .coordinate = old ? ASYMMETRIC : o->coordinate_transformation_mode,
					  .rounding = old ? SIMPLE : o->nearest_mode, .cubic_a = o->cubic_coeff_a,
					  .exclude_outside = o->exclude_outside, .antialias = o->antialias };
	}
	return true;
}

static inn_val forward(FORWARD)
{
	const struct opts *o = inn_node_opts(n);
	inn_ctx *ctx = inn_build_ctx(b);
	inn_val v = arg(n, x, 0);
	struct inn_shape s = *inn_shape_of(b, v);
	uint32_t axis[INN_MAX_RANK], count = (uint32_t)o->axes.n;
	struct resample r[INN_MAX_RANK];

	(void)w;
	(void)out;
	if (!v.id)
		return v;
	if (count > s.rank)
		return misfit(b, n, "there are more axes than the operand has");
	for (uint32_t i = 0; i < count; i++)
		if (!axis_of(ctx, n, o->axes.v[i], s.rank, &axis[i]))
			return no_value;
	for (; !o->axes.n && count < s.rank; count++)
		axis[count] = count;
	if (!plan(ctx, n, &s, axis, count, r))
		return no_value;
	for (uint32_t i = 0; v.id && i < count; i++)
		if (r[i].in != r[i].out || r[i].scale != 1 || r[i].coordinate == CROP_AND_RESIZE)
			v = resize_axis(b, n, v, axis[i], &r[i], o->extrapolation_value);
	return v;
}

LAYER(resize, "resample the axes", params, sizeof(struct opts), .traits = INN_T_POOL | INN_T_SUM_POOL, .known = 0xe);
