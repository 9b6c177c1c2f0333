/* numpy's array files, alone or as members of an archive. */
#ifndef NPY_IO_H
#define NPY_IO_H

#include <innvestigate/plugin.h>

#define NPY_HEADER_MAX 320
/* Gives t in heap memory, native byte order, row-major. `what` names the array in messages. */
int npy_decode(inn_ctx *ctx, const struct inn_loc *loc, const char *what, const uint8_t *data, size_t size, struct inn_tensor *t);
/* The version 1.0 header of t, a multiple of 64 bytes; 0 for an element type that numpy lacks. */
size_t npy_header(const struct inn_tensor *t, char buf[NPY_HEADER_MAX]);
/* t, or a copy in `*made` (to be freed) in an element type that numpy has. NULL after recording. */
const struct inn_tensor *npy_storable(inn_ctx *ctx, const struct inn_tensor *t, struct inn_tensor *made);

#endif
