/* Movement: every element of the result names the element it comes from. */
#include "conform.h"
#include <math.h>

static inn_val make_move(inn_build *b, const inn_val *x, const struct spec *s)
{
	const uint32_t *a = s->a + 1;

	switch (s->a[0]) {
	case INN_OP_RESHAPE: {
		struct inn_shape to = { .rank = 2, .dim = { 1, (uint32_t)count_of(&s->in[0]) } };

		return inn_reshape(b, x[0], &to);
	}
	case INN_OP_PERMUTE: return inn_permute(b, x[0], a);
	case INN_OP_EXPAND: return inn_expand(b, x[0], &(struct inn_shape)SHAPE(2, 3, 4, 5));
	case INN_OP_SLICE: return inn_slice(b, x[0], a[0], a[1], a[2], a[3]);
	case INN_OP_PAD: return inn_pad(b, x[0], a[0], a[1], a[2], a[3]);
	case INN_OP_CONCAT: return inn_concat(b, x, s->n_in, a[0]);
	case INN_OP_GATHER: return inn_gather(b, x[0], x[1], a[0]);
	default: return inn_scatter(b, x[0], x[1], a[0], a[1]);
	}
}

static void split(const struct inn_shape *s, size_t j, size_t at[INN_MAX_RANK])
{
	for (uint32_t d = s->rank; d--; j /= s->dim[d])
		at[d] = j % s->dim[d];
}

static size_t flat(const struct inn_shape *s, const size_t at[INN_MAX_RANK])
{
	size_t j = 0;

	for (uint32_t d = 0; d < s->rank; d++)
		j = j * s->dim[d] + at[d];
	return j;
}

/* Where element `at` of the result comes from: operand in *k, its index over `at`; false: it is 0. */
static bool source(const struct spec *s, size_t at[INN_MAX_RANK], uint32_t *k)
{
	const uint32_t *a = s->a + 1;
	size_t old[INN_MAX_RANK];

	*k = 0;
	switch (s->a[0]) {
	case INN_OP_PERMUTE:
		for (uint32_t d = 0; d < s->out.rank; d++)
			old[d] = at[d];
		for (uint32_t d = 0; d < s->out.rank; d++)
			at[a[d]] = old[d];
		return true;
	case INN_OP_EXPAND: {
		uint32_t lead = s->out.rank - s->in[0].rank;

		for (uint32_t d = 0; d < s->in[0].rank; d++)
			at[d] = s->in[0].dim[d] == 1 ? 0 : at[d + lead];
		return true;
	}
	case INN_OP_SLICE:
		at[a[0]] = a[1] + at[a[0]] * a[3];
		return true;
	case INN_OP_PAD:
		if (at[a[0]] < a[1] || (at[a[0]] - a[1]) % a[3] || (at[a[0]] - a[1]) / a[3] >= s->in[0].dim[a[0]])
			return false;
		at[a[0]] = (at[a[0]] - a[1]) / a[3];
		return true;
	default: /* CONCAT */
		for (; at[a[0]] >= s->in[*k].dim[a[0]]; ++*k)
			at[a[0]] -= s->in[*k].dim[a[0]];
		return true;
	}
}

static void move(const struct spec *s, const double *const *x, double *y)
{
	for (size_t j = 0; j < count_of(&s->out); j++) {
		size_t at[INN_MAX_RANK] = { 0 };
		uint32_t k = 0;

		split(&s->out, j, at);
		if (s->a[0] == INN_OP_RESHAPE)
			y[j] = x[0][j];
		else
			y[j] = source(s, at, &k) ? x[k][flat(&s->in[k], at)] : 0;
	}
}

static void take(const struct spec *s, const double *const *x, double *y)
{
	bool gather = s->a[0] == INN_OP_GATHER;
	const struct inn_shape *part = gather ? &s->out : &s->in[0], *whole = gather ? &s->in[0] : &s->out, *index = &s->in[1];
	uint32_t axis = s->a[1];

	for (size_t j = 0; !gather && j < count_of(&s->out); j++)
		y[j] = 0;
	for (size_t j = 0; j < count_of(part); j++) {
		size_t at[INN_MAX_RANK] = { 0 }, to[INN_MAX_RANK] = { 0 };

		split(part, j, at);
		for (uint32_t d = 0; d < whole->rank; d++)
			if (d != axis)
				to[d] = at[d < axis ? d : d + index->rank - 1];
		to[axis] = (size_t)x[1][flat(index, at + axis)];
		if (gather)
			y[j] = x[0][flat(whole, to)];
		else
			y[flat(whole, to)] += x[0][j];
	}
}

static void takes(struct bench *t)
{
	static const struct inn_shape index[] = { SHAPE(4), { 0 }, SHAPE(2, 3), SHAPE(1) };

	for (uint32_t axis = 0; axis < 3; axis++)
		for (size_t i = 0; i < sizeof(index) / sizeof(*index); i++) {
			struct spec s = { .name = "gather", .make = make_move, .oracle = take, .n_in = 2, .fill = { SMOOTH, INDEX3 }, .grads = 1,
					  .a = { INN_OP_GATHER, axis, 3 }, .in = { SHAPE(3, 4, 5), index[i] } };

			s.in[0].dim[axis] = 3;
			conform(t, &s);
			struct inn_shape x = { .rank = 0 };

			for (uint32_t d = 0; d < 3; d++)
				if (d != axis)
					x.dim[x.rank++] = s.in[0].dim[d];
				else
					for (uint32_t q = 0; q < index[i].rank; q++)
						x.dim[x.rank++] = index[i].dim[q];
			s.name = "scatter";
			s.a[0] = INN_OP_SCATTER;
			s.in[0] = x;
			conform(t, &s);
		}
}

void conform_moves(struct bench *t)
{
	static const struct { uint32_t code, n_in; struct inn_shape in[3]; uint32_t a[8]; } cases[] = {
		{ INN_OP_RESHAPE, 1, { SHAPE(2, 3, 4) }, { 0 } },
		{ INN_OP_PERMUTE, 1, { SHAPE(2, 3, 4) }, { 2, 0, 1 } },
		{ INN_OP_PERMUTE, 1, { SHAPE(2, 3, 4) }, { 0, 2, 1 } },
		{ INN_OP_PERMUTE, 1, { SHAPE(1, 2, 3, 4, 5, 2) }, { 0, 1, 4, 2, 5, 3 } },
		{ INN_OP_PERMUTE, 1, { SHAPE(5, 1) }, { 1, 0 } },
		{ INN_OP_EXPAND, 1, { { 0 } }, { 0 } },
		{ INN_OP_EXPAND, 1, { SHAPE(5) }, { 0 } },
		{ INN_OP_EXPAND, 1, { SHAPE(1, 3, 1, 1) }, { 0 } },
		{ INN_OP_EXPAND, 1, { SHAPE(3, 1, 5) }, { 0 } },
		{ INN_OP_SLICE, 1, { SHAPE(3, 9, 2) }, { 1, 2, 8, 3 } },
		{ INN_OP_SLICE, 1, { SHAPE(3, 9, 2) }, { 1, 4, 4, 1 } },
		{ INN_OP_SLICE, 1, { SHAPE(3, 9, 2) }, { 2, 1, 2, 1 } },
		{ INN_OP_SLICE, 1, { SHAPE(3, 9, 2) }, { 0, 0, 3, 2 } },
		{ INN_OP_SLICE, 1, { SHAPE(3, 9, 2) }, { 1, 1, 9, 2 } },
		{ INN_OP_PAD, 1, { SHAPE(3, 4, 2) }, { 1, 2, 1, 1 } },
		{ INN_OP_PAD, 1, { SHAPE(3, 4, 2) }, { 2, 0, 3, 3 } },
		{ INN_OP_PAD, 1, { SHAPE(3, 4, 2) }, { 0, 1, 0, 2 } },
		{ INN_OP_CONCAT, 3, { SHAPE(2, 3, 2), SHAPE(2, 1, 2), SHAPE(2, 4, 2) }, { 1 } },
		{ INN_OP_CONCAT, 2, { SHAPE(2, 3, 2), SHAPE(5, 3, 2) }, { 0 } },
		{ INN_OP_CONCAT, 2, { SHAPE(2, 3, 2), SHAPE(2, 3, 0) }, { 2 } },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct spec s = { .name = inn_op_name(cases[i].code), .make = make_move, .oracle = move, .n_in = cases[i].n_in,
				  .a = { cases[i].code }, .grads = (1u << cases[i].n_in) - 1 };

		for (uint32_t k = 0; k < 8; k++)
			s.a[1 + k] = cases[i].a[k];
		for (uint32_t k = 0; k < s.n_in; k++)
			s.in[k] = cases[i].in[k];
		conform(t, &s);
	}
	takes(t);
}
