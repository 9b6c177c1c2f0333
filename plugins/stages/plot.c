/* plot: K curves over common positions, [K,P,3] of mean, lower and upper bound: lines over bands, axes with round numbers, and
 * the labels beside. A curve's bounds may be NaN: then it has no band. */
#include "canvas.h"
#include <innvestigate/plugin.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#define LEFT 78
#define TOP 40
#define BELOW 52
#define SWATCH 26

struct opts {
	const char *title, *axis;
	struct inn_strs labels;
	struct inn_reals at;
	int64_t width, height;
};

static const struct inn_param params[] = {
	INN_STR(struct opts, title, "", "above the curves"),
	INN_STR(struct opts, axis, "", "below them"),
	INN_STRS(struct opts, labels, NULL, "one for each curve"),
	INN_REALS(struct opts, at, NULL, -1e300, 1e300, "positions of the points, ascending"),
	INN_INT(struct opts, width, 560, 100, 10000, "of the axes, in pixels"),
	INN_INT(struct opts, height, 380, 100, 10000, "of the axes, in pixels"),
	{ 0 },
};

/* Ten colours that differ for most eyes, then again. */
static const uint8_t colors[10][3] = {
	{ 31, 119, 180 }, { 255, 127, 14 }, { 44, 160, 44 }, { 214, 39, 40 }, { 148, 103, 189 },
	{ 140, 86, 75 }, { 227, 119, 194 }, { 90, 90, 90 }, { 188, 189, 34 }, { 23, 190, 207 },
};

struct plot {
	struct canvas c;
	const struct opts *o;
	const double *v; /* [K,P,3] */
	uint32_t k, p;
	int w, h;        /* of the axes */
	double x0, x1, y0, y1;
};

static void text(struct canvas *c, int y, int x, const char *s)
{
	for (; *s; s++, x += (int)GLYPH_WIDTH)
		glyph(c, y, x, (unsigned char)*s);
}

static void centred(struct canvas *c, int y, int x, const char *s) { text(c, y, x - (int)(strlen(s) * GLYPH_WIDTH) / 2, s); }

/* Mixes a colour over a pixel of the axes' inside. */
static void dot(struct plot *p, int y, int x, const uint8_t *rgb, double share)
{
	if (y < TOP || y > TOP + p->h || x < LEFT || x > LEFT + p->w)
		return;
	uint8_t *q = p->c.data + ((size_t)y * p->c.w + (size_t)x) * 3;

	for (int i = 0; i < 3; i++)
		q[i] = (uint8_t)lrint(q[i] + share * (rgb[i] - q[i]));
}

static double x_of(const struct plot *p, double at) { return LEFT + (at - p->x0) / (p->x1 - p->x0) * p->w; }
static double y_of(const struct plot *p, double v) { return TOP + (p->y1 - v) / (p->y1 - p->y0) * p->h; }

/* Value `which` of curve k where column x of the picture cuts it. */
static double value_at(const struct plot *p, uint32_t k, int which, int x)
{
	const double *at = p->o->at.v, *v = p->v + (size_t)k * p->p * 3;
	double t = p->x0 + (double)(x - LEFT) / p->w * (p->x1 - p->x0);
	uint32_t i = 0;

	while (i + 2 < p->p && at[i + 1] < t)
		i++;
	double a = v[3 * i + (uint32_t)which], b = v[3 * (i + 1) + (uint32_t)which], span = at[i + 1] - at[i];
	double share = span > 0 ? (t - at[i]) / span : 1;

	return a + (share < 0 ? 0 : share > 1 ? 1 : share) * (b - a);
}

static void band(struct plot *p, uint32_t k)
{
	for (int x = LEFT; x <= LEFT + p->w; x++) {
		double low = value_at(p, k, 1, x), high = value_at(p, k, 2, x);

		if (isfinite(low) && isfinite(high))
			for (int y = (int)ceil(y_of(p, high)); y <= (int)floor(y_of(p, low)); y++)
				dot(p, y, x, colors[k % 10], 0.18);
	}
}

/* Two pixels thick; steep pieces are filled from column to column. */
static void line(struct plot *p, uint32_t k)
{
	double before = y_of(p, value_at(p, k, 0, LEFT));

	for (int x = LEFT; x <= LEFT + p->w; x++) {
		double now = y_of(p, value_at(p, k, 0, x)), top = fmin(before, now) - 0.5, low = fmax(before, now) + 0.5;

		for (int y = (int)lrint(top); y <= (int)lrint(low); y++)
			dot(p, y, x, colors[k % 10], 1);
		before = now;
	}
}

/* The round step that divides a span into about n. */
static double round_step(double span, int n)
{
	double step = pow(10, floor(log10(span / n)));

	return span / step > 5 * n ? 10 * step : span / step > 2 * n ? 5 * step : span / step > n ? 2 * step : step;
}

static void axes(struct plot *p)
{
	static const uint8_t grid[3] = { 225, 225, 225 }, ink[3] = { INK, INK, INK };
	double sx = round_step(p->x1 - p->x0, 6), sy = round_step(p->y1 - p->y0, 6);
	char s[32];

	for (double v = ceil(p->x0 / sx - 1e-9) * sx; v <= p->x1 + 1e-9 * sx; v += sx) {
		for (int y = TOP; y <= TOP + p->h; y++)
			dot(p, y, (int)lrint(x_of(p, v)), grid, 1);
		snprintf(s, sizeof(s), "%.4g", fabs(v) < 1e-9 * sx ? 0 : v);
		centred(&p->c, TOP + p->h + 6, (int)lrint(x_of(p, v)), s);
	}
	for (double v = ceil(p->y0 / sy - 1e-9) * sy; v <= p->y1 + 1e-9 * sy; v += sy) {
		for (int x = LEFT; x <= LEFT + p->w; x++)
			dot(p, (int)lrint(y_of(p, v)), x, grid, 1);
		snprintf(s, sizeof(s), "%.4g", fabs(v) < 1e-9 * sy ? 0 : v);
		text(&p->c, (int)lrint(y_of(p, v)) - (int)GLYPH_HEIGHT / 2, LEFT - 6 - (int)(strlen(s) * GLYPH_WIDTH), s);
	}
	for (int y = TOP; y <= TOP + p->h; y++)
		dot(p, y, LEFT, ink, 1);
	for (int x = LEFT; x <= LEFT + p->w; x++)
		dot(p, TOP + p->h, x, ink, 1);
	centred(&p->c, TOP + p->h + 6 + (int)GLYPH_HEIGHT, LEFT + p->w / 2, p->o->axis);
	centred(&p->c, 12, LEFT + p->w / 2, p->o->title);
}

static void legend(struct plot *p)
{
	for (uint32_t k = 0; k < p->k && k < p->o->labels.n; k++) {
		int y = TOP + (int)(k * (GLYPH_HEIGHT + 4)), x = LEFT + p->w + 18;

		for (int i = 0; i < 3; i++)
			for (int j = 0; j < SWATCH - 8; j++)
				if ((uint32_t)(y + i + 8) < p->c.h)
					memcpy(p->c.data + ((size_t)(y + i + 8) * p->c.w + (size_t)(x + j)) * 3, colors[k % 10], 3);
		text(&p->c, y, x + SWATCH, p->o->labels.v[k]);
	}
}

/* From the smallest to the largest value that is drawn. */
static void extent(struct plot *p)
{
	p->y0 = INFINITY;
	p->y1 = -INFINITY;
	for (size_t i = 0; i < (size_t)p->k * p->p * 3; i++)
		if (isfinite(p->v[i])) {
			p->y0 = fmin(p->y0, p->v[i]);
			p->y1 = fmax(p->y1, p->v[i]);
		}
	if (!(p->y1 > p->y0)) {
		p->y0 = isfinite(p->y0) ? p->y0 - 0.5 : 0;
		p->y1 = p->y0 + 1;
	}
	double margin = 0.04 * (p->y1 - p->y0);

	p->y0 -= margin;
	p->y1 += margin;
	p->x0 = p->o->at.v[0];
	p->x1 = p->o->at.v[p->p - 1];
}

static int apply(inn_ctx *ctx, const struct inn_tensor *in, struct inn_tensor *out, const void *opts)
{
	struct plot p = { .o = opts, .v = in->data, .w = (int)((const struct opts *)opts)->width, .h = (int)((const struct opts *)opts)->height };
	size_t longest = 0;
	int status;

	if (in->dtype != INN_F64 || in->shape.rank != 3 || in->shape.dim[2] != 3 || in->shape.dim[1] < 2 || in->shape.dim[1] != p.o->at.n ||
	    !(p.o->at.v[p.o->at.n - 1] > p.o->at.v[0]))
		return inn_fail(ctx, INN_EDATA, NULL, "plot: curves [K,P,3] over P > 1 ascending positions are expected");
	p.k = in->shape.dim[0];
	p.p = in->shape.dim[1];
	for (size_t k = 0; k < p.o->labels.n; k++)
		longest = strlen(p.o->labels.v[k]) > longest ? strlen(p.o->labels.v[k]) : longest;
	longest = longest > 100 ? 100 : longest;
	p.c.w = (uint32_t)(LEFT + p.w + 18 + SWATCH + 10) + (uint32_t)longest * GLYPH_WIDTH;
	p.c.h = (uint32_t)(TOP + p.h + BELOW);
	*out = (struct inn_tensor){ .dtype = INN_U8, .shape = { .rank = 3, .dim = { p.c.h, p.c.w, 3 } } };
	if ((status = inn_tensor_alloc(ctx, out)) < 0)
		return status;
	p.c.data = out->data;
	memset(p.c.data, 255, (size_t)p.c.h * p.c.w * 3);
	extent(&p);
	axes(&p);
	for (uint32_t k = 0; k < p.k; k++)
		band(&p, k);
	for (uint32_t k = 0; k < p.k; k++)
		line(&p, k);
	legend(&p);
	return INN_OK;
}

static const struct inn_stage_ops plot = {
	.cls = INN_HEAD(struct inn_stage_ops, INN_STAGE, "plot", "curves with bands", params, sizeof(struct opts), NULL),
	.apply = apply,
};

INN_PLUGIN("plot", "1.0.0", "BSD-2-Clause", &plot.cls);
