/* The builder: layers, rules, analyzers and stages record operations through it and compute nothing.
 *
 * Every call checks shapes at once. After a first failure (recorded, with the node it belongs to) every call
 * returns id 0 and core stops at the end, so authors never check. Equal expressions are one value. Elementwise
 * operands broadcast as in numpy; reductions keep their axes with length 1. All functions: [job]. */
#ifndef INNVESTIGATE_BUILD_H
#define INNVESTIGATE_BUILD_H

#include <innvestigate/base.h>

typedef struct { uint32_t id; } inn_val; /* a value of a plan; id 0: absent or failed */
typedef struct inn_build inn_build;
struct inn_source; /* class.h */

enum inn_opcode {
	INN_OP_NONE,
#define INN_OP(code, name, n, cls) INN_OP_##code,
#include <innvestigate/op.def>
#undef INN_OP
	INN_OPS,
};

struct inn_window { /* convolution and pooling over the last n axes of [N,C,...] */
	uint32_t n;     /* spatial axes, 1 to 3                                              */
	uint32_t size[3], stride[3], before[3], after[3], dilation[3]; /* conv ignores size  */
	uint32_t groups;      /* convolution                                                 */
	uint32_t count_pad;   /* average pooling: 1 divides by the window, 0 by the cells inside the image */
};

INN_API inn_ctx *inn_build_ctx(inn_build *b);
INN_API const struct inn_shape *inn_shape_of(inn_build *b, inn_val v); /* rank 0 if v failed       */
INN_API uint32_t inn_dim(inn_build *b, inn_val v, uint32_t axis);
/* The value's constant if every element is known to equal it, else NaN. */
INN_API double inn_known(inn_build *b, inn_val v);
INN_API bool inn_is_nonneg(inn_build *b, inn_val v); /* known to be >= 0 everywhere */

/* ---- leaves */
INN_API inn_val inn_const(inn_build *b, double value, const struct inn_shape *shape);
INN_API inn_val inn_scalar(inn_build *b, double value); /* shape [] */
/* A tensor that is the same for every batch; equal names are one value. Keeps `data`. */
INN_API inn_val inn_param_of(inn_build *b, const char *name, const struct inn_tensor *data);
INN_API inn_val inn_iota(inn_build *b, uint32_t n);     /* [n]: 0 ... n-1 */
/* A source (number or array file) broadcast against `like` without its axis 0. */
INN_API inn_val inn_source_of(inn_build *b, const struct inn_source *s, const char *name, inn_val like);

/* ---- elementwise, by opcode; the inline names below are what authors use */
INN_API inn_val inn_op1(inn_build *b, uint32_t code, inn_val x);
INN_API inn_val inn_op2(inn_build *b, uint32_t code, inn_val x, inn_val y);
INN_API inn_val inn_select(inn_build *b, inn_val c, inn_val x, inn_val y); /* x where c != 0, else y */
#define INN_UN(f, C) static inline inn_val inn_##f(inn_build *b, inn_val x) { return inn_op1(b, INN_OP_##C, x); }
#define INN_BI(f, C) static inline inn_val inn_##f(inn_build *b, inn_val x, inn_val y) { return inn_op2(b, INN_OP_##C, x, y); } \
	static inline inn_val inn_##f##c(inn_build *b, inn_val x, double c) { return inn_op2(b, INN_OP_##C, x, inn_scalar(b, c)); }
INN_UN(abs, ABS) INN_UN(exp, EXP) INN_UN(log, LOG) INN_UN(sqrt, SQRT) INN_UN(tanh, TANH)
INN_UN(sigmoid, SIGMOID) INN_UN(erf, ERF) INN_UN(floor, FLOOR)
INN_BI(add, ADD) INN_BI(sub, SUB) INN_BI(mul, MUL) INN_BI(div, DIV) INN_BI(max, MAX) INN_BI(min, MIN)
INN_BI(pow, POW) INN_BI(gt, GT) INN_BI(ge, GE) INN_BI(eq, EQ)
#undef INN_UN
#undef INN_BI
static inline inn_val inn_neg(inn_build *b, inn_val x) { return inn_mulc(b, x, -1); }
static inline inn_val inn_pos_part(inn_build *b, inn_val x) { return inn_maxc(b, x, 0); } /* max(x,0) */
static inline inn_val inn_neg_part(inn_build *b, inn_val x) { return inn_minc(b, x, 0); } /* min(x,0) */

/* ---- reductions, movement. `axes` is a bit mask */
INN_API inn_val inn_sum(inn_build *b, inn_val x, uint32_t axes);
INN_API inn_val inn_rmax(inn_build *b, inn_val x, uint32_t axes);
INN_API inn_val inn_argmax(inn_build *b, inn_val x, uint32_t axis); /* drops the axis; lowest index of the largest */
INN_API inn_val inn_rank(inn_build *b, inn_val x);  /* last axis: position in descending order, ties by index */
INN_API inn_val inn_reshape(inn_build *b, inn_val x, const struct inn_shape *to);
INN_API inn_val inn_flatten(inn_build *b, inn_val x, uint32_t axis); /* to rank 2, split before `axis` */
INN_API inn_val inn_permute(inn_build *b, inn_val x, const uint32_t *order);
INN_API inn_val inn_expand(inn_build *b, inn_val x, const struct inn_shape *to);
/* Along one axis: elements from, from+step, ... < to / zeros before, after and dilation-1 between elements. */
INN_API inn_val inn_slice(inn_build *b, inn_val x, uint32_t axis, uint32_t from, uint32_t to, uint32_t step);
INN_API inn_val inn_pad(inn_build *b, inn_val x, uint32_t axis, uint32_t before, uint32_t after, uint32_t dilation);
INN_API inn_val inn_concat(inn_build *b, const inn_val *x, uint32_t n, uint32_t axis);
INN_API inn_val inn_gather(inn_build *b, inn_val x, inn_val index, uint32_t axis);
INN_API inn_val inn_scatter(inn_build *b, inn_val x, inn_val index, uint32_t axis, uint32_t n);

/* ---- products and windows. conv: x [N,C,...], w [K,C/groups,...]; no bias operand */
INN_API inn_val inn_matmul(inn_build *b, inn_val x, inn_val y, bool tx, bool ty);
INN_API inn_val inn_conv(inn_build *b, inn_val x, inn_val w, const struct inn_window *win);
/* Adjoint in x: g [N,K,...] to `spatial` (the sizes of x's spatial axes); also transposed convolution. */
INN_API inn_val inn_conv_dx(inn_build *b, inn_val g, inn_val w, const struct inn_window *win, const uint32_t *spatial);
/* Adjoint in w, summed over samples: `spatial` are the kernel's sizes. */
INN_API inn_val inn_conv_dw(inn_build *b, inn_val x, inn_val g, const struct inn_window *win, const uint32_t *spatial);
INN_API inn_val inn_pool_max(inn_build *b, inn_val v, inn_val by, const struct inn_window *win);
INN_API inn_val inn_pool_max_dx(inn_build *b, inn_val g, inn_val by, const struct inn_window *win);
INN_API inn_val inn_pool_avg(inn_build *b, inn_val x, const struct inn_window *win);
INN_API inn_val inn_pool_avg_dx(inn_build *b, inn_val g, const struct inn_window *win, const uint32_t *spatial);

/* ---- composed */
INN_API inn_val inn_softmax(inn_build *b, inn_val x, uint32_t axis);
INN_API inn_val inn_onehot(inn_build *b, inn_val index, uint32_t n); /* a new last axis of length n */
INN_API inn_val inn_mean_axes(inn_build *b, inn_val x, uint32_t axes);
INN_API inn_val inn_repeat(inn_build *b, inn_val x, uint32_t axis, uint32_t n); /* every element n times along an axis */
/* z + select(z >= 0, eps, -eps): zero counts as positive. */
INN_API inn_val inn_stab(inn_build *b, inn_val z, double eps);
/* A vector [K] as [1,K,1,...] of rank `rank`; id 0 stays 0. */
INN_API inn_val inn_channel(inn_build *b, inn_val v, uint32_t rank);

/* ---- noise, shaped like `like`; a function of seed, draw (number of the model input), sample, open iterations, element */
INN_API inn_val inn_uniform(inn_build *b, inn_val like, uint64_t seed, uint32_t draw); /* [0,1) */
INN_API inn_val inn_normal(inn_build *b, inn_val like, uint64_t seed, uint32_t draw);

/* ---- loops: recorded once, with a free index */
typedef inn_val (*inn_body)(inn_build *b, inn_val index, const void *user);
INN_API inn_val inn_loop_begin(inn_build *b, uint32_t n); /* gives index(n, open loops): shape []   */
INN_API void inn_loop_end(inn_build *b);
INN_API inn_val inn_loop_sum(inn_build *b, inn_val v, inn_val index);   /* in order 0 ... n-1       */
INN_API inn_val inn_loop_stack(inn_build *b, inn_val v, inn_val index); /* a new axis 1             */
INN_API inn_val inn_carry(inn_build *b, inn_val init, inn_val index);   /* the previous `next`      */
INN_API inn_val inn_loop_last(inn_build *b, inn_val next, inn_val carry, inn_val index);
INN_API inn_val inn_mean(inn_build *b, uint32_t n, inn_body body, const void *user); /* opens, sums, closes */

INN_API inn_val inn_valid(inn_build *b); /* [N]: 1, and 0 in the spare rows of a padded batch */
/* Adds v to the statistic `name` of a data set (an analyzer's fit). A value with one sample in each row is cut to the valid
 * rows and summed over axis 0 (kept with length 1); one that mixes samples must have mixed masked ones: multiply by inn_valid. */
INN_API void inn_stat(inn_build *b, const char *name, inn_val v);

/* Derivative of y with respect to x, seeded with `seed` (y's shape). The n values in `cut` count as
 * constants. For the model's input; rules use inn_affine_t and inn_vjp (rule.h). */
INN_API inn_val inn_grad(inn_build *b, inn_val y, inn_val x, inn_val seed, const inn_val *cut, uint32_t n);

#endif
