/* Back through the network: as the gradient, with patterns (or patterns times weights) in place of the kernels. */
#include "pattern.h"

struct walk { const struct opts *o; bool attribution; };

/* Of the type asked for; of any type, the first that the state has. */
static int type_in_state(inn_build *b, const inn_node *n, const struct opts *o, uint32_t parts)
{
	char name[PATTERN_NAME];

	if (o->pattern_type != ANY)
		return o->pattern_type;
	for (int t = RELU; t != ANY; t = t == RELU ? LINEAR : t == LINEAR ? RELU_NEGATIVE : ANY)
		if (inn_state_has(b, pattern_name(name, n, pattern_type_name(t), 0, parts)))
			return t;
	return RELU;
}

static inn_val pattern_of_state(inn_build *b, const inn_node *n, const struct opts *o, const struct inn_shape *kernel)
{
	int axis = inn_node_kernel_axis(n);
	uint32_t parts = pattern_parts(kernel, axis), from, to;
	const char *type = pattern_type_name(type_in_state(b, n, o, parts));
	inn_val *part = inn_alloc(inn_build_ctx(b), parts, sizeof(*part));
	char name[PATTERN_NAME];

	if (!part)
		return (inn_val){ 0 };
	for (uint32_t k = 0; k < parts; k++) {
		struct inn_shape s = *kernel;

		pattern_range(kernel, axis, k, parts, &from, &to);
		s.dim[axis] = to - from;
		if (!(part[k] = inn_state(b, pattern_name(name, n, type, k, parts), &s)).id)
			return (inn_val){ 0 };
	}
	return inn_concat(b, part, parts, (uint32_t)axis);
}

static inn_val back(inn_build *b, const struct inn_site *s, uint32_t k, const void *user)
{
	const struct walk *w = user;

	if (inn_node_kernel_index(s->node) < 0)
		return inn_vjp(b, s, k, s->r);
	inn_val kernel = inn_weight_of(s, INN_W_KERNEL);
	struct inn_shape shape = *inn_shape_of(b, kernel);
	inn_val A = w->o->patterns ? pattern_of_file(b, s->node, w->o->patterns, &shape) : pattern_of_state(b, s->node, w->o, &shape);

	return A.id ? inn_affine_t(b, s, s->r, w->attribution ? inn_mul(b, A, kernel) : A) : A;
}

/* iNNvestigate scales every bottleneck of more than two axes on the way; of these factors only the last one shows. */
static inn_val project(inn_build *b, inn_val r)
{
	uint32_t rank = inn_shape_of(b, r)->rank;

	if (rank < 3)
		return r;
	inn_val m = inn_rmax(b, inn_abs(b, r), ((1u << rank) - 1) & ~1u);

	return inn_div(b, r, inn_add(b, m, inn_eqc(b, m, 0)));
}

void pattern_build(inn_build *b, const struct inn_query *q, const struct opts *o, bool attribution, inn_val *r)
{
	struct walk w = { o, attribution };

	inn_walk(b, q, inn_seed(b, q, inn_forward(b, q->x)), back, &w, r);
	if (o->reverse_project_bottleneck_layers && q->n_x == 1 && r[0].id)
		r[0] = project(b, r[0]);
}
