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
	bool wide;      /* AVX-512 */
	uint32_t lanes; /* channels in a block: 16 with AVX-512, 8 with AVX2, 0: values are dense */
	char text[160];
};

struct inn_exec;
struct step { /* fn NULL: nothing to do at run time */
	int (*fn)(struct inn_exec *e, uint32_t op, void *arg);
	void *arg;
	uint32_t op;
	const char *how; /* for whom asks where the time goes; NULL: nothing to say */
};
struct once { struct step step; uint32_t location, value, order; }; /* reads the value at `location`, which operation `value` makes */
enum lean { EVERY_WEIGHT, SMALL_TILES, NO_TILES };
enum place { AT_VALUE, AT_SCRATCH, AT_KEPT };
struct slot { /* a oneDNN memory; its address is known once everything is placed */
	dnnl_memory_t memory;
	enum place place;
	uint32_t op;
	size_t offset;
};
struct weight { int way; uint32_t op, slot, order; bool flipped; dnnl_memory_desc_t md; size_t offset, bytes; }; /* made once per model, for one way of choose.c */
struct inside { uint32_t of; size_t shift; }; /* a location + 1, 0: it stands alone; elements into it */
struct alloc { struct alloc *next; };
struct read { uint32_t op, location; };
struct again { uint32_t at, op; }; /* the group whose step is at `at` makes operation op once more */
struct twin { uint32_t op; void *product; struct twin *next; };

/* What follows in the same step. at: the operation that holds the result (0: no tail); add: the one whose source k is the bias;
 * more: the one whose source k_more is another value of the same shape; by: a mask, source 0 of which is above 0; below: another, the
 * same value below a number. NONE: not there. top: what a ReLU is clipped at, 0: it is not */
struct tail { uint32_t at, add, k, more, k_more, by, below; bool relu; float top; };

struct inn_exec {
	inn_ctx *ctx;              /* of the call in progress */
	inn_dev *dev;
	const struct inn_plan *p;
	uint32_t n_ops;
	uint32_t *root;            /* operation whose memory holds the value: reshapes share their operand's */
	uint32_t *group, *last;    /* elementwise group and its last member, by operation */
	/* Locations: i is where operation i stores its value, n_ops + i holds the same value in the other layout. */
	bool *blocked;             /* the value is stored in blocks of channels, else densely */
	bool *twin;                /* somebody reads the other layout */
	struct read *read;         /* what each step reads, in order of steps */
	uint32_t n_reads, cap_reads;
	struct twin *after;        /* by operation: the last member of a group makes the twins of all */
	struct again *again;       /* by group, then by operation */
	uint32_t n_again, cap_again;
	struct tail *tail;         /* by operation: what it does itself of what follows */
	uint32_t *head;            /* by operation of a tail: the one that does it + 1 */
	uint32_t *behind;          /* by last member of a group: the product + 1 whose results it takes piece by piece, in one step */
	uint32_t *moved;           /* by operation: the one + 1 whose step makes its value for such a group */
	bool *need;                /* the value must stand in memory */
	bool *quotient;            /* a division for each batch made it, or something it is made of */
	size_t *count, *offset;    /* by location: elements; bytes into the arena */
	struct inside *inside;     /* by operation: its value stands in another's memory */
	float **at;                /* by location: its address, NULL if it needs none */
	uint32_t *iter;            /* current iteration, by INDEX operation */
	uint32_t *carry;           /* LOOP_LAST + 1 that feeds a CARRY */
	double **state;            /* by ACCUMULATE */
	struct step *step;
	struct once *once;         /* of the prologue, by the value that is read */
	uint32_t n_once, cap_once, next_once;
	struct slot *slot;
	uint32_t n_slots, cap_slots;
	struct weight *weight;
	uint32_t n_weights, cap_weights;
	dnnl_primitive_t *prim;
	uint32_t n_prims, cap_prims;
	struct alloc *allocs;
	char *arena, *scratch, *kept;
	size_t arena_size, scratch_size, kept_size, state_size;
	struct lot *lot;           /* share.c: by deal and thread */
	struct spent *spent;       /* profile.c; NULL: nobody measures */
	int lean;                  /* enum lean: which weights are given up for less memory */
	bool ready;                /* the prologue has run */
};

static inline const struct inn_op *op_of(const struct inn_exec *e, uint32_t i) { return inn_plan_op(e->p, i); }
static inline uint32_t root_of(const struct inn_exec *e, uint32_t i, uint32_t k) { return e->root[inn_plan_src(e->p, i, k)]; }
/* The location that holds source k densely. */
static inline uint32_t src_of(const struct inn_exec *e, uint32_t i, uint32_t k)
{
	uint32_t r = root_of(e, i, k);

	return e->blocked[r] ? e->n_ops + r : r;
}
static inline const uint32_t *attr_of(const struct inn_exec *e, uint32_t i) { return e->p->attr + op_of(e, i)->attr; }
static inline const float *cpu_at(const struct inn_exec *e, uint32_t location) { return location == NONE ? NULL : e->at[location]; }
static inline const struct inn_shape *src_shape(const struct inn_exec *e, uint32_t i, uint32_t k)
{
	return &op_of(e, inn_plan_src(e->p, i, k))->shape;
}
static inline bool in_prologue(const struct inn_exec *e, uint32_t i) { return e->p->n_blocks && i < e->p->blocks[0].n; }
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
static inline void cpu_scratch(struct inn_exec *e, size_t bytes)
{
	if (bytes > e->scratch_size)
		e->scratch_size = bytes;
}
/* Strides (elements) at which `in` is read for each index of `out`, trailing axes aligned; 0 where it broadcasts. */
void cpu_strides(const struct inn_shape *in, const struct inn_shape *out, size_t *stride);

/* layout.c: source k of operation j for the step of operation i, in the layout asked for; gives its location, or NONE. */
uint32_t cpu_dense(struct inn_exec *e, uint32_t i, uint32_t j, uint32_t k);
uint32_t cpu_block(struct inn_exec *e, uint32_t i, uint32_t j, uint32_t k);
/* The same as cpu_dense for something that is done once. */
uint32_t cpu_dense_once(struct inn_exec *e, uint32_t j, uint32_t k);
/* Whether source k could be read in blocks, and whether it is stored so. */
bool cpu_can_block(const struct inn_exec *e, uint32_t j, uint32_t k);
bool cpu_is_block(const struct inn_exec *e, uint32_t j, uint32_t k);
/* Whether a shape is worth blocks, and whether they are whole; its channels in blocks, filled up; elements that stand at a location. */
bool cpu_block_shape(const struct inn_exec *e, const struct inn_shape *s);
bool cpu_whole_blocks(const struct inn_exec *e, const struct inn_shape *s);
uint32_t cpu_channels(const struct inn_exec *e, const struct inn_shape *s);
size_t cpu_floats(const struct inn_exec *e, uint32_t location);
int cpu_block_md(struct inn_exec *e, uint32_t i, const struct inn_shape *s, bool blocked, dnnl_memory_desc_t *md);
int cpu_twins(struct inn_exec *e);

/* One function per family makes the step of operation i. */
int cpu_map(struct inn_exec *e, uint32_t i);
int cpu_move(struct inn_exec *e, uint32_t i);
int cpu_reduce(struct inn_exec *e, uint32_t i);
int cpu_random(struct inn_exec *e, uint32_t i);
/* Operation i, its result stored at operation `at`: i itself, or the end of its tail. */
int cpu_pool(struct inn_exec *e, uint32_t i, uint32_t at);
int cpu_product(struct inn_exec *e, uint32_t i, uint32_t at);
/* fuse.c: finds the tails. */
int cpu_fuse(struct inn_exec *e);
/* again.c: finds what groups make again; whether the group whose step is at i makes s, as a member or again. */
int cpu_again(struct inn_exec *e);
bool cpu_makes(const struct inn_exec *e, uint32_t i, uint32_t s);
uint32_t cpu_block_of(const struct inn_exec *e, uint32_t i); /* the innermost of the plan's blocks that holds it */
int cpu_matmul(struct inn_exec *e, uint32_t i);
int cpu_rows(struct inn_exec *e, uint32_t i);
/* after.c: finds the groups that are computed with the product before them. */
void cpu_find_after(struct inn_exec *e);
/* The operation at whose step the value of i, which has memory of its own, is made. */
static inline uint32_t cpu_step_of(const struct inn_exec *e, uint32_t i) { return e->moved[e->last[i]] ? e->moved[e->last[i]] - 1 : e->last[i]; }
bool cpu_by_rows(const struct inn_exec *e, uint32_t i); /* choose.c */
int cpu_loop(struct inn_exec *e, uint32_t i);  /* run.c: leaves, loops and sinks */

/* share.c: deals n parts to the threads, before they start; the next part of a thread of a parallel region, false: there is none left.
 * Deals of one region are told apart by a number below CPU_DEALS. */
#define CPU_DEALS 3u
int cpu_make_lots(struct inn_exec *e);
void cpu_deal(struct inn_exec *e, uint32_t deal, size_t n);
bool cpu_next(struct inn_exec *e, uint32_t deal, size_t thread, size_t *part);

/* product.c: what matmul.c needs as well. */
struct call {
	dnnl_primitive_t prim;
	int n;
	uint32_t slot[6];
	dnnl_exec_arg_t arg[6];
};
struct product { struct call call[4]; uint32_t n; size_t top; };
int cpu_dnnl(struct inn_exec *e, uint32_t i, const char *what, dnnl_status_t s);
int cpu_slot(struct inn_exec *e, uint32_t i, const dnnl_memory_desc_t *md, enum place place, uint32_t op, size_t offset, uint32_t *slot);
int cpu_call(struct inn_exec *e, uint32_t i, struct product *q, const_dnnl_primitive_desc_t pd, int n, const int *arg, const uint32_t *slot);
int cpu_reorder(struct inn_exec *e, uint32_t i, struct product *q, const dnnl_memory_desc_t *a, uint32_t from, const dnnl_memory_desc_t *b,
		uint32_t to);
int cpu_run_product(struct inn_exec *e, uint32_t i, void *arg);
int cpu_zero(struct inn_exec *e, uint32_t i, void *arg);

/* place.c */
size_t cpu_bytes(const struct inn_exec *e, uint32_t location); /* in the arena */
int cpu_place(struct inn_exec *e);
void cpu_addresses(struct inn_exec *e); /* when the arena is there */
/* inside.c: whether a slice is a piece of the value at `from`, `shift` elements in, and needs no step. */
bool cpu_cut(struct inn_exec *e, uint32_t i, uint32_t from, size_t shift);
/* Whether source k of concatenation i, at `from`, is written where it belongs, `shift` elements in, and need not be copied. */
bool cpu_join(struct inn_exec *e, uint32_t i, uint32_t k, uint32_t from, size_t shift);
/* The location whose memory holds the one given; adds to *shift. */
uint32_t cpu_host(const struct inn_exec *e, uint32_t location, size_t *shift);
int cpu_over(struct inn_exec *e, uint64_t total, uint64_t limit); /* limit.c: INN_ELIMIT with the layers that dominate */
bool cpu_can_give_up(const struct inn_exec *e, int lean); /* weights.c: it has weights that would be smaller then */
/* prologue.c */
int cpu_param(struct inn_exec *e, uint32_t i);
/* Once, behind the operation whose value stands at `location`. */
int cpu_once(struct inn_exec *e, int (*fn)(struct inn_exec *, uint32_t, void *), uint32_t op, void *arg, uint32_t location);
void cpu_sort_once(struct inn_exec *e); /* when all are there */
int cpu_run_once(struct inn_exec *e, uint32_t i); /* what reads the value that operation i has made */
/* profile.c: what each part took. `as`: the operation itself, copying its result to the other layout, making its weights. */
enum spent_as { AS_STEP, AS_TWIN, AS_WEIGHTS, AS_KINDS };
struct spent { double seconds; uint64_t runs; };
double cpu_now(const struct inn_exec *e); /* 0 if nobody measures */
void cpu_spend(struct inn_exec *e, uint32_t op, enum spent_as as, double since);
int cpu_profile(inn_ctx *ctx, inn_exec *e, void (*show)(void *user, const struct inn_timing *t), void *user);

/* run.c */
int cpu_write(inn_ctx *ctx, inn_exec *e, uint32_t op, const struct inn_tensor *t);
int cpu_run(inn_ctx *ctx, inn_exec *e);
int cpu_share(inn_ctx *ctx, inn_exec *e, uint32_t op, double *sums);
int cpu_read(inn_ctx *ctx, inn_exec *e, uint32_t op, struct inn_tensor *t);
int cpu_compile(inn_ctx *ctx, inn_dev *dev, const struct inn_plan *p, uint64_t limit, inn_exec **out);
void cpu_release(inn_exec *e);
#endif
