/* Status, context, shapes and host tensors: what every other header builds on.
 *
 * Words used throughout, with these meanings only: *borrows* (until the call returns), *keeps* (until the
 * job ends; the caller must not change it), *takes* (owns from now on, even on failure), *gives*. */
#ifndef INNVESTIGATE_BASE_H
#define INNVESTIGATE_BASE_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define INN_VERSION_MAJOR 1
#define INN_VERSION_MINOR 0
#define INN_VERSION_PATCH 0
#define INN_ABI ((uint32_t)INN_VERSION_MAJOR << 16 | INN_VERSION_MINOR)

#define INN_API __attribute__((visibility("default")))
#define INN_MUST __attribute__((warn_unused_result))
#define INN_PRINTF(fmt, args) __attribute__((format(printf, fmt, args)))
#define INN_MAX_RANK 8u

/* name, value, process exit code, meaning */
#define INN_STATUS_MAP(X)                                                                          \
	X(INN_OK, 0, 0, "done")                                                                    \
	X(INN_ENOMEM, -1, 1, "out of memory")                                                      \
	X(INN_ECONFIG, -2, 2, "configuration or command line")                                     \
	X(INN_EPLUGIN, -3, 3, "plugin refused, or its library or device is missing")               \
	X(INN_EMODEL, -4, 1, "model unreadable or inconsistent")                                   \
	X(INN_EDATA, -5, 1, "input data unreadable or inconsistent")                               \
	X(INN_EIO, -6, 1, "reading or writing a file failed")                                      \
	X(INN_EUNSUP, -7, 1, "not supported")                                                      \
	X(INN_EDEVICE, -8, 1, "device failure")                                                    \
	X(INN_ELIMIT, -9, 1, "a limit was exceeded")                                               \
	X(INN_ESHAPE, -10, 1, "shapes do not fit")                                                 \
	X(INN_ENONFINITE, -11, 1, "a value is not finite")                                         \
	X(INN_ECANCEL, -12, 130, "stopped by a signal")                                            \
	X(INN_EBUG, -13, 1, "a plugin or the core misbehaved")

enum inn_status {
#define INN_X(name, value, code, text) name = value,
	INN_STATUS_MAP(INN_X)
#undef INN_X
};

typedef struct inn_ctx inn_ctx; /* error stack, log, arena; one per job, one thread at a time  */

struct inn_loc { /* where in a text file; file NULL: nowhere, line 0: the file as a whole */
	const char *file;
	uint32_t line, col; /* 1-based */
};

enum inn_dtype {
	INN_F32, INN_F64, INN_F16, INN_BF16, INN_I8, INN_I16, INN_I32, INN_I64,
	INN_U8, INN_U16, INN_U32, INN_U64, INN_BOOL, INN_DTYPES,
};

struct inn_shape { /* row-major; rank 0 is a scalar */
	uint32_t rank, dim[INN_MAX_RANK];
};

struct inn_tensor { /* host memory, dense, row-major; data may be unaligned (mapped files) */
	struct inn_shape shape;
	uint32_t dtype; /* enum inn_dtype */
	void *data;
};

/* ---- errors, log, memory. [job] */

/* Records one error (printf-style, one sentence, no newline, no full stop) and returns `status`. `loc` may be
 * NULL. The stack holds the first 64; the first is the root cause. Borrows everything. */
INN_API int inn_fail(inn_ctx *ctx, int status, const struct inn_loc *loc, const char *fmt, ...)
	INN_PRINTF(4, 5);
/* Adds context to the error recorded last ("while building an analyzer"). Returns `status`. */
INN_API int inn_while(inn_ctx *ctx, int status, const struct inn_loc *loc, const char *fmt, ...)
	INN_PRINTF(4, 5);
INN_API int inn_nomem(inn_ctx *ctx); /* records and returns INN_ENOMEM; never allocates */
INN_API bool inn_failed(const inn_ctx *ctx);
INN_API bool inn_cancelled(const inn_ctx *ctx); /* a signal asked to stop. [any] */
INN_API void inn_warn(inn_ctx *ctx, const struct inn_loc *loc, const char *fmt, ...) INN_PRINTF(3, 4);
INN_API void inn_info(inn_ctx *ctx, const char *fmt, ...) INN_PRINTF(2, 3); /* shown by --verbose */

/* Gives n*size zeroed bytes that live as long as the job; NULL after recording INN_ENOMEM. */
INN_API void *inn_alloc(inn_ctx *ctx, size_t n, size_t size) INN_MUST;
INN_API char *inn_strdup(inn_ctx *ctx, const char *s) INN_MUST; /* the same for a string */
INN_API char *inn_printf(inn_ctx *ctx, const char *fmt, ...) INN_PRINTF(2, 3) INN_MUST;

/* Limits: key of `limits:`, default, what is counted. What unpacks may also reach a hundred times the bytes it comes from. */
#define INN_LIMIT_MAP(X)                                                                           \
	X(INN_LIMIT_MODEL_BYTES, model_bytes, 2147483647, "bytes of a model's file")               \
	X(INN_LIMIT_NODES, nodes, 200000, "nodes of a network")                                    \
	X(INN_LIMIT_ELEMENTS, elements, 4294967296, "elements of one value of a plan")             \
	X(INN_LIMIT_CONSTANTS, constants, 201326592, "bytes that a network's constants unfold to") \
	X(INN_LIMIT_PIXELS, pixels, 100000000, "pixels of a picture")                              \
	X(INN_LIMIT_UNPACKED, unpacked, 100000000, "bytes that a picture or an archive unpacks to")
#define INN_X(kind, key, most, text) kind,
enum inn_limit_kind { INN_LIMIT_MAP(INN_X) INN_LIMITS };
#undef INN_X
INN_API uint64_t inn_limit(const inn_ctx *ctx, int kind);
/* INN_OK, or INN_ELIMIT after an error that names what has n, and the limit. `from`: the bytes that it unpacks from, or 0. */
INN_API int inn_within(inn_ctx *ctx, int kind, const struct inn_loc *loc, uint64_t n, uint64_t from, const char *what) INN_MUST;

/* ---- shapes. [any] */
#define INN_SHAPE_STR 104
INN_API bool inn_shape_count(const struct inn_shape *s, size_t *n); /* product; false on overflow  */
INN_API bool inn_shape_eq(const struct inn_shape *a, const struct inn_shape *b);
INN_API const char *inn_shape_str(const struct inn_shape *s, char buf[INN_SHAPE_STR]); /* "[1,3,8,8]" */
/* numpy's broadcasting of a and b; false if they do not fit. */
INN_API bool inn_shape_broadcast(const struct inn_shape *a, const struct inn_shape *b,
				 struct inn_shape *out);

/* ---- host tensors */
INN_API size_t inn_dtype_size(uint32_t dtype);       /* 0 if unknown. [any] */
INN_API const char *inn_dtype_name(uint32_t dtype);  /* "float32". [any] */
/* Allocates zeroed heap memory for `out->shape`, `out->dtype`; free with inn_tensor_free. [job] */
INN_API int inn_tensor_alloc(inn_ctx *ctx, struct inn_tensor *out) INN_MUST;
INN_API void inn_tensor_free(struct inn_tensor *t);  /* NULL and empty tensors are fine. [any] */
/* Gives a converted heap copy of `in` in `dtype` (values rounded to nearest; f16, bf16, ints). [job] */
INN_API int inn_tensor_convert(inn_ctx *ctx, const struct inn_tensor *in, uint32_t dtype,
			       struct inn_tensor *out) INN_MUST;
/* Converts n elements from `in` (any alignment) to `out`; the two must not overlap. [any] */
INN_API void inn_convert(const void *in, uint32_t in_dtype, void *out, uint32_t out_dtype, size_t n);
INN_API double inn_tensor_real(const struct inn_tensor *t, size_t i);  /* element i. [any] */
INN_API int64_t inn_tensor_int(const struct inn_tensor *t, size_t i);  /* element i, truncated. [any] */
/* The first index of a NaN or infinity in a float tensor, or SIZE_MAX. [any] */
INN_API size_t inn_tensor_nonfinite(const struct inn_tensor *t);
/* The n bytes at p are not read again soon: if they are those of a mapped model, its pages may go until then. [any] */
INN_API void inn_done(const void *p, size_t n);

#endif
