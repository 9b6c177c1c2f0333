/* 3x3 convolutions by Winograd's transforms, in passes over tiles: transform, a product for each point, and back. Every sum runs over
 * the channels in order, so neither the neighbours of a tile nor the pass it falls into show in the bits. */
#include "opencl.h"

#define BUDGET ((size_t)3 << 20) /* elements of scratch that a pass may take */

static size_t points_of(const struct winograd *w) { return (size_t)(w->side + 2) * (size_t)(w->side + 2); }

/* Work-items side by side that take `lanes` each. */
static size_t items(const struct inn_exec *e, int n) { return ((size_t)n + (size_t)e->dev->lanes - 1) / (size_t)e->dev->lanes; }

/* The weights at the points, once per model. */
static struct loc weights(struct inn_exec *e, const struct conv *c, const struct winograd *w)
{
	struct packing as = { .m = w->k, .k = w->c, .rs = w->w_k, .cs = w->w_c, .run = w->side };
	size_t per = e->dev->lanes == 1 ? 1 : TILE_ROWS;
	uint32_t was = e->into;
	struct loc to;

	if (!ocl_keep_for(e, c->w, &as, points_of(w), points_of(w) * ((size_t)w->c * (size_t)w->k_room + APART_POINTS), &to))
		return to;
	e->into = e->last[c->w.op];
	struct launch *l = ocl_launch(e, c->i, "winograd_weights");

	ocl_at(e, l, c->w);
	ocl_at(e, l, to);
	ocl_arg(e, l, w, sizeof(*w));
	ocl_int(e, l, per);
	ocl_grid(e, l, (size_t)w->k_room / per, (size_t)w->c, 1);
	e->into = was;
	return to;
}

/* Which results see anything but zeros. */
static struct loc some(struct inn_exec *e, const struct conv *c, const struct winograd *w, struct loc x)
{
	size_t rows = c->n * (size_t)w->out[0];
	struct loc to = ocl_scratch(e, rows * (size_t)w->out[1]);
	struct launch *l = ocl_launch(e, c->i, "winograd_some");

	ocl_at(e, l, x);
	ocl_at(e, l, to);
	ocl_arg(e, l, w, sizeof(*w));
	ocl_int(e, l, rows);
	ocl_grid(e, l, items(e, w->out[1]), rows, 1);
	return to;
}

static void pass(struct inn_exec *e, const struct conv *c, const struct winograd *w, struct loc x, struct loc u, struct loc any, struct loc y)
{
	size_t k = (size_t)w->k, ch = (size_t)w->c, room = (size_t)w->room, points = points_of(w), per_point = ch * room + APART_POINTS;
	struct loc v = ocl_scratch(e, points * per_point), m = ocl_scratch(e, points * (k * room + APART_POINTS));
	struct launch *l = ocl_launch(e, c->i, "winograd_in");

	ocl_at(e, l, x);
	ocl_at(e, l, v);
	ocl_arg(e, l, w, sizeof(*w));
	ocl_grid(e, l, items(e, w->room), ch, 1);
	ocl_product(e, c->i, &(struct gemm_of){ .m = k, .n = room, .k = ch, .n0 = 1, .n1 = points, .c_16 = e->dev->clblast ? 0 : (size_t)w->m_tile,
			.a = { u, 1, k, 0, ch * (size_t)w->k_room + APART_POINTS }, .b = { v, room, 1, 0, per_point },
			.c = { m, (size_t)w->m_k, 1, 0, (size_t)w->m_point } });
	l = ocl_launch(e, c->i, "winograd_out");
	ocl_at(e, l, m);
	ocl_at(e, l, any);
	ocl_at(e, l, y);
	ocl_arg(e, l, w, sizeof(*w));
	ocl_grid(e, l, items(e, w->n), k, 1);
}

void ocl_winograd(struct inn_exec *e, const struct conv *c, const struct geometry *g, bool dx, int side)
{
	bool own = !e->dev->clblast;

	e->largest_side = side > e->largest_side ? side : e->largest_side;
	struct winograd w = { .c = (int)(dx ? c->k : c->c), .k = (int)(dx ? c->c : c->k), .in = { g->in[1], g->in[2] },
			      .out = { g->out[1], g->out[2] }, .before = { g->before[1], g->before[2] }, .side = side, .turned = dx };
	struct loc x = dx ? c->y : c->x;

	w.high = (w.out[0] + side - 1) / side;
	w.wide = (w.out[1] + side - 1) / side;
	w.w_k = dx ? 9 : w.c * 9;
	w.w_c = dx ? w.k * 9 : 9;
	w.k_block = own ? TILE_ROWS : w.k;
	w.k_room = (int)round_up((size_t)w.k, (size_t)w.k_block);
	struct loc u = weights(e, c, &w), any = side == 2 ? x : some(e, c, &w, x);
	size_t tiles = (size_t)w.high * (size_t)w.wide, all = c->n * tiles, mark = e->scratch_top;
	size_t most = BUDGET / points_of(&w) / (size_t)(w.c + w.k);

	most = most < TILE_COLUMNS ? TILE_COLUMNS : most / TILE_COLUMNS * TILE_COLUMNS;
	for (size_t at = 0, n; at < all; at += n) {
		size_t end = own ? all : (at / tiles + 1) * tiles; /* how CLBlast adds up depends on the size */

		n = end - at < most ? end - at : most;
		w.first = (int)at;
		w.n = (int)n;
		w.room = own ? (int)round_up(n, TILE_COLUMNS) : w.n;
		w.block = own ? TILE_COLUMNS : w.n;
		w.m_point = own ? e->dev->lanes : w.k * w.room + APART_POINTS;
		w.m_tile = own ? (int)points_of(&w) * w.m_point : 1;
		w.m_k = w.room / e->dev->lanes * w.m_tile;
		e->scratch_top = mark;
		pass(e, c, &w, x, u, any, dx ? c->x : c->y);
	}
}
