/* Element types and conversion between them. All loads and stores go through memcpy: mapped files are unaligned. */
#include <innvestigate/base.h>
#include <math.h>
#include <string.h>

#define CHUNK 256

static const struct { const char *name; size_t size; } types[INN_DTYPES] = {
	[INN_F32] = { "float32", 4 }, [INN_F64] = { "float64", 8 }, [INN_F16] = { "float16", 2 },
	[INN_BF16] = { "bfloat16", 2 }, [INN_I8] = { "int8", 1 }, [INN_I16] = { "int16", 2 },
	[INN_I32] = { "int32", 4 }, [INN_I64] = { "int64", 8 }, [INN_U8] = { "uint8", 1 },
	[INN_U16] = { "uint16", 2 }, [INN_U32] = { "uint32", 4 }, [INN_U64] = { "uint64", 8 },
	[INN_BOOL] = { "bool", 1 },
};

size_t inn_dtype_size(uint32_t dtype)
{
	return dtype < INN_DTYPES ? types[dtype].size : 0;
}

const char *inn_dtype_name(uint32_t dtype)
{
	return dtype < INN_DTYPES ? types[dtype].name : "unknown";
}

/* ---- 16-bit floats with `m` mantissa bits and exponent bias `bias` */

static double from_half(uint16_t h, int m, int bias)
{
	int exponent = (h & 0x7fff) >> m, mantissa = h & ((1 << m) - 1);
	double v;

	if (exponent == 2 * bias + 1)
		v = mantissa ? NAN : INFINITY;
	else if (exponent)
		v = ldexp((1 << m) + mantissa, exponent - bias - m);
	else
		v = ldexp(mantissa, 1 - bias - m);
	return h & 0x8000 ? -v : v;
}

/* Rounds once, to nearest even, from the double: a step through float would round twice. */
static uint16_t to_half(double v, int m, int bias)
{
	uint16_t sign = signbit(v) ? 0x8000 : 0, inf = (uint16_t)((2 * bias + 1) << m);
	int exponent;
	double scaled;

	if (isnan(v))
		return (uint16_t)(sign | inf | 1 << (m - 1));
	v = fabs(v);
	if (isinf(v))
		return sign | inf;
	if (v == 0)
		return sign;
	frexp(v, &exponent); /* v = f * 2^exponent, f in [0.5, 1) */
	if (exponent > bias + 1)
		return sign | inf;
	if (exponent < 2 - bias) /* subnormal; rounding up to the least normal gives the right bits too */
		return (uint16_t)(sign | (uint16_t)nearbyint(ldexp(v, bias - 1 + m)));
	scaled = nearbyint(ldexp(v, m + 1 - exponent)); /* in [2^m, 2^(m+1)] */
	return (uint16_t)(sign | (((exponent - 2 + bias) << m) + (int)scaled));
}

/* ---- integers */

static int64_t to_int(double v, double low, double high)
{
	if (isnan(v))
		return 0;
	v = nearbyint(v);
	return v <= low ? (int64_t)low : v >= high ? (int64_t)high : (int64_t)v;
}

static int64_t to_i64(double v)
{
	if (isnan(v))
		return 0;
	v = nearbyint(v);
	return v >= 0x1p63 ? INT64_MAX : v < -0x1p63 ? INT64_MIN : (int64_t)v;
}

static uint64_t to_u64(double v)
{
	if (isnan(v))
		return 0;
	v = nearbyint(v);
	return v >= 0x1p64 ? UINT64_MAX : v <= 0 ? 0 : (uint64_t)v;
}

static bool is_int(uint32_t dtype)
{
	return dtype >= INN_I8 && dtype <= INN_BOOL;
}

/* Integers as a sign and 64 bits: `neg` says that the bits are a negative int64. */
static uint64_t load_int(const char *p, uint32_t dtype, bool *neg)
{
	int64_t v = 0;
	uint64_t u = 0;

#define LOAD(code, type) case code: { type x; memcpy(&x, p, sizeof(x)); v = (int64_t)x; break; }
	switch (dtype) {
	LOAD(INN_I8, int8_t) LOAD(INN_I16, int16_t) LOAD(INN_I32, int32_t) LOAD(INN_I64, int64_t)
	LOAD(INN_U8, uint8_t) LOAD(INN_U16, uint16_t) LOAD(INN_U32, uint32_t) LOAD(INN_BOOL, uint8_t)
	case INN_U64:
		memcpy(&u, p, sizeof(u));
		*neg = false;
		return u;
	}
#undef LOAD
	*neg = v < 0;
	return (uint64_t)v;
}

static void store_int(char *p, uint32_t dtype, uint64_t u, bool neg)
{
	int64_t v = (int64_t)u;

#define SIGNED(code, type, lo, hi) case code: { \
	type x = neg ? (v < (lo) ? (lo) : (type)v) : (u > (uint64_t)(hi) ? (hi) : (type)u); memcpy(p, &x, sizeof(x)); break; }
#define UNSIGNED(code, type, hi) case code: { type x = neg ? 0 : u > (hi) ? (hi) : (type)u; memcpy(p, &x, sizeof(x)); break; }
	switch (dtype) {
	SIGNED(INN_I8, int8_t, INT8_MIN, INT8_MAX) SIGNED(INN_I16, int16_t, INT16_MIN, INT16_MAX)
	SIGNED(INN_I32, int32_t, INT32_MIN, INT32_MAX) SIGNED(INN_I64, int64_t, INT64_MIN, INT64_MAX)
	UNSIGNED(INN_U8, uint8_t, UINT8_MAX) UNSIGNED(INN_U16, uint16_t, UINT16_MAX)
	UNSIGNED(INN_U32, uint32_t, UINT32_MAX) UNSIGNED(INN_U64, uint64_t, UINT64_MAX)
	case INN_BOOL:
		*p = u != 0;
		break;
	}
#undef SIGNED
#undef UNSIGNED
}

/* ---- through double */

static void load(const char *p, uint32_t dtype, double *v, size_t n)
{
#define LOAD(code, type, expr) case code: \
	for (size_t i = 0; i < n; i++) { type x; memcpy(&x, p + i * sizeof(x), sizeof(x)); v[i] = (double)(expr); } break;
	switch (dtype) {
	LOAD(INN_F32, float, x) LOAD(INN_F64, double, x)
	LOAD(INN_F16, uint16_t, from_half(x, 10, 15)) LOAD(INN_BF16, uint16_t, from_half(x, 7, 127))
	LOAD(INN_I8, int8_t, x) LOAD(INN_I16, int16_t, x) LOAD(INN_I32, int32_t, x) LOAD(INN_I64, int64_t, x)
	LOAD(INN_U8, uint8_t, x) LOAD(INN_U16, uint16_t, x) LOAD(INN_U32, uint32_t, x) LOAD(INN_U64, uint64_t, x)
	LOAD(INN_BOOL, uint8_t, x != 0)
	}
#undef LOAD
}

static void store(char *p, uint32_t dtype, const double *v, size_t n)
{
#define STORE(code, type, expr) case code: \
	for (size_t i = 0; i < n; i++) { type x = (type)(expr); memcpy(p + i * sizeof(x), &x, sizeof(x)); } break;
	switch (dtype) {
	STORE(INN_F32, float, v[i]) STORE(INN_F64, double, v[i])
	STORE(INN_F16, uint16_t, to_half(v[i], 10, 15)) STORE(INN_BF16, uint16_t, to_half(v[i], 7, 127))
	STORE(INN_I8, int8_t, to_int(v[i], INT8_MIN, INT8_MAX)) STORE(INN_I16, int16_t, to_int(v[i], INT16_MIN, INT16_MAX))
	STORE(INN_I32, int32_t, to_int(v[i], INT32_MIN, INT32_MAX)) STORE(INN_I64, int64_t, to_i64(v[i]))
	STORE(INN_U8, uint8_t, to_int(v[i], 0, UINT8_MAX)) STORE(INN_U16, uint16_t, to_int(v[i], 0, UINT16_MAX))
	STORE(INN_U32, uint32_t, to_int(v[i], 0, UINT32_MAX)) STORE(INN_U64, uint64_t, to_u64(v[i]))
	STORE(INN_BOOL, uint8_t, v[i] != 0)
	}
#undef STORE
}

void inn_convert(const void *in, uint32_t in_dtype, void *out, uint32_t out_dtype, size_t n)
{
	size_t from = inn_dtype_size(in_dtype), to = inn_dtype_size(out_dtype);
	const char *p = in;
	char *q = out;
	double v[CHUNK];
	bool neg;

	if (!n || !from || !to)
		return;
	if (in_dtype == out_dtype && in_dtype != INN_BOOL) {
		memcpy(out, in, n * from);
		return;
	}
	if (is_int(in_dtype) && is_int(out_dtype)) { /* 64-bit integers do not fit a double */
		for (size_t i = 0; i < n; i++) {
			uint64_t u = load_int(p + i * from, in_dtype, &neg);

			store_int(q + i * to, out_dtype, u, neg);
		}
		return;
	}
	for (size_t i = 0; i < n; i += CHUNK) {
		size_t part = n - i < CHUNK ? n - i : CHUNK;

		load(p + i * from, in_dtype, v, part);
		store(q + i * to, out_dtype, v, part);
	}
}

double inn_tensor_real(const struct inn_tensor *t, size_t i)
{
	double v = 0;

	load((const char *)t->data + i * inn_dtype_size(t->dtype), t->dtype, &v, 1);
	return v;
}

int64_t inn_tensor_int(const struct inn_tensor *t, size_t i)
{
	bool neg = false;
	uint64_t u;

	if (!is_int(t->dtype))
		return to_i64(trunc(inn_tensor_real(t, i)));
	u = load_int((const char *)t->data + i * inn_dtype_size(t->dtype), t->dtype, &neg);
	return !neg && u > INT64_MAX ? INT64_MAX : (int64_t)u;
}
