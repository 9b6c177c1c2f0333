/* The table behind op.def, and what backends read out of a plan's side arrays. */
#include "value.h"
#include <string.h>

static const struct {
	const char *name;
	int operands;
	char cls;
} table[INN_OPS] = {
	[INN_OP_NONE] = { "none", 0, '?' },
#define INN_OP(code, text, n, letter) [INN_OP_##code] = { #text, n, #letter[0] },
#include <innvestigate/op.def>
#undef INN_OP
};

const char *inn_op_name(uint32_t code) { return code < INN_OPS ? table[code].name : "unknown"; }
char inn_op_class(uint32_t code) { return code < INN_OPS ? table[code].cls : '?'; }
int inn_op_operands(uint32_t code) { return code < INN_OPS ? table[code].operands : 0; }

double inn_op_value(const struct inn_plan *p, uint32_t op)
{
	const struct inn_op *o = inn_plan_op(p, op);
	double v = 0;

	if (o->code == INN_OP_CONST && o->n_attr >= 2)
		memcpy(&v, p->attr + o->attr, sizeof(v));
	return v;
}

void inn_op_window(const struct inn_plan *p, uint32_t op, struct inn_window *w)
{
	const struct inn_op *o = inn_plan_op(p, op);

	inn__window_of(p->attr + o->attr, o->code, o->shape.rank - 2, w);
}
