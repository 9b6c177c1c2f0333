/* The product at the heart of winograd.c and panels.c: of a few places, whose numbers stand in blocks of channels, and weights for one or
 * two blocks of results. */
#ifndef INN_CPU_KERNEL_H
#define INN_CPU_KERNEL_H
#include <stdbool.h>
#include <stddef.h>

#define CPU_LINE 16u        /* floats in a line of the cache */
#define CPU_NEAR (1u << 19) /* bytes of weights that stay near while others are read */
struct ahead { const float *at; size_t lines; }; /* fetched meanwhile, this many for each block of channels */

/* m[j][t] = (more: m[j][t] +) sum over c of v[c][t] * u[c][j]: in order of c. v: [block of c][place][lane], m: [block of j][place][lane],
 * their blocks a pitch apart; u: [c][j]. */
typedef void (*kernel_fn)(const float *v, size_t v_pitch, const float *u, float *m, size_t m_pitch, size_t c, bool more, struct ahead next);

#define CPU_WIDE_ROWS 14u /* places: as many as registers hold */
#define CPU_HALF_ROWS 6u
/* By places and blocks of results less one; for blocks of 16 by AVX-512, of 8 by AVX2. */
extern const kernel_fn cpu_wide_kernels[CPU_WIDE_ROWS + 1][2], cpu_half_kernels[CPU_HALF_ROWS + 1][2];
#endif
