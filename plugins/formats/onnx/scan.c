#include "scan.h"
#include <stdlib.h>
#include <string.h>

#define MAX_DEPTH 64
#define MAX_FIELDS ((size_t)16 << 20)
#define LARGE 4096u /* bytes of data that stay in the file */
#define MARK_SIZE 26u /* two tags of 5 bytes, two numbers of 8 */

struct level {
	const ProtobufCMessageDescriptor *type;
	size_t end;
	size_t length_at, removed; /* where its length stands in the file, and what was cut out before */
	unsigned width;            /* of the length */
};
struct cut { size_t from, data, end; bool floats; }; /* a field, its contents, what follows it; whether it is float_data */
struct patch { size_t at, value; unsigned width; }; /* a length in the lean message */
struct scan {
	inn_ctx *ctx;
	struct inn_loc loc;
	const uint8_t *d;
	struct level stack[MAX_DEPTH];
	unsigned depth;
	size_t at, removed; /* removed: by all cuts so far */
	struct cut *cut;
	struct patch *patch;
	size_t n_cut, n_patch, cap_cut, cap_patch;
};

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

static bool grow(inn_ctx *ctx, void *array, size_t n, size_t *cap, size_t size)
{
	void **p = array, *q;

	if (n < *cap)
		return true;
	if (!(q = realloc(*p, (n * 2 + 16) * size))) {
		inn_nomem(ctx);
		return false;
	}
	*cap = n * 2 + 16;
	*p = q;
	return true;
}

static int broken(const struct scan *s, const char *why)
{
	return inn_fail(s->ctx, INN_EMODEL, &s->loc, "not an ONNX model: %s at byte %zu", why, s->at);
}

static int cut_out(struct scan *s, size_t from, size_t data, size_t end, bool floats)
{
	if (!grow(s->ctx, &s->cut, s->n_cut, &s->cap_cut, sizeof(*s->cut)))
		return INN_ENOMEM;
	s->cut[s->n_cut++] = (struct cut){ from, data, end, floats };
	s->removed += end - from - MARK_SIZE;
	return INN_OK;
}

/* What is behind a field's length: into it if it is a message, else over it. */
static int contents(struct scan *s, const ProtobufCFieldDescriptor *f, size_t from, size_t length_at, size_t n)
{
	const ProtobufCMessageDescriptor *type = s->stack[s->depth].type;

	if (f && f->type == PROTOBUF_C_TYPE_MESSAGE) {
		if (s->depth + 1 == MAX_DEPTH)
			return inn_fail(s->ctx, INN_ELIMIT, &s->loc, "not read: nested deeper than %d at byte %zu", MAX_DEPTH, s->at);
		s->stack[++s->depth] = (struct level){ f->descriptor, s->at + n, length_at, s->removed, (unsigned)(s->at - length_at) };
		return INN_OK;
	}
	s->at += n;
	if (type != &onnx__tensor_proto__descriptor || !f || n < LARGE)
		return INN_OK;
	bool floats = !strcmp(f->name, "float_data") && n % 4 == 0;

	return floats || !strcmp(f->name, "raw_data") ? cut_out(s, from, s->at - n, s->at, floats) : INN_OK;
}

static int field(struct scan *s)
{
	const struct level *l = &s->stack[s->depth];
	size_t from = s->at, length_at, n;
	uint64_t tag, v;

	if (!varint(s->d, l->end, &s->at, &tag) || tag >> 3 == 0 || tag >> 32)
		return broken(s, "a broken field tag");
	if (tag >> 3 == ONNX_MARK)
		return broken(s, "a field number that no version of the format uses");
	switch (tag & 7) {
	case 0:
		return varint(s->d, l->end, &s->at, &v) ? INN_OK : broken(s, "a broken number");
	case 1:
	case 5:
		n = (tag & 7) == 1 ? 8 : 4;
		if (n > l->end - s->at)
			return broken(s, "it is truncated");
		s->at += n;
		return INN_OK;
	case 2:
		length_at = s->at;
		if (!varint(s->d, l->end, &s->at, &v) || v > l->end - s->at)
			return broken(s, "it is truncated");
		return contents(s, protobuf_c_message_descriptor_get_field(l->type, (unsigned)(tag >> 3)), from, length_at, (size_t)v);
	default:
		return broken(s, "a field of unknown kind");
	}
}

static void put_number(uint8_t *to, uint64_t v, unsigned width)
{
	for (unsigned i = 0; i < width; i++, v >>= 7)
		to[i] = (uint8_t)((v & 127) | (i + 1 < width ? 128 : 0));
}

static uint8_t *put_mark(uint8_t *to, uint64_t v)
{
	put_number(to, (uint64_t)ONNX_MARK << 3 | 1, 5);
	memcpy(to + 5, &v, 8); /* little-endian */
	return to + 13;
}

/* The lean copy: what lies between the cuts, marks for these, and lengths that fit, as wide as they were. */
static int copy(const struct scan *s, size_t n, struct onnx_lean *lean)
{
	size_t at = 0;
	uint8_t *to = lean->heap = malloc(n - s->removed);

	if (!to)
		return inn_nomem(s->ctx);
	lean->data = to;
	lean->n = n - s->removed;
	for (size_t i = 0; i < s->n_cut; i++) {
		const struct cut *c = &s->cut[i];

		memcpy(to, s->d + at, c->from - at);
		to = put_mark(put_mark(to + (c->from - at), c->data), (c->end - c->data) | (c->floats ? ONNX_FLOATS : 0));
		at = c->end;
	}
	memcpy(to, s->d + at, n - at);
	for (size_t i = 0; i < s->n_patch; i++)
		put_number(lean->heap + s->patch[i].at, s->patch[i].value, s->patch[i].width);
	return INN_OK;
}

/* Back to the enclosing message. */
static int leave(struct scan *s)
{
	const struct level *l = &s->stack[s->depth--];
	size_t inside = s->removed - l->removed;

	if (!inside)
		return INN_OK;
	if (!grow(s->ctx, &s->patch, s->n_patch, &s->cap_patch, sizeof(*s->patch)))
		return INN_ENOMEM;
	s->patch[s->n_patch++] = (struct patch){ l->length_at - l->removed, l->end - l->length_at - l->width - inside, l->width };
	return INN_OK;
}

static int walk(struct scan *s)
{
	size_t fields = 0;
	int rc = INN_OK;

	while (rc == INN_OK && (s->depth || s->at < s->stack[0].end)) {
		if (s->at == s->stack[s->depth].end)
			rc = leave(s);
		else if (++fields > MAX_FIELDS)
			rc = inn_fail(s->ctx, INN_ELIMIT, &s->loc, "not read: more than 16 million fields");
		else
			rc = field(s);
	}
	return rc;
}

int onnx_scan(inn_ctx *ctx, const char *path, const uint8_t *data, size_t n, struct onnx_lean *lean)
{
	struct scan s = { .ctx = ctx, .loc = { .file = path }, .d = data, .stack = { { .type = &onnx__model_proto__descriptor, .end = n } } };
	int rc = walk(&s);

	*lean = (struct onnx_lean){ .data = data, .n = n };
	if (rc == INN_OK && s.n_cut)
		rc = copy(&s, n, lean);
	free(s.cut);
	free(s.patch);
	return rc;
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
