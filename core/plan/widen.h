/* What widen.c and side.c share. Private to core/plan. */
#ifndef INN_PLAN_WIDEN_H
#define INN_PLAN_WIDEN_H
#include "plan.h"

struct form { uint32_t at, rank, block; }; /* position + 1 of the value with a row for each iteration and sample */
struct widen {
	inn_ctx *ctx;
	const struct inn_plan *p;
	uint32_t k, block, now; /* the loop's block; the block that is being emitted */
	uint32_t index;         /* position + 1 of the loop's index in the new plan */
	bool *depends;          /* by operation of p: on the loop's index */
	bool *repeat;           /* has to be repeated in front of the loop */
	uint32_t *at;           /* position + 1 in the new plan; of what counts no samples, the first of k */
	struct form *form;
	uint32_t *start;        /* position in the new plan, by operation of p: where its emission began */
	struct inn_op *op;
	uint32_t n, cap, *src, n_src, cap_src, *attr, n_attr, cap_attr;
	bool failed;
};
/* How an operation takes an operand. ROWS: with one for each iteration and sample; REPEATED: the same, without broadcasting. */
enum inn__take { INN__REFUSED, INN__AS_IS, INN__ROWS, INN__REPEATED };

static inline bool within(const struct inn_block *b, uint32_t i) { return i >= b->first && i - b->first < b->n; }
static inline bool counts(const struct inn_plan *p, const struct inn_op *o)
{
	return o->rows == 'B' && o->shape.rank && o->shape.dim[0] == p->batch;
}
/* side.c: operand k of operation i, whose result counts samples along axis 0. */
enum inn__take inn__takes(const struct widen *w, uint32_t i, uint32_t k);
/* Whether the loop can run with iterations side by side; fills `depends` and `repeat`. */
bool inn__side_by_side(struct widen *w);
#endif
