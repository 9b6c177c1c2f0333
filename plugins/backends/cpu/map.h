/* Elementwise groups: programs of loops over blocks that stay in the cache. Shared by program.c, which makes them, map.c, which runs
 * them, and strips.c, which runs them strip by strip. */
#ifndef INN_CPU_MAP_H
#define INN_CPU_MAP_H
#include "cpu.h"

#define BLOCK 1024u
#define VECTOR 16u       /* elements that loops take at a time */
#define SHORT_PLANE 256u /* elements; below, planes are not worth looking at */

/* Operand x is read at j & mask: ~0 element by element, 0 the same VECTOR elements again and again. */
struct operand { const float *x; size_t mask; };
typedef void (*loop_fn)(float *restrict y, const struct operand *a, const struct operand *b, const struct operand *c, size_t n);

/* Two operations in one loop where nobody else reads the first, besides one for each operation of op.def. The bits are those of two. */
enum { ADD_ADD = INN_OPS, ADD_MUL, ADD_DIV, ADD_MAX, MUL_ADD, MUL_MUL, MUL_DIV, GT_MUL, EQ_MUL, EQ_MUL_ADD, LOOPS };

enum source { IMMEDIATE, CHANNELS, FLAT, STRIDED }; /* CHANNELS: the same block of channels all over a plane */
struct input {
	enum source kind;
	uint32_t op, reg;   /* reg: where the block is gathered, if STRIDED */
	float value;
	uint32_t nd;
	size_t dim[INN_MAX_RANK + 1], stride[INN_MAX_RANK + 1]; /* merged axes, innermost last */
	size_t sample, block; /* CHANNELS: strides of samples and of blocks of channels */
};
struct instr { loop_fn fn; uint32_t code, a[3], op, to, reg; }; /* a: inputs, then results; to: where op's result is stored, or NONE */
struct map {
	struct input *in;
	struct instr *ins;
	uint32_t n_in, n_ins, n_regs;
	size_t plane, planes, blocks; /* elements of a plane; planes, of one sample */
	size_t parts;                 /* of a plane, one for each thread: the places that it computes of other values too */
};

/* A value of which only one strip stands in memory: elements from `from` on of each plane of one sample, `pitch` apart. */
struct strip { uint32_t op; float *x; size_t pitch, from; };

loop_fn cpu_loop_of(const struct inn_exec *e, uint32_t code);
/* The group whose last member is `last`, whose step is at `at`. blocks: its results stand in blocks of channels; else as its operands
 * do. strip: a member whose strips are written, or NONE. */
int cpu_map_of(struct inn_exec *e, uint32_t last, uint32_t at, bool blocks, uint32_t strip, struct map **out);
size_t cpu_map_scratch(const struct map *m); /* bytes for one thread */
void cpu_map_begin(const struct map *m, char *scratch);
/* Elements [from, to) of each plane of a sample, after cpu_map_begin; s->op is read or written where its strip stands. */
void cpu_map_strip(const struct inn_exec *e, const struct map *m, char *scratch, size_t sample, size_t from, size_t to, const struct strip *s);
#endif
