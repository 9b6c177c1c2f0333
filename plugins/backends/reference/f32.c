/* The kernels in f32; products and sums accumulate in double. */
#define REAL float
#define REF_OP ref_op_f32
#include "kernels.inc"
