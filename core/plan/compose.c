/* Builder calls that are expressions of others, and loops. */
#include "value.h"

inn_val inn_mean_axes(inn_build *b, inn_val x, uint32_t axes)
{
	double n = 1;

	for (uint32_t d = 0; d < inn_shape_of(b, x)->rank; d++)
		if (axes >> d & 1)
			n *= inn_dim(b, x, d);
	return inn_divc(b, inn_sum(b, x, axes), n);
}

inn_val inn_softmax(inn_build *b, inn_val x, uint32_t axis)
{
	if (x.id && axis >= inn_shape_of(b, x)->rank)
		return inn__fail_op(b, INN_ESHAPE, "softmax: no axis %u in rank %u", axis, inn_shape_of(b, x)->rank);
	inn_val e = inn_exp(b, inn_sub(b, x, inn_rmax(b, x, 1u << axis)));

	return inn_div(b, e, inn_sum(b, e, 1u << axis));
}

inn_val inn_onehot(inn_build *b, inn_val index, uint32_t n)
{
	struct inn_shape s = *inn_shape_of(b, index);

	if (s.rank == INN_MAX_RANK)
		return inn__fail_op(b, INN_ESHAPE, "onehot: more than %u axes", INN_MAX_RANK);
	s.dim[s.rank++] = 1;
	return inn_eq(b, inn_reshape(b, index, &s), inn_iota(b, n));
}

inn_val inn_repeat(inn_build *b, inn_val x, uint32_t axis, uint32_t n)
{
	struct inn_shape to = *inn_shape_of(b, x), t = to;

	if (!x.id)
		return x;
	if (t.rank == INN_MAX_RANK || axis >= t.rank)
		return inn__fail_op(b, INN_ESHAPE, "repeat: axis %u of rank %u", axis, t.rank);
	for (uint32_t d = t.rank++; d > axis + 1; d--)
		t.dim[d] = t.dim[d - 1];
	t.dim[axis + 1] = 1;
	x = inn_reshape(b, x, &t);
	t.dim[axis + 1] = n;
	to.dim[axis] *= n;
	return inn_reshape(b, inn_expand(b, x, &t), &to);
}

inn_val inn_stab(inn_build *b, inn_val z, double eps)
{
	return inn_add(b, z, inn_select(b, inn_gec(b, z, 0), inn_scalar(b, eps), inn_scalar(b, -eps)));
}

inn_val inn_channel(inn_build *b, inn_val v, uint32_t rank)
{
	struct inn_shape s = { .rank = rank };

	if (!v.id)
		return v;
	for (uint32_t d = 0; d < rank && d < INN_MAX_RANK; d++)
		s.dim[d] = d == 1 ? inn_dim(b, v, 0) : 1;
	return inn_reshape(b, v, &s);
}

inn_val inn_source_of(inn_build *b, const struct inn_source *s, const char *name, inn_val like)
{
	struct inn_tensor *t;

	if (!s->path)
		return inn_scalar(b, s->value);
	if (!b->load)
		return inn__fail_op(b, INN_EUNSUP, "array files cannot be read here");
	t = inn_alloc(b->ctx, 1, sizeof(*t));
	if (!t || b->load(b->ctx, b->load_user, s->path, t) < 0) {
		b->failed = true;
		return (inn_val){ 0 };
	}
	struct inn_shape want = *inn_shape_of(b, like), both;

	want.dim[0] = 1;
	if (!inn_shape_broadcast(&t->shape, &want, &both) || !inn_shape_eq(&both, &want)) {
		char p[INN_SHAPE_STR], q[INN_SHAPE_STR];

		return inn__fail_op(b, INN_EDATA, "%s: shape %s does not fit %s", s->path, inn_shape_str(&t->shape, p),
				    inn_shape_str(&want, q));
	}
	return inn_param_of(b, name, t);
}

inn_val inn__index(inn_build *b, uint32_t n, uint32_t depth)
{
	uint32_t attr[2] = { n, depth };
	struct args a = { .code = INN_OP_INDEX, .n_attr = 2, .attr = attr };
	uint32_t id = inn__lookup(b, &a);

	if (id || b->failed)
		return (inn_val){ id };
	if (b->n_loops == MAX_LOOPS)
		return inn__fail_op(b, INN_ELIMIT, "more than %d loops", MAX_LOOPS);
	b->loop[b->n_loops++] = b->n; /* facts ask for it */
	return inn__raw(b, &a);
}

inn_val inn_loop_begin(inn_build *b, uint32_t n)
{
	if (!b->failed && !n)
		return inn__fail_op(b, INN_ESHAPE, "a loop of no iterations");
	if (!b->failed && b->n_open == 2)
		return inn__fail_op(b, INN_ELIMIT, "more than two loops inside each other");
	inn_val i = inn__index(b, n, b->n_open);

	if (i.id)
		b->open[b->n_open++] = i.id;
	return i;
}

void inn_loop_end(inn_build *b)
{
	if (b->n_open)
		b->n_open--;
}

static inn_val closes(inn_build *b, uint32_t code, inn_val v, inn_val index)
{
	return inn__record(b, code, (uint32_t[]){ v.id, index.id }, 2, NULL, 0, NULL);
}

inn_val inn_loop_sum(inn_build *b, inn_val v, inn_val index) { return closes(b, INN_OP_LOOP_SUM, v, index); }
inn_val inn_loop_stack(inn_build *b, inn_val v, inn_val index) { return closes(b, INN_OP_LOOP_STACK, v, index); }
inn_val inn_carry(inn_build *b, inn_val init, inn_val index) { return closes(b, INN_OP_CARRY, init, index); }

inn_val inn_loop_last(inn_build *b, inn_val next, inn_val carry, inn_val index)
{
	return inn__record(b, INN_OP_LOOP_LAST, (uint32_t[]){ next.id, carry.id, index.id }, 3, NULL, 0, NULL);
}

inn_val inn_mean(inn_build *b, uint32_t n, inn_body body, const void *user)
{
	inn_val i = inn_loop_begin(b, n);
	inn_val s = inn_loop_sum(b, body(b, i, user), i);

	inn_loop_end(b);
	return inn_divc(b, s, n);
}
