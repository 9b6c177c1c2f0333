/* Reads by the central directory alone. What an archive may unpack to is bounded by deflate's best ratio, and members
 * may not share bytes, so memory stays proportional to the file. */
#include "zip.h"
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#define DEFLATE_RATIO 1032u
#define MEMBERS_MAX 65536u
#define NAME_LEN_MAX 255u

static uint64_t number(const uint8_t *p, int bytes)
{
	uint64_t v = 0;

	while (bytes-- > 0)
		v = v << 8 | p[bytes];
	return v;
}

struct directory { uint64_t at, size, count; };

/* The end record, which a comment of at most 65535 bytes follows, and its 64-bit extension. */
static int find_directory(inn_ctx *ctx, const struct inn_stream *s, const struct inn_loc *loc, struct directory *d)
{
	const uint8_t *end = NULL;

	for (size_t back = 22; back <= s->size && back <= 22 + 65535 && !end; back++) {
		const uint8_t *p = s->data + s->size - back;

		if (!memcmp(p, "PK\5\6", 4) && number(p + 20, 2) == back - 22)
			end = p;
	}
	if (!end)
		return inn_fail(ctx, INN_EDATA, loc, "the file is no zip archive, or is cut off");
	*d = (struct directory){ .count = number(end + 10, 2), .size = number(end + 12, 4), .at = number(end + 16, 4) };
	if (number(end + 4, 2) || number(end + 6, 2))
		return inn_fail(ctx, INN_EUNSUP, loc, "the archive is split over several files");
	if ((d->count == 0xffff || d->size == UINT32_MAX || d->at == UINT32_MAX) && end - s->data >= 20 &&
	    !memcmp(end - 20, "PK\6\7", 4)) {
		uint64_t at = number(end - 12, 8);

		if (at > s->size || s->size - at < 56 || memcmp(s->data + at, "PK\6\6", 4))
			return inn_fail(ctx, INN_EDATA, loc, "the archive's 64-bit end record is missing");
		*d = (struct directory){ .count = number(s->data + at + 32, 8), .size = number(s->data + at + 40, 8),
					 .at = number(s->data + at + 48, 8) };
	}
	if (d->at > s->size || d->size > s->size - d->at || d->count > d->size / 46 || d->count > MEMBERS_MAX)
		return inn_fail(ctx, INN_EDATA, loc, "the archive's directory does not fit into the file");
	return INN_OK;
}

/* Sizes that do not fit 32 bits stand in extra field 1, in this order, those only. */
static bool wide(const uint8_t *extra, size_t n, struct zip_member *m)
{
	uint64_t *field[] = { &m->size, &m->stored, &m->header };

	while (n >= 4) {
		size_t length = (size_t)number(extra + 2, 2), used = 4;

		if (length > n - 4)
			return false;
		for (int k = 0; number(extra, 2) == 1 && k < 3; k++)
			if (*field[k] == UINT32_MAX) {
				if (used + 8 > length + 4)
					return false;
				*field[k] = number(extra + used, 8);
				used += 8;
			}
		extra += length + 4;
		n -= length + 4;
	}
	return true;
}

static int take_name(inn_ctx *ctx, const struct inn_loc *loc, const uint8_t *name, size_t n, struct zip_member *m)
{
	bool ok = n > 0 && n <= NAME_LEN_MAX && name[0] != '.';

	for (size_t i = 0; ok && i < n; i++)
		ok = name[i] >= ' ' && name[i] != 127 && name[i] != '/' && name[i] != '\\' && name[i] != ':';
	if (!ok)
		return inn_fail(ctx, INN_EDATA, loc, "the archive has a member whose name is empty, too long, a path or not printable");
	m->name = inn_alloc(ctx, n + 1, 1);
	if (!m->name)
		return INN_ENOMEM;
	memcpy(m->name, name, n);
	return INN_OK;
}

static int check_sizes(inn_ctx *ctx, const struct inn_stream *s, const struct inn_loc *loc, const struct zip_member *m, uint64_t *sum)
{
	if (m->header > s->size || m->stored > s->size - m->header || (*sum += m->stored) > s->size)
		return inn_fail(ctx, INN_EDATA, loc, "member %s does not fit into the file, or shares bytes with another", m->name);
	if (m->method != 0 && m->method != 8)
		return inn_fail(ctx, INN_EUNSUP, loc, "member %s is packed by method %u; only stored and deflate can be read", m->name,
				m->method);
	if (m->method ? m->size > (m->stored + 1) * DEFLATE_RATIO : m->size != m->stored)
		return inn_fail(ctx, INN_EDATA, loc, "member %s claims a size that it cannot have", m->name);
	return INN_OK;
}

static int by_name(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static int check_names(inn_ctx *ctx, const struct inn_loc *loc, const struct zip_member *m, uint32_t n)
{
	char **name = inn_alloc(ctx, n ? n : 1, sizeof(*name));

	if (!name)
		return INN_ENOMEM;
	for (uint32_t i = 0; i < n; i++)
		name[i] = m[i].name;
	qsort(name, n, sizeof(*name), by_name);
	for (uint32_t i = 1; i < n; i++)
		if (!strcmp(name[i - 1], name[i]))
			return inn_fail(ctx, INN_EDATA, loc, "the archive has two members named %s", name[i]);
	return INN_OK;
}

int zip_list(inn_ctx *ctx, const struct inn_stream *s, struct zip_member **out, uint32_t *n)
{
	struct inn_loc loc = { .file = s->path };
	struct directory d = { 0 };
	uint64_t sum = 0;
	int status = find_directory(ctx, s, &loc, &d);

	if (status < 0)
		return status;
	struct zip_member *m = inn_alloc(ctx, d.count ? (size_t)d.count : 1, sizeof(*m));
	const uint8_t *p = s->data + d.at, *end = p + d.size;

	for (uint64_t i = 0; m && i < d.count; i++) {
		size_t name, extra, comment;

		if (end - p < 46 || memcmp(p, "PK\1\2", 4))
			return inn_fail(ctx, INN_EDATA, &loc, "the archive's directory is damaged");
		name = (size_t)number(p + 28, 2);
		extra = (size_t)number(p + 30, 2);
		comment = (size_t)number(p + 32, 2);
		if ((size_t)(end - p) < 46 + name + extra + comment)
			return inn_fail(ctx, INN_EDATA, &loc, "the archive's directory is damaged");
		m[i].method = (uint32_t)number(p + 10, 2);
		m[i].crc = (uint32_t)number(p + 16, 4);
		m[i].stored = number(p + 20, 4);
		m[i].size = number(p + 24, 4);
		m[i].header = number(p + 42, 4);
		if ((status = take_name(ctx, &loc, p + 46, name, &m[i])) < 0)
			return status;
		if (number(p + 8, 2) & 1)
			return inn_fail(ctx, INN_EUNSUP, &loc, "member %s is encrypted", m[i].name);
		if (!wide(p + 46 + name, extra, &m[i]))
			return inn_fail(ctx, INN_EDATA, &loc, "member %s has damaged sizes", m[i].name);
		if ((status = check_sizes(ctx, s, &loc, &m[i], &sum)) < 0)
			return status;
		p += 46 + name + extra + comment;
	}
	if (!m)
		return INN_ENOMEM;
	uint64_t packed = 0;

	for (uint64_t i = 0; i < d.count; i++) /* less than 2^16 members of less than 2^48 bytes */
		packed += m[i].method ? m[i].size : 0;
	if ((status = inn_within(ctx, INN_LIMIT_UNPACKED, &loc, packed, s->size, "bytes in the archive")) < 0)
		return status;
	if ((status = check_names(ctx, &loc, m, (uint32_t)d.count)) < 0)
		return status;
	*out = m;
	*n = (uint32_t)d.count;
	return INN_OK;
}

/* Raw deflate of exactly m->size bytes; true if it came out so. */
static bool unpack(const uint8_t *from, const struct zip_member *m, uint8_t *to)
{
	z_stream z = { 0 };
	uint64_t in = 0, out = 0;
	int rc = inflateInit2(&z, -MAX_WBITS);

	if (rc != Z_OK)
		return false;
	while (rc == Z_OK) {
		uInt give = (uInt)(m->stored - in < UINT_MAX ? m->stored - in : UINT_MAX);
		uInt room = (uInt)(m->size - out < UINT_MAX ? m->size - out : UINT_MAX);

		z.next_in = (Bytef *)(uintptr_t)(from + in);
		z.avail_in = give;
		z.next_out = to + out;
		z.avail_out = room;
		rc = inflate(&z, Z_NO_FLUSH);
		in += give - z.avail_in;
		out += room - z.avail_out;
	}
	inflateEnd(&z);
	return rc == Z_STREAM_END && out == m->size;
}

static uint32_t checksum(const uint8_t *data, uint64_t n)
{
	uLong crc = crc32(0, NULL, 0);

	while (n) {
		uInt part = (uInt)(n < UINT_MAX ? n : UINT_MAX);

		crc = crc32(crc, data, part);
		data += part;
		n -= part;
	}
	return (uint32_t)crc;
}

int zip_member(inn_ctx *ctx, const struct inn_stream *s, const struct zip_member *m, const uint8_t **data, uint8_t **heap)
{
	struct inn_loc loc = { .file = s->path };
	const uint8_t *p = s->data + m->header;
	uint64_t left = s->size - m->header, skip;

	*heap = NULL;
	if (left < 30 || memcmp(p, "PK\3\4", 4) || (skip = 30 + number(p + 26, 2) + number(p + 28, 2)) > left || m->stored > left - skip)
		return inn_fail(ctx, INN_EDATA, &loc, "member %s is damaged or cut off", m->name);
	*data = p + skip;
	if (m->method) {
		if (m->size >= SIZE_MAX || !(*heap = malloc((size_t)m->size + 1)))
			return inn_nomem(ctx);
		if (!unpack(*data, m, *heap)) {
			free(*heap);
			*heap = NULL;
			return inn_fail(ctx, INN_EDATA, &loc, "member %s is damaged: it does not unpack to %llu bytes", m->name,
					(unsigned long long)m->size);
		}
		*data = *heap;
	}
	if (checksum(*data, m->size) == m->crc)
		return INN_OK;
	free(*heap);
	*heap = NULL;
	return inn_fail(ctx, INN_EDATA, &loc, "member %s is damaged: its checksum does not fit", m->name);
}
