/* npy: one NumPy array. */
#include "npy.h"
#include <string.h>

static int probe(const uint8_t *head, size_t n) { return n >= 6 && !memcmp(head, "\x93NUMPY", 6) ? 100 : 0; }

static int read_tensor(inn_ctx *ctx, struct inn_stream *s, const void *opts, struct inn_tensor *t)
{
	(void)opts;
	return npy_read(ctx, s->path, s->data, s->size, t);
}

static int write_tensor(inn_ctx *ctx, struct inn_stream *s, const void *opts, const struct inn_tensor *t)
{
	(void)opts;
	return npy_write(ctx, s, t);
}

static const char *const suffixes[] = { ".npy", NULL };
static const struct inn_format_ops npy = {
	.cls = INN_HEAD(struct inn_format_ops, INN_FORMAT, "npy", "NumPy arrays", NULL, 0, NULL),
	.suffixes = suffixes,
	.probe = probe,
	.read_tensor = read_tensor,
	.write_tensor = write_tensor,
};

INN_PLUGIN("npy", "1.0.0", "BSD-2-Clause", &npy.cls);
