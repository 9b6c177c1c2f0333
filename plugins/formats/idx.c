/* idx: the arrays of MNIST and its kin, as they are or packed by gzip: two zero bytes, the element type, the number of
 * axes, their lengths, the elements; numbers are big-endian. */
#include <innvestigate/plugin.h>
#include <limits.h>
#include <string.h>
#include <zlib.h>

#define RATIO_MAX 1032u /* deflate packs no tighter */

struct source { /* bytes in order */
	const uint8_t *p;
	size_t left;
	bool packed, ended;
	z_stream z;
};

static bool is_packed(const uint8_t *p, size_t n) { return n > 2 && p[0] == 0x1f && p[1] == 0x8b; }

static bool source_open(struct source *s, const uint8_t *p, size_t n)
{
	*s = (struct source){ .p = p, .left = n, .packed = is_packed(p, n) };
	return !s->packed || inflateInit2(&s->z, 16 + MAX_WBITS) == Z_OK;
}

static void source_close(struct source *s)
{
	if (s->packed)
		inflateEnd(&s->z);
}

static size_t least(size_t a, size_t b) { return a < b ? a : b; }

/* Exactly n bytes. */
static bool take(struct source *s, uint8_t *to, size_t n)
{
	if (!s->packed) {
		if (n > s->left)
			return false;
		memcpy(to, s->p, n);
		s->p += n;
		s->left -= n;
		return true;
	}
	while (n && !s->ended) {
		uInt give = (uInt)least(s->left, UINT_MAX), room = (uInt)least(n, UINT_MAX);

		s->z.next_in = (Bytef *)(uintptr_t)s->p;
		s->z.avail_in = give;
		s->z.next_out = to;
		s->z.avail_out = room;
		int rc = inflate(&s->z, Z_NO_FLUSH);

		s->p += give - s->z.avail_in;
		s->left -= give - s->z.avail_in;
		to += room - s->z.avail_out;
		n -= room - s->z.avail_out;
		s->ended = rc == Z_STREAM_END;
		if (rc != Z_OK && !s->ended)
			return false;
	}
	return !n;
}

/* Nothing follows; the checksum of a packed file was compared. */
static bool at_end(struct source *s)
{
	uint8_t extra;

	return !take(s, &extra, 1) && !s->left && (!s->packed || s->ended);
}

static uint32_t type_of(uint8_t code)
{
	switch (code) {
	case 0x08: return INN_U8;
	case 0x09: return INN_I8;
	case 0x0b: return INN_I16;
	case 0x0c: return INN_I32;
	case 0x0d: return INN_F32;
	case 0x0e: return INN_F64;
	default: return INN_DTYPES;
	}
}

static bool is_head(const uint8_t h[4]) { return !h[0] && !h[1] && type_of(h[2]) != INN_DTYPES && h[3] && h[3] <= INN_MAX_RANK; }

static int probe(const uint8_t *head, size_t n)
{
	struct source s;
	uint8_t h[4];
	bool ok = n > 4 && source_open(&s, head, n);

	if (!ok)
		return 0;
	ok = take(&s, h, 4) && is_head(h);
	source_close(&s);
	return ok ? 90 : 0;
}

/* Shape and element type; false if the file is none or cannot be as long as it says. */
static bool read_head(struct source *s, struct inn_tensor *t)
{
	uint8_t h[4], dim[4];
	size_t n, size, most;

	if (!take(s, h, 4) || !is_head(h))
		return false;
	*t = (struct inn_tensor){ .dtype = type_of(h[2]), .shape = { .rank = h[3] } };
	for (uint32_t d = 0; d < t->shape.rank; d++) {
		if (!take(s, dim, 4))
			return false;
		t->shape.dim[d] = (uint32_t)dim[0] << 24 | (uint32_t)dim[1] << 16 | (uint32_t)dim[2] << 8 | dim[3];
	}
	size = inn_dtype_size(t->dtype);
	most = s->packed ? (s->left < SIZE_MAX / RATIO_MAX - 64 ? (s->left + 64) * RATIO_MAX : SIZE_MAX) : s->left;
	return inn_shape_count(&t->shape, &n) && n <= most / size;
}

static void to_native(uint8_t *p, size_t n, size_t size)
{
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
	for (size_t i = 0; size > 1 && i < n; i++, p += size)
		for (size_t k = 0; k < size / 2; k++) {
			uint8_t swap = p[k];

			p[k] = p[size - 1 - k];
			p[size - 1 - k] = swap;
		}
#else
	(void)p, (void)n, (void)size;
#endif
}

static int read_tensor(inn_ctx *ctx, struct inn_stream *f, const void *opts, struct inn_tensor *t)
{
	struct inn_loc loc = { .file = f->path };
	struct source s;
	size_t n = 0;
	int status = INN_OK;

	(void)opts;
	t->data = NULL;
	if (!source_open(&s, f->data, f->size))
		return inn_nomem(ctx);
	if (!read_head(&s, t))
		status = inn_fail(ctx, INN_EDATA, &loc, "the file is no IDX array, or is cut off");
	else if (inn_shape_count(&t->shape, &n) && (status = inn_within(ctx, INN_LIMIT_UNPACKED, &loc, n * inn_dtype_size(t->dtype), f->size,
									"bytes in the array")) == INN_OK &&
		 (status = inn_tensor_alloc(ctx, t)) == INN_OK) {
		size_t size = inn_dtype_size(t->dtype);

		if (!take(&s, t->data, n * size) || !at_end(&s))
			status = inn_fail(ctx, INN_EDATA, &loc, "the IDX array is damaged: it has not the length that its head says");
		to_native(t->data, n, size);
	}
	source_close(&s);
	if (status < 0)
		inn_tensor_free(t);
	return status;
}

static const char *const suffixes[] = { ".idx", ".gz", NULL };
static const struct inn_format_ops idx = {
	.cls = INN_HEAD(struct inn_format_ops, INN_FORMAT, "idx", "array of MNIST's kind, also packed by gzip", NULL, 0, NULL),
	.suffixes = suffixes,
	.probe = probe,
	.read_tensor = read_tensor,
};

INN_PLUGIN("idx", "1.0.0", "BSD-2-Clause", &idx.cls);
