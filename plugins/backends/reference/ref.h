/* Inside of the reference backend: a compiled plan, and the kernels of one element type. */
#ifndef REF_H
#define REF_H
#include <innvestigate/plugin.h>

struct inn_exec {
	const struct inn_plan *plan;
	bool f64, check, started;
	char *arena;
	size_t size;      /* of an element */
	void **value;     /* per operation: its result */
	bool *one;        /* per operation: a CONST kept as one element */
	void **stash;     /* per CARRY: copy of its next where that is a CARRY itself, else NULL */
	uint32_t *next;   /* per CARRY: position of what becomes of it in the next iteration */
	uint32_t *inner;  /* per operation: innermost block */
	uint32_t *iter;   /* per block: iteration it is in */
	struct ref_spent *spent; /* per operation; NULL: nobody measures */
	void *scratch;    /* sums in double, or what RANK sorts */
};

struct ref_spent { double seconds; uint64_t runs; };

/* Computes operation i once; every operand is there. Loop operations look at exec->iter. */
int ref_op_f32(inn_ctx *ctx, struct inn_exec *e, uint32_t i);
int ref_op_f64(inn_ctx *ctx, struct inn_exec *e, uint32_t i);
/* Bytes of scratch operation i wants. */
size_t ref_scratch(const struct inn_plan *p, uint32_t i);
int ref_compile(inn_ctx *ctx, struct inn_exec *e, uint64_t limit);
int ref_run(inn_ctx *ctx, struct inn_exec *e);
int ref_profile(inn_ctx *ctx, struct inn_exec *e, void (*show)(void *user, const struct inn_timing *t), void *user);
void ref_free(struct inn_exec *e);

/* What value[op] points to. */
static inline uint32_t ref_dtype(const struct inn_exec *e, uint32_t op)
{
	const struct inn_op *o = inn_plan_op(e->plan, op);

	if (o->code == INN_OP_INPUT && e->plan->attr[o->attr + 1] == 1)
		return INN_U32; /* sample ids */
	return e->f64 || o->code == INN_OP_ACCUMULATE ? INN_F64 : INN_F32;
}

static inline size_t ref_count(const struct inn_shape *s)
{
	size_t n = 1;

	for (uint32_t d = 0; d < s->rank; d++)
		n *= s->dim[d];
	return n;
}
#endif
