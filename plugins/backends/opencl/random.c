/* Counter-based noise. */
#include "opencl.h"

void ocl_random(struct inn_exec *e, uint32_t i)
{
	const struct inn_op *o = op_of(e, i);
	const uint32_t *a = attr_of(e, i);
	uint32_t n_index = o->n_src - 1;

	if (o->n_src < 1 || o->n_src > 3 || !o->shape.rank || src_count(e, i, 0) != o->shape.dim[0]) {
		e->status = inn_fail(e->ctx, INN_EUNSUP, NULL, "opencl: %s (%s) wants one sample id per row and at most two open loops",
				     inn_op_name(o->code), o->from);
		return;
	}
	struct launch *l = ocl_launch(e, i, "noise");
	size_t rows = o->shape.dim[0], n = rows ? e->count[i] / rows : 0;

	ocl_at(e, l, src_of(e, i, 0));
	for (uint32_t k = 1; k < 3; k++) /* what is not there is not read */
		ocl_at(e, l, src_of(e, i, k <= n_index ? k : 0));
	ocl_at(e, l, value_of(i));
	ocl_int(e, l, a[0]);
	ocl_int(e, l, a[2] ^ a[1]);
	ocl_int(e, l, n_index);
	ocl_int(e, l, o->code == INN_OP_NORMAL);
	ocl_int(e, l, n);
	ocl_rows(e, l, n, rows);
}
