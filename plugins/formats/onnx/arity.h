#ifndef ONNX_ARITY_H
#define ONNX_ARITY_H
#include <stdint.h>

/* The inputs of ONNX's operator in that opset: the first `least` must be there, and there are at most `most`. */
struct onnx_arity { uint32_t least, most; };
struct onnx_arity onnx_arity(const char *op, uint32_t opset);
#endif
