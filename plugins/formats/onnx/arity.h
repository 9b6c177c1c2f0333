#ifndef ONNX_ARITY_H
#define ONNX_ARITY_H
#include <stdint.h>

/* How many inputs ONNX's operator takes at most in that opset; UINT32_MAX: any number, or it is not known here. */
uint32_t onnx_most_inputs(const char *op, uint32_t opset);
#endif
