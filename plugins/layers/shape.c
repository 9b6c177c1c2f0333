/* Shape: known once the batch size is. */
#include "host.h"

struct opts {
	int64_t start, end;
};

static const struct inn_param params[] = {
	INN_INT(struct opts, start, 0, INT32_MIN, INT32_MAX, "first axis"),
	INN_INT(struct opts, end, INT32_MAX, INT32_MIN, INT32_MAX, "axis after the last"),
	{ 0 },
};

static int64_t clamp(int64_t v, int64_t rank)
{
	v += v < 0 ? rank : 0;
	return v < 0 ? 0 : v > rank ? rank : v;
}

static int fold(FOLD)
{
	const struct opts *o = inn_node_opts(n);
	int64_t rank = n_in ? in[0].shape.rank : 0, from = clamp(o->start, rank), to = clamp(o->end, rank);
	size_t count;
	int status = host_new(ctx, n, INN_I64, &(struct inn_shape){ 1, { to > from ? (uint32_t)(to - from) : 0 } }, &count, out);

	for (size_t i = 0; status == INN_OK && i < count; i++)
		host_put_int(out, i, in[0].shape.dim[(size_t)from + i]);
	return status;
}

static inn_val forward(FORWARD)
{
	(void)x;
	(void)w;
	(void)out;
	return unsupported(b, n, "a shape is not data");
}

LAYER(shape, "sizes of a tensor", params, sizeof(struct opts), .traits = 0, .fold = fold, .fold_shape_only = true);
