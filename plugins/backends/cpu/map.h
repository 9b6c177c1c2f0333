/* An elementwise group as a short program over pieces that stay in the cache. Shared by map.c and chain.c. */
#ifndef INN_CPU_MAP_H
#define INN_CPU_MAP_H
#include "cpu.h"

/* Operand x is read at j & mask: ~0 element by element, 0 the same VECTOR elements again and again. */
struct operand { const float *x; size_t mask; };
typedef void (*loop_fn)(float *restrict y, const struct operand *a, const struct operand *b, const struct operand *c, const struct operand *d, size_t n);
struct pair { uint32_t first, second, at; loop_fn fn; }; /* the second operation reads the first one's result as operand `at` */
struct loops { loop_fn one[INN_OPS]; const struct pair *pairs; loop_fn guard, sign; }; /* guard, sign: what rules divide by */

enum source { IMMEDIATE, CHANNELS, FLAT, STRIDED }; /* CHANNELS: the same block of channels all over a plane */
struct input {
	enum source kind;
	uint32_t op, reg;   /* reg: where the block is gathered, if STRIDED */
	float value;
	uint32_t nd;
	size_t dim[INN_MAX_RANK + 1], stride[INN_MAX_RANK + 1]; /* merged axes, innermost last */
	size_t sample, block; /* CHANNELS: strides of samples and of blocks of channels */
};
struct instr { /* a: n inputs or, behind these, results; op: where the result is stored or NONE */
	loop_fn fn;
	uint32_t code, n, a[4], op, reg; /* code: INN_OPS if it does several operations */
};
struct map {
	struct input *in;
	struct instr *ins;
	uint32_t n_in, n_ins, n_regs;
	size_t plane, planes, blocks; /* elements of a plane; planes, of one sample */
	size_t parts;                 /* of a plane, one for each thread: the places that it computes of other values too */
};

/* chain.c: instructions that follow one another become one; false after recording. */
bool cpu_chain(struct inn_exec *e, struct map *m, const struct loops *l);
#endif
