/* What the files of this backend share: a plan becomes launches on one in-order queue, all prepared in `compile`. */
#ifndef INN_OPENCL_H
#define INN_OPENCL_H
#include <innvestigate/plugin.h>
#define CL_TARGET_OPENCL_VERSION 120
#include <CL/cl.h>
#include <limits.h>
#include "kernels/shared.h"

#define ALIGN 64u /* elements between values */
#define NONE UINT32_MAX

enum gemm { GEMM_AUTO, GEMM_OWN, GEMM_CLBLAST };
struct ocl_opts { const char *platform, *device; int gemm; bool profile; };

struct generated { struct generated *next; uint64_t hash; char name[24]; cl_program program; }; /* one kernel */

struct inn_dev {
	cl_device_id id;
	cl_context context;
	cl_command_queue queue;
	cl_program program;       /* of the kernels in kernels/ */
	struct generated *generated;
	bool processor;
	bool clblast, used_clblast;
	bool profile, report;     /* kernels are measured; and what they took is said when an executable is released */
	int lanes;                /* elements of a work-item: 16 or 1 */
	size_t local;             /* work-items of a group along the first axis */
	cl_ulong max_alloc;
	char cache[340];          /* what programs depend on besides their source; empty: the driver keeps them itself */
	char build[128], text[400];
};

enum place { AT_VALUE, AT_SCRATCH, AT_KEPT, AT_FLAG, AT_TABLE };
struct loc { enum place place; uint32_t op; size_t at; }; /* op of a value; elements from its start */
struct mem { cl_mem mem; cl_ulong at; };

enum when { ALWAYS, FIRST, LATER, LAST }; /* of the iterations of the loop around */
struct inn_exec;
struct arg { struct arg *next; size_t size; const void *data; struct loc loc; }; /* data NULL: a location */
struct launch {
	struct launch *next;
	int (*run)(struct inn_exec *e, struct launch *l);
	enum when when;
	uint32_t op;              /* for messages */
	cl_program program;       /* generated; NULL: the device's of kernels/ */
	const char *name;
	cl_kernel kernel;
	size_t global[3], local[3];
	struct arg *args, **last;
	struct loc from, to;      /* of a copy or a fill */
	size_t count;
	float value;
	void *user;
};
struct step { struct launch *first, **last; };
struct alloc { struct alloc *next; };

struct timing { const char *name; double ms; uint32_t n; };
struct pending { cl_event event; const char *name; uint32_t step; };
struct spent { double seconds; uint64_t runs; };
struct packed { uint32_t root; size_t from, z; struct packing q; struct loc to; }; /* made once per model */

enum lean { EVERY_WEIGHT, SMALL_TILES, NO_TILES }; /* which weights are given up for less memory */

struct inn_exec {
	inn_ctx *ctx;             /* of the call in progress */
	inn_dev *dev;
	struct inn_plan plan;     /* the plan with every source replaced by the operation that holds its value */
	const struct inn_plan *p; /* as given: the shapes of sources */
	uint32_t n_ops;
	uint32_t *root;           /* operation whose memory holds the value: reshapes share their operand's */
	uint32_t *group, *part, *last; /* elementwise group, its part that is one kernel, the group's last member */
	bool *quotient;           /* a division made it, or something it is made of */
	bool *need;               /* the value must stand in memory */
	size_t *count;
	struct mem *value;        /* by operation */
	uint32_t *iter, *total;   /* of the loop around: current iteration, and number, by INDEX operation */
	struct loc *state;        /* by CARRY and ACCUMULATE */
	uint32_t *block;          /* innermost block */
	struct step *step;
	uint32_t into;            /* step that new launches go to */
	enum lean lean;
	int largest_side;         /* of Winograd's tiles; 0: there are none */
	struct packed *packed;
	size_t n_packed, cap_packed;
	char *source;             /* of the kernel being generated */
	size_t n_source, cap_source;
	cl_ulong *table;          /* offsets and strides of generated kernels */
	struct table { size_t at; struct loc loc; } *fix; /* entries that wait for a place */
	size_t n_table, cap_table, n_fix, cap_fix;
	cl_mem arena, scratch, kept, in, out, constants, *param;
	size_t arena_size, scratch_size, kept_size, in_size, out_size, param_size, scratch_top; /* elements */
	float *in_host, *out_host;
	cl_event written;         /* the last write of `in` */
	bool dirty, fetched, ready, takes;
	int status;               /* of what was recorded so far */
	struct pending *pending;  /* launches whose times are not read yet */
	size_t n_pending, cap_pending;
	uint32_t running;         /* step whose launches go to the queue */
	struct spent *spent;      /* by step; NULL: nobody asks */
	struct timing *timing;
	uint32_t n_timing, cap_timing;
	struct launch none;       /* given where memory is out; never run */
	struct alloc *allocs;
};

static inline const struct inn_op *op_of(const struct inn_exec *e, uint32_t i) { return inn_plan_op(e->p, i); }
static inline uint32_t root_of(const struct inn_exec *e, uint32_t i, uint32_t k) { return e->root[inn_plan_src(e->p, i, k)]; }
static inline const uint32_t *attr_of(const struct inn_exec *e, uint32_t i) { return e->p->attr + op_of(e, i)->attr; }
static inline const struct inn_shape *src_shape(const struct inn_exec *e, uint32_t i, uint32_t k)
{
	return &op_of(e, inn_plan_src(e->p, i, k))->shape;
}
static inline struct loc value_of(uint32_t root) { return (struct loc){ AT_VALUE, root, 0 }; }
static inline struct loc src_of(const struct inn_exec *e, uint32_t i, uint32_t k) { return value_of(root_of(e, i, k)); }
static inline size_t src_count(const struct inn_exec *e, uint32_t i, uint32_t k) { return e->count[root_of(e, i, k)]; }
static inline struct loc moved(struct loc l, size_t by)
{
	l.at += by;
	return l;
}
static inline size_t round_up(size_t n, size_t to) { return (n + to - 1) / to * to; }
static inline bool is_map(uint32_t code)
{
	char c = inn_op_class(code);

	return c == 'U' || c == 'E';
}

/* error.c: INN_OK, or a located failure: what was tried, for which operation (NONE: for none), what OpenCL says. */
int ocl_check(inn_ctx *ctx, const struct inn_exec *e, uint32_t op, const char *what, cl_int code);
const char *ocl_error_name(cl_int code);

/* select.c: devices as options choose among them. */
struct device_info {
	cl_platform_id platform;
	cl_device_id id;
	uint32_t platform_at, at; /* in the order that OpenCL lists them */
	cl_device_type type;
	cl_ulong memory;
	char platform_name[96], name[128], driver[96];
};
/* Gives a heap array of all devices, platform by platform; INN_EPLUGIN with an explanation if there is none. */
int ocl_devices(inn_ctx *ctx, struct device_info **list, uint32_t *n);
/* Which of them the options mean, NONE after recording. */
uint32_t ocl_choose(inn_ctx *ctx, const struct ocl_opts *o, const struct device_info *list, uint32_t n, const char **why);
/* Whether a GPU may be there, seen without opening a platform. */
bool ocl_only_processors(void);

/* files.c: FNV-1a, begun with OCL_HASH. */
#define OCL_HASH 0xcbf29ce484222325u
uint64_t ocl_hash(uint64_t h, const void *data, size_t n);
/* The file of that key in the cache folder or, for what is to stay, in the data folder; false where there is none. */
bool ocl_path(bool cache, uint64_t key, char path[PATH_MAX]);
/* What the file holds, a 0 behind it, if it is ours and nobody else may write it; NULL otherwise. */
char *ocl_load(const char *path, size_t *n);
bool ocl_store(const char *path, const void *data, size_t n); /* whole or not at all */

/* program.c: builds a program or takes it from the cache. */
int ocl_build(inn_ctx *ctx, inn_dev *d, const char *source, size_t n, cl_program *program);
/* Made by the build: all of kernels/, or only what generated kernels need. */
extern const char ocl_kernels[], ocl_common[];
extern const size_t ocl_kernels_size;

/* compile.c: zeroed memory that lives as long as the executable; NULL after recording. */
void *ocl_alloc(struct inn_exec *e, size_t n, size_t size);
/* Makes room for `more` elements of a growing array; false after recording. */
bool ocl_room(struct inn_exec *e, void *array, size_t n, size_t more, size_t *cap, size_t size);
int ocl_compile(inn_ctx *ctx, inn_dev *dev, const struct inn_plan *p, uint64_t limit, inn_exec **out);
void ocl_release(inn_exec *e);
/* memory.c: places everything; what that needs in bytes, and whether it can be had; takes it, or tells why not. */
int ocl_place(struct inn_exec *e);
uint64_t ocl_total(const struct inn_exec *e);
bool ocl_fits(const struct inn_exec *e, uint64_t limit);
int ocl_take(struct inn_exec *e, uint64_t limit);
struct mem ocl_mem(const struct inn_exec *e, struct loc l);

/* launch.c: what goes to the queue. A launch is added to the step `e->into`; on failure a dummy is given and e->status set. */
struct launch *ocl_launch(struct inn_exec *e, uint32_t op, const char *name);
void ocl_arg(struct inn_exec *e, struct launch *l, const void *data, size_t size);
void ocl_int(struct inn_exec *e, struct launch *l, size_t v);
void ocl_at(struct inn_exec *e, struct launch *l, struct loc at); /* a buffer and where in it */
void ocl_grid(struct inn_exec *e, struct launch *l, size_t x, size_t y, size_t z);
/* The grid of `rows` rows of n elements, and the last arguments: rows, and how many elements a work-item takes of one. */
void ocl_rows(struct inn_exec *e, struct launch *l, size_t n, size_t rows);
void ocl_flat(struct inn_exec *e, struct launch *l, size_t n); /* one row; the last arguments: n, and how many of them */
void ocl_copy(struct inn_exec *e, uint32_t op, enum when when, struct loc from, struct loc to, size_t count);
void ocl_fill(struct inn_exec *e, uint32_t op, struct loc to, size_t count, float value);
struct loc ocl_scratch(struct inn_exec *e, size_t count); /* until the operation ends */
struct loc ocl_keep(struct inn_exec *e, size_t count);
int ocl_bind(struct inn_exec *e); /* makes the kernels and sets their arguments */
int ocl_note(struct inn_exec *e, const char *name, cl_event event); /* takes the event; for `profile` */

/* profile.c: reads what the finished launches took; says where the time went. */
void ocl_times(struct inn_exec *e);
void ocl_report(struct inn_exec *e);
int ocl_profile(inn_ctx *ctx, inn_exec *e, void (*show)(void *user, const struct inn_timing *t), void *user);

/* One function per family adds the launches of operation i. */
void ocl_map(struct inn_exec *e, uint32_t i);
void ocl_move(struct inn_exec *e, uint32_t i);
void ocl_reduce(struct inn_exec *e, uint32_t i);
void ocl_pool(struct inn_exec *e, uint32_t i);
void ocl_random(struct inn_exec *e, uint32_t i);
void ocl_conv(struct inn_exec *e, uint32_t i);
void ocl_matmul(struct inn_exec *e, uint32_t i);
void ocl_loop(struct inn_exec *e, uint32_t i); /* leaves, loops and sinks */
/* move.c: one more axis of a strided copy, merged with the one before where that can be; the copy itself. */
void ocl_axis(struct move *m, size_t n, size_t ds, size_t ss);
void ocl_strided(struct inn_exec *e, uint32_t op, struct move *m, struct loc from, struct loc to);
/* Strides at which `in` is read for each index of `out`, trailing axes aligned; 0 where it broadcasts. */
void ocl_strides(const struct inn_shape *in, const struct inn_shape *out, size_t *stride);
void ocl_geometry(struct inn_exec *e, uint32_t i, const struct inn_shape *x, const struct inn_shape *y, const struct inn_shape *w,
		  struct geometry *g);

/* conv.c */
struct conv {
	uint32_t i;
	struct geometry g;
	size_t n, c, k, groups, cg, kg, taps, n_in, n_out; /* samples; channels of x, of y, of a group; elements of a plane */
	struct loc x, w, y;
};
/* winograd.c: g is that of the convolution, for dx of the one with the kernel turned. */
void ocl_winograd(struct inn_exec *e, const struct conv *c, const struct geometry *g, bool dx, int side);

/* product.c: c[m][n] = sum over k of a[m][k] b[k][n], n0 n1 times. */
struct matrix { struct loc at; size_t rs, cs, s0, s1; }; /* strides of rows, columns, and of the two outer axes */
struct gemm_of { size_t m, n, k, n0, n1; struct matrix a, b, c; size_t c_16; }; /* not 0: a, b in panels, c as in struct product */
void ocl_product(struct inn_exec *e, uint32_t op, const struct gemm_of *q);
/* Room that lives with the executable for what `as` makes of a; false: somebody else has asked for it and fills it. */
bool ocl_keep_for(struct inn_exec *e, struct loc a, const struct packing *as, size_t z, size_t count, struct loc *to);
/* a in panels for the own kernel; once per model where its operation is. */
struct loc ocl_pack(struct inn_exec *e, uint32_t op, struct loc a, const struct packing *q, size_t z);
void ocl_tiles(struct inn_exec *e, struct launch *l, const struct product *p, size_t z);
/* clblast.c */
void ocl_clblast(struct inn_exec *e, uint32_t op, const struct gemm_of *q);
int ocl_clblast_open(inn_ctx *ctx, const inn_dev *d, const struct device_info *info); /* applies what `tune` stored */
void ocl_clblast_close(inn_dev *d);

/* tune.c: runs CLBlast's tuners on the device and stores what they found, a line for each of its kernels: NAME KEY=VALUE ... */
int ocl_tune(inn_ctx *ctx, const void *opts);
bool ocl_tuned_path(const struct device_info *info, char path[PATH_MAX]);

/* run.c */
int ocl_write(inn_ctx *ctx, inn_exec *e, uint32_t op, const struct inn_tensor *t);
int ocl_run(inn_ctx *ctx, inn_exec *e);
int ocl_read(inn_ctx *ctx, inn_exec *e, uint32_t op, struct inn_tensor *t);
#endif
