/* The curve of what the network says while regions are replaced. The steps of a fixed analysis do not depend on each other:
 * they are the iterations of one loop, which a backend may run side by side; a recomputed analysis carries what is replaced
 * from step to step. */
#include "perturb.h"
#include <float.h>
#include <string.h>

const struct inn_choice perturb_scores[] = {
	{ "probability", PROBABILITY, "the softmax of the outputs at the target" },
	{ "output", OUTPUT, "the output at the target as the network gives it, after the passes" },
	{ 0 },
};

int perturb_check(inn_ctx *ctx, const struct inn_loc *loc, const void *opts)
{
	const struct perturb *o = opts;

	if (!o->fill.cls)
		return inn_fail(ctx, INN_ECONFIG, loc, "fill is missing");
	if (o->value_range.n && (o->value_range.n != 2 || o->value_range.v[0] > o->value_range.v[1]))
		return inn_fail(ctx, INN_ECONFIG, loc, "value_range is the smallest and the largest value");
	if (!o->steps && !o->regions_per_step)
		return inn_fail(ctx, INN_ECONFIG, loc, "steps: 0 needs regions_per_step");
	if (o->first_step && !o->regions_per_step)
		return inn_fail(ctx, INN_ECONFIG, loc, "first_step needs regions_per_step");
	return o->region_shape.n ? INN_OK : inn_fail(ctx, INN_ECONFIG, loc, "region_shape is empty");
}

struct work { /* one curve */
	inn_build *b;
	const struct inn_subject *s;
	const struct perturb *o;
	struct regions r;
	inn_val x;           /* the clean input as [N,C,...] */
	inn_val *with;       /* all inputs of the network: the others clean */
	uint32_t n;          /* points */
	const double *count; /* regions replaced at each */
	int order, what;
};

static bool count_regions(struct work *w)
{
	const struct perturb *o = w->o;
	int64_t all = w->r.n, per = o->regions_per_step, first = o->first_step ? o->first_step : per, steps = o->steps;
	double *v;

	if (!steps)
		steps = 1 + (first >= all ? 0 : (all - first + per - 1) / per);
	if (!per && steps > all)
		steps = all;
	w->n = (uint32_t)steps + 1;
	w->count = v = inn_alloc(inn_build_ctx(w->b), w->n, sizeof(*v));
	for (int64_t i = 1; v && i <= steps; i++) {
		int64_t k = per ? first + (i - 1) * per : i * all / steps;

		v[i] = (double)(k < all ? k : all);
	}
	return v;
}

/* Element `index` of the numbers v [n]. */
static inn_val at_index(inn_build *b, const char *what, const double *v, uint32_t n, inn_val index)
{
	inn_ctx *ctx = inn_build_ctx(b);
	struct inn_tensor *t = inn_alloc(ctx, 1, sizeof(*t));
	const char *name = inn_printf(ctx, "%s", what);

	for (uint32_t i = 0; name && i < n; i++) /* equal names are one value */
		name = i < 2 || i == n - 1 || v[i] - v[i - 1] != v[i - 1] - v[i - 2] ? inn_printf(ctx, "%s %u:%.17g", name, i, v[i]) : name;
	if (!t || !name)
		return (inn_val){ 0 };
	*t = (struct inn_tensor){ .dtype = INN_F64, .shape = { .rank = 1, .dim = { n } }, .data = (void *)(uintptr_t)v };
	return index.id ? inn_gather(b, inn_param_of(b, name, t), index, 0) : inn_param_of(b, name, t);
}

/* The input with the fill where mask is 1. */
static inn_val replaced(const struct work *w, inn_val mask)
{
	const struct perturb *o = w->o;
	inn_build *b = w->b;
	inn_val f = ((const struct inn_fill_ops *)(const void *)o->fill.cls)->build(b, w->x, mask, &w->r.window, o->fill.opts);

	if (o->value_range.n)
		f = inn_maxc(b, inn_minc(b, f, o->value_range.v[1]), o->value_range.v[0]);
	return regions_unview(b, &w->r, inn_select(b, mask, f, w->x));
}

inn_val perturb_column(inn_build *b, inn_val v)
{
	return inn_reshape(b, v, &(struct inn_shape){ .rank = 1, .dim = { inn_dim(b, v, 0) } });
}

/* What the outputs y [N,n] say of the target: [N]. */
static inn_val judged(const struct work *w, inn_val y)
{
	inn_val pick = w->s->q->pick;

	if (w->what == ACCURACY)
		return inn_eq(w->b, inn_argmax(w->b, y, 1), inn_argmax(w->b, pick, 1));
	y = w->o->score == PROBABILITY ? inn_softmax(w->b, y, 1) : y;
	return perturb_column(w->b, inn_sum(w->b, inn_mul(w->b, pick, y), 2));
}

/* The same of the network with x in the place of the input. */
static inn_val outcome(const struct work *w, inn_val x)
{
	w->with[w->o->input] = x;
	return judged(w, inn_logits(w->b, inn_forward(w->b, w->with)));
}

/* The place of each region in the order: 0 is replaced first. Equal regions keep the order of their numbers either way. */
static inn_val places(const struct work *w, inn_val scores)
{
	return inn_rank(w->b, w->order == LERF ? inn_neg(w->b, scores) : scores);
}

static inn_val fixed(const struct work *w)
{
	inn_build *b = w->b;
	inn_val order = regions_spread(b, &w->r, places(w, regions_scores(b, &w->r, w->o, w->s->map[w->o->input])), w->x);
	uint32_t clean = w->order != INSERTED; /* the first point needs no pass of its own */
	inn_val i = inn_loop_begin(b, w->n - clean);
	inn_val k = at_index(b, "regions replaced", w->count + clean, w->n - clean, i);
	inn_val mask = w->order == INSERTED ? inn_ge(b, order, k) : inn_gt(b, k, order);
	inn_val v = inn_loop_stack(b, outcome(w, replaced(w, mask)), i);

	inn_loop_end(b);
	if (!clean)
		return v;
	inn_val first = judged(w, w->s->y);
	inn_val both[2] = { inn_reshape(b, first, &(struct inn_shape){ .rank = 2, .dim = { inn_dim(b, first, 0), 1 } }), v };

	return inn_concat(b, both, 2, 1);
}

/* Each step ranks the regions that are left by a map of the input as it is then. */
static inn_val recomputed(const struct work *w)
{
	inn_build *b = w->b;
	struct inn_shape all = { .rank = 2, .dim = { inn_dim(b, w->x, 0), w->r.n } };
	double *more = inn_alloc(inn_build_ctx(b), w->n, sizeof(*more));
	inn_val none = inn_expand(b, regions_zero(b, w->x), &all);
	struct inn_query q = *w->s->q;
	inn_val *map = inn_alloc(inn_build_ctx(b), q.n_x, sizeof(*map));

	if (!more || !map)
		return (inn_val){ 0 };
	for (uint32_t i = 0; i + 1 < w->n; i++)
		more[i] = w->count[i + 1] - w->count[i];
	inn_val i = inn_loop_begin(b, w->n), gone = inn_carry(b, none, i);
	inn_val x = replaced(w, regions_spread(b, &w->r, gone, w->x)), v = inn_loop_stack(b, outcome(w, x), i);

	q.x = w->with; /* as outcome left them */
	inn_nested(b, w->s->analyzer, &q, map);
	inn_val scores = regions_scores(b, &w->r, w->o, map[w->o->input]), last = inn_scalar(b, w->order == LERF ? FLT_MAX : -FLT_MAX);
	inn_val now = inn_gt(b, at_index(b, "regions more", more, w->n, i), places(w, inn_select(b, gone, last, scores)));

	inn_loop_last(b, inn_max(b, gone, now), gone, i);
	inn_loop_end(b);
	return v;
}

struct perturb_curve perturb_curve(inn_build *b, const struct inn_subject *s, const struct perturb *o, int order, int what)
{
	struct work w = { .b = b, .s = s, .o = o, .order = order, .what = what };
	struct perturb_curve c = { 0 };
	double *at;

	if (o->input >= s->q->n_x) {
		inn_fail(inn_build_ctx(b), INN_ECONFIG, NULL, "input: %lld; the network has inputs 0 to %u", (long long)o->input, s->q->n_x - 1);
		return c;
	}
	if (!regions_of(b, s->q->x[o->input], o, &w.r) || !count_regions(&w) || !(at = inn_alloc(inn_build_ctx(b), w.n, sizeof(*at))) ||
	    !(w.with = inn_alloc(inn_build_ctx(b), s->q->n_x, sizeof(*w.with))))
		return c;
	memcpy(w.with, s->q->x, s->q->n_x * sizeof(*w.with));
	for (uint32_t i = 0; i < w.n; i++)
		at[i] = w.count[i] / w.r.n;
	w.x = regions_view(b, &w.r, o, s->q->x[o->input]);
	c.v = o->recompute_analysis ? recomputed(&w) : fixed(&w);
	c.at = at;
	c.n = w.n;
	return c;
}

inn_val perturb_area(inn_build *b, const struct perturb_curve *c)
{
	double *weight = inn_alloc(inn_build_ctx(b), c->n + 1u, sizeof(*weight)), span = c->n ? c->at[c->n - 1] - c->at[0] : 0;

	if (!weight || !c->v.id)
		return (inn_val){ 0 };
	weight[0] = !(span > 0);
	for (uint32_t i = 0; span > 0 && i + 1 < c->n; i++) {
		weight[i] += (c->at[i + 1] - c->at[i]) / span / 2;
		weight[i + 1] += (c->at[i + 1] - c->at[i]) / span / 2;
	}
	return perturb_column(b, inn_sum(b, inn_mul(b, c->v, at_index(b, "area", weight, c->n, (inn_val){ 0 })), 2));
}

struct perturb_curve perturb_from(inn_build *b, const struct perturb_curve *c, uint32_t first)
{
	if (!c->v.id)
		return *c;
	return (struct perturb_curve){ inn_slice(b, c->v, 1, first, c->n, 1), c->at + first, c->n - first };
}

void perturb_measure(inn_build *b, const char *name, const struct perturb_curve *c) { inn_measure(b, name, c->v, c->at, c->n); }

void perturb_areas(inn_build *b, const struct inn_subject *s, const struct perturb *o, int what)
{
	struct perturb_curve morf = perturb_curve(b, s, o, MORF, what);

	inn_measure(b, "score", perturb_area(b, &morf), NULL, 0);
	perturb_measure(b, "morf", &morf);
	if (!o->lerf)
		return;
	struct perturb_curve lerf = perturb_curve(b, s, o, LERF, what);

	perturb_measure(b, "lerf", &lerf);
}
