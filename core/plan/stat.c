/* Statistics of a data set: sums over all batches, and what a state keeps of them. The spare rows of a padded batch must not
 * count: values with one sample a row are masked here, values that mix samples must have mixed masked ones. */
#include "value.h"
#include <stdlib.h>

struct look { const inn_build *b; signed char *seen; }; /* seen: 0 not asked, 1 yes, -1 no */

/* Samples meet in it, or may. */
static bool mixed(const inn_build *b, uint32_t id) { return val(b, id)->op.rows == 'M' || val(b, id)->op.rows == 'X'; }

/* Zero in the spare rows. */
static bool masked(struct look *l, uint32_t id)
{
	const inn_build *b = l->b;
	const struct value *v = val(b, id);
	bool yes = false;

	if (l->seen[id])
		return l->seen[id] > 0;
	switch (v->op.code) {
	case INN_OP_INPUT: yes = attr_of(b, id)[1] == 2; break;
	case INN_OP_MUL: case INN_OP_SELECT: yes = masked(l, src_of(b, id, 0)) || masked(l, src_of(b, id, 1)); break;
	case INN_OP_ADD: case INN_OP_SUB: yes = masked(l, src_of(b, id, 0)) && masked(l, src_of(b, id, 1)); break;
	case INN_OP_DIV: case INN_OP_ABS: case INN_OP_RESHAPE: case INN_OP_EXPAND: case INN_OP_SUM: case INN_OP_CONV: case INN_OP_CONV_DX:
	case INN_OP_PERMUTE: case INN_OP_PAD: case INN_OP_SLICE: case INN_OP_POOL_AVG: case INN_OP_POOL_AVG_DX: case INN_OP_POOL_MAX_DX:
		yes = masked(l, src_of(b, id, 0));
		break;
	case INN_OP_MATMUL: yes = masked(l, src_of(b, id, 0)) || masked(l, src_of(b, id, 1)); break;
	default: break;
	}
	if (v->op.code == INN_OP_SELECT) /* the other side must be 0 there too */
		yes = yes && (is_uniform(b, src_of(b, id, 2), 0) || masked(l, src_of(b, id, 2)));
	if (mixed(b, id) && v->op.code != INN_OP_RESHAPE && v->op.code != INN_OP_EXPAND)
		yes = false;
	l->seen[id] = yes ? 1 : -1;
	return yes;
}

/* Every operation behind a mixed value that first mixes samples mixes masked ones. */
static bool mixes_masked(struct look *l, uint32_t id)
{
	const struct value *v = val(l->b, id);
	bool first = mixed(l->b, id), all = true;

	if (!first)
		return true;
	for (uint32_t k = 0; k < v->op.n_src; k++)
		first &= !mixed(l->b, src_of(l->b, id, k));
	if (first && (v->op.code == INN_OP_SUM || v->op.code == INN_OP_CONV_DW || v->op.code == INN_OP_MATMUL)) {
		bool any = masked(l, src_of(l->b, id, 0));

		return any || (v->op.n_src > 1 && masked(l, src_of(l->b, id, 1)));
	}
	if (first)
		return masked(l, src_of(l->b, id, 0));
	for (uint32_t k = 0; k < v->op.n_src; k++)
		all &= mixes_masked(l, src_of(l->b, id, k));
	return all;
}

static bool sound(inn_build *b, uint32_t id)
{
	struct look l = { .b = b, .seen = calloc(b->n, 1) };
	bool ok = l.seen && mixes_masked(&l, id);

	if (!l.seen)
		inn_nomem(b->ctx);
	free(l.seen);
	return ok;
}

static inn_val sum_rows(inn_build *b, inn_val v)
{
	struct inn_shape s = *inn_shape_of(b, v);

	for (uint32_t d = 1; d < s.rank; d++)
		s.dim[d] = 1;
	return inn_sum(b, inn_mul(b, v, inn_reshape(b, inn_valid(b), &s)), 1);
}

void inn_stat(inn_build *b, const char *name, inn_val v)
{
	bool spare = b->batch > 1; /* a batch of one sample has no spare rows, and nothing to mix */
	uint32_t attr;

	if (b->failed || !v.id || (attr = inn__name(b, name)) == UINT32_MAX) {
		inn__fail_op(b, INN_EBUG, "the statistic %s has no value", name);
		return;
	}
	if (val(b, v.id)->op.home & ~(uint64_t)BATCH)
		inn__fail_op(b, INN_EBUG, "the statistic %s depends on a loop that was never summed", name);
	else if (val(b, v.id)->op.rows == 'U')
		inn__fail_op(b, INN_EBUG, "the statistic %s does not depend on the data", name);
	else if (spare && val(b, v.id)->op.rows == 'A')
		inn__fail_op(b, INN_EBUG, "axis 0 of the statistic %s does not count samples", name);
	else if (spare && mixed(b, v.id) && !sound(b, v.id))
		inn__fail_op(b, INN_EBUG, "the statistic %s sums the spare rows of a padded batch too; multiply by inn_valid", name);
	if (b->failed)
		return;
	if (val(b, v.id)->op.rows == 'B')
		v = sum_rows(b, v);
	inn__record(b, INN_OP_ACCUMULATE, &v.id, 1, &attr, 1, NULL);
}

inn_val inn__keep(inn_build *b, const char *name, inn_val v)
{
	uint32_t attr;

	if (b->failed || !v.id || (attr = inn__name(b, name)) == UINT32_MAX)
		return inn__fail_op(b, INN_EBUG, "the state's %s has no value", name);
	if (val(b, v.id)->op.rows != 'U' || val(b, v.id)->op.home)
		return inn__fail_op(b, INN_EBUG, "the state's %s depends on samples", name);
	return inn__record(b, INN_OP_OUTPUT, &v.id, 1, &attr, 1, NULL);
}
