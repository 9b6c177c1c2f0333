#include "arrays.h"
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { F32 = 1, U8, I8, U16, I16, I32, I64, TEXT, BOOL, F16, F64, U32, U64, BF16 = 16 };

bool is_float(int type) { return type == F32 || type == F16 || type == F64 || type == BF16; }

unsigned char *read_file(const char *path, size_t *n)
{
	FILE *f = fopen(path, "rb");
	unsigned char *p = NULL;
	long size;

	if (f && !fseek(f, 0, SEEK_END) && (size = ftell(f)) >= 0 && !fseek(f, 0, SEEK_SET) && (p = malloc((size_t)size + 1)))
		*n = fread(p, 1, (size_t)size, f);
	if (f)
		fclose(f);
	return p;
}

static double half(uint16_t h)
{
	int exponent = h >> 10 & 31;
	double m = h & 1023, v = exponent ? ldexp(1024 + m, exponent - 25) : ldexp(m, -24);

	if (exponent == 31)
		v = m > 0 ? (double)NAN : (double)INFINITY;
	return h >> 15 ? -v : v;
}

static double bfloat(uint16_t h)
{
	uint32_t u = (uint32_t)h << 16;
	float f;

	memcpy(&f, &u, 4);
	return (double)f;
}

/* Element i of raw bytes. */
static double raw_value(const unsigned char *p, int type, size_t i)
{
#define AS(T) { T v; memcpy(&v, p + i * sizeof(v), sizeof(v)); return (double)v; }
	uint16_t h;

	switch (type) {
	case F32: AS(float)
	case F64: AS(double)
	case U8: case BOOL: AS(uint8_t)
	case I8: AS(int8_t)
	case U16: AS(uint16_t)
	case I16: AS(int16_t)
	case I32: AS(int32_t)
	case U32: AS(uint32_t)
	case U64: AS(uint64_t)
	case I64: AS(int64_t)
	default:
		memcpy(&h, p + 2 * i, 2);
		return type == F16 ? half(h) : bfloat(h);
	}
#undef AS
}

static size_t width(int type)
{
	static const size_t size[17] = { 0, 4, 1, 1, 2, 2, 4, 8, 0, 1, 2, 8, 4, 8, 0, 0, 2 };

	return type > 0 && type < 17 ? size[type] : 0;
}

/* Element i of the field in which the type is kept; false if it is not there. */
static bool typed_value(const Onnx__TensorProto *t, size_t i, double *v)
{
	switch (t->data_type) {
	case F32: *v = i < t->n_float_data ? (double)t->float_data[i] : 0; return i < t->n_float_data;
	case F64: *v = i < t->n_double_data ? t->double_data[i] : 0; return i < t->n_double_data;
	case I64: *v = i < t->n_int64_data ? (double)t->int64_data[i] : 0; return i < t->n_int64_data;
	case U32: case U64: *v = i < t->n_uint64_data ? (double)t->uint64_data[i] : 0; return i < t->n_uint64_data;
	case F16: *v = i < t->n_int32_data ? half((uint16_t)t->int32_data[i]) : 0; return i < t->n_int32_data;
	case BF16: *v = i < t->n_int32_data ? bfloat((uint16_t)t->int32_data[i]) : 0; return i < t->n_int32_data;
	default: *v = i < t->n_int32_data ? t->int32_data[i] : 0; return i < t->n_int32_data;
	}
}

static bool take(const Onnx__TensorProto *t, struct array *a)
{
	bool ok = t->n_dims <= 16 && width(t->data_type);

	*a = (struct array){ .rank = t->n_dims, .n = 1, .type = t->data_type };
	for (size_t d = 0; ok && d < t->n_dims; d++)
		a->n *= a->dim[d] = (size_t)t->dims[d];
	ok = ok && (!t->has_raw_data || t->raw_data.len == a->n * width(a->type)) && (a->v = calloc(a->n + 1, sizeof(double)));
	for (size_t i = 0; ok && i < a->n; i++) {
		if (t->has_raw_data)
			a->v[i] = raw_value(t->raw_data.data, a->type, i);
		else
			ok = typed_value(t, i, &a->v[i]);
	}
	return ok;
}

bool read_tensor(const char *path, int declared, struct array *a)
{
	size_t n;
	unsigned char *p = read_file(path, &n);
	Onnx__TensorProto *t = p ? onnx__tensor_proto__unpack(NULL, n, p) : NULL;
	if (t && t->data_type == U16 && declared == BF16)
		t->data_type = BF16;
	bool ok = t && take(t, a);

	if (t)
		onnx__tensor_proto__free_unpacked(t, NULL);
	free(p);
	return ok;
}

bool write_npy(const char *path, const struct array *a)
{
	static const char *const descr[17] = { "", "<f4", "|u1", "|i1", "<u2", "<i2", "<i4", "<i8", "", "|b1", "<f8", "<f8", "<u4", "<u8", "", "", "<f8" };
	char head[512] = "\x93NUMPY\x01\0v\0";
	int at = snprintf(head + 10, 256, "{'descr': '%s', 'fortran_order': False, 'shape': (", descr[a->type]);
	FILE *f = fopen(path, "wb");

	for (size_t d = 0; d < a->rank; d++)
		at += snprintf(head + 10 + at, 24, "%zu,", a->dim[d]);
	at += snprintf(head + 10 + at, 8, ")}");
	memset(head + 10 + at, ' ', (size_t)(374 - at));
	head[8] = (char)(374 & 255);
	head[9] = 374 >> 8;
	head[10 + 373] = '\n';
	bool ok = f && fwrite(head, 1, 384, f) == 384;

	for (size_t i = 0; ok && i < a->n; i++) {
		double v = a->v[i];
		float small = (float)v;
		int64_t whole = is_float(a->type) ? 0 : (int64_t)v; /* little-endian: its first bytes are the narrower integer */

		ok = a->type == F32 ? fwrite(&small, 4, 1, f) : is_float(a->type) ? fwrite(&v, 8, 1, f) : fwrite(&whole, width(a->type), 1, f);
	}
	return (!f || !fclose(f)) && ok;
}

static uint32_t little(const unsigned char *p, int bytes)
{
	uint32_t v = 0;

	for (int i = bytes; i-- > 0;)
		v = v << 8 | p[i];
	return v;
}

static bool parse_npy(const unsigned char *p, size_t n, struct array *a)
{
	char text[1024] = "", *at;
	size_t head = n > 10 ? little(p + 8, 2) : SIZE_MAX;

	if (head > sizeof(text) - 1 || head + 10 > n)
		return false;
	memcpy(text, p + 10, head);
	*a = (struct array){ .n = 1, .type = F32 };
	if (!strstr(text, "'<f4'") || !(at = strstr(text, "'shape': (")))
		return false;
	for (at += 10; *at && *at != ')' && a->rank < 16;) {
		a->dim[a->rank] = strtoul(at, &at, 10);
		a->n *= a->dim[a->rank++];
		at += strspn(at, ", ");
	}
	if (10 + head + 4 * a->n != n || !(a->v = calloc(a->n + 1, sizeof(double))))
		return false;
	for (size_t i = 0; i < a->n; i++)
		a->v[i] = raw_value(p + 10 + head, F32, i);
	return true;
}

bool read_member(const unsigned char *zip, size_t n, const char *name, struct array *a)
{
	for (size_t at = 0; at + 30 < n && little(zip + at, 4) == 0x04034b50;) {
		size_t size = little(zip + at + 22, 4), len = little(zip + at + 26, 2), body = at + 30 + len + little(zip + at + 28, 2);

		if (body + size > n)
			return false;
		if (len == strlen(name) + 4 && !memcmp(zip + at + 30, name, len - 4))
			return parse_npy(zip + body, size, a);
		at = body + size;
	}
	return false;
}
