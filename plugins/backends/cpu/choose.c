/* The choice for every product, by shapes and roles alone and never by a timing: the same plan gives the same bits.
 *
 *   matrix product   a few rows, a matrix that is the same for every batch    rows.c: reads it once, as it stands
 *                    else                                                     oneDNN
 *   convolution      3x3, stride 1, kernel the same for every batch,
 *                    whole blocks of at least 32 channels                     winograd.c, tiles of 4x4 for the network's own weights at
 *                                                                             sizes where they save more than they add at the border and
 *                                                                             the product is large, as VGG16's: elsewhere they save a
 *                                                                             hundredth of a network's time, and their rounding doubles
 *                                                                             the error of its gradient (docs/networks.md); else 2x2:
 *                                                                             weights that a rule changed and quotients have a wide
 *                                                                             range, and an output must not see more than its window
 *                    1x1 or strided, to a few hundred pixels, or any to a few
 *                    dozen, kernel the same for every batch                   panels.c: weights are most of what it reads
 *                    1x1, stride 1, few weights, elementwise work behind it   panels.c, which does that while the results are near
 *                    depthwise, kernel the same for every batch               depthwise.c, which does so too; the adjoint as well
 *                    else                                                     oneDNN, direct
 *   its adjoint      to at most 4 channels, as the first layer's              narrow.c
 *                    stride 1, kernel the same for every batch                as the convolution with the turned kernel; 1x1 with few weights
 *                                                                             by panels, since most have a mask behind them
 *                    strided, from a few hundred pixels, as above             panels.c
 *                    else                                                     oneDNN, backward data
 *   weight gradient                                                           oneDNN, backward weights
 *
 * Values stand in blocks of channels wherever these are whole or lack little (layout.c), and oneDNN is asked for its direct primitives
 * on blocks. Where it has none, and for oblong kernels, where these are slow, it chooses, and its operands are reordered.
 * `strict: true` takes no Winograd. A plan that would not fit into `memory` gives up the tiles of 4x4, whose weights are largest, then
 * those of 2x2. */
#include "product.h"

#define FEW_PIXELS 300u /* weights are most of what is read */
#define SOME_PIXELS 64u /* with less, Winograd's larger weights cost more than it saves */
#define LARGE_PRODUCT 80000000u /* places of the kernel */
#define DEPTHWISE_REACH 64 /* pixels from the first tap to the last, or from one to the next */
#define DEPTHWISE_SIDE 8192u /* pixels along an axis: its tables stay small */
#define NEAR_WEIGHTS ((size_t)1 << 17) /* elements that every thread may read for itself */

static bool is_kept(const struct inn_exec *e, const struct conv *c)
{
	return !op_of(e, c->op[W])->home && !in_prologue(e, c->i);
}

static uint64_t pixels_of(const struct conv *c) { return (uint64_t)c->shape[Y].dim[2] * c->shape[Y].dim[3]; }

static bool by_winograd(const struct inn_exec *e, const struct conv *c)
{
	bool ok = !e->p->strict && e->lean < NO_TILES && c->n == 2 && c->groups == 1 && is_kept(e, c) && cpu_whole_blocks(e, &c->shape[X]) &&
		  cpu_whole_blocks(e, &c->shape[Y]) && cpu_can_block(e, c->i, c->src[X]) && c->shape[X].dim[1] >= 32 && c->shape[Y].dim[1] >= 32;

	for (uint32_t d = 0; ok && d < 2; d++)
		ok = c->stride[d] == 1 && !c->dilation[d] && c->shape[W].dim[2 + d] == 3 && c->shape[Y].dim[2 + d] >= 7;
	return ok && pixels_of(c) >= SOME_PIXELS;
}

static bool large_tiles(const struct inn_exec *e, const struct conv *c)
{
	return e->lean < SMALL_TILES && op_of(e, c->op[W])->code == INN_OP_PARAM && !e->quotient[c->op[X]] && c->shape[Y].dim[2] >= 20 &&
	       c->shape[Y].dim[3] >= 20 && pixels_of(c) * c->shape[X].dim[1] * c->shape[Y].dim[1] >= LARGE_PRODUCT;
}

static bool is_narrow(const struct inn_exec *e, const struct conv *c)
{
	return c->code == INN_OP_CONV_DX && c->n == 2 && c->groups == 1 && is_kept(e, c) && cpu_whole_blocks(e, &c->shape[Y]) &&
	       cpu_can_block(e, c->i, c->src[Y]) && c->shape[X].dim[1] <= 4 && c->shape[W].dim[2] <= CPU_TAPS && c->shape[W].dim[3] <= CPU_TAPS;
}

/* 1x1 from pixel to pixel, with weights that every thread may read for itself. */
static bool is_near(const struct conv *c)
{
	bool ok = c->code == INN_OP_CONV && (size_t)c->shape[X].dim[1] * c->shape[Y].dim[1] <= NEAR_WEIGHTS;

	for (uint32_t d = 0; ok && d < 2; d++)
		ok = c->shape[W].dim[2 + d] == 1 && c->stride[d] == 1 && !c->before[d] && !c->after[d];
	return ok;
}

static bool is_strided(const struct conv *c) { return c->stride[0] > 1 || c->stride[1] > 1; }

/* Panels could do it. */
static bool fits_panels(const struct inn_exec *e, const struct conv *c)
{
	return c->code != INN_OP_CONV_DW && c->n == 2 && c->groups == 1 && is_kept(e, c) && cpu_block_shape(e, &c->shape[X]) &&
	       cpu_block_shape(e, &c->shape[Y]) && cpu_can_block(e, c->i, c->src[c->code == INN_OP_CONV ? X : Y]) && c->stride[0] <= PANEL_STRIDE &&
	       c->stride[1] <= PANEL_STRIDE;
}

static bool by_panels(const struct inn_exec *e, const struct conv *c)
{
	const uint32_t *w = c->shape[W].dim + 2;
	bool few = pixels_of(c) <= FEW_PIXELS && (is_strided(c) || (w[0] == 1 && w[1] == 1) || pixels_of(c) < SOME_PIXELS);

	return fits_panels(e, c) && (few || (is_near(c) && (c->flipped || e->moved[c->at])));
}

static bool by_depthwise(const struct inn_exec *e, const struct conv *c)
{
	bool ok = c->code != INN_OP_CONV_DW && c->n == 2 && c->groups > 1 && c->groups == c->shape[X].dim[1] && c->groups == c->shape[Y].dim[1] &&
		  is_kept(e, c) && cpu_block_shape(e, &c->shape[X]) && cpu_block_shape(e, &c->shape[Y]) &&
		  cpu_can_block(e, c->i, c->src[c->code == INN_OP_CONV ? X : Y]);

	for (uint32_t d = 0; ok && d < 2; d++) {
		dnnl_dim_t reach = (c->dilation[d] + 1) * ((dnnl_dim_t)c->shape[W].dim[2 + d] - 1);

		ok = c->shape[W].dim[2 + d] <= CPU_TAPS && reach <= DEPTHWISE_REACH && c->stride[d] <= DEPTHWISE_REACH &&
		     c->shape[X].dim[2 + d] <= DEPTHWISE_SIDE && c->shape[Y].dim[2 + d] <= DEPTHWISE_SIDE;
	}
	return ok;
}

bool cpu_on_blocks(const struct inn_exec *e, const struct conv *c)
{
	const uint32_t *k = c->shape[W].dim + 2;
	bool oblong = c->n == 2 && k[0] != k[1];

	return (cpu_block_shape(e, &c->shape[X]) || cpu_block_shape(e, &c->shape[Y])) && !oblong;
}

enum way cpu_way(const struct inn_exec *e, const struct conv *c)
{
	if (c->code == INN_OP_CONV && by_winograd(e, c))
		return large_tiles(e, c) ? TILES_4 : TILES_2;
	return is_narrow(e, c) ? NARROW : by_panels(e, c) ? PANELS : by_depthwise(e, c) ? DEPTHWISE : DIRECT;
}

bool cpu_can_go_on(const struct inn_exec *e, const struct conv *c)
{
	enum way way = cpu_way(e, c);

	return way == DEPTHWISE || (way == PANELS && (c->code == INN_OP_CONV || !is_strided(c))) || (way == DIRECT && fits_panels(e, c) && is_near(c));
}

bool cpu_turns(const struct inn_exec *e, const struct conv *c)
{
	bool ok = c->code == INN_OP_CONV_DX && is_kept(e, c) && !is_narrow(e, c) && !by_depthwise(e, c);

	for (uint32_t d = 0; d < c->n; d++) {
		int64_t reach = (c->dilation[d] + 1) * ((int64_t)c->shape[W].dim[2 + d] - 1);

		ok = ok && c->stride[d] == 1 && c->before[d] <= reach && c->after[d] <= reach;
	}
	return ok;
}

bool cpu_by_rows(const struct inn_exec *e, uint32_t i)
{
	return op_of(e, i)->shape.rank == 2 && !attr_of(e, i)[0] && src_shape(e, i, 0)->rank == 2 && src_shape(e, i, 1)->rank == 2 &&
	       src_shape(e, i, 0)->dim[0] <= 4 && !op_of(e, root_of(e, i, 1))->home;
}
