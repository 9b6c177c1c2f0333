/* Elementwise loops, included once per instruction set: V(name) names them, TARGET selects the instructions. */
#define LOOP(expr) for (size_t j = 0; j < n; j++) y[j] = (expr)
#define UNARY(name, expr) TARGET static void V(name)(float *restrict y, const float *restrict a, const float *restrict b, \
	const float *restrict c, size_t n) { (void)b; (void)c; LOOP(expr); }
#define BINARY(name, expr) TARGET static void V(name)(float *restrict y, const float *restrict a, const float *restrict b, \
	const float *restrict c, size_t n) { (void)c; LOOP(expr); }

/* exp to 1 ulp: x = n ln 2 + r, a polynomial in r, and 2^n in two factors so that subnormal results are exact. */
TARGET static inline float V(expo)(float x)
{
	float t = x > 89 ? 89 : x < -104 ? -104 : x;
	float k = t * 1.44269504088896341f + 12582912.0f - 12582912.0f;
	float r = (t - k * 0.693359375f) + k * 2.12194440e-4f;
	float p = 1.9875691500e-4f;

	p = p * r + 1.3981999507e-3f;
	p = p * r + 8.3334519073e-3f;
	p = p * r + 4.1665795894e-2f;
	p = p * r + 1.6666665459e-1f;
	p = p * r + 5.0000001201e-1f;
	p = p * r * r + r + 1;
	int32_t e = (int32_t)k, h = e / 2;
	union { int32_t i; float f; } u = { (h + 127) << 23 }, v = { (e - h + 127) << 23 };

	p = p * u.f * v.f;
	return x != x ? x : x > 88.72284f ? __builtin_inff() : p;
}

UNARY(abs, __builtin_fabsf(a[j]))
UNARY(exp, V(expo)(a[j]))
UNARY(log, logf(a[j]))
UNARY(sqrt, __builtin_sqrtf(a[j]))
UNARY(tanh, tanhf(a[j]))
UNARY(sigmoid, 1 / (1 + V(expo)(-a[j])))
UNARY(erf, erff(a[j]))
UNARY(floor, floorf(a[j]))
BINARY(add, a[j] + b[j])
BINARY(sub, a[j] - b[j])
BINARY(mul, a[j] * b[j])
BINARY(div, a[j] / b[j])
BINARY(max, a[j] > b[j] ? a[j] : b[j])
BINARY(min, a[j] < b[j] ? a[j] : b[j])
BINARY(pow, powf(a[j], b[j]))
BINARY(gt, a[j] > b[j] ? 1.0f : 0.0f)
BINARY(ge, a[j] >= b[j] ? 1.0f : 0.0f)
BINARY(eq, a[j] == b[j] ? 1.0f : 0.0f)
TARGET static void V(select)(float *restrict y, const float *restrict a, const float *restrict b, const float *restrict c, size_t n)
{
	for (size_t j = 0; j < n; j++) {
		float p = b[j], q = c[j];

		y[j] = a[j] != 0 ? p : q;
	}
}

static const loop_fn V(table)[INN_OPS] = {
	[INN_OP_ABS] = V(abs), [INN_OP_EXP] = V(exp), [INN_OP_LOG] = V(log), [INN_OP_SQRT] = V(sqrt), [INN_OP_TANH] = V(tanh),
	[INN_OP_SIGMOID] = V(sigmoid), [INN_OP_ERF] = V(erf), [INN_OP_FLOOR] = V(floor), [INN_OP_ADD] = V(add),
	[INN_OP_SUB] = V(sub), [INN_OP_MUL] = V(mul), [INN_OP_DIV] = V(div), [INN_OP_MAX] = V(max), [INN_OP_MIN] = V(min),
	[INN_OP_POW] = V(pow), [INN_OP_GT] = V(gt), [INN_OP_GE] = V(ge), [INN_OP_EQ] = V(eq), [INN_OP_SELECT] = V(select),
};
#undef LOOP
#undef UNARY
#undef BINARY
#undef V
#undef TARGET
