/* center_crop: the middle of a picture. */
#include <innvestigate/plugin.h>
#include <string.h>

struct opts {
	struct inn_ints size;
};

static const struct inn_param params[] = {
	{ .name = "size", .help = "[height, width], or one number for both", .offset = INN_AT(struct opts, size, struct inn_ints),
	  .type = INN_P_INTS, .flags = INN_REQUIRED, .min = 1, .max = 16384 },
	{ 0 },
};

static int apply(inn_ctx *ctx, const struct inn_tensor *in, struct inn_tensor *out, const void *opts)
{
	const struct opts *o = opts;
	uint32_t h = o->size.n ? (uint32_t)o->size.v[0] : 1, w = o->size.n > 1 ? (uint32_t)o->size.v[1] : h;
	int rc;

	if (in->shape.rank != 3 || in->shape.dim[0] < h || in->shape.dim[1] < w)
		return inn_fail(ctx, INN_EDATA, NULL, "center_crop: a picture of at least %u x %u is expected, not %u x %u", h, w,
				in->shape.dim[0], in->shape.dim[1]);
	size_t pixel = in->shape.dim[2] * inn_dtype_size(in->dtype);
	uint32_t top = (in->shape.dim[0] - h) / 2, left = (in->shape.dim[1] - w) / 2;

	*out = (struct inn_tensor){ .dtype = in->dtype, .shape = { .rank = 3, .dim = { h, w, in->shape.dim[2] } } };
	if ((rc = inn_tensor_alloc(ctx, out)) < 0)
		return rc;
	for (uint32_t y = 0; y < h; y++)
		memcpy((char *)out->data + y * w * pixel, (const char *)in->data + ((size_t)(top + y) * in->shape.dim[1] + left) * pixel, w * pixel);
	return INN_OK;
}

static const struct inn_stage_ops center_crop = {
	.cls = INN_HEAD(struct inn_stage_ops, INN_STAGE, "center_crop", "cuts out the middle of a picture", params, sizeof(struct opts), NULL),
	.apply = apply,
};

INN_PLUGIN("center_crop", "1.0.0", "BSD-2-Clause", &center_crop.cls);
