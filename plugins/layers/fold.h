/* Constants of any type folded on the host: the shape arithmetic that exporters write. Integers are computed in int64, all
 * else in double. */
#ifndef LAYERS_FOLD_H
#define LAYERS_FOLD_H
#include "layer.h"

static inline bool is_int(uint32_t dtype) { return dtype >= INN_I8; }

/* Memory for a result of out's shape and type. */
static inline int host_alloc(inn_ctx *ctx, struct inn_tensor *out)
{
	size_t n;

	if (!inn_shape_count(&out->shape, &n) || n > (size_t)16 << 20)
		return inn_fail(ctx, INN_ELIMIT, NULL, "a constant of more than 16 M elements");
	out->data = inn_alloc(ctx, n, inn_dtype_size(out->dtype));
	return out->data ? INN_OK : INN_ENOMEM;
}

static inline void host_put(struct inn_tensor *t, size_t i, double d, int64_t v, bool whole)
{
	char *p = (char *)t->data + i * inn_dtype_size(t->dtype);

	if (whole)
		inn_convert(&v, INN_I64, p, t->dtype, 1);
	else
		inn_convert(&d, INN_F64, p, t->dtype, 1);
}

/* The element of t that broadcasts to position i of shape s. */
static inline size_t host_at(const struct inn_shape *s, const struct inn_tensor *t, size_t i)
{
	size_t at = 0, stride = 1;

	for (uint32_t d = 0; d < t->shape.rank; d++) { /* from the last axis */
		uint32_t n = s->dim[s->rank - 1 - d], m = t->shape.dim[t->shape.rank - 1 - d];

		at += (m == 1 ? 0 : i % n) * stride;
		stride *= m;
		i /= n;
	}
	return at;
}

static inline int host_reshape(inn_ctx *ctx, const inn_node *n, const struct inn_tensor *in, const struct inn_shape *to, struct inn_tensor *out)
{
	size_t have, want;
	int rc;

	*out = (struct inn_tensor){ .shape = *to, .dtype = in->dtype };
	if (!inn_shape_count(&in->shape, &have) || !inn_shape_count(to, &want) || have != want)
		return unsupported_in(ctx, n, "the shape does not fit");
	rc = host_alloc(ctx, out);
	if (rc >= 0 && have)
		memcpy(out->data, in->data, have * inn_dtype_size(in->dtype));
	return rc;
}

static inline int host_unary(inn_ctx *ctx, const inn_node *n, const struct inn_tensor *in, uint32_t n_in, double (*f)(double),
			     struct inn_tensor *out)
{
	size_t count;
	int rc;

	if (!n_in || !in[0].data || !inn_shape_count(&in[0].shape, &count))
		return unsupported_in(ctx, n, "the operand is missing");
	*out = (struct inn_tensor){ .shape = in[0].shape, .dtype = in[0].dtype };
	rc = host_alloc(ctx, out);
	for (size_t i = 0; rc >= 0 && i < count; i++)
		host_put(out, i, f(inn_tensor_real(&in[0], i)), 0, false);
	return rc;
}

/* dtype: of the result; INN_DTYPES: that of the first operand. */
static inline int host_binary(inn_ctx *ctx, const inn_node *n, const struct inn_tensor *in, uint32_t n_in, double (*f)(double, double),
			      bool (*g)(int64_t, int64_t, int64_t *), uint32_t dtype, struct inn_tensor *out)
{
	size_t count;
	int rc;

	if (n_in < 2 || !in[0].data || !in[1].data)
		return unsupported_in(ctx, n, "an operand is missing");
	*out = (struct inn_tensor){ .dtype = dtype < INN_DTYPES ? dtype : in[0].dtype };
	if (!inn_shape_broadcast(&in[0].shape, &in[1].shape, &out->shape) || !inn_shape_count(&out->shape, &count))
		return unsupported_in(ctx, n, "the shapes of the constants do not fit");
	rc = host_alloc(ctx, out);
	for (size_t i = 0; rc >= 0 && i < count; i++) {
		size_t p = host_at(&out->shape, &in[0], i), q = host_at(&out->shape, &in[1], i);
		int64_t v = 0;

		if (!is_int(in[0].dtype))
			host_put(out, i, f(inn_tensor_real(&in[0], p), inn_tensor_real(&in[1], q)), 0, false);
		else if (g(inn_tensor_int(&in[0], p), inn_tensor_int(&in[1], q), &v))
			host_put(out, i, 0, v, true);
		else
			return inn_fail(ctx, INN_EMODEL, NULL, "%s (%s): the integers overflow or are divided by zero", inn_node_name(n),
					inn_node_kind(n));
	}
	return rc;
}

static inline int host_variadic(inn_ctx *ctx, const inn_node *n, const struct inn_tensor *in, uint32_t n_in, double (*f)(double, double),
				bool (*g)(int64_t, int64_t, int64_t *), struct inn_tensor *out)
{
	struct inn_tensor pair[2];
	int rc = n_in ? INN_OK : unsupported_in(ctx, n, "an operand is missing");

	if (n_in)
		*out = in[0];
	for (uint32_t k = 1; rc >= 0 && k < n_in; k++) {
		pair[0] = *out;
		pair[1] = in[k];
		rc = host_binary(ctx, n, pair, 2, f, g, INN_DTYPES, out);
	}
	return rc;
}
#endif
