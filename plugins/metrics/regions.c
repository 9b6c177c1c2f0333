/* How an input divides into regions. Where its size is no multiple of theirs, the first and the last region of an axis are
 * smaller: only cells of the input count. pad_mode other than none fills them up as numpy's pad does, and then the copies
 * count, as in iNNvestigate. */
#include "perturb.h"

const struct inn_choice perturb_reductions[] = {
	{ "none", NONE, "not at all: each channel is ranked and replaced on its own" },
	{ "mean", MEAN, "their mean" },
	{ "sum", SUM, "their sum" },
	{ "max", MAX, "the largest" },
	{ "min", MIN, "the smallest" },
	{ "abs_sum", ABS_SUM, "the sum of their magnitudes" },
	{ "max_abs", MAX_ABS, "the largest magnitude" },
	{ 0 },
};
const struct inn_choice perturb_pads[] = {
	{ "none", PAD_NONE, "those regions are smaller" },
	{ "reflect", PAD_REFLECT, "mirrored at the outermost cells; the copies count (iNNvestigate's default)" },
	{ "edge", PAD_EDGE, "the outermost cells repeated; the copies count" },
	{ "constant", PAD_CONSTANT, "zeros, which count" },
	{ 0 },
};
const struct inn_choice perturb_layouts[] = {
	{ "auto", CHANNELS_AUTO, "the last one if it has at most 4 and the second has more, else the second" },
	{ "first", CHANNELS_FIRST, "the one after the samples" },
	{ "last", CHANNELS_LAST, "the last one" },
	{ 0 },
};

static bool channels_last(const struct inn_shape *s, const struct perturb *o)
{
	if (s->rank < 3)
		return false;
	return o->channels == CHANNELS_LAST || (o->channels == CHANNELS_AUTO && s->dim[1] > 4 && s->dim[s->rank - 1] <= 4);
}

static void divide(struct regions *r, const struct perturb *o, uint32_t i)
{
	uint64_t want = (uint64_t)o->region_shape.v[o->region_shape.n == 1 ? 0 : i];
	uint32_t size = r->size[i], region = want < size ? (uint32_t)want : size, lack = (region - size % region) % region;
	struct inn_window *w = &r->window;

	w->size[i] = w->stride[i] = region;
	w->dilation[i] = 1;
	w->before[i] = lack / 2;
	w->after[i] = lack - lack / 2;
	r->grid[i] = (size + lack) / region;
}

bool regions_of(inn_build *b, inn_val x, const struct perturb *o, struct regions *r)
{
	struct inn_shape s = *inn_shape_of(b, x);
	uint32_t n = s.rank < 3 ? 1 : s.rank - 2;

	*r = (struct regions){ .flat = s.rank == 2, .last = channels_last(&s, o), .window = { .n = n } };
	if (s.rank < 2 || n > 3) {
		inn_fail(inn_build_ctx(b), INN_EUNSUP, NULL, "an input with %u axes has no regions: it takes one to three beside samples and channels",
			 s.rank);
		return false;
	}
	if (o->region_shape.n != 1 && o->region_shape.n != n) {
		inn_fail(inn_build_ctx(b), INN_ECONFIG, NULL, "region_shape has %zu numbers, the input has %u such axes", o->region_shape.n, n);
		return false;
	}
	r->channels = o->reduce_function != NONE || r->flat ? 1 : s.dim[r->last ? s.rank - 1 : 1];
	r->n = r->channels;
	for (uint32_t i = 0; i < n; i++) {
		r->size[i] = s.dim[r->flat || r->last ? 1 + i : 2 + i];
		divide(r, o, i);
		r->n *= r->grid[i];
	}
	for (uint32_t i = 0; o->pad_mode != PAD_NONE && i < n; i++) {
		r->pad[i] = r->window.before[i];
		r->window.before[i] = 0;
	}
	return true;
}

/* Cell i of a padded axis as a cell of the axis of length n. */
static uint32_t source(int64_t i, int64_t n, int mode)
{
	int64_t period = n > 1 ? 2 * (n - 1) : 1;

	if (mode == PAD_EDGE)
		return (uint32_t)(i < 0 ? 0 : i < n ? i : n - 1);
	i = (i % period + period) % period;
	return (uint32_t)(i < n ? i : period - i);
}

static inn_val pad_axis(inn_build *b, inn_val x, uint32_t axis, uint32_t before, uint32_t after, int mode)
{
	inn_ctx *ctx = inn_build_ctx(b);
	uint32_t n = inn_dim(b, x, axis), total = before + n + after;

	if (total == n || mode == PAD_CONSTANT)
		return inn_pad(b, x, axis, before, after, 1);
	struct inn_tensor *t = inn_alloc(ctx, 1, sizeof(*t));
	double *v = inn_alloc(ctx, total, sizeof(*v));
	const char *name = inn_printf(ctx, "cells of %u padded by %u and %u, mode %d", n, before, after, mode);

	if (!t || !v || !name)
		return (inn_val){ 0 };
	for (uint32_t i = 0; i < total; i++)
		v[i] = source((int64_t)i - before, n, mode);
	*t = (struct inn_tensor){ .dtype = INN_F64, .shape = { .rank = 1, .dim = { total } }, .data = v };
	return inn_gather(b, x, inn_param_of(b, name, t), axis);
}

inn_val regions_view(inn_build *b, const struct regions *r, const struct perturb *o, inn_val x)
{
	struct inn_shape s = *inn_shape_of(b, x);
	uint32_t order[INN_MAX_RANK] = { 0, s.rank - 1 };

	if (r->flat)
		x = inn_reshape(b, x, &(struct inn_shape){ .rank = 3, .dim = { s.dim[0], 1, s.dim[1] } });
	for (uint32_t d = 2; d < s.rank; d++)
		order[d] = d - 1;
	if (r->last)
		x = inn_permute(b, x, order);
	for (uint32_t i = 0; o->pad_mode != PAD_NONE && i < r->window.n; i++)
		x = pad_axis(b, x, 2 + i, r->pad[i], r->grid[i] * r->window.size[i] - r->size[i] - r->pad[i], o->pad_mode);
	return x;
}

inn_val regions_unview(inn_build *b, const struct regions *r, inn_val x)
{
	struct inn_shape s = *inn_shape_of(b, x);
	uint32_t order[INN_MAX_RANK] = { 0 };

	for (uint32_t i = 0; i < r->window.n; i++)
		x = inn_slice(b, x, 2 + i, r->pad[i], r->pad[i] + r->size[i], 1);
	if (r->flat)
		return inn_reshape(b, x, &(struct inn_shape){ .rank = 2, .dim = { s.dim[0], s.dim[2] } });
	for (uint32_t d = 1; d < s.rank; d++)
		order[d] = d + 1 < s.rank ? d + 1 : 1;
	return r->last ? inn_permute(b, x, order) : x;
}

static inn_val reduce(inn_build *b, inn_val map, int how)
{
	switch (how) {
	case MEAN: return inn_mean_axes(b, map, 2);
	case SUM: return inn_sum(b, map, 2);
	case MAX: return inn_rmax(b, map, 2);
	case MIN: return inn_neg(b, inn_rmax(b, inn_neg(b, map), 2));
	case ABS_SUM: return inn_sum(b, inn_abs(b, map), 2);
	case MAX_ABS: return inn_rmax(b, inn_abs(b, map), 2);
	default: return map;
	}
}

static inn_val aggregate(inn_build *b, inn_val v, const struct inn_window *w, int how)
{
	struct inn_window sum = *w;
	double cells = 1;

	for (uint32_t i = 0; i < w->n; i++)
		cells *= w->size[i];
	sum.count_pad = 1; /* what lies beyond the edge is zero, and divides as if it were there */
	if (how == ABS_SUM || how == MAX_ABS)
		v = inn_abs(b, v);
	if (cells == 1)
		return v;
	switch (how) {
	case MEAN: return inn_pool_avg(b, v, w);
	case MAX: case MAX_ABS: return inn_pool_max(b, v, v, w);
	case MIN: return inn_neg(b, inn_pool_max(b, inn_neg(b, v), inn_neg(b, v), w));
	default: return inn_mulc(b, inn_pool_avg(b, v, &sum), cells);
	}
}

inn_val regions_zero(inn_build *b, inn_val x)
{
	return inn_gtc(b, inn_reshape(b, inn_valid(b), &(struct inn_shape){ .rank = 2, .dim = { inn_dim(b, x, 0), 1 } }), 1);
}

inn_val regions_scores(inn_build *b, const struct regions *r, const struct perturb *o, inn_val map)
{
	inn_val v = aggregate(b, reduce(b, regions_view(b, r, o, map), o->reduce_function), &r->window, o->aggregation_function);

	v = inn_reshape(b, v, &(struct inn_shape){ .rank = 2, .dim = { inn_dim(b, map, 0), r->n } });
	return inn_add(b, v, regions_zero(b, map));
}

inn_val regions_spread(inn_build *b, const struct regions *r, inn_val v, inn_val like)
{
	struct inn_shape s = { .rank = 2 + r->window.n, .dim = { inn_dim(b, v, 0), r->channels } };

	for (uint32_t i = 0; i < r->window.n; i++)
		s.dim[2 + i] = r->grid[i];
	v = inn_reshape(b, v, &s);
	for (uint32_t i = 0; i < r->window.n; i++) {
		v = inn_repeat(b, v, 2 + i, r->window.size[i]);
		v = inn_slice(b, v, 2 + i, r->window.before[i], r->window.before[i] + inn_dim(b, like, 2 + i), 1);
	}
	return v;
}
