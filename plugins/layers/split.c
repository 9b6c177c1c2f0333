/* Split along one axis; sizes are an attribute before opset 13, then input 1. */
#include "host.h"

struct opts {
	int64_t axis, num_outputs;
	struct inn_ints split;
};

static const struct inn_param params[] = {
	INN_INT(struct opts, axis, 0, -8, 7, "axis"),
	INN_INT(struct opts, num_outputs, 0, 0, 65536, "number of equal parts"),
	INN_INTS(struct opts, split, NULL, 0, INT32_MAX, "sizes of the parts"),
	{ 0 },
};

/* Without sizes the parts are equal. From opset 18 on their number is said and the last may be smaller. */
static bool even(inn_ctx *ctx, const inn_node *n, bool sizes, int64_t length)
{
	const struct opts *o = inn_node_opts(n);
	uint32_t parts = inn_node_n_out(n);

	if (inn_node_opset(n) < 18) {
		if (!sizes && length % parts)
			return unsupported_in(ctx, n, "the axis does not split into equal parts, and no sizes are given"), false;
		return true;
	}
	if (sizes == (o->num_outputs != 0))
		return unsupported_in(ctx, n, "either input split or attribute num_outputs is expected"), false;
	if (!sizes && o->num_outputs != parts)
		return unsupported_in(ctx, n, "num_outputs is not the number of outputs"), false;
	return true;
}

/* Where part `i` lies; false if the sizes do not fit. */
static bool part(inn_ctx *ctx, const inn_node *n, const struct inn_shape *s, uint32_t i, uint32_t *axis, int64_t *from, int64_t *to)
{
	const struct opts *o = inn_node_opts(n);
	int64_t size[MAX_LIST];
	uint32_t parts = inn_node_n_out(n);
	int count = numbers(ctx, n, 1, &o->split, size);

	if (count < 0 || !axis_of(ctx, n, o->axis, s->rank, axis))
		return false;
	int64_t length = s->dim[*axis], each = (length + parts - 1) / parts, sum = 0;

	if (!even(ctx, n, count > 0, length))
		return false;
	for (int k = 0; k < count; k++)
		sum += size[k] < 0 || size[k] > length ? INT64_MAX / MAX_LIST : size[k];
	*from = count ? 0 : each * i;
	*to = *from + each < length ? *from + each : length;
	if (count ? (uint32_t)count != parts || sum != length : *to < *from)
		return unsupported_in(ctx, n, "the sizes do not fit the axis or the outputs"), false;
	for (uint32_t k = 0; count && k < i; k++)
		*from += size[k];
	*to = count ? *from + size[i] : *to;
	return true;
}

static int fold(FOLD)
{
	if (!host_given(ctx, n, in, n_in, 1))
		return INN_EUNSUP;
	for (uint32_t i = 0; i < inn_node_n_out(n); i++) {
		struct inn_shape s = in[0].shape;
		int64_t step[INN_MAX_RANK], from, to;
		uint32_t axis;
		int status;

		if (!part(ctx, n, &s, i, &axis, &from, &to))
			return INN_EUNSUP;
		host_steps(&s, step);
		s.dim[axis] = (uint32_t)(to - from);
		if ((status = host_view(ctx, n, &in[0], &s, from * step[axis], step, &out[i])) < 0)
			return status;
	}
	return INN_OK;
}

static inn_val forward(FORWARD)
{
	inn_val v = arg(n, x, 0);
	int64_t from, to;
	uint32_t axis;

	(void)w;
	if (!v.id || !part(inn_build_ctx(b), n, inn_shape_of(b, v), out, &axis, &from, &to))
		return no_value;
	if (from == to)
		return misfit(b, n, "a part is empty");
	return inn_slice(b, v, axis, (uint32_t)from, (uint32_t)to, 1);
}

LAYER(split, "split along an axis", params, sizeof(struct opts), .traits = INN_T_RESHAPE, .max_out = 65536, .fold = fold);
