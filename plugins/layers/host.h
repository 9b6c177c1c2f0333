/* Arithmetic and movement of host tensors, for constant folding. */
#ifndef LAYERS_HOST_H
#define LAYERS_HOST_H
#include "layer.h"

#define FOLD_MAX ((size_t)16 << 20) /* elements of a result */

static inline int host_new(inn_ctx *ctx, const inn_node *n, uint32_t dtype, const struct inn_shape *s, size_t *count, struct inn_tensor *out)
{
	if (s->rank > INN_MAX_RANK || !inn_shape_count(s, count) || *count > FOLD_MAX)
		return inn_fail(ctx, INN_ELIMIT, NULL, "%s (%s): the constant has more than 16777216 elements", inn_node_name(n), inn_node_kind(n));
	*out = (struct inn_tensor){ .shape = *s, .dtype = dtype, .data = inn_alloc(ctx, *count + 1, inn_dtype_size(dtype)) };
	return out->data ? INN_OK : INN_ENOMEM;
}

/* ONNX's number of a data type; INN_DTYPES: not supported. */
static inline uint32_t host_dtype(int64_t to)
{
	static const uint32_t type[17] = { INN_DTYPES, INN_F32, INN_U8, INN_I8, INN_U16, INN_I16, INN_I32, INN_I64, INN_DTYPES, INN_BOOL, INN_F16,
					   INN_F64, INN_U32, INN_U64, INN_DTYPES, INN_DTYPES, INN_BF16 };

	return to >= 0 && to < 17 ? type[to] : INN_DTYPES;
}

static inline bool host_is_float(uint32_t d) { return d == INN_F32 || d == INN_F64 || d == INN_F16 || d == INN_BF16; }

/* The first `need` operands are there. */
static inline bool host_given(inn_ctx *ctx, const inn_node *n, const struct inn_tensor *in, uint32_t n_in, uint32_t need)
{
	for (uint32_t k = 0; k < need; k++)
		if (k >= n_in || !in[k].data)
			return unsupported_in(ctx, n, "an operand is missing"), false;
	return true;
}

static inline void *host_at(const struct inn_tensor *t, size_t i) { return (char *)t->data + i * inn_dtype_size(t->dtype); }

static inline void host_put(struct inn_tensor *t, size_t i, double v) { inn_convert(&v, INN_F64, host_at(t, i), t->dtype, 1); }

static inline void host_put_int(struct inn_tensor *t, size_t i, int64_t v) { inn_convert(&v, INN_I64, host_at(t, i), t->dtype, 1); }

/* out[i0,i1,...] = in[base + sum i_d * step_d]: slices, transposes, broadcasts. */
static inline int host_view(inn_ctx *ctx, const inn_node *n, const struct inn_tensor *in, const struct inn_shape *s, int64_t base,
			    const int64_t *step, struct inn_tensor *out)
{
	uint32_t at[INN_MAX_RANK] = { 0 };
	size_t count, size = inn_dtype_size(in->dtype);
	int status = host_new(ctx, n, in->dtype, s, &count, out);

	for (size_t i = 0; status == INN_OK && i < count; i++) {
		memcpy((char *)out->data + i * size, (const char *)in->data + base * (int64_t)size, size);
		for (uint32_t d = s->rank; d-- > 0;) {
			base += step[d];
			if (++at[d] < s->dim[d])
				break;
			base -= step[d] * s->dim[d];
			at[d] = 0;
		}
	}
	return status;
}

static inline void host_steps(const struct inn_shape *s, int64_t *step)
{
	int64_t n = 1;

	for (uint32_t d = s->rank; d-- > 0; n *= s->dim[d])
		step[d] = n;
}

/* `to` is what `in` broadcasts to. */
static inline int host_expand(inn_ctx *ctx, const inn_node *n, const struct inn_tensor *in, const struct inn_shape *to, struct inn_tensor *out)
{
	int64_t own[INN_MAX_RANK], step[INN_MAX_RANK];
	uint32_t lead = to->rank - in->shape.rank;

	host_steps(&in->shape, own);
	for (uint32_t d = 0; d < to->rank; d++)
		step[d] = d < lead || in->shape.dim[d - lead] == 1 ? 0 : own[d - lead];
	return host_view(ctx, n, in, to, 0, step, out);
}

/* The same elements in another shape of as many elements. */
static inline int host_reshape(inn_ctx *ctx, const inn_node *n, const struct inn_tensor *in, const struct inn_shape *to, struct inn_tensor *out)
{
	char s[2][INN_SHAPE_STR];
	size_t have, want;

	if (!inn_shape_count(&in->shape, &have) || !inn_shape_count(to, &want) || have != want)
		return inn_fail(ctx, INN_ESHAPE, NULL, "%s (%s): %s does not fit into %s", inn_node_name(n), inn_node_kind(n),
				inn_shape_str(&in->shape, s[0]), inn_shape_str(to, s[1]));
	*out = *in;
	out->shape = *to;
	return INN_OK;
}

typedef double (*real_op)(double, double);
typedef bool (*int_op)(int64_t, int64_t, int64_t *); /* false: undefined (division by zero, overflow) */

/* An elementwise operation of two with broadcasting; `dtype` INN_DTYPES: that of the operands. */
static inline int host_binary(inn_ctx *ctx, const inn_node *n, const struct inn_tensor *in, uint32_t n_in, real_op real, int_op whole,
			      uint32_t dtype, struct inn_tensor *out)
{
	struct inn_tensor a, c;
	struct inn_shape s;
	size_t count;
	int status;

	if (!host_given(ctx, n, in, n_in, 2))
		return INN_EUNSUP;
	if (!inn_shape_broadcast(&in[0].shape, &in[1].shape, &s))
		return inn_fail(ctx, INN_ESHAPE, NULL, "%s (%s): the operands do not fit", inn_node_name(n), inn_node_kind(n));
	if ((status = host_expand(ctx, n, &in[0], &s, &a)) < 0 || (status = host_expand(ctx, n, &in[1], &s, &c)) < 0 ||
	    (status = host_new(ctx, n, dtype == INN_DTYPES ? in[0].dtype : dtype, &s, &count, out)) < 0)
		return status;
	for (size_t i = 0; i < count; i++) {
		int64_t v;

		if (host_is_float(in[0].dtype))
			host_put(out, i, real(inn_tensor_real(&a, i), inn_tensor_real(&c, i)));
		else if (whole(inn_tensor_int(&a, i), inn_tensor_int(&c, i), &v))
			host_put_int(out, i, v);
		else
			return inn_fail(ctx, INN_EMODEL, NULL, "%s (%s): integer overflow or division by zero", inn_node_name(n), inn_node_kind(n));
	}
	return INN_OK;
}

/* The same over any number of operands, from the left. */
static inline int host_variadic(inn_ctx *ctx, const inn_node *n, const struct inn_tensor *in, uint32_t n_in, real_op real, int_op whole,
				struct inn_tensor *out)
{
	struct inn_tensor pair[2];

	if (!host_given(ctx, n, in, n_in, 1))
		return INN_EUNSUP;
	*out = in[0];
	for (uint32_t k = 1; k < n_in; k++) {
		pair[0] = *out;
		pair[1] = in[k];
		int status = host_binary(ctx, n, pair, 2, real, whole, INN_DTYPES, out);

		if (status < 0)
			return status;
	}
	return INN_OK;
}

static inline int host_unary(inn_ctx *ctx, const inn_node *n, const struct inn_tensor *in, uint32_t n_in, double (*f)(double), struct inn_tensor *out)
{
	size_t count;
	int status;

	if (!host_given(ctx, n, in, n_in, 1))
		return INN_EUNSUP;
	if ((status = host_new(ctx, n, in[0].dtype, &in[0].shape, &count, out)) < 0)
		return status;
	for (size_t i = 0; i < count; i++)
		host_put(out, i, f(inn_tensor_real(&in[0], i)));
	return INN_OK;
}

/* To booleans by comparing with 0, from reals to integers towards 0, else to the nearest. */
static inline int host_cast(inn_ctx *ctx, const inn_node *n, const struct inn_tensor *in, uint32_t dtype, struct inn_tensor *out)
{
	size_t count;
	int status = host_new(ctx, n, dtype, &in->shape, &count, out);

	for (size_t i = 0; status == INN_OK && i < count; i++)
		if (dtype == INN_BOOL)
			host_put_int(out, i, inn_tensor_real(in, i) != 0);
		else if (host_is_float(in->dtype) && !host_is_float(dtype))
			host_put_int(out, i, inn_tensor_int(in, i));
		else
			inn_convert(host_at(in, i), in->dtype, host_at(out, i), dtype, 1);
	return status;
}
#endif
