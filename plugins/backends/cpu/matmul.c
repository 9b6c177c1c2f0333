/* Matrix products with transposition by strides and broadcast leading axes. */
#include "cpu.h"

/* `s` as a matrix operand of rank `rank`; transposed by exchanging the last two strides. */
static void describe(const struct inn_shape *s, uint32_t rank, bool t, dnnl_dims_t dim, dnnl_dims_t stride)
{
	dnnl_dim_t n = 1;
	uint32_t shift = rank - s->rank;

	for (uint32_t d = rank; d-- > 0;) {
		dim[d] = d < shift ? 1 : s->dim[d - shift];
		stride[d] = n;
		n *= dim[d];
	}
	if (t) {
		dnnl_dim_t a = dim[rank - 1], b = stride[rank - 1];

		dim[rank - 1] = dim[rank - 2];
		stride[rank - 1] = stride[rank - 2];
		dim[rank - 2] = a;
		stride[rank - 2] = b;
	}
}

static int primitive(struct inn_exec *e, uint32_t i, const dnnl_memory_desc_t md[3], struct product *q)
{
	dnnl_matmul_desc_t d;
	dnnl_primitive_attr_t attr = NULL;
	dnnl_primitive_desc_t pd = NULL;
	uint32_t slot[4];
	dnnl_status_t s = dnnl_primitive_attr_create(&attr);

	if (!s)
		s = dnnl_primitive_attr_set_scratchpad_mode(attr, dnnl_scratchpad_mode_user);
	if (!s)
		s = dnnl_matmul_desc_init(&d, &md[0], &md[1], NULL, &md[2]);
	if (!s)
		s = dnnl_primitive_desc_create(&pd, &d, attr, e->dev->engine, NULL);
	int r = cpu_dnnl(e, i, "a matrix product", s);

	for (uint32_t k = 0; !r && k < 3; k++)
		r = cpu_slot(e, i, &md[k], AT_VALUE, k < 2 ? src_of(e, i, k) : i, 0, &slot[k]);
	if (!r) {
		const dnnl_memory_desc_t *pad = dnnl_primitive_desc_query_md(pd, dnnl_query_scratchpad_md, 0);

		r = cpu_slot(e, i, pad, AT_SCRATCH, i, 0, &slot[3]);
		cpu_scratch(e, dnnl_memory_desc_get_size(pad));
	}
	if (!r)
		r = cpu_call(e, i, q, pd, 4, (const int[]){ DNNL_ARG_SRC, DNNL_ARG_WEIGHTS, DNNL_ARG_DST, DNNL_ARG_SCRATCHPAD }, slot);
	if (pd)
		dnnl_primitive_desc_destroy(pd);
	if (attr)
		dnnl_primitive_attr_destroy(attr);
	return r;
}

int cpu_matmul(struct inn_exec *e, uint32_t i)
{
	const struct inn_op *o = op_of(e, i);
	struct product *q = cpu_alloc(e, 1, sizeof(*q));
	uint32_t rank = o->shape.rank;
	dnnl_dims_t dim, stride;
	dnnl_memory_desc_t md[3];
	int s = q ? INN_OK : INN_ENOMEM;

	if (!s && !e->count[i])
		return INN_OK;
	if (!s && (!e->count[src_of(e, i, 0)] || !e->count[src_of(e, i, 1)])) {
		e->step[i] = (struct step){ .fn = cpu_zero, .op = i };
		return INN_OK;
	}
	if (!s && cpu_by_rows(e, i))
		return cpu_rows(e, i);
	for (uint32_t k = 0; !s && k < 3; k++) {
		describe(k < 2 ? src_shape(e, i, k) : &o->shape, rank, k < 2 && attr_of(e, i)[k], dim, stride);
		s = cpu_dnnl(e, i, "a matrix", dnnl_memory_desc_init_by_strides(&md[k], (int)rank, dim, dnnl_f32, stride));
	}
	if (!s)
		s = primitive(e, i, md, q);
	e->step[i] = (struct step){ .fn = cpu_run_product, .arg = q, .op = i };
	return s;
}
