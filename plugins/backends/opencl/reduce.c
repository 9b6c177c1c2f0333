/* Reductions in an order that depends on shapes alone. */
#include "opencl.h"

#define LONG 16384u /* elements of a run that one work-item adds up */
#define SHORT 1024u /* the same where a work-item takes one at a time */

/* Merged axes, innermost first. */
static uint32_t merge(const struct inn_shape *x, uint32_t mask, int *dim, int *stride, bool *red)
{
	uint32_t nd = 0;
	size_t s = 1;

	for (uint32_t d = x->rank; d-- > 0;) {
		bool m = mask >> d & 1;

		if (x->dim[d] != 1) {
			if (nd && red[nd - 1] == m) {
				dim[nd - 1] *= (int)x->dim[d];
			} else {
				dim[nd] = (int)x->dim[d];
				red[nd] = m;
				stride[nd++] = (int)s;
			}
		}
		s *= x->dim[d];
	}
	return nd;
}

static void inner(struct inn_exec *e, uint32_t i, struct reduction *r, size_t outs)
{
	size_t most = e->dev->lanes == 1 ? SHORT : LONG, n = (size_t)r->n, chunks = n > most ? (n + most - 1) / most : 1;
	struct launch *l = ocl_launch(e, i, "reduce_inner");
	struct loc to = chunks > 1 ? ocl_scratch(e, outs * chunks) : value_of(i);

	r->chunks = (int)chunks;
	r->step = (int)(chunks > 1 ? most : n);
	ocl_at(e, l, src_of(e, i, 0));
	ocl_at(e, l, to);
	ocl_arg(e, l, r, sizeof(*r));
	ocl_int(e, l, outs * chunks);
	ocl_grid(e, l, outs * chunks, 1, 1);
	if (chunks == 1)
		return;
	l = ocl_launch(e, i, "reduce_pieces");
	ocl_at(e, l, to);
	ocl_at(e, l, value_of(i));
	ocl_arg(e, l, r, sizeof(*r));
	ocl_int(e, l, outs);
	ocl_grid(e, l, outs, 1, 1);
}

static void reduce(struct inn_exec *e, uint32_t i)
{
	int dim[INN_MAX_RANK], stride[INN_MAX_RANK];
	bool red[INN_MAX_RANK];
	uint32_t nd = merge(src_shape(e, i, 0), attr_of(e, i)[0], dim, stride, red);
	struct reduction r = { .n = nd ? dim[0] : 1, .rows = 1, .most = op_of(e, i)->code == INN_OP_RMAX };
	size_t outs = 1;

	for (uint32_t d = nd; d-- > 1;) {
		if (red[d]) {
			r.red[r.n_red] = dim[d];
			r.rs[r.n_red++] = stride[d];
			r.rows *= dim[d];
		} else {
			r.kept[r.n_kept] = dim[d];
			r.ks[r.n_kept++] = stride[d];
			outs *= (size_t)dim[d];
		}
	}
	if (!e->count[i])
		return;
	if (!nd || red[0]) {
		inner(e, i, &r, outs);
		return;
	}
	struct launch *l = ocl_launch(e, i, "reduce_outer");

	ocl_at(e, l, src_of(e, i, 0));
	ocl_at(e, l, value_of(i));
	ocl_arg(e, l, &r, sizeof(r));
	ocl_int(e, l, outs);
	ocl_grid(e, l, ((size_t)r.n + (size_t)e->dev->lanes - 1) / (size_t)e->dev->lanes, outs, 1);
}

/* One pass of a rank: from the places of one order to those of the next. */
static void pass(struct inn_exec *e, struct launch *l, struct loc from, struct loc to, size_t n)
{
	ocl_at(e, l, from);
	ocl_at(e, l, to);
	ocl_int(e, l, n);
}

static void rank(struct inn_exec *e, uint32_t i)
{
	const struct inn_shape *x = src_shape(e, i, 0);
	size_t total = e->count[i], n = x->dim[x->rank - 1];
	struct loc from = ocl_scratch(e, total), to = ocl_scratch(e, total), t;
	struct launch *l;

	if (!total)
		return;
	l = ocl_launch(e, i, "rank_start");
	ocl_at(e, l, from);
	ocl_int(e, l, n);
	ocl_int(e, l, total);
	ocl_grid(e, l, total, 1, 1);
	for (size_t width = 1; width < n; width *= 2) {
		l = ocl_launch(e, i, "rank_merge");
		ocl_at(e, l, src_of(e, i, 0));
		pass(e, l, from, to, n);
		ocl_int(e, l, width);
		ocl_int(e, l, total);
		ocl_grid(e, l, total, 1, 1);
		t = from;
		from = to;
		to = t;
	}
	l = ocl_launch(e, i, "rank_end");
	pass(e, l, from, value_of(i), n);
	ocl_int(e, l, total);
	ocl_grid(e, l, total, 1, 1);
}

static void argmax(struct inn_exec *e, uint32_t i)
{
	const struct inn_shape *x = src_shape(e, i, 0);
	size_t in = 1;
	struct launch *l = ocl_launch(e, i, "argmax");

	for (uint32_t d = attr_of(e, i)[0] + 1; d < x->rank; d++)
		in *= x->dim[d];
	ocl_at(e, l, src_of(e, i, 0));
	ocl_at(e, l, value_of(i));
	ocl_int(e, l, x->dim[attr_of(e, i)[0]]);
	ocl_int(e, l, in);
	ocl_int(e, l, e->count[i]);
	ocl_grid(e, l, e->count[i], 1, 1);
}

void ocl_reduce(struct inn_exec *e, uint32_t i)
{
	switch (op_of(e, i)->code) {
	case INN_OP_ARGMAX: argmax(e, i); break;
	case INN_OP_RANK: rank(e, i); break;
	default: reduce(e, i); break;
	}
}
