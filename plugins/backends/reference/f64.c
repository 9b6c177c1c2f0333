/* The kernels in f64. */
#define REAL double
#define REF_OP ref_op_f64
#include "kernels.inc"
