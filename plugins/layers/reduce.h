/* What reductions share. */
#ifndef LAYERS_REDUCE_H
#define LAYERS_REDUCE_H
#include "host.h"

struct reduce_opts {
	struct inn_ints axes;
	bool keepdims, noop_with_empty_axes;
};

static const struct inn_param reduce_params[] = {
	INN_INTS(struct reduce_opts, axes, NULL, -8, 7, "axes to reduce; none: all"),
	INN_BOOL(struct reduce_opts, keepdims, true, "keep reduced axes with length 1"),
	INN_BOOL(struct reduce_opts, noop_with_empty_axes, false, "no axes: leave the operand as it is"),
	{ 0 },
};

static inline bool reduce_mask(inn_ctx *ctx, const inn_node *n, uint32_t rank, uint32_t *mask)
{
	const struct reduce_opts *o = inn_node_opts(n);

	if (!axes_mask(ctx, n, 1, &o->axes, rank, mask))
		return false;
	if (!*mask && !o->noop_with_empty_axes)
		*mask = (1u << rank) - 1;
	return true;
}

/* A reduction of `v` over the axes in `mask`, which keep length 1. */
#define REDUCE inn_build *b, inn_val v, uint32_t mask

static inline inn_val reduce(inn_build *b, const inn_node *n, const inn_val *x, inn_val (*over)(REDUCE))
{
	const struct reduce_opts *o = inn_node_opts(n);
	inn_val v = arg(n, x, 0);
	uint32_t mask;

	if (!v.id || !reduce_mask(inn_build_ctx(b), n, inn_shape_of(b, v)->rank, &mask))
		return no_value;
	v = over(b, v, mask);
	if (!v.id || o->keepdims)
		return v;
	struct inn_shape s = without(inn_shape_of(b, v), mask);

	return inn_reshape(b, v, &s);
}

/* Exports a layer that records what `over` does. */
#define REDUCE_LAYER(ident, brief, ...)                      \
	static inn_val forward(FORWARD)                      \
	{                                                    \
		(void)w;                                     \
		(void)out;                                   \
		return reduce(b, n, x, over);                \
	}                                                    \
	LAYER(ident, brief, reduce_params, sizeof(struct reduce_opts), __VA_ARGS__)

/* The next element of a reduction: where it goes in the result whose reduced axes have step 0. */
static inline void reduce_next(const struct inn_shape *s, const int64_t *step, uint32_t *at, int64_t *to)
{
	for (uint32_t d = s->rank; d-- > 0;) {
		*to += step[d];
		if (++at[d] < s->dim[d])
			return;
		*to -= step[d] * s->dim[d];
		at[d] = 0;
	}
}

/* Folds constants pairwise from the first element on; an axis of length 0 is left to fail where it is recorded. */
static inline int reduce_fold(inn_ctx *ctx, const inn_node *n, const struct inn_tensor *in, uint32_t n_in, real_op real, int_op whole,
			      struct inn_tensor *out)
{
	const struct reduce_opts *o = inn_node_opts(n);
	struct inn_shape s = n_in ? in[0].shape : (struct inn_shape){ 0 }, kept = s;
	int64_t step[INN_MAX_RANK], to = 0;
	uint32_t mask, at[INN_MAX_RANK] = { 0 };
	size_t count, total;
	int status;

	if (!n_in || !in[0].data || !reduce_mask(ctx, n, s.rank, &mask) || !inn_shape_count(&s, &total) || !total)
		return unsupported_in(ctx, n, "the operand is missing or empty");
	for (uint32_t d = 0; d < s.rank; d++)
		kept.dim[d] = mask >> d & 1 ? 1 : s.dim[d];
	if ((status = host_new(ctx, n, in[0].dtype, &kept, &count, out)) < 0)
		return status;
	bool *seen = inn_alloc(ctx, count, sizeof(*seen));

	if (!seen)
		return INN_ENOMEM;
	host_steps(&kept, step);
	for (uint32_t d = 0; d < s.rank; d++)
		step[d] = mask >> d & 1 ? 0 : step[d];
	for (size_t i = 0; i < total; i++, reduce_next(&s, step, at, &to)) {
		size_t k = (size_t)to;
		int64_t v;

		if (!seen[k])
			memcpy(host_at(out, k), host_at(&in[0], i), inn_dtype_size(out->dtype));
		else if (host_is_float(out->dtype))
			host_put(out, k, real(inn_tensor_real(out, k), inn_tensor_real(&in[0], i)));
		else if (whole(inn_tensor_int(out, k), inn_tensor_int(&in[0], i), &v))
			host_put_int(out, k, v);
		else
			return inn_fail(ctx, INN_EMODEL, NULL, "%s (%s): integer overflow", inn_node_name(n), inn_node_kind(n));
		seen[k] = true;
	}
	out->shape = o->keepdims ? kept : without(&s, mask);
	return INN_OK;
}
#endif
