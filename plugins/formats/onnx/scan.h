/* A look at the wire format before protobuf-c, which recurses and copies, is given the file. */
#ifndef ONNX_SCAN_H
#define ONNX_SCAN_H
#include <innvestigate/base.h>
#include <protobuf-c/protobuf-c.h>

/* INN_EMODEL with a sentence if the bytes are no message of this type, nested deeper than 64, or of more than 16 million
 * fields. Iterative. */
int onnx_scan(inn_ctx *ctx, const char *path, const ProtobufCMessageDescriptor *type, const uint8_t *data, size_t n) INN_MUST;

/* An allocator that gives at most `left` bytes in all. */
struct onnx_quota { ProtobufCAllocator allocator; size_t left; };
void onnx_quota_init(struct onnx_quota *q, size_t bytes);
#endif
