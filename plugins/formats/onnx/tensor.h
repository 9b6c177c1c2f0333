#ifndef ONNX_TENSOR_H
#define ONNX_TENSOR_H
#include <innvestigate/plugin.h>
#include "onnx.pb-c.h"

/* A TensorProto as a host tensor that lives as long as the job; large data lies in `file`, or in one that stands beside it. */
int onnx_tensor(inn_ctx *ctx, const struct inn_stream *file, const Onnx__TensorProto *p, struct inn_tensor *t) INN_MUST;
int onnx_external(inn_ctx *ctx, const struct inn_stream *file, const Onnx__TensorProto *p, size_t bytes, void **data) INN_MUST;
/* Our number format of an ONNX data type; INN_DTYPES if there is none. */
uint32_t onnx_dtype(int type);
#endif
