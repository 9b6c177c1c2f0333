/* Concat along one axis. */
#include "host.h"

struct opts {
	int64_t axis;
};

static const struct inn_param params[] = { OPTIONAL_INT(struct opts, axis, -8, 7, "axis along which the operands are joined"), { 0 } };

/* Before opset 4 an absent axis is 1. */
static bool joined(inn_ctx *ctx, const inn_node *n, uint32_t rank, uint32_t *axis)
{
	const struct opts *o = inn_node_opts(n);

	if (o->axis == INN_NO_INT && inn_node_opset(n) >= 4)
		return unsupported_in(ctx, n, "attribute axis is missing"), false;
	return axis_of(ctx, n, o->axis == INN_NO_INT ? 1 : o->axis, rank, axis);
}

static int fold(FOLD)
{
	struct inn_shape s;
	uint64_t total = 0;
	size_t count, outer = 1, at = 0, size;
	uint32_t axis;
	int status;

	if (!n_in || !joined(ctx, n, in[0].shape.rank, &axis))
		return INN_ESHAPE;
	s = in[0].shape;
	size = inn_dtype_size(in[0].dtype);
	for (uint32_t k = 0; k < n_in; k++) {
		bool fits = in[k].data && in[k].dtype == in[0].dtype && in[k].shape.rank == s.rank;

		for (uint32_t d = 0; fits && d < s.rank; d++)
			fits = d == axis || in[k].shape.dim[d] == s.dim[d];
		if (!fits)
			return inn_fail(ctx, INN_ESHAPE, NULL, "%s (concat): operand %u does not fit the first", inn_node_name(n), k);
		total += in[k].shape.dim[axis];
	}
	if (total > UINT32_MAX)
		return inn_fail(ctx, INN_ELIMIT, NULL, "%s (concat): the result is too large", inn_node_name(n));
	s.dim[axis] = (uint32_t)total;
	if ((status = host_new(ctx, n, in[0].dtype, &s, &count, out)) < 0)
		return status;
	for (uint32_t d = 0; d < axis; d++)
		outer *= s.dim[d];
	for (size_t i = 0; count && i < outer; i++)
		for (uint32_t k = 0; k < n_in; k++) {
			size_t n_k, bytes = inn_shape_count(&in[k].shape, &n_k) ? n_k / outer * size : 0;

			memcpy((char *)out->data + at, (const char *)in[k].data + i * bytes, bytes);
			at += bytes;
		}
	return INN_OK;
}

static inn_val forward(FORWARD)
{
	uint32_t axis, count = 0, n_in = inn_node_n_in(n);
	inn_val *v = inn_alloc(inn_build_ctx(b), n_in + 1, sizeof(*v));

	(void)w;
	(void)out;
	if (!v)
		return no_value;
	for (uint32_t k = 0; k < n_in; k++) {
		inn_val one = x[k];

		if (one.id)
			v[count++] = one;
		else if (!inn_node_shape(n, k) || !inn_node_const(n, k) || host_is_float(inn_node_const(n, k)->dtype) == false)
			return unsupported(b, n, "an operand is missing or is made of integers");
	}
	if (!count || !joined(inn_build_ctx(b), n, inn_shape_of(b, v[0])->rank, &axis))
		return no_value;
	return inn_concat(b, v, count, axis);
}

LAYER(concat, "join along an axis", params, sizeof(struct opts), .traits = INN_T_RESHAPE, .fold = fold);
