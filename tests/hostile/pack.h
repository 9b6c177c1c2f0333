/* Bytes that grow, and data packed by deflate without ever being there unpacked. */
#ifndef HOSTILE_PACK_H
#define HOSTILE_PACK_H
#include <stddef.h>
#include <stdint.h>

struct bytes { uint8_t *p; size_t n, cap; };
void bytes_add(struct bytes *b, const void *p, size_t n);
void bytes_be32(struct bytes *b, uint32_t v);
void bytes_le(struct bytes *b, uint64_t v, int n); /* n bytes, the lowest first */
void bytes_print(struct bytes *b, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void bytes_store(const struct bytes *b, const char *path);
void bytes_free(struct bytes *b);

enum pack { PACK_RAW, PACK_ZLIB, PACK_GZIP };
/* Appends the packed form of `head` and `times` times `pattern`; gives the CRC-32 of what was packed. */
uint32_t pack(struct bytes *b, enum pack how, const void *head, size_t n_head, const void *pattern, size_t n, uint64_t times);
uint32_t pack_zeros(struct bytes *b, enum pack how, const void *head, size_t n_head, uint64_t zeros);
uint32_t pack_crc(uint32_t crc, const void *p, size_t n);
#endif
