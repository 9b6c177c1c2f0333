/* Patterns of one layer with kernel w, input x and y = w x (no bias), for each output channel, over the samples and positions
 * that the type of pattern counts (mask M):
 *   C = sum M x y - (sum M x) E[y],   pattern = C / (w C),   so that w times pattern is 1; E[y] is over all of them.
 * The sums are adjoints of the layer in its kernel: no patch is ever cut out. */
#include "pattern.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PART_MAX ((size_t)1 << 23) /* elements */

const char *pattern_type_name(int type) { return type == LINEAR ? "linear" : type == RELU_NEGATIVE ? "relu.negative" : "relu"; }

const char *pattern_name(char buf[PATTERN_NAME], const inn_node *n, const char *what, uint32_t part, uint32_t parts)
{
	int k = snprintf(buf, PATTERN_NAME, "layer_%lld.%s", (long long)inn_node_kernel_index(n), what);

	if (parts > 1)
		snprintf(buf + k, PATTERN_NAME - (size_t)k, ".%u", part);
	return buf;
}

uint32_t pattern_parts(const struct inn_shape *kernel, int axis)
{
	size_t n = 1, parts;

	inn_shape_count(kernel, &n);
	parts = (n + PART_MAX - 1) / PART_MAX;
	return parts < kernel->dim[axis] ? (uint32_t)parts : kernel->dim[axis];
}

void pattern_range(const struct inn_shape *kernel, int axis, uint32_t part, uint32_t parts, uint32_t *from, uint32_t *to)
{
	uint64_t k = kernel->dim[axis];

	*from = (uint32_t)(k * part / parts);
	*to = (uint32_t)(k * (part + 1) / parts);
}

int pattern_accepts(inn_ctx *ctx, const inn_graph *g, const void *opts)
{
	(void)opts;
	for (uint32_t i = 0; i < inn_graph_nodes(g); i++) {
		const inn_node *n = inn_graph_node(g, i);

		if (inn_node_kernel_index(n) >= 0 && inn_node_kernel_axis(n) < 0)
			return inn_fail(ctx, INN_EUNSUP, NULL, "%s (%s): patterns are not defined for this layer: no axis of its kernel counts the "
					"output's channels", inn_node_name(n), inn_node_kind(n));
	}
	return INN_OK;
}

struct fitting {
	const inn_graph *g;
	int type;
	struct { uint32_t tensor; inn_val y; } *seen; /* outputs of the layers behind the one that is looked at */
	uint32_t n, steps;
};

/* Elements keep their order in it. */
static bool keeps_order(const inn_node *n)
{
	static const char *const kinds[] = { "flatten", "reshape", "squeeze", "unsqueeze" };

	for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds); i++)
		if (!strcmp(inn_node_kind(n), kinds[i]))
			return true;
	return inn_node_traits(n) & (INN_T_NORM | INN_T_IDENTITY | INN_T_MERGE);
}

static inn_val value_of(const struct fitting *f, uint32_t tensor)
{
	for (uint32_t i = 0; i < f->n; i++)
		if (f->seen[i].tensor == tensor)
			return f->seen[i].y;
	return (inn_val){ 0 };
}

/* The next activation behind a tensor, through batch norms, sums and reshapes; id 0 if pooling or a kernel comes first. */
static inn_val next_activation(struct fitting *f, uint32_t tensor)
{
	inn_val found = { 0 };

	for (uint32_t i = 0; !found.id && f->steps < 4096; i++, f->steps++) {
		const inn_node *n = inn_graph_reader(f->g, tensor, i);

		if (!n)
			break;
		if (inn_node_traits(n) & INN_T_ACTIVATION)
			found = value_of(f, inn_node_out(n, 0));
		else if (keeps_order(n))
			found = next_activation(f, inn_node_out(n, 0));
	}
	return found;
}

/* 1 where a sample counts, of y's shape; 0 in the spare rows of a batch. */
static inn_val mask_of(inn_build *b, struct fitting *f, const struct inn_site *s)
{
	struct inn_shape shape = *inn_shape_of(b, s->y), rows = shape;
	size_t n = 0, m = 0;

	for (uint32_t d = 1; d < rows.rank; d++)
		rows.dim[d] = 1;
	inn_val valid = inn_reshape(b, inn_valid(b), &rows);

	if (f->type == LINEAR)
		return inn_expand(b, valid, &shape);
	f->steps = 0;
	inn_val out = next_activation(f, inn_node_out(s->node, s->out));

	if (!out.id || !inn_shape_count(inn_shape_of(b, out), &n) || !inn_shape_count(&shape, &m) || n != m)
		out = s->y;
	inn_val on = inn_gtc(b, inn_reshape(b, out, &shape), 0);

	if (f->type == RELU_NEGATIVE)
		on = inn_sub(b, inn_const(b, 1, &shape), on);
	return inn_mul(b, on, valid);
}

/* Mean over the positions of each sample: axes that are neither samples nor channels. */
static inn_val over_positions(inn_build *b, const inn_node *n, inn_val y)
{
	uint32_t rank = inn_shape_of(b, y)->rank, axes = 0;
	uint32_t channels = inn_node_traits(n) & INN_T_SPATIAL ? 1 : rank - 1;

	for (uint32_t d = 1; d < rank; d++)
		if (d != channels)
			axes |= 1u << d;
	return axes ? inn_mean_axes(b, y, axes) : y;
}

static void fit_layer(inn_build *b, struct fitting *f, const struct inn_site *s)
{
	inn_val y = inn_affine(b, s, s->x[0], inn_weight_of(s, INN_W_KERNEL), (inn_val){ 0 });
	inn_val mask = mask_of(b, f, s);
	char name[PATTERN_NAME];

	inn_stat(b, pattern_name(name, s->node, "x", 0, 1), inn_affine_w(b, s, s->x[0], mask));
	inn_stat(b, pattern_name(name, s->node, "xy", 0, 1), inn_affine_w(b, s, s->x[0], inn_mul(b, mask, y)));
	inn_stat(b, pattern_name(name, s->node, "y", 0, 1), over_positions(b, s->node, y));
}

/* The walk shows every layer after those that read it; no relevance is asked of it. */
static inn_val back(inn_build *b, const struct inn_site *s, uint32_t k, const void *user)
{
	struct fitting *f = (struct fitting *)(uintptr_t)user;
	uint32_t tensor = inn_node_out(s->node, s->out);

	if (!value_of(f, tensor).id) {
		f->seen[f->n].tensor = tensor;
		f->seen[f->n++].y = s->y;
		if (inn_node_kernel_index(s->node) >= 0)
			fit_layer(b, f, s);
	}
	return inn_const(b, 0, inn_shape_of(b, s->x[k]));
}

void pattern_fit(inn_build *b, const struct inn_query *q, const void *opts)
{
	const struct opts *o = opts;
	struct fitting f = { .g = inn_build_graph(b), .type = o->pattern_type };
	inn_ctx *ctx = inn_build_ctx(b);
	uint32_t outputs = 0;

	for (uint32_t i = 0; f.g && i < inn_graph_nodes(f.g); i++)
		outputs += inn_node_n_out(inn_graph_node(f.g, i));
	inn_val *r = inn_alloc(ctx, q->n_x, sizeof(*r)), y = inn_forward(b, q->x);

	if (o->patterns || !f.g || !r || !(f.seen = inn_alloc(ctx, outputs + 1, sizeof(*f.seen))))
		return;
	inn_stat(b, "samples", inn_valid(b));
	inn_walk(b, q, inn_const(b, 1, inn_shape_of(b, y)), back, &f, r);
}

/* A vector over the channels in the kernel's rank. */
static inn_val at_axis(inn_build *b, inn_val v, const struct inn_shape *kernel, int axis)
{
	struct inn_shape s = { .rank = kernel->rank };

	for (uint32_t d = 0; d < s.rank; d++)
		s.dim[d] = d == (uint32_t)axis ? kernel->dim[d] : 1;
	return inn_reshape(b, v, &s);
}

/* The kernel's output channels [from, to): of axis 0 without touching the others. */
static inn_val kernel_part(inn_build *b, const inn_node *n, int axis, uint32_t from, uint32_t to)
{
	const struct inn_tensor *w = inn_node_const(n, 1);
	struct inn_tensor *part = inn_alloc(inn_build_ctx(b), 1, sizeof(*part));
	char name[PATTERN_NAME];
	size_t row = 1;

	if (!part)
		return (inn_val){ 0 };
	if (axis)
		return inn_slice(b, inn_param_of(b, pattern_name(name, n, "kernel", 0, 1), w), (uint32_t)axis, from, to, 1);
	*part = *w;
	part->shape.dim[0] = 1;
	inn_shape_count(&part->shape, &row);
	part->shape.dim[0] = to - from;
	part->data = (char *)w->data + from * row * inn_dtype_size(w->dtype);
	return inn_param_of(b, pattern_name(name, n, "kernel", from, w->shape.dim[0] + 1), part);
}

/* The pattern of output channels [from, to); v: sums of x and xy, mean of y. */
static inn_val pattern_of(inn_build *b, const inn_node *n, const inn_val v[3], int axis, uint32_t from, uint32_t to, double gain)
{
	inn_val part[4] = { [3] = kernel_part(b, n, axis, from, to) };

	for (int i = 0; i < 3; i++)
		part[i] = inn_slice(b, v[i], (uint32_t)axis, from, to, 1);
	inn_val C = inn_sub(b, part[1], inn_mul(b, part[0], part[2]));
	uint32_t others = ((1u << inn_shape_of(b, C)->rank) - 1) & ~(1u << axis);
	inn_val wC = inn_sum(b, inn_mul(b, part[3], C), others);

	if (gain != 1)
		wC = inn_mulc(b, wC, gain * gain);
	return inn_div(b, C, inn_add(b, wC, inn_eqc(b, wC, 0)));
}

void pattern_finish(inn_build *b, const void *opts)
{
	const char *type = pattern_type_name(((const struct opts *)opts)->pattern_type);
	const inn_graph *g = inn_build_graph(b);
	inn_val samples = inn_sum_of(b, "samples");
	char name[PATTERN_NAME];

	for (uint32_t i = 0; g && i < inn_graph_nodes(g); i++) {
		const inn_node *n = inn_graph_node(g, i);
		const struct inn_tensor *w = inn_node_kernel_index(n) >= 0 ? inn_node_const(n, 1) : NULL;
		int axis = w ? inn_node_kernel_axis(n) : -1;
		inn_val x = axis < 0 ? (inn_val){ 0 } : inn_sum_of(b, pattern_name(name, n, "x", 0, 1));

		if (!x.id)
			continue;
		inn_val xy = inn_sum_of(b, pattern_name(name, n, "xy", 0, 1)), y = inn_sum_of(b, pattern_name(name, n, "y", 0, 1));
		inn_val mean = at_axis(b, inn_div(b, y, inn_reshape(b, samples, &(struct inn_shape){ 0 })), &w->shape, axis);
		inn_val v[3] = { x, xy, mean };
		double alpha = inn_node_attr_real(n, "alpha");
		uint32_t parts = pattern_parts(&w->shape, axis), from, to;

		for (uint32_t k = 0; k < parts; k++) {
			pattern_range(&w->shape, axis, k, parts, &from, &to);
			inn_keep(b, pattern_name(name, n, type, k, parts), pattern_of(b, n, v, axis, from, to, isnan(alpha) ? 1 : alpha));
		}
	}
}
