/* External data: where in which file. */
#include "tensor.h"
#include <string.h>

struct place { const char *location; uint64_t offset, length; bool has_length; };

static bool number(const char *s, uint64_t *v)
{
	*v = 0;
	for (; *s >= '0' && *s <= '9'; s++)
		if (__builtin_mul_overflow(*v, 10u, v) || __builtin_add_overflow(*v, (uint64_t)(*s - '0'), v))
			return false;
	return !*s;
}

static int place_of(inn_ctx *ctx, const struct inn_loc *loc, const Onnx__TensorProto *p, struct place *out)
{
	const char *name = p->name ? p->name : "";

	for (size_t i = 0; i < p->n_external_data; i++) {
		const char *key = p->external_data[i]->key, *value = p->external_data[i]->value;
		bool ok = key && value;

		if (ok && !strcmp(key, "location"))
			out->location = value;
		else if (ok && !strcmp(key, "offset"))
			ok = number(value, &out->offset);
		else if (ok && !strcmp(key, "length"))
			ok = out->has_length = number(value, &out->length);
		else if (ok && strcmp(key, "checksum"))
			ok = false;
		if (!ok)
			return inn_fail(ctx, INN_EMODEL, loc, "tensor %s: external data entry %s is not understood", name, key ? key : "");
	}
	if (!out->location || !*out->location || out->location[0] == '/')
		return inn_fail(ctx, INN_EMODEL, loc, "tensor %s: external data needs a location relative to the model", name);
	return INN_OK;
}

int onnx_external(inn_ctx *ctx, const struct inn_stream *file, const Onnx__TensorProto *p, size_t bytes, void **data)
{
	struct inn_loc loc = { .file = file->path };
	const struct inn_stream *s;
	struct place at = { 0 };
	const char *name = p->name ? p->name : "";
	int rc = place_of(ctx, &loc, p, &at);

	if (rc < 0)
		return rc;
	if (at.has_length && at.length != bytes)
		return inn_fail(ctx, INN_EMODEL, &loc, "tensor %s: external data has %llu bytes where its shape needs %zu", name,
				(unsigned long long)at.length, bytes);
	if ((rc = inn_stream_beside(ctx, file, at.location, &s)) < 0)
		return inn_while(ctx, rc, &loc, "external data of tensor %s", name);
	if (bytes > s->size || at.offset > s->size - bytes)
		return inn_fail(ctx, INN_EMODEL, &loc, "tensor %s: external data %s ends before byte %llu + %zu", name, at.location,
				(unsigned long long)at.offset, bytes);
	*data = (void *)(uintptr_t)(s->data + at.offset);
	return INN_OK;
}
