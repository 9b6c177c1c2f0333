/* rgb: gray pictures get three equal channels; colour pictures stay. */
#include <innvestigate/plugin.h>
#include <string.h>

static int apply(inn_ctx *ctx, const struct inn_tensor *in, struct inn_tensor *out, const void *opts)
{
	size_t size = inn_dtype_size(in->dtype), n;
	int rc;

	(void)opts;
	if (in->shape.rank != 3 || (in->shape.dim[2] != 1 && in->shape.dim[2] != 3))
		return inn_fail(ctx, INN_EDATA, NULL, "rgb: a picture [H,W,1] or [H,W,3] is expected");
	*out = (struct inn_tensor){ .dtype = in->dtype, .shape = in->shape };
	out->shape.dim[2] = 3;
	if ((rc = inn_tensor_alloc(ctx, out)) < 0)
		return rc;
	inn_shape_count(&out->shape, &n);
	for (size_t i = 0; i < n; i++)
		memcpy((char *)out->data + i * size, (const char *)in->data + (in->shape.dim[2] == 3 ? i : i / 3) * size, size);
	return INN_OK;
}

static const struct inn_stage_ops rgb = {
	.cls = INN_HEAD(struct inn_stage_ops, INN_STAGE, "rgb", "three channels for every picture", NULL, 0, NULL),
	.apply = apply,
};

INN_PLUGIN("rgb", "1.0.0", "BSD-2-Clause", &rgb.cls);
