/* Shapes and host tensors. */
#include <innvestigate/base.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

bool inn_shape_count(const struct inn_shape *s, size_t *n)
{
	bool empty = false, fits = true;
	size_t count = 1;

	if (s->rank > INN_MAX_RANK)
		return false;
	for (uint32_t i = 0; i < s->rank; i++) {
		empty |= !s->dim[i];
		fits = fits && !__builtin_mul_overflow(count, (size_t)s->dim[i], &count);
	}
	*n = empty ? 0 : count;
	return empty || fits;
}

bool inn_shape_eq(const struct inn_shape *a, const struct inn_shape *b)
{
	if (a->rank != b->rank || a->rank > INN_MAX_RANK)
		return false;
	for (uint32_t i = 0; i < a->rank; i++)
		if (a->dim[i] != b->dim[i])
			return false;
	return true;
}

const char *inn_shape_str(const struct inn_shape *s, char buf[INN_SHAPE_STR])
{
	size_t n = 0;

	buf[n++] = '[';
	for (uint32_t i = 0; i < s->rank && i < INN_MAX_RANK; i++)
		n += (size_t)snprintf(buf + n, INN_SHAPE_STR - n, i ? ",%u" : "%u", s->dim[i]);
	buf[n++] = ']';
	buf[n] = 0;
	return buf;
}

bool inn_shape_broadcast(const struct inn_shape *a, const struct inn_shape *b, struct inn_shape *out)
{
	struct inn_shape r = { .rank = a->rank > b->rank ? a->rank : b->rank };

	if (r.rank > INN_MAX_RANK)
		return false;
	for (uint32_t i = 0; i < r.rank; i++) { /* aligned at the last axis */
		uint32_t back = r.rank - i;
		uint32_t da = back <= a->rank ? a->dim[a->rank - back] : 1;
		uint32_t db = back <= b->rank ? b->dim[b->rank - back] : 1;

		if (da != db && da != 1 && db != 1)
			return false;
		r.dim[i] = da == 1 ? db : da;
	}
	*out = r;
	return true;
}

int inn_tensor_alloc(inn_ctx *ctx, struct inn_tensor *out)
{
	size_t n, bytes, size = inn_dtype_size(out->dtype);
	char buf[INN_SHAPE_STR];

	out->data = NULL;
	if (!size)
		return inn_fail(ctx, INN_EBUG, NULL, "a tensor has the unknown element type %u", out->dtype);
	if (!inn_shape_count(&out->shape, &n) || __builtin_mul_overflow(n, size, &bytes) || bytes > PTRDIFF_MAX)
		return inn_fail(ctx, INN_ELIMIT, NULL, "a tensor of shape %s is too large", inn_shape_str(&out->shape, buf));
	out->data = calloc(bytes ? bytes : 1, 1);
	return out->data ? INN_OK : inn_nomem(ctx);
}

void inn_tensor_free(struct inn_tensor *t)
{
	if (!t)
		return;
	free(t->data);
	t->data = NULL;
}

int inn_tensor_convert(inn_ctx *ctx, const struct inn_tensor *in, uint32_t dtype, struct inn_tensor *out)
{
	struct inn_tensor made = { .shape = in->shape, .dtype = dtype };
	size_t n;
	int status;

	if (!inn_dtype_size(in->dtype))
		return inn_fail(ctx, INN_EBUG, NULL, "a tensor has the unknown element type %u", in->dtype);
	status = inn_tensor_alloc(ctx, &made);
	if (status)
		return status;
	if (inn_shape_count(&in->shape, &n) && n)
		inn_convert(in->data, in->dtype, made.data, dtype, n);
	*out = made;
	return INN_OK;
}

/* How many elements from the start are certainly finite: whole runs of f32 in which no exponent is all ones. */
static size_t finite_runs(const struct inn_tensor *t, size_t n)
{
	enum { RUN = 1024 };
	const char *p = t->data;
	size_t i = 0;

	for (; t->dtype == INN_F32 && i + RUN <= n; i += RUN) {
		uint32_t bad = 0, v[RUN];

		memcpy(v, p + i * sizeof(*v), sizeof(v));
		for (uint32_t k = 0; k < RUN; k++)
			bad |= (v[k] & 0x7f800000u) == 0x7f800000u;
		if (bad)
			break;
	}
	return i;
}

size_t inn_tensor_nonfinite(const struct inn_tensor *t)
{
	size_t n;

	if (t->dtype > INN_BF16 || !inn_shape_count(&t->shape, &n))
		return SIZE_MAX;
	for (size_t i = finite_runs(t, n); i < n; i++)
		if (!isfinite(inn_tensor_real(t, i)))
			return i;
	return SIZE_MAX;
}
