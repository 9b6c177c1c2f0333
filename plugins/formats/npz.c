/* npz: several named numpy arrays, a zip archive of .npy members. */
#include "npy_io.h"
#include "zip.h"
#include <stdlib.h>
#include <string.h>

static int probe(const uint8_t *head, size_t n)
{
	return n >= 4 && (!memcmp(head, "PK\3\4", 4) || !memcmp(head, "PK\5\6", 4)) ? 50 : 0;
}

static int decode(inn_ctx *ctx, struct inn_stream *s, const struct zip_member *m, struct inn_tensor *t)
{
	struct inn_loc loc = { .file = s->path };
	const uint8_t *data;
	uint8_t *heap;
	int status = zip_member(ctx, s, m, &data, &heap);

	if (status == INN_OK)
		status = npy_decode(ctx, &loc, m->name, data, (size_t)m->size, t);
	free(heap);
	return status;
}

static int read_named(inn_ctx *ctx, struct inn_stream *s, const void *opts, struct inn_named **out, uint32_t *n)
{
	struct inn_loc loc = { .file = s->path };
	struct zip_member *m;
	uint32_t count;
	int status = zip_list(ctx, s, &m, &count);

	(void)opts;
	if (status < 0)
		return status;
	struct inn_named *v = inn_alloc(ctx, count ? count : 1, sizeof(*v));

	if (!v)
		return INN_ENOMEM;
	for (uint32_t i = 0; status == INN_OK && i < count; i++) {
		size_t length = strlen(m[i].name);

		if (length < 5 || strcmp(m[i].name + length - 4, ".npy"))
			status = inn_fail(ctx, INN_EDATA, &loc, "member %s is no .npy array", m[i].name);
		else
			status = decode(ctx, s, &m[i], &v[i].t);
		m[i].name[length - 4 * (length > 4)] = 0;
		v[i].name = m[i].name;
	}
	for (uint32_t i = 0; status < 0 && i < count; i++)
		inn_tensor_free(&v[i].t);
	if (status == INN_OK) {
		*out = v;
		*n = count;
	}
	return status;
}

static int read_tensor(inn_ctx *ctx, struct inn_stream *s, const void *opts, struct inn_tensor *t)
{
	struct inn_loc loc = { .file = s->path };
	struct zip_member *m;
	uint32_t n;
	int status = zip_list(ctx, s, &m, &n);

	(void)opts;
	if (status < 0)
		return status;
	if (n != 1)
		return inn_fail(ctx, INN_EDATA, &loc, "the archive holds %u arrays, one is expected", n);
	return decode(ctx, s, &m[0], t);
}

static int put(inn_ctx *ctx, struct inn_stream *s, const struct inn_named *v, struct zip_member *m)
{
	struct inn_loc loc = { .file = s->path };
	struct inn_tensor made;
	char head[NPY_HEADER_MAX];
	const struct inn_tensor *t = npy_storable(ctx, &v->t, &made);
	size_t length = t ? npy_header(t, head) : 0, n;
	char *name = inn_printf(ctx, "%s.npy", v->name);
	int status = INN_ENOMEM;

	if (name) /* nested names of networks ("block/conv:0") must not become paths */
		for (char *c = name; *c; c++)
			*c = *c == '/' || *c == '\\' || *c == ':' ? '_' : *c;
	if (t && (!length || !inn_shape_count(&t->shape, &n)))
		status = inn_fail(ctx, INN_EUNSUP, &loc, "numpy has no element type %s", inn_dtype_name(t->dtype));
	else if (t && name && strlen(name) > 255)
		status = inn_fail(ctx, INN_ELIMIT, &loc, "the name of an array is longer than 250 bytes");
	else if (t && name)
		status = zip_put(ctx, s, name, (struct zip_part[]){ { head, length }, { t->data, n * inn_dtype_size(t->dtype) } }, 2, m);
	inn_tensor_free(&made);
	return status;
}

static int write_named(inn_ctx *ctx, struct inn_stream *s, const void *opts, const struct inn_named *v, uint32_t n)
{
	struct inn_loc loc = { .file = s->path };
	struct zip_member *m = inn_alloc(ctx, n ? n : 1, sizeof(*m));
	int status = m ? INN_OK : INN_ENOMEM;

	(void)opts;
	if (n > 65534)
		return inn_fail(ctx, INN_ELIMIT, &loc, "more than 65534 arrays in one archive");
	for (uint32_t i = 0; status == INN_OK && i < n; i++) {
		status = put(ctx, s, &v[i], &m[i]);
		for (uint32_t k = 0; status == INN_OK && k < i; k++)
			if (!strcmp(m[k].name, m[i].name))
				status = inn_fail(ctx, INN_EDATA, &loc, "two arrays are named %s", m[i].name);
	}
	return status < 0 ? status : zip_close(ctx, s, m, n);
}

static int write_tensor(inn_ctx *ctx, struct inn_stream *s, const void *opts, const struct inn_tensor *t)
{
	struct inn_named one = { .name = "arr_0", .t = *t };

	return write_named(ctx, s, opts, &one, 1);
}

static const char *const suffixes[] = { ".npz", NULL };
static const struct inn_format_ops npz = {
	.cls = INN_HEAD(struct inn_format_ops, INN_FORMAT, "npz", "archive of named numpy arrays", NULL, 0, NULL),
	.suffixes = suffixes,
	.probe = probe,
	.read_tensor = read_tensor,
	.read_named = read_named,
	.write_tensor = write_tensor,
	.write_named = write_named,
};

INN_PLUGIN("npz", "1.0.0", "BSD-2-Clause", &npz.cls);
