#include "kernel.h"
#if defined(__x86_64__)
#include <immintrin.h>

#define V(name) wide_##name
#define TARGET __attribute__((target("avx512f,avx512vl,avx512dq,avx512bw")))
#define LANES 16u
#define ROWS CPU_WIDE_ROWS
#define FMA _mm512_fmadd_ps
#define KERNELS cpu_wide_kernels
#include "kernel_isa.h"
#define V(name) half_##name
#define TARGET __attribute__((target("avx2,fma")))
#define LANES 8u
#define ROWS CPU_HALF_ROWS
#define FMA _mm256_fmadd_ps
#define KERNELS cpu_half_kernels
#include "kernel_isa.h"
#endif
