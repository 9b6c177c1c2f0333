/* Leaves, what loops keep, and sinks. */
#include "opencl.h"

static void sum(struct inn_exec *e, uint32_t i)
{
	struct launch *l;

	ocl_copy(e, i, FIRST, src_of(e, i, 0), value_of(i), e->count[i]);
	l = ocl_launch(e, i, "add_to");
	l->when = LATER;
	ocl_at(e, l, src_of(e, i, 0));
	ocl_at(e, l, value_of(i));
	ocl_flat(e, l, e->count[i]);
}

static void stack(struct inn_exec *e, uint32_t i)
{
	const struct inn_shape *s = &op_of(e, i)->shape;
	size_t rows = s->dim[0], n = rows && s->dim[1] ? e->count[i] / rows / s->dim[1] : 0;
	struct launch *l = ocl_launch(e, i, "stack");

	ocl_at(e, l, src_of(e, i, 0));
	ocl_at(e, l, src_of(e, i, 1));
	ocl_at(e, l, value_of(i));
	ocl_int(e, l, s->dim[1]);
	ocl_int(e, l, n);
	ocl_rows(e, l, n, rows);
}

/* What the next iteration reads stands apart from the arena, so that carries may exchange their values. */
static void carry(struct inn_exec *e, uint32_t i)
{
	e->state[i] = ocl_keep(e, e->count[i]);
	ocl_copy(e, i, FIRST, src_of(e, i, 0), value_of(i), e->count[i]);
	ocl_copy(e, i, LATER, e->state[i], value_of(i), e->count[i]);
}

static void last(struct inn_exec *e, uint32_t i)
{
	ocl_copy(e, i, ALWAYS, src_of(e, i, 0), e->state[root_of(e, i, 1)], e->count[i]);
	ocl_copy(e, i, LAST, src_of(e, i, 0), value_of(i), e->count[i]);
}

static void accumulate(struct inn_exec *e, uint32_t i)
{
	size_t n = e->count[i];
	struct launch *l = ocl_launch(e, i, "accumulate");

	e->state[i] = ocl_keep(e, 2 * round_up(n, ALIGN));
	ocl_at(e, l, src_of(e, i, 0));
	ocl_at(e, l, e->state[i]);
	ocl_at(e, l, moved(e->state[i], round_up(n, ALIGN)));
	ocl_flat(e, l, n);
}

void ocl_loop(struct inn_exec *e, uint32_t i)
{
	struct launch *l;

	switch (op_of(e, i)->code) {
	case INN_OP_CONST:
		if (e->need[i])
			ocl_fill(e, i, value_of(i), e->count[i], (float)inn_op_value(e->p, i));
		break;
	case INN_OP_IOTA:
		if (!e->need[i])
			break;
		l = ocl_launch(e, i, "iota");
		ocl_at(e, l, value_of(i));
		ocl_int(e, l, e->count[i]);
		ocl_grid(e, l, e->count[i], 1, 1);
		break;
	case INN_OP_OUTPUT: ocl_copy(e, i, ALWAYS, src_of(e, i, 0), value_of(i), e->count[i]); break;
	case INN_OP_LOOP_SUM: sum(e, i); break;
	case INN_OP_LOOP_STACK: stack(e, i); break;
	case INN_OP_CARRY: carry(e, i); break;
	case INN_OP_LOOP_LAST: last(e, i); break;
	case INN_OP_ACCUMULATE: accumulate(e, i); break;
	default: break; /* written from outside */
	}
}
