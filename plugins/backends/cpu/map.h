/* Elementwise groups for who computes them strip by strip. Shared by map.c and strips.c. */
#ifndef INN_CPU_MAP_H
#define INN_CPU_MAP_H
#include "cpu.h"

/* A value of which only one strip stands in memory: elements from `from` on of each plane of one sample, `pitch` apart. */
struct strip { uint32_t op; float *x; size_t pitch, from; };
struct map;

/* The group whose last member is `last`, whose step is at `at`. blocks: its results stand in blocks of channels; else as its operands do. */
int cpu_map_of(struct inn_exec *e, uint32_t last, uint32_t at, bool blocks, struct map **out);
size_t cpu_map_scratch(const struct map *m); /* bytes for one thread */
void cpu_map_begin(const struct inn_exec *e, const struct map *m, char *scratch);
/* Elements [from, to) of each plane of a sample, after cpu_map_begin; s->op is read or written where its strip stands. */
void cpu_map_strip(const struct inn_exec *e, const struct map *m, char *scratch, size_t sample, size_t from, size_t to, const struct strip *s);
#endif
