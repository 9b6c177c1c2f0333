/* Convolutions, by a rule on shapes, roles and the kind of device:
 *   one input channel a group        a kernel of its own
 *   1x1, stride 1, no padding        a product of the tensors as they are
 *   3x3, stride 1, many channels     winograd.c, where the weights are the same for every batch and the plan is not strict: tiles of 4x4
 *                                    for the network's own weights and results of 20x20 and more, else 2x2, for weights that a rule
 *                                    changed and quotients have a wide range, and an output must not see more than its window
 *   processors, stride 1             a product whose second operand is the padded input, shifted for each kernel position
 *   otherwise                        unfold (im2col) in tiles that fit a budget, and a product; backward-data a product and fold
 * Backward-data at stride 1 is the convolution of the gradient with the kernel turned. */
#include "opencl.h"
#include <string.h>

#define BUDGET ((size_t)4 << 20) /* elements of scratch that a tile may take */

/* Backward-data at stride 1 as a convolution. */
static struct geometry turned(const struct conv *c)
{
	struct geometry g = c->g;

	for (uint32_t d = 0; d < 3; d++) {
		g.in[d] = c->g.out[d];
		g.out[d] = c->g.in[d];
		g.before[d] = g.dilation[d] * (g.size[d] - 1) - g.before[d];
	}
	return g;
}

static void depthwise(struct inn_exec *e, const struct conv *c, bool dx)
{
	bool turn = dx && c->k == c->c;
	size_t lanes = (size_t)e->dev->lanes;

	for (uint32_t d = 0; d < 3; d++)
		turn = turn && c->g.stride[d] == 1;
	struct geometry g = turn ? turned(c) : c->g;
	struct launch *l = ocl_launch(e, c->i, dx && !turn ? "depthwise_dx" : "depthwise");

	ocl_at(e, l, dx ? c->y : c->x);
	ocl_at(e, l, c->w);
	ocl_at(e, l, dx ? c->x : c->y);
	ocl_arg(e, l, &g, sizeof(g));
	ocl_int(e, l, c->k / c->c);
	if (dx && !turn) {
		ocl_int(e, l, c->c);
		ocl_rows(e, l, (size_t)g.in[2], c->n * c->c * c->n_in / (size_t)g.in[2]);
		return;
	}
	size_t rows = c->n * c->k * (size_t)g.out[0] * (size_t)g.out[1];

	ocl_int(e, l, c->k);
	ocl_int(e, l, turn);
	ocl_int(e, l, rows);
	ocl_grid(e, l, ((size_t)g.out[2] + lanes - 1) / lanes, rows, 1);
}

/* Weights of group s1 as [rows][k]. */
static struct matrix weights(const struct conv *c, bool dx)
{
	size_t row = c->cg * c->taps;

	return (struct matrix){ c->w, dx ? 1 : row, dx ? row : 1, 0, c->kg * row };
}

static void pointwise(struct inn_exec *e, const struct conv *c, bool dx)
{
	size_t p = c->n_in;
	struct matrix x = { c->x, p, 1, c->c * p, c->cg * p }, y = { c->y, p, 1, c->k * p, c->kg * p };
	struct gemm_of q = { .m = dx ? c->cg : c->kg, .n = p, .k = dx ? c->kg : c->cg, .n0 = c->n, .n1 = c->groups, .a = weights(c, dx),
			     .b = dx ? y : x, .c = dx ? x : y };

	ocl_product(e, c->i, &q);
}

/* Samples [s, s + n): padded, then one product. */
static void shifted_part(struct inn_exec *e, const struct conv *c, const struct product *given, const struct geometry *g, struct loc a,
			 struct loc from, struct loc to, size_t s, size_t n)
{
	struct product p = *given;
	size_t channels = (size_t)p.b_z0 / (size_t)p.ldb, plane = (size_t)g->in[0] * (size_t)g->in[1] * (size_t)g->in[2];
	struct loc b = moved(from, s * channels * plane);

	if (plane != (size_t)p.ldb) {
		struct launch *l = ocl_launch(e, c->i, "border");
		size_t rows = n * channels * (size_t)(p.ldb / p.wide);

		b = ocl_scratch(e, n * channels * (size_t)p.ldb);
		ocl_at(e, l, moved(from, s * channels * plane));
		ocl_at(e, l, b);
		ocl_arg(e, l, g, sizeof(*g));
		ocl_int(e, l, (size_t)(p.ldb / p.wide / p.height));
		ocl_int(e, l, (size_t)p.height);
		ocl_int(e, l, (size_t)p.wide);
		ocl_int(e, l, rows);
		ocl_grid(e, l, rows, 1, 1);
	}
	struct launch *l = ocl_launch(e, c->i, "gemm_taps");

	ocl_at(e, l, a);
	ocl_at(e, l, b);
	ocl_at(e, l, moved(to, s * (size_t)p.c_z0));
	ocl_tiles(e, l, &p, n * c->groups);
}

/* Stride 1: columns are positions of the padded input's grid; those between rows are computed and dropped. */
static void shifted(struct inn_exec *e, const struct conv *c, bool dx)
{
	struct geometry g = dx ? turned(c) : c->g;
	size_t m = dx ? c->cg : c->kg, channels = dx ? c->kg : c->cg, k = channels * c->taps;
	int wide[3];

	for (uint32_t d = 0; d < 3; d++)
		wide[d] = g.out[d] + g.dilation[d] * (g.size[d] - 1);
	size_t row = c->cg * c->taps, plane = (size_t)wide[0] * (size_t)wide[1] * (size_t)wide[2], out = dx ? c->n_in : c->n_out;
	struct packing pack = { .m = (int)m, .k = (int)k, .n1 = (int)c->groups, .s1 = (int)(c->kg * row), .run = (int)c->taps, .ts = 1,
				.rs = (int)row, .cs = (int)c->taps };

	if (dx) {
		pack.rs = (int)c->taps;
		pack.cs = (int)row;
		pack.ts = -1;
	}
	struct loc a = ocl_pack(e, c->i, dx ? moved(c->w, c->taps - 1) : c->w, &pack, c->groups);
	struct product p = { .m = (int)m, .k = (int)k, .n1 = (int)c->groups, .ldb = (int)plane, .height = wide[1], .wide = wide[2],
			     .rows = g.out[1], .width = g.out[2], .ldc = (int)out, .inner = 1, .b_n = 1 };

	p.n = ((g.out[0] - 1) * wide[1] + g.out[1] - 1) * wide[2] + g.out[2];
	p.a_z1 = (int)(round_up(m, TILE_ROWS) * k);
	p.b_z1 = (int)(channels * plane);
	p.b_z0 = p.b_z1 * p.n1;
	p.c_z1 = (int)(m * out);
	p.c_z0 = p.c_z1 * p.n1;
	p.by_n = p.m > p.n;
	for (uint32_t d = 0; d < 3; d++)
		p.taps[d] = g.size[d];
	p.tap[0] = g.dilation[0] * wide[1] * wide[2];
	p.tap[1] = g.dilation[1] * wide[2];
	p.tap[2] = g.dilation[2];
	size_t most = BUDGET * 4 / (size_t)p.b_z0, mark = e->scratch_top;

	for (size_t s = 0, n; s < c->n; s += n) {
		n = c->n - s < most ? c->n - s : most ? most : 1;
		e->scratch_top = mark;
		shifted_part(e, c, &p, &g, a, dx ? c->y : c->x, dx ? c->x : c->y, s, n);
	}
}

static void unfolded(struct inn_exec *e, const struct conv *c)
{
	size_t rows = c->c * c->taps, most = BUDGET / rows / 32 * 32, mark = e->scratch_top;

	most = most ? most : 32;
	for (size_t s = 0; s < c->n; s++)
		for (size_t from = 0, n; from < c->n_out; from += n) {
			struct patches p = { .channels = (int)c->c, .from = (int)from };

			n = c->n_out - from < most ? c->n_out - from : most;
			p.n = (int)n;
			e->scratch_top = mark;
			struct loc tile = ocl_scratch(e, rows * n);
			struct launch *l = ocl_launch(e, c->i, "unfold");
			size_t per = e->dev->lanes == 1 ? 1 : 1024;

			ocl_at(e, l, moved(c->x, s * c->c * c->n_in));
			ocl_at(e, l, tile);
			ocl_arg(e, l, &c->g, sizeof(c->g));
			ocl_arg(e, l, &p, sizeof(p));
			ocl_int(e, l, per);
			ocl_grid(e, l, (n + per - 1) / per, rows, 1);
			ocl_product(e, c->i, &(struct gemm_of){ .m = c->kg, .n = n, .k = c->cg * c->taps, .n0 = 1, .n1 = c->groups, .a = weights(c, false),
					.b = { tile, n, 1, 0, c->cg * c->taps * n },
					.c = { moved(c->y, s * c->k * c->n_out + from), c->n_out, 1, 0, c->kg * c->n_out } });
		}
}

/* Channels [from, from + n) of each group; less than all only where there is one group. */
static void folded_part(struct inn_exec *e, const struct conv *c, size_t s, size_t from, size_t n)
{
	struct loc tile = ocl_scratch(e, c->groups * n * c->taps * c->n_out);
	struct gemm_of q = { .m = n * c->taps, .n = c->n_out, .k = c->kg, .n0 = 1, .n1 = c->groups, .a = weights(c, true),
			     .b = { moved(c->y, s * c->k * c->n_out), c->n_out, 1, 0, c->kg * c->n_out },
			     .c = { tile, c->n_out, 1, 0, n * c->taps * c->n_out } };

	q.a.at.at += from * c->taps;
	ocl_product(e, c->i, &q);
	struct launch *l = ocl_launch(e, c->i, "fold");

	ocl_at(e, l, tile);
	ocl_at(e, l, moved(c->x, (s * c->c + from) * c->n_in));
	ocl_arg(e, l, &c->g, sizeof(c->g));
	ocl_rows(e, l, (size_t)c->g.in[2], c->groups * n * c->n_in / (size_t)c->g.in[2]);
}

static void folded(struct inn_exec *e, const struct conv *c)
{
	size_t most = c->groups > 1 ? c->cg : BUDGET / (c->taps * c->n_out), mark = e->scratch_top;

	most = most ? most : 1;
	for (size_t s = 0; s < c->n; s++)
		for (size_t from = 0, n; from < c->cg; from += n) {
			n = c->cg - from < most ? c->cg - from : most;
			e->scratch_top = mark;
			folded_part(e, c, s, from, n);
		}
}

static void backward_weights(struct inn_exec *e, const struct conv *c)
{
	struct launch *l = ocl_launch(e, c->i, "conv_dw");

	ocl_at(e, l, c->x);
	ocl_at(e, l, c->y);
	ocl_at(e, l, c->w);
	ocl_arg(e, l, &c->g, sizeof(c->g));
	ocl_int(e, l, c->n);
	ocl_int(e, l, c->c);
	ocl_int(e, l, c->k);
	ocl_int(e, l, c->groups);
	ocl_int(e, l, e->count[c->i]);
	ocl_grid(e, l, e->count[c->i], 1, 1);
}

/* The side of Winograd's tiles, 0: none. unit: stride 1, and for dx no padding beyond what the turned kernel can have. */
static int winograd_side(const struct inn_exec *e, const struct conv *c, bool dx, bool unit)
{
	const int *size = c->g.size, *out = dx ? c->g.in : c->g.out;
	bool same = c->w.place == AT_VALUE && !op_of(e, c->w.op)->home, plain = op_of(e, c->w.op)->code == INN_OP_PARAM;
	bool flat = size[0] == 1 && c->g.in[0] == 1 && c->g.out[0] == 1;
	bool ok = !e->p->strict && e->lean < NO_TILES && unit && same && flat && c->groups == 1 && c->c >= 32 && c->k >= 32 &&
		  size[1] == 3 && size[2] == 3 && c->g.dilation[1] == 1 && c->g.dilation[2] == 1 && out[1] >= 7 && out[2] >= 7;

	if (!ok)
		return 0;
	return e->lean < SMALL_TILES && plain && !e->quotient[dx ? c->y.op : c->x.op] && out[1] >= 20 && out[2] >= 20 ? 4 : 2;
}

static void choose(struct inn_exec *e, const struct conv *c, bool dx)
{
	bool one = c->taps == 1, unit = true;

	for (uint32_t d = 0; d < 3; d++) {
		int reach = c->g.dilation[d] * (c->g.size[d] - 1);

		unit = unit && c->g.stride[d] == 1 && (!dx || c->g.before[d] <= reach);
		one = one && c->g.stride[d] == 1 && !c->g.before[d] && c->g.in[d] == c->g.out[d];
	}
	int side = winograd_side(e, c, dx, unit);
	struct geometry g = dx ? turned(c) : c->g;

	if (c->cg == 1 && c->groups > 1)
		depthwise(e, c, dx);
	else if (one)
		pointwise(e, c, dx);
	else if (side)
		ocl_winograd(e, c, &g, dx, side);
	else if (unit && !e->dev->clblast)
		shifted(e, c, dx);
	else if (dx)
		folded(e, c);
	else
		unfolded(e, c);
}

void ocl_conv(struct inn_exec *e, uint32_t i)
{
	static const uint32_t role[3][3] = { { 0, 1, 2 }, { 2, 1, 0 }, { 0, 2, 1 } }; /* source (2: the result) that is x, w, y */
	uint32_t code = op_of(e, i)->code, kind = code == INN_OP_CONV ? 0 : code == INN_OP_CONV_DX ? 1 : 2;
	const struct inn_shape *shape[3];
	struct loc at[3];
	struct inn_window win;

	if (!e->count[i])
		return;
	for (uint32_t k = 0; k < 3; k++) {
		uint32_t r = role[kind][k];

		shape[k] = r < 2 ? src_shape(e, i, r) : &op_of(e, i)->shape;
		at[k] = r < 2 ? src_of(e, i, r) : value_of(i);
	}
	if (!src_count(e, i, 0) || !src_count(e, i, 1)) {
		ocl_fill(e, i, value_of(i), e->count[i], 0);
		return;
	}
	inn_op_window(e->p, i, &win);
	struct conv c = { .i = i, .n = shape[0]->dim[0], .c = shape[0]->dim[1], .k = shape[2]->dim[1], .groups = win.groups, .x = at[0],
			  .w = at[1], .y = at[2] };

	ocl_geometry(e, i, shape[0], shape[2], shape[1], &c.g);
	c.cg = c.c / c.groups;
	c.kg = c.k / c.groups;
	c.taps = c.n_in = c.n_out = 1;
	for (uint32_t d = 0; d < 3; d++) {
		c.taps *= (size_t)c.g.size[d];
		c.n_in *= (size_t)c.g.in[d];
		c.n_out *= (size_t)c.g.out[d];
	}
	if (kind == 2)
		backward_weights(e, &c);
	else
		choose(e, &c, kind == 1);
}
