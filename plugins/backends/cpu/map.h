/* An elementwise group as a short program over pieces that stay in the cache. Shared by map.c, chain.c and the products that
 * go on with one. */
#ifndef INN_CPU_MAP_H
#define INN_CPU_MAP_H
#include "cpu.h"

#define VECTOR 16u /* elements that loops take at a time */

/* Operand x is read at j & mask: ~0 element by element, 0 the same VECTOR elements again and again. */
struct operand { const float *x; size_t mask; };
typedef void (*loop_fn)(float *restrict y, const struct operand *a, const struct operand *b, const struct operand *c, const struct operand *d, size_t n);
struct pair { uint32_t first, second, at; loop_fn fn; }; /* the second operation reads the first one's result as operand `at` */
/* guard, sign: what rules divide by; between: masks on both sides of a value, two gt_mul; mul_div_add: what epsilon does between layers */
struct loops { loop_fn one[INN_OPS]; const struct pair *pairs; loop_fn guard, sign, gt_mul, between, div_add, mul_div_add; };

enum source { IMMEDIATE, CHANNELS, FLAT, STRIDED }; /* CHANNELS: the same block of channels all over a plane */
struct input {
	enum source kind;
	uint32_t op, reg;   /* reg: where the block is gathered, if STRIDED */
	float value;
	uint32_t nd;
	size_t dim[INN_MAX_RANK + 1], stride[INN_MAX_RANK + 1]; /* merged axes, innermost last */
	size_t sample, block; /* CHANNELS: strides of samples and of blocks of channels */
};
struct instr { /* a: n inputs or, behind these, results; to: where op's result is stored, or NONE */
	loop_fn fn;
	uint32_t code, n, a[4], op, to, reg; /* code: INN_OPS if it does several operations */
};
struct map {
	struct input *in;
	struct instr *ins;
	uint32_t n_in, n_ins, n_regs;
	uint32_t lanes, filled; /* channels in a block of its values, 0: they are dense; zeros among them in the last block of a sample */
	size_t plane, planes, blocks; /* elements of a plane; planes, of one sample */
	size_t parts;                 /* of a plane, one for each thread: the places that it computes of other values too */
};

/* chain.c: instructions that follow one another become one; false after recording. */
bool cpu_chain(struct inn_exec *e, struct map *m, const struct loops *l);

/* A value of which only a piece stands in memory: elements of one plane from `from` on. */
struct strip { uint32_t op; const float *x; size_t from; };

/* Whether blocks of channels can hold what the group makes whose last member is `last`. */
bool cpu_map_blocks(const struct inn_exec *e, uint32_t last);
/* The group whose last member is `last`. blocks: its results stand in blocks of channels; else as its operands do. */
int cpu_map_of(struct inn_exec *e, uint32_t last, bool blocks, struct map **out);
size_t cpu_map_scratch(const struct map *m); /* bytes for one thread */
void cpu_map_begin(const struct inn_exec *e, const struct map *m, char *scratch);
/* Fetches what a piece is going to read besides the value of op, and where it is going to write. */
void cpu_map_fetch(const struct inn_exec *e, const struct map *m, uint32_t op, size_t plane, size_t from, size_t to);
/* Elements [from, to) of a plane, after cpu_map_begin; s->op is read where its piece stands. s: NULL: all stand in memory. */
void cpu_map_piece(const struct inn_exec *e, const struct map *m, char *scratch, size_t plane, size_t from, size_t to, const struct strip *s);
#endif
