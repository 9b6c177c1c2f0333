/* What the files of this backend share: an executable is one step per operation over one arena. */
#ifndef INN_CPU_H
#define INN_CPU_H
#include <innvestigate/plugin.h>
#include <oneapi/dnnl/dnnl.h>

#define ALIGN 64u
#define SMALL 16384u /* elements below which a loop stays on one thread */
#define NONE UINT32_MAX

struct inn_dev {
	dnnl_engine_t engine;
	dnnl_stream_t stream;
	int threads;
	bool wide; /* AVX-512 */
	char text[160];
};

struct inn_exec;
struct step { /* fn NULL: nothing to do at run time */
	int (*fn)(struct inn_exec *e, uint32_t op, void *arg);
	void *arg;
	uint32_t op;
};
enum place { AT_VALUE, AT_SCRATCH, AT_KEPT };
struct slot { /* a oneDNN memory; its address is known once everything is placed */
	dnnl_memory_t memory;
	enum place place;
	uint32_t op;
	size_t offset;
};
struct weight { uint32_t op, slot; bool flipped; dnnl_memory_desc_t md; }; /* reordered once per model */
struct alloc { struct alloc *next; };

struct inn_exec {
	inn_ctx *ctx;              /* of the call in progress */
	inn_dev *dev;
	const struct inn_plan *p;
	uint32_t n_ops;
	uint32_t *root;            /* operation whose memory holds the value: reshapes share their operand's */
	uint32_t *group, *last;    /* elementwise group and its last member, by operation */
	bool *need;                /* the value must stand in memory */
	size_t *count, *offset;    /* elements; bytes into the arena */
	float **at;                /* address of the value, NULL if it needs none */
	uint32_t *iter;            /* current iteration, by INDEX operation */
	uint32_t *carry;           /* LOOP_LAST + 1 that feeds a CARRY */
	double **state;            /* by ACCUMULATE */
	struct step *step;
	struct step *once;         /* after block 0 */
	uint32_t n_once, cap_once;
	struct slot *slot;
	uint32_t n_slots, cap_slots;
	struct weight *weight;
	uint32_t n_weights, cap_weights;
	dnnl_primitive_t *prim;
	uint32_t n_prims, cap_prims;
	struct alloc *allocs;
	char *arena, *scratch, *kept;
	size_t arena_size, scratch_size, kept_size, state_size;
	bool ready;                /* block 0 has run since the last PARAM was written */
};

static inline const struct inn_op *op_of(const struct inn_exec *e, uint32_t i) { return inn_plan_op(e->p, i); }
static inline uint32_t src_of(const struct inn_exec *e, uint32_t i, uint32_t k) { return e->root[inn_plan_src(e->p, i, k)]; }
static inline const uint32_t *attr_of(const struct inn_exec *e, uint32_t i) { return e->p->attr + op_of(e, i)->attr; }
static inline const struct inn_shape *src_shape(const struct inn_exec *e, uint32_t i, uint32_t k)
{
	return &op_of(e, inn_plan_src(e->p, i, k))->shape;
}
static inline size_t round_up(size_t n) { return (n + ALIGN - 1) / ALIGN * ALIGN; }
static inline int threads_for(const struct inn_exec *e, size_t n) { return n < SMALL ? 1 : e->dev->threads; }
static inline bool is_map(uint32_t code)
{
	char c = inn_op_class(code);

	return c == 'U' || c == 'E';
}

/* compile.c: zeroed memory that lives as long as the executable; NULL after recording. */
void *cpu_alloc(struct inn_exec *e, size_t n, size_t size);
/* Makes room for one more element of a growing array; false after recording. */
bool cpu_room(struct inn_exec *e, void *array, uint32_t n, uint32_t *cap, size_t size);
int cpu_once(struct inn_exec *e, int (*fn)(struct inn_exec *, uint32_t, void *), uint32_t op, void *arg);
static inline void cpu_scratch(struct inn_exec *e, size_t bytes)
{
	if (bytes > e->scratch_size)
		e->scratch_size = bytes;
}
/* Strides (elements) at which `in` is read for each index of `out`, trailing axes aligned; 0 where it broadcasts. */
void cpu_strides(const struct inn_shape *in, const struct inn_shape *out, size_t *stride);

/* One function per family makes the step of operation i. */
int cpu_map(struct inn_exec *e, uint32_t i);
int cpu_move(struct inn_exec *e, uint32_t i);
int cpu_reduce(struct inn_exec *e, uint32_t i);
int cpu_pool(struct inn_exec *e, uint32_t i);
int cpu_random(struct inn_exec *e, uint32_t i);
int cpu_product(struct inn_exec *e, uint32_t i);
int cpu_matmul(struct inn_exec *e, uint32_t i);
int cpu_loop(struct inn_exec *e, uint32_t i);  /* run.c: leaves, loops and sinks */

/* product.c: what matmul.c needs as well. */
struct call {
	dnnl_primitive_t prim;
	int n;
	uint32_t slot[5];
	dnnl_exec_arg_t arg[5];
};
struct product { struct call call[4]; uint32_t n; size_t top; };
int cpu_dnnl(struct inn_exec *e, uint32_t i, const char *what, dnnl_status_t s);
int cpu_slot(struct inn_exec *e, uint32_t i, const dnnl_memory_desc_t *md, enum place place, uint32_t op, size_t offset, uint32_t *slot);
int cpu_call(struct inn_exec *e, uint32_t i, struct product *q, const_dnnl_primitive_desc_t pd, int n, const int *arg, const uint32_t *slot);
int cpu_run_product(struct inn_exec *e, uint32_t i, void *arg);
int cpu_zero(struct inn_exec *e, uint32_t i, void *arg);

/* run.c */
int cpu_write(inn_ctx *ctx, inn_exec *e, uint32_t op, const struct inn_tensor *t);
int cpu_run(inn_ctx *ctx, inn_exec *e);
int cpu_read(inn_ctx *ctx, inn_exec *e, uint32_t op, struct inn_tensor *t);
int cpu_compile(inn_ctx *ctx, inn_dev *dev, const struct inn_plan *p, uint64_t limit, inn_exec **out);
void cpu_release(inn_exec *e);
#endif
