/* A plan as text, and what it costs. */
#include "plan.h"
#include <inttypes.h>

void inn__plan_dump(const struct inn_plan *p, FILE *to)
{
	char s[INN_SHAPE_STR];

	for (uint32_t k = 0; k < p->n_blocks; k++)
		fprintf(to, "block %u: %u..%u, %u times, in %u\n", k, p->blocks[k].first, p->blocks[k].first + p->blocks[k].n,
			p->blocks[k].count, p->blocks[k].parent);
	for (uint32_t i = 0; i < p->n_ops; i++) {
		const struct inn_op *o = inn_plan_op(p, i);

		fprintf(to, "%%%u = %s", i, inn_op_name(o->code));
		for (uint32_t k = 0; k < o->n_src; k++)
			fprintf(to, " %%%u", inn_plan_src(p, i, k));
		if (o->code == INN_OP_CONST)
			fprintf(to, " %g", inn_op_value(p, i));
		else if (o->code == INN_OP_INPUT || o->code == INN_OP_PARAM || o->code == INN_OP_OUTPUT)
			fprintf(to, " \"%s\"", p->names[p->attr[o->attr]]);
		else if (o->n_attr) {
			fprintf(to, " {");
			for (uint32_t k = 0; k < o->n_attr; k++)
				fprintf(to, "%s%u", k ? "," : "", p->attr[o->attr + k]);
			fprintf(to, "}");
		}
		fprintf(to, " : %s %c%s%s%s%s\n", inn_shape_str(&o->shape, s), o->rows, o->sign & INN_NONNEG ? " >=0" : "",
			o->sign & INN_NONPOS ? " <=0" : "", *o->from ? "  # " : "", o->from);
	}
	fprintf(to, "hash %016" PRIx64 "\n", p->hash);
}

static double count(const struct inn_shape *s)
{
	double n = 1;

	for (uint32_t d = 0; d < s->rank; d++)
		n *= s->dim[d];
	return n;
}

static double multiplications(const struct inn_plan *p, uint32_t i)
{
	const struct inn_op *o = inn_plan_op(p, i), *x = inn_plan_op(p, inn_plan_src(p, i, 0)), *w = inn_plan_op(p, inn_plan_src(p, i, 1));
	const struct inn_op *grid = o->code == INN_OP_CONV ? o : o->code == INN_OP_CONV_DX ? x : w;
	const struct inn_op *kernel = o->code == INN_OP_CONV_DW ? o : w;
	double n = grid->shape.dim[0] * count(&kernel->shape);

	if (o->code == INN_OP_MATMUL)
		return count(&o->shape) * x->shape.dim[x->shape.rank - (p->attr[o->attr] ? 2 : 1)];
	for (uint32_t d = 2; d < grid->shape.rank; d++)
		n *= grid->shape.dim[d];
	return n;
}

/* How often op i runs for one batch. */
static double times(const struct inn_plan *p, uint32_t i)
{
	double n = 1;

	for (uint32_t k = 2; k < p->n_blocks; k++)
		if (i >= p->blocks[k].first && i < p->blocks[k].first + p->blocks[k].n)
			n *= p->blocks[k].count;
	return n;
}

static bool product(const struct inn_plan *p, uint32_t i)
{
	uint32_t code = inn_plan_op(p, i)->code;

	return code == INN_OP_CONV || code == INN_OP_CONV_DX || code == INN_OP_CONV_DW || code == INN_OP_MATMUL;
}

double inn__plan_flops(const struct inn_plan *p, uint32_t i)
{
	const struct inn_op *o = inn_plan_op(p, i);

	switch (inn_op_class(o->code)) {
	case 'P': return 2 * multiplications(p, i);
	case 'U':
	case 'E': return count(&o->shape);
	case 'R': return count(&inn_plan_op(p, inn_plan_src(p, i, 0))->shape);
	default: return 0;
	}
}

/* A pre-activation (product plus bias that a rectifier reads) with another reader is stored besides its ReLU. */
static bool stored_z(const struct inn_plan *p, uint32_t z)
{
	bool rectified = false, other = false;

	if (inn_plan_op(p, z)->code != INN_OP_ADD || !(inn_plan_op(p, z)->home & 1) ||
	    !(product(p, inn_plan_src(p, z, 0)) || product(p, inn_plan_src(p, z, 1))))
		return false;
	for (uint32_t i = z + 1; i < p->n_ops; i++)
		for (uint32_t k = 0; k < inn_plan_op(p, i)->n_src; k++)
			if (inn_plan_src(p, i, k) == z) {
				bool relu = inn_plan_op(p, i)->code == INN_OP_MAX;

				rectified |= relu;
				other |= !relu;
			}
	return rectified && other;
}

void inn__plan_cost(const struct inn_plan *p, struct inn__cost *c)
{
	*c = (struct inn__cost){ .ops = p->n_ops };
	for (uint32_t i = 0; i < p->n_ops; i++) {
		const struct inn_op *o = inn_plan_op(p, i);

		c->z += stored_z(p, i);
		if (!product(p, i))
			continue;
		double n = multiplications(p, i) * times(p, i);

		if (i < p->blocks[0].n)
			c->once += n;
		else if (o->code != INN_OP_CONV_DW && o->role == INN_ROLE_FORWARD)
			c->forward += n;
		else if (o->code != INN_OP_CONV_DW && o->role == INN_ROLE_BACKWARD)
			c->backward += n;
		else
			c->other += n;
	}
}
