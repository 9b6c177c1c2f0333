/* A look at the wire format before protobuf-c, which recurses and copies, is given the file. */
#ifndef ONNX_SCAN_H
#define ONNX_SCAN_H
#include <innvestigate/base.h>
#include "onnx.pb-c.h"

/* A model without its large raw_data and packed float_data, which look the same. In the place of such a field stand two of number
 * ONNX_MARK, each a fixed64: where the data lies in the file; and its bytes, with ONNX_FLOATS added for float_data. */
#define ONNX_MARK ((1u << 29) - 1) /* the largest number a field can have; a file that uses it is refused */
#define ONNX_FLOATS ((uint64_t)1 << 63)
struct onnx_lean { const uint8_t *data; size_t n; uint8_t *heap; }; /* heap: to be freed; NULL: nothing is cut out */

/* INN_EMODEL with a sentence if the bytes are no ModelProto, nested deeper than 64, or of more than 16 million fields.
 * Iterative. */
int onnx_scan(inn_ctx *ctx, const char *path, const uint8_t *data, size_t n, struct onnx_lean *lean) INN_MUST;

/* An allocator that gives at most `left` bytes in all. */
struct onnx_quota { ProtobufCAllocator allocator; size_t left; };
void onnx_quota_init(struct onnx_quota *q, size_t bytes);
#endif
