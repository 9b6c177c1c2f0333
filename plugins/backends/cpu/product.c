/* Convolutions by oneDNN: operands are reordered into the layout that the primitive asks for. */
#include "product.h"
#include <string.h>

int cpu_dnnl(struct inn_exec *e, uint32_t i, const char *what, dnnl_status_t s)
{
	static const char *const text[] = { "success", "out of memory", "invalid arguments", "unimplemented", "no more implementations",
					    "runtime error", "not required" };
	char shape[INN_SHAPE_STR];

	if (s == dnnl_success)
		return INN_OK;
	if (s == dnnl_out_of_memory)
		return inn_nomem(e->ctx);
	return inn_fail(e->ctx, INN_EDEVICE, NULL, "cpu: oneDNN cannot make %s for %s %s (%s): %s", what, inn_op_name(op_of(e, i)->code),
			inn_shape_str(&op_of(e, i)->shape, shape), op_of(e, i)->from, (unsigned)s < 7 ? text[s] : "unknown error");
}

int cpu_slot(struct inn_exec *e, uint32_t i, const dnnl_memory_desc_t *md, enum place place, uint32_t op, size_t offset, uint32_t *slot)
{
	dnnl_memory_t m;

	if (!cpu_room(e, &e->slot, e->n_slots, &e->cap_slots, sizeof(*e->slot)))
		return INN_ENOMEM;
	int s = cpu_dnnl(e, i, "a memory object", dnnl_memory_create(&m, md, e->dev->engine, DNNL_MEMORY_NONE));

	if (s)
		return s;
	e->slot[e->n_slots] = (struct slot){ .memory = m, .place = place, .op = op, .offset = offset };
	*slot = e->n_slots++;
	return INN_OK;
}

int cpu_call(struct inn_exec *e, uint32_t i, struct product *q, const_dnnl_primitive_desc_t pd, int n, const int *arg, const uint32_t *slot)
{
	struct call *c = &q->call[q->n];
	dnnl_primitive_t prim;

	if (!cpu_room(e, &e->prim, e->n_prims, &e->cap_prims, sizeof(*e->prim)))
		return INN_ENOMEM;
	int s = cpu_dnnl(e, i, "a primitive", dnnl_primitive_create(&prim, pd));

	if (s)
		return s;
	e->prim[e->n_prims++] = prim;
	c->prim = prim;
	c->n = n;
	for (int k = 0; k < n; k++)
		c->arg[k] = (dnnl_exec_arg_t){ .arg = arg[k], .memory = e->slot[slot[k]].memory };
	q->n++;
	return INN_OK;
}

int cpu_run_product(struct inn_exec *e, uint32_t i, void *arg)
{
	const struct product *q = arg;
	dnnl_status_t s = dnnl_success;

	for (uint32_t k = 0; !s && k < q->n; k++)
		s = dnnl_primitive_execute(q->call[k].prim, e->dev->stream, q->call[k].n, q->call[k].arg);
	if (!s)
		s = dnnl_stream_wait(e->dev->stream);
	return cpu_dnnl(e, i, "a result", s);
}

int cpu_zero(struct inn_exec *e, uint32_t i, void *arg)
{
	(void)arg;
	memset(e->at[i], 0, e->count[i] * sizeof(float));
	return INN_OK;
}

int cpu_reorder(struct inn_exec *e, uint32_t i, struct product *q, const dnnl_memory_desc_t *a, uint32_t from, const dnnl_memory_desc_t *b,
		uint32_t to)
{
	dnnl_primitive_desc_t pd;
	dnnl_primitive_attr_t attr = NULL;
	uint32_t slot[3] = { from, to };
	dnnl_status_t st = dnnl_primitive_attr_create(&attr);

	if (!st)
		st = dnnl_primitive_attr_set_scratchpad_mode(attr, dnnl_scratchpad_mode_user);
	if (!st)
		st = dnnl_reorder_primitive_desc_create(&pd, a, e->dev->engine, b, e->dev->engine, attr);
	if (attr)
		dnnl_primitive_attr_destroy(attr);
	int s = cpu_dnnl(e, i, "a reorder", st);

	if (s)
		return s;
	const dnnl_memory_desc_t *pad = dnnl_primitive_desc_query_md(pd, dnnl_query_scratchpad_md, 0);

	s = cpu_slot(e, i, pad, AT_SCRATCH, i, cpu_take(e, q, dnnl_memory_desc_get_size(pad)), &slot[2]);
	if (!s)
		s = cpu_call(e, i, q, pd, 3, (const int[]){ DNNL_ARG_FROM, DNNL_ARG_TO, DNNL_ARG_SCRATCHPAD }, slot);
	dnnl_primitive_desc_destroy(pd);
	return s;
}

/* The layout asked for is blocks of channels. */
static bool wants_blocks(struct inn_exec *e, const struct conv *c, uint32_t k, const dnnl_memory_desc_t *want)
{
	dnnl_memory_desc_t md;

	return k != W && cpu_block_shape(e, &c->shape[k]) && !cpu_block_md(e, c->i, &c->shape[k], true, &md) && dnnl_memory_desc_equal(&md, want);
}

/* The slot from which the primitive reads operand k. */
static int operand(struct inn_exec *e, const struct conv *c, uint32_t k, const dnnl_memory_desc_t *want, uint32_t *slot)
{
	bool same = dnnl_memory_desc_equal(&c->plain[k], want), block = wants_blocks(e, c, k, want) && cpu_can_block(e, c->i, c->src[k]);
	bool stored = !same && k != W && cpu_is_block(e, c->i, c->src[k]); /* as it stands, if it is reordered anyway */
	dnnl_memory_desc_t md = c->plain[k];
	uint32_t from, at;
	int s = stored ? cpu_block_md(e, c->i, &c->shape[k], true, &md) : INN_OK;

	if (k == W && !op_of(e, c->op[W])->home && !in_prologue(e, c->i) && (!same || c->flipped))
		return cpu_kept_weight(e, c, want, slot);
	at = block || stored ? cpu_block(e, c->at, c->i, c->src[k]) : cpu_dense(e, c->at, c->i, c->src[k]);
	if (s || at == NONE)
		return s ? s : INN_ENOMEM;
	if (same || block)
		return cpu_slot(e, c->i, want, AT_VALUE, at, 0, slot);
	s = cpu_slot(e, c->i, &md, AT_VALUE, at, 0, &from);
	if (!s)
		s = cpu_slot(e, c->i, want, AT_SCRATCH, c->i, cpu_take(e, c->q, dnnl_memory_desc_get_size(want)), slot);
	return s ? s : cpu_reorder(e, c->i, c->q, &md, from, want, *slot);
}

/* The primitive with its reorders; in[0], in[1] are operands and out the result among x, w and y. */
static int emit(struct inn_exec *e, const struct conv *c, const_dnnl_primitive_desc_t pd, const uint32_t *in, uint32_t out, const int *arg,
		const dnnl_query_t *query)
{
	uint32_t slot[6], to, bias, n = 4;
	int args[6];
	const dnnl_memory_desc_t *md = dnnl_primitive_desc_query_md(pd, query[2], 0);
	const dnnl_memory_desc_t *pad = dnnl_primitive_desc_query_md(pd, dnnl_query_scratchpad_md, 0);
	dnnl_memory_desc_t kept = c->plain[out]; /* the result as it is stored */
	bool direct;
	int s = INN_OK;

	e->blocked[c->at] = out != W && !dnnl_memory_desc_equal(&kept, md) && cpu_block_shape(e, &c->shape[out]);
	if (e->blocked[c->at])
		s = cpu_block_md(e, c->i, &c->shape[out], true, &kept);
	direct = dnnl_memory_desc_equal(&kept, md);

	for (uint32_t k = 0; !s && k < 2; k++)
		s = operand(e, c, in[k], dnnl_primitive_desc_query_md(pd, query[k], 0), &slot[k]);
	memcpy(args, arg, 4 * sizeof(*args));
	if (!s && c->tail && c->tail->add != NONE) {
		bias = cpu_dense(e, c->at, c->tail->add, c->tail->k);
		args[n] = DNNL_ARG_BIAS;
		s = bias == NONE ? INN_ENOMEM : cpu_slot(e, c->i, dnnl_primitive_desc_query_md(pd, dnnl_query_weights_md, 1), AT_VALUE, bias, 0, &slot[n++]);
	}
	if (!s && c->tail && c->tail->more != NONE) {
		bias = cpu_block(e, c->at, c->tail->more, c->tail->k_more);
		args[n] = DNNL_ARG_ATTR_MULTIPLE_POST_OP(0) | DNNL_ARG_SRC_1;
		s = bias == NONE ? INN_ENOMEM : cpu_slot(e, c->i, &c->more, AT_VALUE, bias, 0, &slot[n++]);
	}
	if (!s)
		s = cpu_slot(e, c->i, &kept, AT_VALUE, c->at, 0, &to);
	if (s)
		return s;
	slot[2] = to;
	if (!direct)
		s = cpu_slot(e, c->i, md, AT_SCRATCH, c->i, cpu_take(e, c->q, dnnl_memory_desc_get_size(md)), &slot[2]);
	if (!s)
		s = cpu_slot(e, c->i, pad, AT_SCRATCH, c->i, cpu_take(e, c->q, dnnl_memory_desc_get_size(pad)), &slot[3]);
	if (!s)
		s = cpu_call(e, c->i, c->q, pd, (int)n, args, slot);
	return s || direct ? s : cpu_reorder(e, c->i, c->q, md, slot[2], &kept, to);
}

static dnnl_status_t forward_desc(const struct conv *c, dnnl_prop_kind_t prop, dnnl_convolution_desc_t *d)
{
	dnnl_memory_desc_t bias;
	const dnnl_dims_t channels = { c->shape[Y].dim[1] };
	dnnl_status_t s = dnnl_memory_desc_init_by_tag(&bias, 1, channels, dnnl_f32, dnnl_a);

	return s ? s : dnnl_dilated_convolution_forward_desc_init(d, prop, dnnl_convolution_direct, &c->any[X], &c->any[W], c->tail && c->tail->add != NONE ? &bias : NULL,
								  &c->any[Y], c->stride, c->dilation, c->before, c->after);
}

/* Everything that a primitive is made with besides its shapes. */
static dnnl_status_t attributes(const struct conv *c, dnnl_primitive_attr_t *attr)
{
	dnnl_post_ops_t ops = NULL;
	dnnl_status_t s = dnnl_primitive_attr_create(attr);

	if (!s)
		s = dnnl_primitive_attr_set_scratchpad_mode(*attr, dnnl_scratchpad_mode_user);
	if (s || !c->tail)
		return s;
	s = dnnl_post_ops_create(&ops);
	if (!s && c->tail->more != NONE)
		s = dnnl_post_ops_append_binary(ops, dnnl_binary_add, &c->more);
	if (!s && c->tail->relu)
		s = dnnl_post_ops_append_eltwise(ops, 1, c->tail->top > 0 ? dnnl_eltwise_clip : dnnl_eltwise_relu, 0, c->tail->top);
	if (!s)
		s = dnnl_primitive_attr_set_post_ops(*attr, ops);
	dnnl_post_ops_destroy(ops);
	return s;
}

/* Dense descriptor of x, w or y, and the one to ask for: blocks of channels where they are fixed, so that values keep one
 * layout from end to end, else what oneDNN likes best. Weights get an axis for groups. */
static int layouts(struct inn_exec *e, struct conv *c, uint32_t k, const struct inn_shape *s)
{
	dnnl_dims_t dim, stride;
	int nd = 0;
	dnnl_dim_t n = 1;

	if (k == W && c->groups > 1) {
		dim[nd++] = c->groups;
		dim[nd++] = s->dim[0] / c->groups;
	} else {
		dim[nd++] = s->dim[0];
	}
	for (uint32_t d = 1; d < s->rank; d++)
		dim[nd++] = s->dim[d];
	if (k == W && c->flipped) {
		dnnl_dim_t t = dim[nd - (int)c->n - 2];

		dim[nd - (int)c->n - 2] = dim[nd - (int)c->n - 1];
		dim[nd - (int)c->n - 1] = t;
	}
	for (int d = nd; d-- > 0; n *= dim[d])
		stride[d] = n;
	int r = cpu_dnnl(e, c->i, "a layout", dnnl_memory_desc_init_by_strides(&c->plain[k], nd, dim, dnnl_f32, stride));

	if (!r && k != W && c->fixed)
		return cpu_block_md(e, c->i, s, cpu_block_shape(e, s), &c->any[k]);
	return r ? r : cpu_dnnl(e, c->i, "a layout", dnnl_memory_desc_init_by_tag(&c->any[k], nd, dim, dnnl_f32, dnnl_format_tag_any));
}

/* The primitive descriptor for one choice of layouts; NULL and success if oneDNN has none but its slow ones. */
static dnnl_status_t describe(const struct inn_exec *e, const struct conv *c, uint32_t kind, const_dnnl_primitive_attr_t attr,
			      dnnl_primitive_desc_t *pd)
{
	dnnl_convolution_desc_t d;
	dnnl_primitive_desc_t hint = NULL;
	const char *name = "";
	dnnl_status_t s = forward_desc(c, kind ? dnnl_forward_training : dnnl_forward_inference, &d);

	*pd = NULL;
	if (!s)
		s = dnnl_primitive_desc_create(kind ? &hint : pd, &d, attr, e->dev->engine, NULL);
	if (!s && kind == 1)
		s = dnnl_dilated_convolution_backward_data_desc_init(&d, dnnl_convolution_direct, &c->any[X], &c->any[W], &c->any[Y], c->stride,
								     c->dilation, c->before, c->after);
	if (!s && kind == 2)
		s = dnnl_dilated_convolution_backward_weights_desc_init(&d, dnnl_convolution_direct, &c->any[X], &c->any[W], NULL, &c->any[Y],
									c->stride, c->dilation, c->before, c->after);
	if (!s && kind)
		s = dnnl_primitive_desc_create(pd, &d, attr, e->dev->engine, hint);
	if (hint)
		dnnl_primitive_desc_destroy(hint);
	if (!s && c->fixed && !dnnl_primitive_desc_query(*pd, dnnl_query_impl_info_str, 0, &name) && strncmp(name, "jit", 3) != 0) {
		dnnl_primitive_desc_destroy(*pd);
		*pd = NULL;
	}
	if (s == dnnl_unimplemented && c->fixed)
		s = dnnl_success;
	return s;
}

/* As asked for by c->fixed; *pd NULL if oneDNN has nothing good for that. */
static int describe_fixed(struct inn_exec *e, struct conv *c, uint32_t kind, dnnl_primitive_attr_t *attr, dnnl_primitive_desc_t *pd)
{
	int r = c->tail && c->tail->more != NONE ? cpu_block_md(e, c->i, &c->shape[Y], true, &c->more) : INN_OK;

	if (!r)
		r = cpu_dnnl(e, c->i, "a convolution", attributes(c, attr));
	for (uint32_t k = 0; !r && k < 3; k++)
		r = layouts(e, c, k, &c->shape[k]);
	return r || !c->fixed ? r : cpu_dnnl(e, c->i, "a convolution", describe(e, c, kind, *attr, pd));
}

int cpu_forward(struct inn_exec *e, struct conv *c, dnnl_primitive_desc_t *pd)
{
	dnnl_primitive_attr_t attr = NULL;
	int r = describe_fixed(e, c, 0, &attr, pd);

	if (attr)
		dnnl_primitive_attr_destroy(attr);
	return r;
}

static int make(struct inn_exec *e, struct conv *c)
{
	static const int arg[3][4] = { { DNNL_ARG_SRC, DNNL_ARG_WEIGHTS, DNNL_ARG_DST, DNNL_ARG_SCRATCHPAD },
				       { DNNL_ARG_DIFF_DST, DNNL_ARG_WEIGHTS, DNNL_ARG_DIFF_SRC, DNNL_ARG_SCRATCHPAD },
				       { DNNL_ARG_SRC, DNNL_ARG_DIFF_DST, DNNL_ARG_DIFF_WEIGHTS, DNNL_ARG_SCRATCHPAD } };
	static const dnnl_query_t query[3][3] = { { dnnl_query_src_md, dnnl_query_weights_md, dnnl_query_dst_md },
						  { dnnl_query_diff_dst_md, dnnl_query_weights_md, dnnl_query_diff_src_md },
						  { dnnl_query_src_md, dnnl_query_diff_dst_md, dnnl_query_diff_weights_md } };
	static const uint32_t in[3][2] = { { X, W }, { Y, W }, { X, Y } }, out[3] = { Y, X, W };
	uint32_t kind = c->code == INN_OP_CONV ? 0 : c->code == INN_OP_CONV_DX ? 1 : 2;
	dnnl_primitive_desc_t pd = NULL;
	dnnl_primitive_attr_t attr = NULL;
	int r = describe_fixed(e, c, kind, &attr, &pd);

	for (uint32_t k = 0; !r && !pd && k < 3; k++) {
		c->fixed = false;
		r = layouts(e, c, k, &c->shape[k]);
	}
	if (!r && !pd)
		r = cpu_dnnl(e, c->i, "a convolution", describe(e, c, kind, attr, &pd));
	if (!r)
		r = emit(e, c, pd, in[kind], out[kind], arg[kind], query[kind]);
	if (pd)
		dnnl_primitive_desc_destroy(pd);
	if (attr)
		dnnl_primitive_attr_destroy(attr);
	return r;
}

/* Exchanges x and y: the adjoint is the convolution with the turned, transposed kernel. */
static void turn(struct conv *c)
{
	const struct inn_shape t = c->shape[X];

	c->flipped = true;
	c->code = INN_OP_CONV;
	c->shape[X] = c->shape[Y];
	c->shape[Y] = t;
	c->op[X] = c->op[Y];
	c->src[X] = c->src[Y];
	c->op[Y] = c->i;
	c->src[Y] = NONE;
	for (uint32_t d = 0; d < c->n; d++) {
		dnnl_dim_t reach = (c->dilation[d] + 1) * ((dnnl_dim_t)c->shape[W].dim[2 + d] - 1);

		c->before[d] = reach - c->before[d];
		c->after[d] = reach - c->after[d];
	}
}

void cpu_conv(const struct inn_exec *e, uint32_t i, uint32_t at, struct conv *c)
{
	static const uint32_t role[3][3] = { { X, W, Y }, { Y, W, X }, { X, Y, W } }; /* of source 0, source 1 and the result */
	uint32_t code = op_of(e, i)->code;
	const uint32_t *r = role[code == INN_OP_CONV ? 0 : code == INN_OP_CONV_DX ? 1 : 2];
	struct inn_window w;

	inn_op_window(e->p, i, &w);
	*c = (struct conv){ .i = i, .at = at, .code = code, .step = cpu_step_of(e, at), .tail = at != i ? &e->tail[i] : NULL, .n = w.n, .groups = w.groups };
	for (uint32_t k = 0; k < 3; k++) {
		c->shape[r[k]] = k < 2 ? *src_shape(e, i, k) : op_of(e, i)->shape;
		c->op[r[k]] = k < 2 ? root_of(e, i, k) : i;
		c->src[r[k]] = k < 2 ? k : NONE;
	}
	for (uint32_t d = 0; d < w.n; d++) {
		c->stride[d] = w.stride[d];
		c->dilation[d] = (dnnl_dim_t)w.dilation[d] - 1;
		c->before[d] = w.before[d];
		c->after[d] = w.after[d];
	}
	if (cpu_turns(e, c))
		turn(c);
}

int cpu_product(struct inn_exec *e, uint32_t i, uint32_t at)
{
	struct conv c;

	if (!e->count[i])
		return INN_OK;
	if (!e->count[src_of(e, i, 0)] || !e->count[src_of(e, i, 1)]) {
		e->step[at] = (struct step){ .fn = cpu_zero, .op = at };
		return INN_OK;
	}
	cpu_conv(e, i, at, &c);
	enum way way = cpu_way(e, &c);

	switch (way) {
	case TILES_2:
	case TILES_4: return cpu_winograd(e, &c, way);
	case NARROW: return cpu_narrow(e, &c);
	case PANELS: return cpu_panels(e, &c);
	case DEPTHWISE: return cpu_depthwise(e, &c);
	case DIRECT: break;
	}
	c.fixed = cpu_on_blocks(e, &c);
	if (!(c.q = cpu_alloc(e, 1, sizeof(*c.q))))
		return INN_ENOMEM;
	e->step[at] = (struct step){ .fn = cpu_run_product, .arg = c.q, .op = at };
	return make(e, &c);
}
