/* The header is a Python dictionary literal of three keys; it is read as exactly that, nothing is evaluated. */
#include "npy_io.h"
#include <stdio.h>
#include <string.h>

#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
#define NATIVE '<'
#else
#define NATIVE '>'
#endif

static const struct { const char *code; uint32_t dtype; } dtypes[] = {
	{ "f4", INN_F32 }, { "f8", INN_F64 }, { "f2", INN_F16 }, { "i1", INN_I8 }, { "i2", INN_I16 }, { "i4", INN_I32 },
	{ "i8", INN_I64 }, { "u1", INN_U8 }, { "u2", INN_U16 }, { "u4", INN_U32 }, { "u8", INN_U64 }, { "b1", INN_BOOL },
};

struct header {
	struct inn_shape shape;
	uint32_t dtype;
	bool swapped, fortran;
	int have; /* bit 0 descr, 1 fortran_order, 2 shape */
};
struct text { const char *p, *end; };

static void blanks(struct text *s)
{
	while (s->p < s->end && (*s->p == ' ' || *s->p == '\n' || *s->p == '\t' || *s->p == '\r'))
		s->p++;
}

static bool take(struct text *s, char c)
{
	blanks(s);
	if (s->p == s->end || *s->p != c)
		return false;
	s->p++;
	return true;
}

static bool word(struct text *s, const char *w)
{
	size_t n = strlen(w);

	blanks(s);
	if ((size_t)(s->end - s->p) < n || memcmp(s->p, w, n))
		return false;
	s->p += n;
	return true;
}

/* A quoted string without escapes into buf. */
static bool quoted(struct text *s, char *buf, size_t cap)
{
	size_t n = 0;
	char quote;

	blanks(s);
	if (s->p == s->end || (*s->p != '\'' && *s->p != '"'))
		return false;
	for (quote = *s->p++; s->p < s->end && *s->p != quote; s->p++) {
		if (*s->p < ' ' || *s->p == '\\' || *s->p == 127 || n + 1 >= cap)
			return false;
		buf[n++] = *s->p;
	}
	buf[n] = 0;
	return take(s, quote);
}

static bool number(struct text *s, uint32_t *v)
{
	uint64_t n = 0;
	const char *from;

	blanks(s);
	for (from = s->p; s->p < s->end && *s->p >= '0' && *s->p <= '9'; s->p++)
		if ((n = n * 10 + (uint64_t)(*s->p - '0')) > UINT32_MAX)
			return false;
	if (s->p == from)
		return false;
	if (s->p < s->end && *s->p == 'L') /* files of Python 2 */
		s->p++;
	*v = (uint32_t)n;
	return true;
}

static bool shape(struct text *s, struct inn_shape *out)
{
	out->rank = 0;
	if (!take(s, '('))
		return false;
	while (!take(s, ')')) {
		if (out->rank == INN_MAX_RANK || !number(s, &out->dim[out->rank++]))
			return false;
		if (!take(s, ',')) /* (3) is a number, but was written for a shape by some tools */
			return take(s, ')');
	}
	return true;
}

static int element(inn_ctx *ctx, const struct inn_loc *loc, const char *what, struct text *s, struct header *h)
{
	char code[32];

	blanks(s);
	if (s->p < s->end && *s->p == '[')
		return inn_fail(ctx, INN_EUNSUP, loc, "%s holds records of several fields; only plain numbers can be read", what);
	if (!quoted(s, code, sizeof(code)))
		return inn_fail(ctx, INN_EDATA, loc, "%s: the header's descr is no element type", what);
	const char *kind = strchr("<>=|", code[0]) && code[0] ? code + 1 : code;

	if (*kind == 'O')
		return inn_fail(ctx, INN_EUNSUP, loc, "%s holds pickled Python objects, which are never loaded", what);
	for (size_t i = 0; i < sizeof(dtypes) / sizeof(*dtypes); i++)
		if (!strcmp(kind, dtypes[i].code) || (!strcmp(kind, "?") && dtypes[i].dtype == INN_BOOL)) {
			h->dtype = dtypes[i].dtype;
			h->swapped = (code[0] == '<' || code[0] == '>') && code[0] != NATIVE;
			return INN_OK;
		}
	return inn_fail(ctx, INN_EUNSUP, loc, "%s has the element type %s, which cannot be read", what, code);
}

static int parse(inn_ctx *ctx, const struct inn_loc *loc, const char *what, struct text s, struct header *h)
{
	char key[32];
	bool ok = take(&s, '{');

	while (ok && !take(&s, '}')) {
		int bit;

		if (!quoted(&s, key, sizeof(key)) || !take(&s, ':'))
			return inn_fail(ctx, INN_EDATA, loc, "%s: the header is not numpy's dictionary", what);
		bit = !strcmp(key, "descr") ? 1 : !strcmp(key, "fortran_order") ? 2 : !strcmp(key, "shape") ? 4 : 0;
		if (!bit || (h->have & bit))
			return inn_fail(ctx, INN_EDATA, loc, "%s: the header has %s key %s", what, bit ? "twice the" : "the unknown", key);
		h->have |= bit;
		if (bit == 1) {
			int status = element(ctx, loc, what, &s, h);

			if (status < 0)
				return status;
		} else if (bit == 2) {
			h->fortran = word(&s, "True");
			ok = h->fortran || word(&s, "False");
		} else {
			ok = shape(&s, &h->shape);
		}
		if (ok && !take(&s, ',')) {
			ok = take(&s, '}');
			break;
		}
	}
	blanks(&s);
	if (!ok || s.p != s.end || h->have != 7)
		return inn_fail(ctx, INN_EDATA, loc, "%s: the header is incomplete, or its shape is none of at most %u axes", what, INN_MAX_RANK);
	return INN_OK;
}

static void element_copy(uint8_t *to, const uint8_t *from, size_t size, bool swapped)
{
	for (size_t k = 0; k < size; k++)
		to[k] = from[swapped ? size - 1 - k : k];
}

/* Column-major to row-major: walks the result in order and keeps the source's offset. */
static void transpose(uint8_t *to, const uint8_t *from, size_t size, const struct header *h, size_t n)
{
	size_t stride[INN_MAX_RANK], at = 0;
	uint32_t index[INN_MAX_RANK] = { 0 };

	for (uint32_t d = 0; d < h->shape.rank; d++)
		stride[d] = d ? stride[d - 1] * h->shape.dim[d - 1] : 1;
	for (size_t i = 0; i < n; i++) {
		element_copy(to + i * size, from + at * size, size, h->swapped);
		for (uint32_t d = h->shape.rank; d-- > 0;) {
			at += stride[d];
			if (++index[d] < h->shape.dim[d])
				break;
			at -= stride[d] * h->shape.dim[d];
			index[d] = 0;
		}
	}
}

int npy_decode(inn_ctx *ctx, const struct inn_loc *loc, const char *what, const uint8_t *data, size_t size, struct inn_tensor *t)
{
	struct header h = { .have = 0 };
	size_t start, length, n, bytes, unit;
	char buf[INN_SHAPE_STR];
	int status;

	t->data = NULL;
	if (size < 10 || memcmp(data, "\x93NUMPY", 6))
		return inn_fail(ctx, INN_EDATA, loc, "%s is no numpy array", what);
	if (data[6] < 1 || data[6] > 3)
		return inn_fail(ctx, INN_EUNSUP, loc, "%s has the unknown format version %u.%u", what, data[6], data[7]);
	start = data[6] == 1 ? 10 : 12;
	length = (size_t)data[8] | (size_t)data[9] << 8;
	if (start == 12 && size >= 12)
		length |= (size_t)data[10] << 16 | (size_t)data[11] << 24;
	if (size < start || size - start < length)
		return inn_fail(ctx, INN_EDATA, loc, "%s is cut off within its header", what);
	status = parse(ctx, loc, what, (struct text){ (const char *)data + start, (const char *)data + start + length }, &h);
	if (status < 0)
		return status;
	start += length;
	unit = inn_dtype_size(h.dtype);
	if (!inn_shape_count(&h.shape, &n) || __builtin_mul_overflow(n, unit, &bytes) || bytes > size - start)
		return inn_fail(ctx, INN_EDATA, loc, "%s is cut off: it is %s of %s, but has %zu bytes of data", what,
				inn_shape_str(&h.shape, buf), inn_dtype_name(h.dtype), size - start);
	*t = (struct inn_tensor){ .shape = h.shape, .dtype = h.dtype };
	if ((status = inn_tensor_alloc(ctx, t)) < 0)
		return status;
	if (h.fortran && h.shape.rank > 1)
		transpose(t->data, data + start, unit, &h, n);
	else if (h.swapped)
		for (size_t i = 0; i < n; i++)
			element_copy((uint8_t *)t->data + i * unit, data + start + i * unit, unit, true);
	else if (n)
		memcpy(t->data, data + start, bytes);
	for (size_t i = 0; h.dtype == INN_BOOL && i < n; i++)
		((uint8_t *)t->data)[i] = ((uint8_t *)t->data)[i] != 0;
	return INN_OK;
}

size_t npy_header(const struct inn_tensor *t, char buf[NPY_HEADER_MAX])
{
	const char *code = NULL;
	size_t n = 10, end;

	for (size_t i = 0; i < sizeof(dtypes) / sizeof(*dtypes); i++)
		if (dtypes[i].dtype == t->dtype)
			code = dtypes[i].code;
	if (!code || t->shape.rank > INN_MAX_RANK)
		return 0;
	n += (size_t)snprintf(buf + n, NPY_HEADER_MAX - n, "{'descr': '%c%s', 'fortran_order': False, 'shape': (",
			      code[1] == '1' ? '|' : NATIVE, code);
	for (uint32_t d = 0; d < t->shape.rank; d++)
		n += (size_t)snprintf(buf + n, NPY_HEADER_MAX - n, t->shape.rank == 1 ? "%u," : d ? ", %u" : "%u", t->shape.dim[d]);
	n += (size_t)snprintf(buf + n, NPY_HEADER_MAX - n, "), }");
	end = (n + 64) / 64 * 64;
	memset(buf + n, ' ', end - n);
	buf[end - 1] = '\n';
	memcpy(buf, "\x93NUMPY\x01", 8);
	buf[8] = (char)((end - 10) & 255);
	buf[9] = (char)((end - 10) >> 8);
	return end;
}

const struct inn_tensor *npy_storable(inn_ctx *ctx, const struct inn_tensor *t, struct inn_tensor *made)
{
	made->data = NULL;
	if (t->dtype != INN_BF16)
		return t;
	return inn_tensor_convert(ctx, t, INN_F32, made) < 0 ? NULL : made;
}
