#include "scan.h"
#include <stdlib.h>
#include <string.h>

#define MAX_DEPTH 64
#define MAX_FIELDS ((size_t)16 << 20)

struct level { const ProtobufCMessageDescriptor *type; size_t end; };

static bool varint(const uint8_t *d, size_t end, size_t *at, uint64_t *v)
{
	*v = 0;
	for (unsigned shift = 0; shift < 64 && *at < end; shift += 7) {
		uint8_t b = d[(*at)++];

		*v |= (uint64_t)(b & 127) << shift;
		if (b < 128)
			return true;
	}
	return false;
}

/* Steps over one field that is no submessage; gives the submessage's type and end if it is one. */
static const char *field(const uint8_t *d, const struct level *l, size_t *at, const ProtobufCMessageDescriptor **sub, size_t *sub_end)
{
	uint64_t tag, v;

	*sub = NULL;
	if (!varint(d, l->end, at, &tag) || tag >> 3 == 0 || tag >> 32)
		return "a broken field tag";
	const ProtobufCFieldDescriptor *f = protobuf_c_message_descriptor_get_field(l->type, (unsigned)(tag >> 3));

	switch (tag & 7) {
	case 0:
		return varint(d, l->end, at, &v) ? NULL : "a broken number";
	case 1:
	case 5: {
		size_t n = (tag & 7) == 1 ? 8 : 4;

		if (n > l->end - *at)
			return "it is truncated";
		*at += n;
		return NULL;
	}
	case 2:
		if (!varint(d, l->end, at, &v) || v > l->end - *at)
			return "it is truncated";
		if (f && f->type == PROTOBUF_C_TYPE_MESSAGE) {
			*sub = f->descriptor;
			*sub_end = *at + (size_t)v;
		} else
			*at += (size_t)v;
		return NULL;
	default:
		return "a field of unknown kind";
	}
}

int onnx_scan(inn_ctx *ctx, const char *path, const ProtobufCMessageDescriptor *type, const uint8_t *data, size_t n)
{
	struct level stack[MAX_DEPTH] = { { type, n } };
	struct inn_loc loc = { .file = path };
	size_t at = 0, fields = 0;
	unsigned depth = 0;

	for (;;) {
		const ProtobufCMessageDescriptor *sub;
		const char *why;
		size_t end;

		while (at == stack[depth].end) {
			if (!depth)
				return INN_OK;
			depth--;
		}
		if (++fields > MAX_FIELDS)
			return inn_fail(ctx, INN_ELIMIT, &loc, "not read: more than 16 million fields");
		if ((why = field(data, &stack[depth], &at, &sub, &end)))
			return inn_fail(ctx, INN_EMODEL, &loc, "not an ONNX model: %s at byte %zu", why, at);
		if (!sub)
			continue;
		if (++depth == MAX_DEPTH)
			return inn_fail(ctx, INN_ELIMIT, &loc, "not read: nested deeper than %d at byte %zu", MAX_DEPTH, at);
		stack[depth] = (struct level){ sub, end };
	}
}

static void *take(void *user, size_t n)
{
	struct onnx_quota *q = user;

	if (n > q->left)
		return NULL;
	q->left -= n;
	return malloc(n ? n : 1);
}

static void give(void *user, void *p)
{
	(void)user;
	free(p);
}

void onnx_quota_init(struct onnx_quota *q, size_t bytes)
{
	q->allocator = (ProtobufCAllocator){ take, give, q };
	q->left = bytes;
}
