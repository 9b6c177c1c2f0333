/* Weights: raw or floats (large ones stay in the file), typed or external. */
#include "scan.h"
#include "tensor.h"
#include <string.h>

uint32_t onnx_dtype(int type)
{
	switch (type) {
	case 1: return INN_F32;
	case 2: return INN_U8;
	case 3: return INN_I8;
	case 4: return INN_U16;
	case 5: return INN_I16;
	case 6: return INN_I32;
	case 7: return INN_I64;
	case 9: return INN_BOOL;
	case 10: return INN_F16;
	case 11: return INN_F64;
	case 12: return INN_U32;
	case 13: return INN_U64;
	case 16: return INN_BF16;
	default: return INN_DTYPES;
	}
}

/* Elements of a typed field, cut to the element's size. */
static void cut(const void *from, size_t from_size, void *to, size_t size, size_t n)
{
	for (size_t i = 0; i < n; i++)
		memcpy((char *)to + i * size, (const char *)from + i * from_size, size); /* little-endian */
}

static int typed(inn_ctx *ctx, const struct inn_loc *loc, const Onnx__TensorProto *p, const struct inn_tensor *t, size_t n)
{
	const void *from = NULL;
	size_t have = 0, from_size = 4;

	if (t->dtype == INN_F32) {
		from = p->float_data;
		have = p->n_float_data;
	} else if (t->dtype == INN_F64 || t->dtype == INN_I64 || t->dtype == INN_U32 || t->dtype == INN_U64) {
		from_size = 8;
		from = t->dtype == INN_F64 ? (void *)p->double_data : t->dtype == INN_I64 ? (void *)p->int64_data : (void *)p->uint64_data;
		have = t->dtype == INN_F64 ? p->n_double_data : t->dtype == INN_I64 ? p->n_int64_data : p->n_uint64_data;
	} else {
		from = p->int32_data;
		have = p->n_int32_data;
	}
	if (have != n)
		return inn_fail(ctx, INN_EMODEL, loc, "tensor %s has %zu values where its shape needs %zu", p->name ? p->name : "", have, n);
	if (n)
		cut(from, from_size, t->data, inn_dtype_size(t->dtype), n);
	return INN_OK;
}

/* Type and shape, and the bytes that they need. */
static int head(inn_ctx *ctx, const struct inn_loc *loc, const Onnx__TensorProto *p, struct inn_tensor *t, size_t *count)
{
	const char *name = p->name ? p->name : "";

	t->dtype = onnx_dtype(p->data_type);
	if (t->dtype == INN_DTYPES)
		return inn_fail(ctx, INN_EUNSUP, loc, "tensor %s: data type %d is not supported", name, p->data_type);
	if (p->n_dims > INN_MAX_RANK)
		return inn_fail(ctx, INN_EUNSUP, loc, "tensor %s has rank %zu, at most %u is supported", name, p->n_dims, INN_MAX_RANK);
	t->shape.rank = (uint32_t)p->n_dims;
	for (size_t d = 0; d < p->n_dims; d++) {
		if (p->dims[d] < 0 || p->dims[d] > INT32_MAX)
			return inn_fail(ctx, INN_EMODEL, loc, "tensor %s: axis %zu has size %lld", name, d, (long long)p->dims[d]);
		t->shape.dim[d] = (uint32_t)p->dims[d];
	}
	if (!inn_shape_count(&t->shape, count) || *count > SIZE_MAX / 2 / inn_dtype_size(t->dtype))
		return inn_fail(ctx, INN_ELIMIT, loc, "tensor %s is too large", name);
	return INN_OK;
}

/* Where data lies that was left in the file: the number of marks, of which place holds the first two. */
static unsigned marks(const Onnx__TensorProto *p, uint64_t place[2])
{
	unsigned n = 0;

	for (unsigned i = 0; i < p->base.n_unknown_fields; i++) {
		const ProtobufCMessageUnknownField *f = &p->base.unknown_fields[i];

		if (f->tag != ONNX_MARK || f->len != 8)
			continue;
		if (n < 2)
			memcpy(&place[n], f->data, 8);
		n++;
	}
	return n;
}

/* A tensor of n elements that stands in the file. */
static int in_place(inn_ctx *ctx, const struct inn_stream *file, const Onnx__TensorProto *p, const uint64_t place[2], size_t n, struct inn_tensor *t)
{
	const struct inn_loc loc = { .file = file->path };
	const char *name = p->name ? p->name : "";
	size_t size = inn_dtype_size(t->dtype), have = (size_t)(place[1] & ~ONNX_FLOATS);
	bool floats = place[1] & ONNX_FLOATS;

	if (floats && t->dtype != INN_F32)
		return inn_fail(ctx, INN_EMODEL, &loc, "tensor %s has float_data, but another type", name);
	if (have != n * size)
		return inn_fail(ctx, INN_EMODEL, &loc, "tensor %s has %zu bytes where its shape needs %zu", name, have, n * size);
	t->data = (void *)(uintptr_t)(file->data + place[0]);
	return INN_OK;
}

int onnx_tensor(inn_ctx *ctx, const struct inn_stream *file, const Onnx__TensorProto *p, struct inn_tensor *t)
{
	struct inn_loc loc = { .file = file->path };
	const char *name = p->name ? p->name : "";
	uint64_t place[2];
	size_t n, size;
	int rc = head(ctx, &loc, p, t, &n);

	if (rc < 0)
		return rc;
	size = inn_dtype_size(t->dtype);
	if (p->has_data_location && p->data_location == 1)
		return onnx_external(ctx, file, p, n * size, &t->data);
	unsigned left = marks(p, place);

	if (left > 2 || (left && (p->has_raw_data || p->n_float_data)))
		return inn_fail(ctx, INN_EUNSUP, &loc, "tensor %s has its values in several pieces", name);
	if (left)
		return in_place(ctx, file, p, place, n, t);
	if (p->has_raw_data && p->raw_data.len != n * size)
		return inn_fail(ctx, INN_EMODEL, &loc, "tensor %s has %zu bytes where its shape needs %zu", name, p->raw_data.len, n * size);
	if (!p->has_raw_data && n > file->size) /* a shape alone must not cost memory */
		return inn_fail(ctx, INN_EMODEL, &loc, "tensor %s has no data for %zu values", name, n);
	if (!(t->data = inn_alloc(ctx, n, size)))
		return INN_ENOMEM;
	if (!p->has_raw_data)
		return typed(ctx, &loc, p, t, n);
	if (n)
		memcpy(t->data, p->raw_data.data, n * size);
	return INN_OK;
}
