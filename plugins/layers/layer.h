/* What the layers share: operands, axes, attributes that became inputs in a later opset, errors. */
#ifndef LAYERS_LAYER_H
#define LAYERS_LAYER_H
#include <innvestigate/plugin.h>
#include <math.h>
#include <string.h>

#define LAYER(ident, brief_, params_, size_, ...)                                                                          \
	static const struct inn_layer_ops layer = {                                                                        \
		.cls = INN_HEAD(struct inn_layer_ops, INN_LAYER, #ident, brief_, params_, size_, NULL),                    \
		.forward = forward, __VA_ARGS__ };                                                                         \
	INN_PLUGIN(#ident, "1.0.0", "BSD-2-Clause", &layer.cls)
#define OPTIONAL_INT(T, f, lo, hi, h) { .name = #f, .help = h, .offset = INN_AT(T, f, int64_t), .type = INN_P_INT, \
	.flags = INN_NULLABLE, .def = (double)INN_NO_INT, .min = (double)(lo), .max = (double)(hi) }
#define FORWARD inn_build *b, const inn_node *n, const inn_val *x, const inn_val *w, uint32_t out
#define FOLD inn_ctx *ctx, const inn_node *n, const struct inn_tensor *in, uint32_t n_in, struct inn_tensor *out
#define MAX_LIST 64

static const inn_val no_value = { 0 };

static inline inn_val arg(const inn_node *n, const inn_val *x, uint32_t k) { return k < inn_node_n_in(n) ? x[k] : no_value; }

/* Weight row `row`, which is input k; an operand if it is not constant. */
static inline inn_val weight(const inn_node *n, const inn_val *x, const inn_val *w, uint32_t row, uint32_t k)
{
	return w[row].id ? w[row] : arg(n, x, k);
}

static inline int unsupported_in(inn_ctx *ctx, const inn_node *n, const char *what)
{
	if (inn_failed(ctx))
		return INN_EUNSUP;
	return inn_fail(ctx, INN_EUNSUP, NULL, "%s (%s, opset %u): %s", inn_node_name(n), inn_node_kind(n), inn_node_opset(n), what);
}

static inline inn_val unsupported(inn_build *b, const inn_node *n, const char *what)
{
	unsupported_in(inn_build_ctx(b), n, what);
	return no_value;
}

static inline inn_val misfit(inn_build *b, const inn_node *n, const char *what)
{
	if (!inn_failed(inn_build_ctx(b)))
		inn_fail(inn_build_ctx(b), INN_ESHAPE, NULL, "%s (%s, opset %u): %s", inn_node_name(n), inn_node_kind(n),
			 inn_node_opset(n), what);
	return no_value;
}

/* A vector of one number for each channel (axis 1) of `of`, as [1,C,1,...]; absent stays absent, and another length would be broadcast. */
static inline inn_val per_channel(inn_build *b, const inn_node *n, const char *what, inn_val v, inn_val of)
{
	const struct inn_shape *s = inn_shape_of(b, v), *t = inn_shape_of(b, of);
	char text[2][INN_SHAPE_STR];

	if (!v.id || !of.id || (s->rank == 1 && t->rank > 1 && s->dim[0] == t->dim[1]))
		return inn_channel(b, v, t->rank);
	if (!inn_failed(inn_build_ctx(b)))
		inn_fail(inn_build_ctx(b), INN_ESHAPE, NULL, "%s (%s, opset %u): %s %s is not one number for each channel of %s", inn_node_name(n),
			 inn_node_kind(n), inn_node_opset(n), what, inn_shape_str(s, text[0]), inn_shape_str(t, text[1]));
	return no_value;
}

static inline bool axis_of(inn_ctx *ctx, const inn_node *n, int64_t axis, uint32_t rank, uint32_t *out)
{
	int64_t a = axis < 0 ? axis + rank : axis;

	if (a >= 0 && a < rank) {
		*out = (uint32_t)a;
		return true;
	}
	if (!inn_failed(ctx))
		inn_fail(ctx, INN_ESHAPE, NULL, "%s (%s): axis %lld is not one of %u", inn_node_name(n), inn_node_kind(n),
			 (long long)axis, rank);
	return false;
}

/* Input k as a list of integers, or the attribute of older opsets where that input is absent. Its length; -1 after an error. */
static inline int numbers(inn_ctx *ctx, const inn_node *n, uint32_t k, const struct inn_ints *attr, int64_t v[MAX_LIST])
{
	const struct inn_tensor *t = inn_node_const(n, k);
	size_t count;

	if (!inn_node_in(n, k)) {
		if (attr && attr->n > MAX_LIST)
			return unsupported_in(ctx, n, "a list of at most 64 numbers is supported"), -1;
		for (size_t i = 0; attr && i < attr->n; i++)
			v[i] = attr->v[i];
		return attr ? (int)attr->n : 0;
	}
	if (!t || !t->data)
		return unsupported_in(ctx, n, "sizes and axes that are computed from the data are not supported, only constants"), -1;
	if (t->dtype == INN_F32 || t->dtype == INN_F64 || t->dtype == INN_F16 || t->dtype == INN_BF16)
		return unsupported_in(ctx, n, "sizes and axes must be integers"), -1;
	if (!inn_shape_count(&t->shape, &count) || count > MAX_LIST)
		return unsupported_in(ctx, n, "a list of at most 64 numbers is supported"), -1;
	for (size_t i = 0; i < count; i++)
		v[i] = inn_tensor_int(t, i);
	return (int)count;
}

/* A list of axes as a mask; false after an error. */
static inline bool axes_mask(inn_ctx *ctx, const inn_node *n, uint32_t k, const struct inn_ints *attr, uint32_t rank, uint32_t *mask)
{
	int64_t v[MAX_LIST];
	int count = numbers(ctx, n, k, attr, v);
	uint32_t a;

	*mask = 0;
	for (int i = 0; i < count; i++) {
		if (!axis_of(ctx, n, v[i], rank, &a))
			return false;
		*mask |= 1u << a;
	}
	return count >= 0;
}

/* Without the axes in `mask`. */
static inline struct inn_shape without(const struct inn_shape *s, uint32_t mask)
{
	struct inn_shape r = { 0 };

	for (uint32_t d = 0; d < s->rank; d++)
		if (!(mask >> d & 1))
			r.dim[r.rank++] = s->dim[d];
	return r;
}

/* Operand k as a value: also a constant of integers, as one number. */
static inline inn_val operand(inn_build *b, const inn_node *n, const inn_val *x, uint32_t k)
{
	const struct inn_tensor *t = inn_node_const(n, k);
	inn_val v = arg(n, x, k);
	size_t count;

	if (v.id || !t || !t->data || !inn_shape_count(&t->shape, &count))
		return v;
	if (count == 1)
		return inn_const(b, inn_tensor_real(t, 0), &t->shape);
	return inn_param_of(b, inn_printf(inn_build_ctx(b), "%s.integers.%u", inn_node_name(n), inn_node_in(n, k)), t);
}
#endif
