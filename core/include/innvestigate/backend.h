/* Backends: they alone compute. A closed plan is a list of operations in execution order. */
#ifndef INNVESTIGATE_BACKEND_H
#define INNVESTIGATE_BACKEND_H

#include <innvestigate/build.h>
#include <innvestigate/class.h>

enum inn_sign { INN_NONNEG = 1, INN_NONPOS = 2 };
enum inn_oprole { INN_ROLE_OTHER, INN_ROLE_FORWARD, INN_ROLE_BACKWARD };

/* Attributes in the u32 side array, by code:
 *   INPUT, PARAM  name index into plan->names (INPUT then: kind 0 data, 1 sample ids, 2 valid)
 *   CONST         low, high word of the f64         INDEX  n, depth
 *   SUM, RMAX     axis mask      ARGMAX axis        PERMUTE order[rank]      CONCAT, GATHER, SCATTER axis
 *   SLICE         per axis from, to, step           PAD    per axis before, after, dilation
 *   MATMUL        ta, tb                            OUTPUT, ACCUMULATE  name index
 *   CONV*, POOL*  inn_op_window decodes them        UNIFORM, NORMAL  seed low, seed high, draw
 * Sources of UNIFORM, NORMAL: sample ids, then the open indices, outermost first. Result shapes stand in op.shape. */
struct inn_op {
	uint16_t code, role;        /* enum inn_opcode, enum inn_oprole                       */
	uint32_t src, n_src;        /* plan->src[src .. src+n_src): positions of operands + 1 */
	uint32_t attr, n_attr;
	struct inn_shape shape;
	const char *from;           /* name of the node or class it came from; "" if none     */
	uint64_t home;              /* bit 0 batch, bit 1+d the open loop of depth d; 0: once */
	uint8_t rows, sign;         /* 'U' no samples, 'B' axis 0 counts them, else others; enum inn_sign */
};
/* Operations [first, first+n) with what is nested in them. Block 0: once, per model; block 1: per batch; the others
 * run once per value 0 ... count-1 of the INDEX operation at position `index`. Blocks nest, and are sorted by `first`.
 * LOOP_SUM, LOOP_STACK and LOOP_LAST stand at the end of the loop's block: at iteration 0 LOOP_SUM stores, then adds;
 * LOOP_STACK writes slice i of axis 1; LOOP_LAST stores at the last iteration. CARRY is `init` at iteration 0, then
 * the previous iteration's `next` of its LOOP_LAST.
 * Iterations side by side (backends that ask for it by `rows`): a block's count is then its loop's divided by k; what LOOP_SUM and
 * LOOP_STACK take has k times the rows of what they give, iteration after iteration, and is added or written in this order; an
 * index of UNIFORM and NORMAL may be a vector, one iteration a row, and row r is of sample id r mod their number. */
struct inn_block { uint32_t first, n, index, count, parent; };
struct inn_param_data { uint32_t op; const struct inn_tensor *data; }; /* what each PARAM holds */
struct inn_plan {
	uint32_t op_size, n_ops;    /* stride of ops: rows may grow */
	const struct inn_op *ops;
	const uint32_t *src, *attr;
	const struct inn_block *blocks;
	uint32_t n_blocks;
	const char *const *names;
	const struct inn_param_data *params;
	uint32_t n_params, batch;
	bool strict;
	uint64_t hash;
	uint32_t k;                 /* iterations side by side, at most; 0: one at a time */
};
static inline const struct inn_op *inn_plan_op(const struct inn_plan *p, uint32_t i)
{
	return (const struct inn_op *)(const void *)((const char *)p->ops + (size_t)i * p->op_size);
}
/* Operand k of op i as a position. */
static inline uint32_t inn_plan_src(const struct inn_plan *p, uint32_t i, uint32_t k)
{
	return p->src[inn_plan_op(p, i)->src + k] - 1;
}
INN_API const char *inn_op_name(uint32_t code);
INN_API char inn_op_class(uint32_t code); /* 'L' 'U' 'E' ... of op.def */
INN_API int inn_op_operands(uint32_t code); /* -1: any number */
INN_API double inn_op_value(const struct inn_plan *p, uint32_t op); /* of CONST */
INN_API void inn_op_window(const struct inn_plan *p, uint32_t op, struct inn_window *w); /* CONV*, POOL* */

/* Lifetimes to offsets. `bytes(user, op)` is the size of op's result in this backend (0: needs no memory).
 * offset[op] is a multiple of `align`; values whose lives overlap never share bytes; prologue values (home 0) and what
 * LOOP_SUM, LOOP_STACK, CARRY and LOOP_LAST keep across iterations live long enough. Inputs, params and outputs live
 * to the end. Gives the total. [job] */
INN_API int inn_place(inn_ctx *ctx, const struct inn_plan *p, size_t (*bytes)(void *user, uint32_t op), void *user,
		      size_t align, size_t *offset, size_t *total) INN_MUST;
/* Fusion groups: group[op] = id (0: alone) of a set of elementwise operations of one shape in one block that may run as
 * one loop at the position of its last member. [job] */
INN_API int inn_groups(inn_ctx *ctx, const struct inn_plan *p, uint32_t *group, uint32_t *n_groups) INN_MUST;

struct inn_device { /* one that a backend could open; strings live until the call ends */
	const char *platform, *name, *kind, *driver;
	uint64_t memory; /* bytes; 0: unknown */
	const char *why; /* NULL, or why the backend's options mean this one */
};
struct inn_timing { /* one part of an executable; strings and lists live until the call ends */
	uint32_t op;                /* the operation, or the last of those that are computed together */
	const uint32_t *with;       /* the n_with others */
	uint32_t n_with;
	const char *how;            /* by what it is computed; "" if there is nothing to say */
	bool extra;                 /* something else that is done for its result: `how` says what */
	uint64_t runs;
	double seconds;
};
typedef struct inn_dev inn_dev;
typedef struct inn_exec inn_exec;
struct inn_backend_ops {
	struct inn_class cls;
	int (*score)(inn_ctx *ctx, const void *opts); /* 0: not usable here; larger is better */
	int (*open)(inn_ctx *ctx, const void *opts, uint32_t threads, inn_dev **dev);
	void (*close)(inn_dev *dev);                  /* NULL ok */
	/* INN_OK, or INN_EUNSUP after recording which operation is missing. Optional. */
	int (*supports)(inn_ctx *ctx, const inn_dev *dev, const struct inn_plan *p, uint32_t op);
	/* All memory is taken here (memory_limit bytes, 0: no limit; above it: INN_ELIMIT). Keeps the plan. */
	int (*compile)(inn_ctx *ctx, inn_dev *dev, const struct inn_plan *p, uint64_t memory_limit, inn_exec **exec);
	void (*release)(inn_exec *exec);              /* NULL ok */
	/* Sets INPUT, PARAM or ACCUMULATE op from a host tensor of the op's shape and any dtype; copies before returning. All
	 * PARAMs are written once before the first run; their data is borrowed until a run has succeeded, so that a backend can
	 * bring it into its own layout at once. ACCUMULATEs begin at 0 and keep doubles, or as much in two floats. */
	int (*write)(inn_ctx *ctx, inn_exec *exec, uint32_t op, const struct inn_tensor *t);
	int (*run)(inn_ctx *ctx, inn_exec *exec);     /* the first call runs block 0 too */
	/* Copies OUTPUT or ACCUMULATE op into t->data (t->dtype INN_F32 or INN_F64, t->shape the op's); waits. */
	int (*read)(inn_ctx *ctx, inn_exec *exec, uint32_t op, struct inn_tensor *t);
	const char *(*describe)(const inn_dev *dev);  /* provenance: library, version, device */
	/* Optional: shows every device that options can name. INN_EPLUGIN after recording why there is none. */
	int (*devices)(inn_ctx *ctx, const void *opts, void (*show)(void *user, const struct inn_device *d), void *user);
	/* Optional: measures the device that the options mean, and keeps what later runs open it with. */
	int (*tune)(inn_ctx *ctx, const void *opts);
	/* Optional, where a host's memory will do: ACCUMULATE op adds into `sums` from now on, which outlives the executable
	 * and is read and written there. Before the first run. */
	int (*share)(inn_ctx *ctx, inn_exec *exec, uint32_t op, double *sums);
	/* Optional: how many rows a batch should have for the device to be busy; core then runs up to as many of a loop's
	 * iterations side by side. */
	uint32_t (*rows)(const inn_dev *dev, const struct inn_plan *p);
	/* Optional: shows what every part took since the last call. The first call, before the first run, begins to measure. */
	int (*profile)(inn_ctx *ctx, inn_exec *exec, void (*show)(void *user, const struct inn_timing *t), void *user);
};
#endif
