/* Inside of a builder: values with their facts. Private to core/plan. */
#ifndef INN_PLAN_VALUE_H
#define INN_PLAN_VALUE_H
#include "plan.h"
#include <innvestigate/class.h>
#include <math.h>

#define MAX_ATTR 32
#define MAX_SUPPORT 8
#define MAX_LOOPS 48
#define MAX_RETIRED 24
#define BATCH 1u /* bit 0 of a home; bit 1+l is loop l of the builder */

struct value {
	struct inn_op op;      /* src and attr are offsets into the builder's arrays; src holds ids */
	bool uniform;          /* every element is c */
	double c;
	uint8_t axis;          /* index i of it belongs to sample (i / run) mod N: rows.c */
	uint32_t run;
	uint32_t n_support, support[MAX_SUPPORT]; /* ids of values of this shape: 0 there means 0 here */
	uint32_t clipped;      /* id of min(this, constant), 0: there is none */
	uint32_t next;         /* hash chain */
};
struct inn_build {
	inn_ctx *ctx;
	uint32_t batch;
	bool failed, final;    /* final: rewrites that look past an operand are on */
	bool mixes, untracked; /* failed because samples meet in an output, or because its axis 0 is not known to count them */
	void *net;
	const char *from;
	uint32_t role;
	struct value *v;       /* v[0] is unused */
	uint32_t n, cap, n_retired;
	struct value *retired[MAX_RETIRED]; /* earlier homes of v */
	uint32_t *src, n_src, cap_src, *attr, n_attr, cap_attr;
	uint32_t *bucket, n_buckets;
	const char **name;
	const struct inn_tensor **data; /* of PARAMs, by name index */
	uint32_t n_names, cap_names;
	uint32_t *named, n_named; /* hash table of names: index + 1, 0: free; a power of two, at most half full */
	uint32_t loop[MAX_LOOPS], n_loops; /* INDEX values */
	uint32_t open[8], n_open;
	int (*load)(inn_ctx *ctx, void *user, const char *path, struct inn_tensor *out);
	void *load_user;
	void (*measure)(void *user, const char *name, inn_val v, const double *at, uint32_t n_at);
	void *measure_user;
};
struct args { /* one operation about to be recorded */
	uint32_t code, n, n_attr;
	const uint32_t *src; /* ids */
	const uint32_t *attr;
	struct inn_shape shape; /* given for leaves, reshape, expand, adjoints; else inferred */
};

static inline struct value *val(const inn_build *b, uint32_t id) { return &b->v[id]; }
static inline uint32_t src_of(const inn_build *b, uint32_t id, uint32_t k) { return b->src[b->v[id].op.src + k]; }
static inline const uint32_t *attr_of(const inn_build *b, uint32_t id) { return b->attr + b->v[id].op.attr; }
static inline bool is_uniform(const inn_build *b, uint32_t id, double c) { return b->v[id].uniform && b->v[id].c == c; }
static inline bool nonneg(const inn_build *b, uint32_t id) { return b->v[id].op.sign & INN_NONNEG; }
static inline bool nonpos(const inn_build *b, uint32_t id) { return b->v[id].op.sign & INN_NONPOS; }
static inline bool elementwise(uint32_t code) { return inn_op_class(code) == 'U' || inn_op_class(code) == 'E'; }
static inline bool reduces_loop(uint32_t code) { return code == INN_OP_LOOP_SUM || code == INN_OP_LOOP_STACK || code == INN_OP_LOOP_LAST; }

/* value.c */
inn_val inn__fail_op(inn_build *b, int status, const char *fmt, ...) INN_PRINTF(3, 4); /* records, marks b, gives 0 */
uint32_t inn__name(inn_build *b, const char *name);                /* interned; UINT32_MAX on failure */
inn_val inn__raw(inn_build *b, const struct args *a);              /* hash-consed, no rewriting */
uint32_t inn__lookup(const inn_build *b, const struct args *a);    /* id or 0 */
inn_val inn__record(inn_build *b, uint32_t code, const uint32_t *src, uint32_t n, const uint32_t *attr, uint32_t n_attr,
		    const struct inn_shape *shape);
inn_val inn__const(inn_build *b, double v, const struct inn_shape *shape);
/* shape.c: fills a->shape or fails. */
bool inn__infer(inn_build *b, struct args *a);
bool inn__sized(inn_build *b, uint32_t code, const struct inn_shape *s); /* within the limit; else fails */
void inn__window_of(const uint32_t *attr, uint32_t code, uint32_t spatial, struct inn_window *w);
/* facts.c */
void inn__facts(inn_build *b, uint32_t id);
void inn__rows(inn_build *b, uint32_t id); /* rows.c */
/* rewrite.c: 0 if nothing applies. global.c: those that look past an operand. */
inn_val inn__simplify(inn_build *b, const struct args *a);
inn_val inn__simplify_final(inn_build *b, const struct args *a);
double inn__eval(uint32_t code, double x, double y, double z);
/* compose.c: index(n, depth), registered as a loop. */
inn_val inn__index(inn_build *b, uint32_t n, uint32_t depth);
/* close.c */
void inn__live(const inn_build *b, const uint32_t *roots, uint32_t n, bool *live);
/* schedule.c */
struct inn_plan *inn__schedule(inn_build *b, const uint32_t *outputs, uint32_t n, bool strict);
#endif
