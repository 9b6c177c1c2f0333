/* Tensors of the node tests: read from protobuf, written as .npy, read back from .npz. */
#ifndef NODES_ARRAYS_H
#define NODES_ARRAYS_H
#include "onnx.pb-c.h"
#include <stdbool.h>
#include <stddef.h>

struct array { /* values as doubles */
	size_t rank, dim[16], n;
	double *v; /* by malloc */
	int type;  /* ONNX's */
};
/* The whole file by malloc; NULL if it cannot be read. */
unsigned char *read_file(const char *path, size_t *n);
/* False if the file is no tensor of numbers. `declared`: the model's type; bfloat16 is stored as uint16 in some tests. */
bool read_tensor(const char *path, int declared, struct array *a);
bool write_npy(const char *path, const struct array *a);
/* The member NAME.npy of an archive of stored float32 arrays. */
bool read_member(const unsigned char *zip, size_t n, const char *name, struct array *a);
bool is_float(int type);
#endif
