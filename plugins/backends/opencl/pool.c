/* Pooling over 1 to 3 spatial axes. */
#include "opencl.h"

void ocl_geometry(struct inn_exec *e, uint32_t i, const struct inn_shape *x, const struct inn_shape *y, const struct inn_shape *w,
		  struct geometry *g)
{
	struct inn_window win;

	inn_op_window(e->p, i, &win);
	*g = (struct geometry){ .whole = (int)win.count_pad };
	for (uint32_t d = 0; d < 3; d++) {
		g->in[d] = g->out[d] = g->size[d] = g->stride[d] = g->dilation[d] = 1;
		g->before[d] = 0;
	}
	for (uint32_t d = 0; d < win.n; d++) {
		uint32_t k = 3 - win.n + d;

		g->in[k] = (int)x->dim[2 + d];
		g->out[k] = (int)y->dim[2 + d];
		g->size[k] = (int)(w ? w->dim[2 + d] : win.size[d]);
		g->stride[k] = (int)win.stride[d];
		g->before[k] = (int)win.before[d];
		g->dilation[k] = (int)win.dilation[d];
	}
}

void ocl_pool(struct inn_exec *e, uint32_t i)
{
	const struct inn_op *o = op_of(e, i);
	bool most = o->code == INN_OP_POOL_MAX || o->code == INN_OP_POOL_MAX_DX;
	bool dx = o->code == INN_OP_POOL_MAX_DX || o->code == INN_OP_POOL_AVG_DX;
	const struct inn_shape *x = dx ? &o->shape : src_shape(e, i, 0), *y = dx ? src_shape(e, i, 0) : &o->shape;
	struct launch *l = ocl_launch(e, i, dx ? "pool_dx" : most ? "pool_max" : "pool_avg");
	struct geometry g;

	ocl_geometry(e, i, x, y, NULL, &g);
	size_t in = (size_t)g.in[0] * (size_t)g.in[1] * (size_t)g.in[2], out = (size_t)g.out[2];

	ocl_at(e, l, src_of(e, i, 0));
	if (dx || most)
		ocl_at(e, l, src_of(e, i, o->n_src - 1));
	ocl_at(e, l, value_of(i));
	ocl_arg(e, l, &g, sizeof(g));
	if (!dx) {
		ocl_rows(e, l, out, e->count[i] ? e->count[i] / out : 0);
		return;
	}
	size_t planes = e->count[i] ? e->count[i] / in : 0, per = e->dev->lanes == 1 ? 1 : in;

	ocl_int(e, l, most);
	ocl_int(e, l, planes);
	ocl_int(e, l, per);
	ocl_grid(e, l, planes ? in / per : 0, planes, 1);
}
