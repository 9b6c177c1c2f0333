/* Patterns as iNNvestigate 1.x keeps them: arr_0, arr_1, ... in the order of the layers, with Keras' axes: [spatial..., in, out]
 * and [in, out]; where a dense layer reads a flattened image, `in` counts channels last. */
#include "pattern.h"
#include <stdio.h>
#include <string.h>

/* The shape that is flattened in front of a dense layer, channels first; rank 0 if there is none. */
static struct inn_shape flattened(const inn_node *n)
{
	const inn_graph *g = inn_node_graph(n);
	struct inn_shape none = { 0 };

	for (const inn_node *p = inn_graph_producer(g, inn_node_in(n, 0)); p; p = inn_graph_producer(g, inn_node_in(p, 0))) {
		const struct inn_shape *in = inn_node_shape(p, 0);

		if (in && in->rank > 2 && (!strcmp(inn_node_kind(p), "flatten") || !strcmp(inn_node_kind(p), "reshape"))) {
			const inn_node *before = inn_graph_producer(g, inn_node_in(p, 0));

			return before && !strcmp(inn_node_kind(before), "transpose") ? none : *in; /* transposed: channels last already */
		}
		if (!(inn_node_traits(p) & (INN_T_IDENTITY | INN_T_ACTIVATION | INN_T_NORM)))
			break;
	}
	return none;
}

/* [H W C, out] to [C H W, out]. */
static inn_val channels_first(inn_build *b, inn_val v, const struct inn_shape *image)
{
	struct inn_shape last = { .rank = image->rank }, flat = *inn_shape_of(b, v);
	uint32_t order[INN_MAX_RANK], rank = image->rank;

	for (uint32_t d = 2; d < rank; d++)
		last.dim[d - 2] = image->dim[d];
	last.dim[rank - 2] = image->dim[1];
	last.dim[rank - 1] = flat.dim[1];
	order[0] = rank - 2;
	for (uint32_t d = 1; d < rank - 1; d++)
		order[d] = d - 1;
	order[rank - 1] = rank - 1;
	return inn_reshape(b, inn_permute(b, inn_reshape(b, v, &last), order), &flat);
}

static inn_val misfit(inn_build *b, const inn_node *n, const char *path, const char *name, const struct inn_shape *got)
{
	char s[INN_SHAPE_STR];

	if (!inn_failed(inn_build_ctx(b)))
		inn_fail(inn_build_ctx(b), INN_EDATA, NULL, "%s: %s has shape %s, which is not that of the kernel of %s (%s)", path, name,
			 inn_shape_str(got, s), inn_node_name(n), inn_node_kind(n));
	return (inn_val){ 0 };
}

static inn_val dense(inn_build *b, const inn_node *n, inn_val v)
{
	static const uint32_t turned[2] = { 1, 0 };
	struct inn_shape image = flattened(n), s = *inn_shape_of(b, v);
	uint64_t in = 1;

	for (uint32_t d = 1; d < image.rank; d++)
		in *= image.dim[d];
	if (s.rank != 2)
		return v;
	if (image.rank && in == s.dim[0])
		v = channels_first(b, v, &image);
	return inn_node_kernel_axis(n) == 0 ? inn_permute(b, v, turned) : v;
}

inn_val pattern_of_file(inn_build *b, const inn_node *n, const char *path, const struct inn_shape *kernel)
{
	uint32_t order[INN_MAX_RANK], rank = kernel->rank;
	char name[PATTERN_NAME];

	snprintf(name, sizeof(name), "arr_%lld", (long long)inn_node_kernel_index(n));
	inn_val v = inn_array_of(b, path, name);

	if (!v.id)
		return v;
	struct inn_shape got = *inn_shape_of(b, v);

	if (got.rank != rank)
		return misfit(b, n, path, name, &got);
	if (inn_node_traits(n) & INN_T_SPATIAL) {
		int axis = inn_node_kernel_axis(n); /* 0: [out, in, ...], 1: [in, out, ...] */

		order[0] = axis ? rank - 2 : rank - 1;
		order[1] = axis ? rank - 1 : rank - 2;
		for (uint32_t d = 2; d < rank; d++)
			order[d] = d - 2;
		v = inn_permute(b, v, order);
	} else {
		v = dense(b, n, v);
	}
	return inn_shape_eq(inn_shape_of(b, v), kernel) ? v : misfit(b, n, path, name, &got);
}
