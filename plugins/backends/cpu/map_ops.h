/* Elementwise loops, included once per instruction set: V(name) names them, TARGET selects the instructions. A to D are elements of the
 * operands. */
#define A a->x[(j & a->mask) + k]
#define B b->x[(j & b->mask) + k]
#define C c->x[(j & c->mask) + k]
#define D d->x[(j & d->mask) + k]
#define LOOP(name, expr)                                                                                                       \
	TARGET static void V(name)(float *restrict y, const struct operand *a, const struct operand *b, const struct operand *c,     \
			    const struct operand *d, size_t n)                                                                 \
	{                                                                                                                      \
		size_t j = 0;                                                                                                  \
                                                                                                                               \
		(void)b;                                                                                                       \
		(void)c;                                                                                                       \
		(void)d;                                                                                                       \
		for (; j + VECTOR <= n; j += VECTOR)                                                                           \
			for (size_t k = 0; k < VECTOR; k++)                                                                    \
				y[j + k] = (expr);                                                                             \
		for (size_t k = 0; j + k < n; k++)                                                                             \
			y[j + k] = (expr);                                                                                     \
	}

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

TARGET static inline float V(pick)(float a, float b, float c) { return a != 0 ? b : c; } /* both are read: no branches */

LOOP(abs, __builtin_fabsf(A))
LOOP(exp, V(expo)(A))
LOOP(log, logf(A))
LOOP(sqrt, __builtin_sqrtf(A))
LOOP(tanh, tanhf(A))
LOOP(sigmoid, 1 / (1 + V(expo)(-A)))
LOOP(erf, erff(A))
LOOP(floor, floorf(A))
LOOP(add, A + B)
LOOP(sub, A - B)
LOOP(mul, A * B)
LOOP(div, A / B)
LOOP(max, A > B ? A : B)
LOOP(min, A < B ? A : B)
LOOP(pow, powf(A, B))
LOOP(gt, A > B ? 1.0f : 0.0f)
LOOP(ge, A >= B ? 1.0f : 0.0f)
LOOP(eq, A == B ? 1.0f : 0.0f)
LOOP(select, V(pick)(A, B, C))

LOOP(add_add, A + B + C)
LOOP(add_mul, (A + B) * C)
LOOP(add_max, A + B > C ? A + B : C)
LOOP(add_div, (A + B) / C)
LOOP(mul_add, A * B + C)
LOOP(mul_mul, A * B * C)
LOOP(mul_div, A * B / C)
LOOP(div_add, C / (A + B))
LOOP(mul_div_add, A * B / (C + D))
LOOP(div_mul, C / (A * B))
LOOP(gt_mul, (A > B ? 1.0f : 0.0f) * C)
LOOP(between, ((A > B) & (B > C) ? 1.0f : 0.0f) * D)
LOOP(guard, A + (A == B ? 1.0f : 0.0f) * C)
LOOP(sign, A + V(pick)(A >= B, C, D))

static const struct pair V(pairs)[] = {
	{ INN_OP_ADD, INN_OP_ADD, 0, V(add_add) }, { INN_OP_ADD, INN_OP_ADD, 1, V(add_add) }, { INN_OP_ADD, INN_OP_MUL, 0, V(add_mul) },
	{ INN_OP_ADD, INN_OP_MUL, 1, V(add_mul) }, { INN_OP_ADD, INN_OP_MAX, 0, V(add_max) }, { INN_OP_ADD, INN_OP_DIV, 0, V(add_div) },
	{ INN_OP_ADD, INN_OP_DIV, 1, V(div_add) }, { INN_OP_MUL, INN_OP_ADD, 0, V(mul_add) }, { INN_OP_MUL, INN_OP_ADD, 1, V(mul_add) },
	{ INN_OP_MUL, INN_OP_MUL, 0, V(mul_mul) }, { INN_OP_MUL, INN_OP_MUL, 1, V(mul_mul) }, { INN_OP_MUL, INN_OP_DIV, 0, V(mul_div) },
	{ INN_OP_MUL, INN_OP_DIV, 1, V(div_mul) }, { INN_OP_GT, INN_OP_MUL, 0, V(gt_mul) }, { INN_OP_GT, INN_OP_MUL, 1, V(gt_mul) }, { 0 },
};
static const struct loops V(loops) = { {
	[INN_OP_ABS] = V(abs), [INN_OP_EXP] = V(exp), [INN_OP_LOG] = V(log), [INN_OP_SQRT] = V(sqrt), [INN_OP_TANH] = V(tanh),
	[INN_OP_SIGMOID] = V(sigmoid), [INN_OP_ERF] = V(erf), [INN_OP_FLOOR] = V(floor), [INN_OP_ADD] = V(add),
	[INN_OP_SUB] = V(sub), [INN_OP_MUL] = V(mul), [INN_OP_DIV] = V(div), [INN_OP_MAX] = V(max), [INN_OP_MIN] = V(min),
	[INN_OP_POW] = V(pow), [INN_OP_GT] = V(gt), [INN_OP_GE] = V(ge), [INN_OP_EQ] = V(eq), [INN_OP_SELECT] = V(select),
}, V(pairs), V(guard), V(sign), V(gt_mul), V(between), V(div_add), V(mul_div_add) };
#undef A
#undef B
#undef C
#undef D
#undef LOOP
#undef V
#undef TARGET
