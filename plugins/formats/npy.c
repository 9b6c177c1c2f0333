/* npy: one numpy array a file. */
#include "npy_io.h"
#include <string.h>

static int probe(const uint8_t *head, size_t n)
{
	return n >= 6 && !memcmp(head, "\x93NUMPY", 6) ? 100 : 0;
}

static int read_tensor(inn_ctx *ctx, struct inn_stream *s, const void *opts, struct inn_tensor *t)
{
	struct inn_loc loc = { .file = s->path };

	(void)opts;
	return npy_decode(ctx, &loc, "the file", s->data, s->size, t);
}

static int write_tensor(inn_ctx *ctx, struct inn_stream *s, const void *opts, const struct inn_tensor *t)
{
	struct inn_loc loc = { .file = s->path };
	struct inn_tensor made;
	char head[NPY_HEADER_MAX];
	const struct inn_tensor *out = npy_storable(ctx, t, &made);
	size_t length = out ? npy_header(out, head) : 0, n;
	int status = INN_ENOMEM;

	(void)opts;
	if (out && (!length || !inn_shape_count(&out->shape, &n)))
		status = inn_fail(ctx, INN_EUNSUP, &loc, "numpy has no element type %s", inn_dtype_name(out->dtype));
	else if (out && (status = inn_stream_put(ctx, s, head, length)) == INN_OK && n)
		status = inn_stream_put(ctx, s, out->data, n * inn_dtype_size(out->dtype));
	inn_tensor_free(&made);
	return status;
}

static const char *const suffixes[] = { ".npy", NULL };
static const struct inn_format_ops npy = {
	.cls = INN_HEAD(struct inn_format_ops, INN_FORMAT, "npy", "numpy array", NULL, 0, NULL),
	.suffixes = suffixes,
	.probe = probe,
	.read_tensor = read_tensor,
	.write_tensor = write_tensor,
};

INN_PLUGIN("npy", "1.0.0", "BSD-2-Clause", &npy.cls);
