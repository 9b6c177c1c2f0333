/* Split along one axis; sizes are an attribute before opset 13, then input 1. */
#include "layer.h"

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

static inn_val forward(FORWARD)
{
	const struct opts *o = inn_node_opts(n);
	inn_val v = arg(n, x, 0);
	uint32_t axis, parts = inn_node_n_out(n);
	int64_t size[MAX_LIST], from = 0, to;
	int count = numbers(inn_build_ctx(b), n, 1, &o->split, size);

	(void)w;
	if (!v.id || count < 0 || !axis_of(inn_build_ctx(b), n, o->axis, inn_shape_of(b, v)->rank, &axis))
		return no_value;
	int64_t length = inn_dim(b, v, axis), each = (length + parts - 1) / parts;

	if (count && (uint32_t)count != parts)
		return misfit(b, n, "there are not as many sizes as outputs");
	for (uint32_t i = 0; count && i < out; i++)
		from += size[i];
	from = count ? from : each * out;
	to = count ? from + size[out] : from + each < length ? from + each : length;
	if (from < 0 || to > length || to <= from)
		return misfit(b, n, "the sizes do not fit the axis");
	return inn_slice(b, v, axis, (uint32_t)from, (uint32_t)to, 1);
}

LAYER(split, "split along an axis", params, sizeof(struct opts), .traits = INN_T_RESHAPE, .max_out = 65536);
