/* The .npy format, shared by npy and npz: every plain number type, both byte orders, both storage orders. */
#ifndef FORMATS_NPY_H
#define FORMATS_NPY_H
#include <innvestigate/plugin.h>

/* Reads one array from n bytes; gives heap memory. `name` stands for it in messages. */
int npy_read(inn_ctx *ctx, const char *name, const uint8_t *data, size_t n, struct inn_tensor *t) INN_MUST;
/* Appends one array, version 1.0, little-endian, C order. */
int npy_write(inn_ctx *ctx, struct inn_stream *s, const struct inn_tensor *t) INN_MUST;
#endif
