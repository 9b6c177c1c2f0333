#include "pack.h"
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

void bytes_add(struct bytes *b, const void *p, size_t n)
{
	if (b->n + n > b->cap) {
		b->cap = 2 * (b->n + n);
		if (!(b->p = realloc(b->p, b->cap)))
			abort();
	}
	if (n)
		memcpy(b->p + b->n, p, n);
	b->n += n;
}

void bytes_be32(struct bytes *b, uint32_t v)
{
	bytes_add(b, (uint8_t[]){ (uint8_t)(v >> 24), (uint8_t)(v >> 16), (uint8_t)(v >> 8), (uint8_t)v }, 4);
}

void bytes_le(struct bytes *b, uint64_t v, int n)
{
	for (; n; n--, v >>= 8)
		bytes_add(b, &(uint8_t){ (uint8_t)v }, 1);
}

void bytes_print(struct bytes *b, const char *fmt, ...)
{
	char text[1024];
	va_list ap;

	va_start(ap, fmt);
	int n = vsnprintf(text, sizeof(text), fmt, ap);

	va_end(ap);
	if (n < 0 || (size_t)n >= sizeof(text))
		abort();
	bytes_add(b, text, (size_t)n);
}

void bytes_store(const struct bytes *b, const char *path)
{
	FILE *f = fopen(path, "wb");

	if (!f || fwrite(b->p, 1, b->n, f) != b->n || fclose(f))
		abort();
}

void bytes_free(struct bytes *b)
{
	free(b->p);
	*b = (struct bytes){ 0 };
}

uint32_t pack_crc(uint32_t crc, const void *p, size_t n) { return n ? (uint32_t)crc32(crc, p, (uInt)n) : crc; }

/* Blocks that refer to nothing before them, so that they may stand anywhere, again and again. */
static void blocks(struct bytes *b, const void *p, size_t n)
{
	z_stream z = { .next_in = (Bytef *)(uintptr_t)p, .avail_in = (uInt)n };
	uint8_t out[65536];

	if (!n)
		return;
	if (deflateInit2(&z, 9, Z_DEFLATED, -MAX_WBITS, 9, Z_DEFAULT_STRATEGY) != Z_OK)
		abort();
	do {
		z.next_out = out;
		z.avail_out = sizeof(out);
		deflate(&z, Z_FULL_FLUSH);
		bytes_add(b, out, sizeof(out) - z.avail_out);
	} while (!z.avail_out);
	deflateEnd(&z);
}

uint32_t pack(struct bytes *b, enum pack how, const void *head, size_t n_head, const void *pattern, size_t n, uint64_t times)
{
	struct bytes one = { 0 };
	uint32_t crc = pack_crc(0, head, n_head), crc_one = pack_crc(0, pattern, n);
	uLong adler = n_head ? adler32(1, head, (uInt)n_head) : 1, adler_one = adler32(1, pattern, (uInt)n);

	if (how == PACK_ZLIB)
		bytes_add(b, "\x78\xda", 2);
	if (how == PACK_GZIP)
		bytes_add(b, "\x1f\x8b\x08\0\0\0\0\0\0\x03", 10);
	blocks(b, head, n_head);
	blocks(&one, pattern, n);
	for (uint64_t i = 0; i < times; i++) {
		bytes_add(b, one.p, one.n);
		crc = (uint32_t)crc32_combine(crc, crc_one, (z_off_t)n);
		adler = adler32_combine(adler, adler_one, (z_off_t)n);
	}
	bytes_free(&one);
	bytes_add(b, "\x03", 2); /* the last block, empty */
	if (how == PACK_ZLIB)
		bytes_be32(b, (uint32_t)adler);
	if (how == PACK_GZIP) {
		bytes_le(b, crc, 4);
		bytes_le(b, n_head + n * times, 4);
	}
	return crc;
}

uint32_t pack_zeros(struct bytes *b, enum pack how, const void *head, size_t n_head, uint64_t zeros)
{
	const size_t n = (size_t)1 << 20;
	size_t n_first = n_head + (size_t)(zeros % n);
	uint8_t *first = calloc(1, n_first + 1), *pattern = calloc(1, n);

	if (!first || !pattern)
		abort();
	if (n_head)
		memcpy(first, head, n_head);
	uint32_t crc = pack(b, how, first, n_first, pattern, n, zeros / n);

	free(first);
	free(pattern);
	return crc;
}
