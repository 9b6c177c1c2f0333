/* ScatterND of constants: data with rows replaced by updates. */
#include "host.h"

static int fold(FOLD)
{
	size_t count, n_index, n_updates, inner = 1;
	int status;

	if (n_in < 3 || !in[0].data || !in[1].data || !in[2].data || !in[1].shape.rank || in[0].dtype != in[2].dtype)
		return unsupported_in(ctx, n, "data, indices and updates must be constant");
	uint32_t depth = in[1].shape.dim[in[1].shape.rank - 1];

	if (!depth || depth > in[0].shape.rank || !inn_shape_count(&in[1].shape, &n_index) || !inn_shape_count(&in[2].shape, &n_updates))
		return unsupported_in(ctx, n, "the indices do not fit the data");
	for (uint32_t d = depth; d < in[0].shape.rank; d++)
		inner *= in[0].shape.dim[d];
	if (n_updates != n_index / depth * inner)
		return unsupported_in(ctx, n, "the updates do not fit the indices");
	if ((status = host_new(ctx, n, in[0].dtype, &in[0].shape, &count, out)) < 0)
		return status;
	size_t row = inner * inn_dtype_size(in[0].dtype);

	memcpy(out->data, in[0].data, count * inn_dtype_size(in[0].dtype));
	for (size_t i = 0; i < n_index / depth; i++) {
		size_t at = 0;

		for (uint32_t d = 0; d < depth; d++) {
			int64_t k = inn_tensor_int(&in[1], i * depth + d), size = in[0].shape.dim[d];

			k += k < 0 ? size : 0;
			if (k < 0 || k >= size)
				return unsupported_in(ctx, n, "an index lies outside of the data");
			at = at * (size_t)size + (size_t)k;
		}
		memcpy((char *)out->data + at * row, (const char *)in[2].data + i * row, row);
	}
	return INN_OK;
}

static inn_val forward(FORWARD)
{
	(void)x;
	(void)w;
	(void)out;
	return unsupported(b, n, "data, indices and updates must be constant");
}

static const struct inn_choice reductions[] = { { "none", 0, "replace" }, { 0 } };
struct opts { int reduction; };
static const struct inn_param params[] = { INN_ENUM(struct opts, reduction, 0, reductions, "how updates meet data"), { 0 } };

LAYER(scatter_nd, "rows replaced", params, sizeof(struct opts), .traits = 0, .fold = fold);
