/* Pictures that ask for much. */
#include "bombs.h"
#include <stdlib.h>
#include <string.h>

/* ---- PNG */

struct png { uint32_t w, h, depth, color, interlaced, filter; };

static void chunk(struct bytes *b, const char *type, const struct bytes *data)
{
	uint32_t sum = pack_crc(pack_crc(0, type, 4), data->p, data->n);

	bytes_be32(b, (uint32_t)data->n);
	bytes_add(b, type, 4);
	bytes_add(b, data->p, data->n);
	bytes_be32(b, sum);
}

static void head(struct bytes *b, const struct png *p)
{
	struct bytes d = { 0 };
	const uint8_t rest[] = { (uint8_t)p->depth, (uint8_t)p->color, 0, 0, (uint8_t)p->interlaced };

	*b = (struct bytes){ 0 };
	bytes_add(b, "\x89PNG\r\n\x1a\n", 8);
	bytes_be32(&d, p->w);
	bytes_be32(&d, p->h);
	bytes_add(&d, rest, sizeof(rest));
	chunk(b, "IHDR", &d);
	bytes_free(&d);
	if (p->color == 3) { /* two colours, one of them half transparent */
		chunk(b, "PLTE", &(struct bytes){ .p = (uint8_t[]){ 1, 2, 3, 4, 5, 6 }, .n = 6 });
		chunk(b, "tRNS", &(struct bytes){ .p = (uint8_t[]){ 128, 255 }, .n = 2 });
	}
}

static uint64_t packed_size(const struct png *p)
{
	static const struct { uint32_t x, y, dx, dy; } pass[] = { { 0, 0, 8, 8 }, { 4, 0, 8, 8 }, { 0, 4, 4, 8 }, { 2, 0, 4, 4 }, { 0, 2, 2, 4 },
								  { 1, 0, 2, 2 }, { 0, 1, 1, 2 }, { 0, 0, 1, 1 } };
	static const uint32_t channels[] = { 1, 0, 3, 1, 2, 0, 4 };
	uint64_t sum = 0;

	for (int i = p->interlaced ? 0 : 7; i < (p->interlaced ? 7 : 8); i++) {
		uint64_t w = p->w > pass[i].x ? (p->w - pass[i].x + pass[i].dx - 1) / pass[i].dx : 0;
		uint64_t h = p->h > pass[i].y ? (p->h - pass[i].y + pass[i].dy - 1) / pass[i].dy : 0;

		sum += w && h ? ((w * p->depth * channels[p->color] + 7) / 8 + 1) * h : 0;
	}
	return sum;
}

/* All pixels zero; `filter` of every row where rows are all alike. */
static void whole_png(char *name, struct png p, const char *text)
{
	struct bytes b, data = { 0 };
	uint64_t size = packed_size(&p), row = p.filter ? size / p.h : size;
	uint8_t *pattern = calloc(1, (size_t)(p.filter ? row : 1));

	pattern[0] = (uint8_t)p.filter;
	if (p.filter)
		pack(&data, PACK_ZLIB, NULL, 0, pattern, (size_t)row, p.h);
	else
		pack_zeros(&data, PACK_ZLIB, NULL, 0, size);
	head(&b, &p);
	chunk(&b, "IDAT", &data);
	chunk(&b, "IEND", &(struct bytes){ 0 });
	free(pattern);
	bytes_free(&data);
	bombs_picture(&b, name, text);
}

/* One pixel, with `times` chunks of this type, or more data than the pixel needs. */
static void extra_png(char *name, const char *type, const char *prefix, size_t n_prefix, uint64_t zeros, unsigned times)
{
	struct bytes b, data = { 0 };

	bytes_add(&data, prefix, n_prefix);
	pack_zeros(&data, PACK_ZLIB, NULL, 0, zeros);
	head(&b, &(struct png){ 1, 1, 8, 0, 0, 0 });
	for (unsigned i = 0; i < times; i++)
		chunk(&b, type, &data);
	bytes_free(&data);
	if (strcmp(type, "IDAT")) {
		pack_zeros(&data, PACK_ZLIB, NULL, 0, 2);
		chunk(&b, "IDAT", &data);
		bytes_free(&data);
	}
	chunk(&b, "IEND", &(struct bytes){ 0 });
	bombs_picture(&b, name, "preprocessing gives [1,1,1,1]");
}

void bombs_png(void)
{
	struct bytes b, data = { 0 };

	head(&b, &(struct png){ 2147483647, 2147483647, 8, 0, 0, 0 });
	bombs_picture(&b, "huge.png", "Invalid IHDR data");
	head(&b, &(struct png){ 16384, 16384, 16, 6, 0, 0 });
	pack_zeros(&data, PACK_ZLIB, NULL, 0, 10);
	chunk(&b, "IDAT", &data);
	bytes_free(&data);
	bombs_picture(&b, "claims.png", "too short for its size");
	head(&b, &(struct png){ 10001, 10000, 8, 0, 0, 0 });
	data.p = calloc(data.n = 900000, 1);
	chunk(&b, "IDAT", &data);
	bytes_free(&data);
	bombs_picture(&b, "limit.png", "limits.pixels");
	whole_png("gray.png", (struct png){ 10000, 10000, 8, 0, 0, 4 }, "gives [1,1,10000,10000]");
	whole_png("interlaced.png", (struct png){ 10000, 10000, 8, 0, 1, 0 }, "gives [1,1,10000,10000]");
	whole_png("bits.png", (struct png){ 10000, 10000, 1, 0, 1, 0 }, "gives [1,1,10000,10000]");
	whole_png("rgba.png", (struct png){ 5000, 5000, 8, 6, 0, 4 }, "gives [1,3,5000,5000]");
	whole_png("rgba16.png", (struct png){ 3500, 3500, 16, 6, 1, 0 }, "gives [1,3,3500,3500]");
	whole_png("palette.png", (struct png){ 5000, 5000, 1, 3, 1, 0 }, "gives [1,3,5000,5000]");
	extra_png("idat.png", "IDAT", "", 0, 1000000000, 1);
	extra_png("text.png", "zTXt", "k\0\0", 3, 1000000000, 1);
	extra_png("texts.png", "zTXt", "k\0\0", 3, 7 << 20, 120);
	extra_png("utf8.png", "iTXt", "k\0\1\0\0\0", 6, 7 << 20, 120);
	extra_png("profile.png", "iCCP", "k\0\0", 3, 1000000000, 1);
	extra_png("chunks.png", "abCd", "", 0, 0, 40000);
}

/* ---- JPEG */

static void segment(struct bytes *b, uint8_t marker, const void *data, size_t n)
{
	const uint8_t h[] = { 0xff, marker, (uint8_t)((n + 2) >> 8), (uint8_t)(n + 2) };

	bytes_add(b, h, sizeof(h));
	bytes_add(b, data, n);
}

/* A picture in gray with tables in which code 0 is "nothing", and eight bits are a run of empty blocks. */
static void jpeg_head(struct bytes *b, uint8_t frame, uint32_t w, uint32_t h)
{
	uint8_t quant[65] = { 0 }, run[17 + 15] = { 0x10, [8] = 15 };
	const uint8_t size[] = { 8, (uint8_t)(h >> 8), (uint8_t)h, (uint8_t)(w >> 8), (uint8_t)w, 1, 1, 0x11, 0 };
	const uint8_t none[] = { 0x00, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0 }, ends[] = { 0x11, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0 };

	memset(quant + 1, 1, 64);
	for (int i = 0; i < 15; i++)
		run[17 + i] = (uint8_t)(i << 4);
	*b = (struct bytes){ 0 };
	bytes_add(b, "\xff\xd8", 2);
	segment(b, 0xdb, quant, sizeof(quant));
	segment(b, frame, size, sizeof(size));
	segment(b, 0xc4, none, sizeof(none));
	segment(b, 0xc4, ends, sizeof(ends));
	segment(b, 0xc4, run, sizeof(run));
}

static void scan(struct bytes *b, uint8_t table, uint8_t from, uint8_t to, uint8_t bits)
{
	const uint8_t s[] = { 1, 1, table, from, to, bits };

	segment(b, 0xda, s, sizeof(s));
}

static void zeros(struct bytes *b, size_t n)
{
	uint8_t *z = calloc(n, 1);

	bytes_add(b, z, n);
	free(z);
}

/* `scans` of one coefficient after the other, bit by bit; all of their blocks are empty. */
static void progressive(char *name, uint32_t side, unsigned scans, const char *text)
{
	uint32_t blocks = (side + 7) / 8 * ((side + 7) / 8);
	struct bytes b;

	jpeg_head(&b, 0xc2, side, side);
	scan(&b, 0x00, 0, 0, 0);
	zeros(&b, (blocks + 7) / 8);
	for (unsigned i = 0; i < scans; i++) {
		uint32_t bit = 13 - i % 14, held = 0, n = 0;

		scan(&b, 0x00, (uint8_t)(1 + i / 14), (uint8_t)(1 + i / 14), (uint8_t)((bit == 13 ? 0 : bit + 1) << 4 | bit));
		for (uint32_t left = blocks, run; left; left -= run) { /* a code of 8 bits, then the run without its highest one */
			uint32_t log = 0;

			while (log < 14 && 2u << log <= left)
				log++;
			run = left < 32767 ? left : 32767;
			held = held << (8 + log) | log << log | (run - (1u << log));
			for (n += 8 + log; n >= 8; n -= 8) {
				uint8_t byte = (uint8_t)(held >> (n - 8));

				bytes_add(&b, &byte, 1);
				if (byte == 0xff)
					bytes_add(&b, "", 1);
			}
		}
		uint8_t last = (uint8_t)(held << (8 - n) | 0xffu >> n);

		if (n)
			bytes_add(&b, &last, 1);
	}
	bytes_add(&b, "\xff\xd9", 2);
	bombs_picture(&b, name, text);
}

void bombs_jpeg(void)
{
	struct bytes b;

	jpeg_head(&b, 0xc0, 65535, 65535);
	scan(&b, 0x01, 0, 63, 0);
	bombs_picture(&b, "huge.jpg", "Maximum supported image dimension");
	jpeg_head(&b, 0xc0, 16000, 6000);
	scan(&b, 0x01, 0, 63, 0);
	bytes_add(&b, "\xff\xd9", 2);
	bombs_picture(&b, "claims.jpg", "premature end");
	jpeg_head(&b, 0xc0, 10000, 10000);
	scan(&b, 0x01, 0, 63, 0);
	zeros(&b, 1250 * 1250 / 4 + 1); /* two bits a block */
	bytes_add(&b, "\xff\xd9", 2);
	bombs_picture(&b, "gray.jpg", "gives [1,1,10000,10000]");
	jpeg_head(&b, 0xc9, 10000, 10000);
	scan(&b, 0x01, 0, 63, 0);
	bombs_picture(&b, "arithmetic.jpg", "arithmetic coding");
	progressive("few.jpg", 160, 254, "gives [1,1,160,160]");
	progressive("scans.jpg", 800, 300, "too many scans");
	progressive("large.jpg", 5760, 254, "too many scans");
}
