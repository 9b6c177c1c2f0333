/* What .npz needs of zip archives. */
#ifndef ZIP_H
#define ZIP_H

#include <innvestigate/plugin.h>

struct zip_member {
	char *name;          /* checked: printable, no path, no repetition; by inn_alloc */
	uint32_t crc, method;
	uint64_t size, stored, header; /* unpacked, packed, offset of the local header */
};
/* Gives the members in the archive's order, by inn_alloc. */
int zip_list(inn_ctx *ctx, const struct inn_stream *s, struct zip_member **m, uint32_t *n) INN_MUST;
/* Gives the member's bytes: within the file (*heap NULL) or in *heap, to be freed. The checksum was compared. */
int zip_member(inn_ctx *ctx, const struct inn_stream *s, const struct zip_member *m, const uint8_t **data, uint8_t **heap) INN_MUST;

struct zip_part { const void *data; size_t size; };
/* Appends one stored member made of parts, and keeps in m what zip_close needs. */
int zip_put(inn_ctx *ctx, struct inn_stream *s, const char *name, const struct zip_part *part, uint32_t parts, struct zip_member *m) INN_MUST;
int zip_close(inn_ctx *ctx, struct inn_stream *s, const struct zip_member *m, uint32_t n) INN_MUST;

#endif
