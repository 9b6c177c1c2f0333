/* Values joined and cut along channels between convolutions, with elementwise work around these, as in dense blocks: backends let
 * operands stand where the joined value is, take slices for pieces of it, and compute piece by piece what stands behind a product. */
#include "conform.h"
#include <stdlib.h>

#define LAYERS 3u
#define GROWTH 16u
#define WIDTH 32u

/* PLAIN: a dense block. READ: its rectified values are read once more, behind the block. TWICE: an operand stands in a concatenation twice.
 * NESTED: of concatenations. CUT: slices across operands and slices of slices. CLIPPED: the products' own results are clipped. */
enum form { PLAIN, READ, TWICE, NESTED, CUT, CLIPPED, FORMS };

struct block { struct inn_tensor w[LAYERS], w3[LAYERS], scale[LAYERS], shift[LAYERS]; enum form form; };

/* A weight of layer k by its letter. */
static inn_val weight(inn_build *b, char letter, uint32_t k, const struct inn_tensor *t)
{
	return inn_param_of(b, (char[]){ letter, (char)('0' + k), 0 }, t);
}

static inn_val normalised(inn_build *b, inn_val v, const struct block *u, uint32_t k)
{
	v = inn_mul(b, v, inn_channel(b, weight(b, 's', k, &u->scale[k]), 4));
	return inn_pos_part(b, inn_add(b, v, inn_channel(b, weight(b, 't', k, &u->shift[k]), 4)));
}

static inn_val make(inn_build *b, const inn_val *x, const struct spec *s)
{
	static const struct inn_window point = { .n = 2, .groups = 1, .stride = { 1, 1 }, .dilation = { 1, 1 } };
	const struct block *u = s->user;
	inn_val f[LAYERS + 1] = { inn_mulc(b, x[0], 2) }, more = { 0 };

	for (uint32_t k = 0; k < LAYERS; k++) {
		inn_val v = normalised(b, inn_concat(b, f, k + 1, 1), u, k);
		inn_val y = inn_conv(b, v, weight(b, 'w', k, &u->w[k]), &point);

		if (u->form == READ)
			more = k ? inn_add(b, more, inn_slice(b, v, 1, 0, GROWTH, 1)) : inn_slice(b, v, 1, GROWTH, 2 * GROWTH, 1);
		y = u->form == CLIPPED ? inn_minc(b, inn_mulc(b, inn_maxc(b, y, 0.1), 3), 2) : inn_pos_part(b, y);
		f[k + 1] = inn_conv(b, y, weight(b, 'v', k, &u->w3[k]), &s->w);
	}
	inn_val all = inn_concat(b, f, LAYERS + 1, 1);

	switch (u->form) {
	case READ: return inn_concat(b, (inn_val[]){ all, more }, 2, 1);
	case TWICE: return inn_mulc(b, inn_concat(b, (inn_val[]){ f[1], f[2], f[1] }, 3, 1), 3);
	case NESTED: return inn_concat(b, (inn_val[]){ f[3], all, inn_concat(b, f, 2, 1) }, 3, 1);
	case CUT:
		return inn_add(b, inn_slice(b, inn_slice(b, inn_slice(b, all, 1, 8, 56, 1), 1, 8, 40, 1), 2, 0, 8, 1),
			       inn_slice(b, inn_slice(b, all, 1, 16, 80, 2), 2, 0, 8, 1));
	default: return all;
	}
}

static void fill(struct inn_tensor *t, uint32_t rank, uint32_t k, uint32_t c, uint32_t side, uint64_t seed)
{
	*t = (struct inn_tensor){ .shape = { .rank = rank, .dim = { k, c, side, side } }, .dtype = INN_F64 };
	t->data = numbers(count_of(&t->shape), SMOOTH, seed);
}

static void one(struct bench *t, enum form form, uint32_t batch, uint32_t h, uint32_t w)
{
	struct block u = { .form = form };
	struct spec s = { .name = "a dense block", .make = make, .n_in = 1, .user = &u, .batch = batch, .fast = true, .alone = batch == 2, .less = true,
			  .grads = 1, .in = { { .rank = 4, .dim = { batch, 2 * GROWTH, h, w } } },
			  .w = { .n = 2, .groups = 1, .stride = { 1, 1 }, .dilation = { 1, 1 }, .before = { 1, 1 }, .after = { 1, 1 } } };
	bool ok = true;

	for (uint32_t k = 0; k < LAYERS; k++) {
		uint32_t c = (k + 2) * GROWTH;

		fill(&u.w[k], 4, WIDTH, c, 1, 10 * k + 1);
		fill(&u.w3[k], 4, GROWTH, WIDTH, 3, 10 * k + 2);
		fill(&u.scale[k], 1, c, 1, 1, 10 * k + 3);
		fill(&u.shift[k], 1, c, 1, 1, 10 * k + 4);
		ok = ok && u.w[k].data && u.w3[k].data && u.scale[k].data && u.shift[k].data;
	}
	if (ok)
		conform(t, &s);
	for (uint32_t k = 0; k < LAYERS; k++) {
		free(u.w[k].data);
		free(u.w3[k].data);
		free(u.scale[k].data);
		free(u.shift[k].data);
	}
}

void conform_joined(struct bench *t)
{
	for (uint32_t form = PLAIN; form < FORMS; form++) {
		one(t, form, 1, 8, 8);
		one(t, form, 1, 13, 11);
		one(t, form, 2, 8, 9);
	}
}
