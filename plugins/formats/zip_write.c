/* Stored members without times or owners, so that equal arrays give equal files. */
#include "zip.h"
#include <string.h>
#include <zlib.h>

#define DOS_DATE 0x21 /* 1980-01-01 */

/* v in little-endian order; beyond its 8 bytes zeros. */
static uint8_t *put(uint8_t *p, uint64_t v, int bytes)
{
	for (int k = 0; k < bytes; k++, v >>= 8)
		*p++ = (uint8_t)v;
	return p;
}

/* The fields that local and central headers share: version ... lengths of name and extra. */
static uint8_t *common(uint8_t *p, const struct zip_member *m)
{
	p = put(p, 20, 2);
	p = put(p, 0x800, 2); /* names are UTF-8 */
	p = put(p, 0, 2);
	p = put(p, 0, 2);
	p = put(p, DOS_DATE, 2);
	p = put(p, m->crc, 4);
	p = put(p, m->stored, 4);
	p = put(p, m->size, 4);
	p = put(p, strlen(m->name), 2);
	return put(p, 0, 2);
}

int zip_put(inn_ctx *ctx, struct inn_stream *s, const char *name, const struct zip_part *part, uint32_t parts, struct zip_member *m)
{
	struct inn_loc loc = { .file = s->path };
	uint8_t head[30], *p = put(head, 0x04034b50, 4);
	uLong crc = crc32(0, NULL, 0);
	int status;

	*m = (struct zip_member){ .name = inn_strdup(ctx, name), .header = s->out_size };
	if (!m->name)
		return INN_ENOMEM;
	for (uint32_t i = 0; i < parts; i++)
		m->size += part[i].size;
	m->stored = m->size;
	if (m->size >= UINT32_MAX || m->header >= UINT32_MAX - m->size - 65536)
		return inn_fail(ctx, INN_ELIMIT, &loc, "an archive of more than 4 GiB; write .npy files instead");
	for (uint32_t i = 0; i < parts; i++)
		crc = part[i].size ? crc32(crc, part[i].data, (uInt)part[i].size) : crc;
	m->crc = (uint32_t)crc;
	p = common(p, m);
	status = inn_stream_put(ctx, s, head, (size_t)(p - head));
	if (status == INN_OK)
		status = inn_stream_put(ctx, s, name, strlen(name));
	for (uint32_t i = 0; status == INN_OK && i < parts; i++)
		if (part[i].size)
			status = inn_stream_put(ctx, s, part[i].data, part[i].size);
	return status;
}

int zip_close(inn_ctx *ctx, struct inn_stream *s, const struct zip_member *m, uint32_t n)
{
	uint64_t start = s->out_size;
	int status = INN_OK;

	for (uint32_t i = 0; status == INN_OK && i < n; i++) {
		uint8_t head[46], *p = put(head, 0x02014b50, 4);

		p = common(put(p, 20, 2), &m[i]);
		p = put(p, 0, 10); /* comment, disk, attributes */
		put(p, m[i].header, 4);
		if ((status = inn_stream_put(ctx, s, head, sizeof(head))) == INN_OK)
			status = inn_stream_put(ctx, s, m[i].name, strlen(m[i].name));
	}
	if (status < 0)
		return status;
	uint8_t end[22], *p = put(end, 0x06054b50, 4);

	p = put(p, 0, 4);
	p = put(put(p, n, 2), n, 2);
	p = put(p, s->out_size - start, 4);
	p = put(p, start, 4);
	put(p, 0, 2);
	return inn_stream_put(ctx, s, end, sizeof(end));
}
