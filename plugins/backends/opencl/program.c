/* Programs: built from source once, then taken from a file that is named by all they depend on. */
#include "opencl.h"
#include <stdlib.h>
#include <string.h>

struct file { char path[PATH_MAX]; uint64_t key; };

/* The file of a program: false where there is no folder for it. */
static bool file_of(const inn_dev *d, const char *source, size_t n, struct file *f)
{
	uint64_t h = ocl_hash(OCL_HASH, source, n);

	f->key = ocl_hash(ocl_hash(h, d->build, strlen(d->build)), d->cache, strlen(d->cache));
	return ocl_path(true, f->key, f->path);
}

/* Drivers trust a binary: one that is damaged crashes them, or computes something else. So its sum stands behind it. */
static void keep(const struct file *f, cl_program program)
{
	size_t n = 0;
	unsigned char *data;

	if (clGetProgramInfo(program, CL_PROGRAM_BINARY_SIZES, sizeof(n), &n, NULL) || !n || !(data = malloc(n + sizeof(uint64_t))))
		return;
	if (!clGetProgramInfo(program, CL_PROGRAM_BINARIES, sizeof(data), &data, NULL)) {
		uint64_t sum = ocl_hash(f->key, data, n);

		memcpy(data + n, &sum, sizeof(sum));
		(void)ocl_store(f->path, data, n + sizeof(sum)); /* or the next run builds it again */
	}
	free(data);
}

static cl_program from_file(const inn_dev *d, const struct file *f)
{
	size_t n;
	char *data = ocl_load(f->path, &n);
	cl_int status = CL_SUCCESS, code = CL_SUCCESS;
	uint64_t sum = 0;
	bool whole = data && n > sizeof(sum);

	if (whole) {
		n -= sizeof(sum);
		memcpy(&sum, data + n, sizeof(sum));
		whole = ocl_hash(f->key, data, n) == sum;
	}
	cl_program p = whole ? clCreateProgramWithBinary(d->context, 1, &d->id, &n, (const unsigned char **)(void *)&data, &status, &code) : NULL;

	free(data);
	if (p && (code || status || clBuildProgram(p, 1, &d->id, d->build, NULL, NULL))) {
		clReleaseProgram(p);
		p = NULL;
	}
	return p;
}

/* The compiler's words up to the end of the first line with "error". */
static int refuse(inn_ctx *ctx, const inn_dev *d, cl_program p, cl_int code)
{
	char log[4096] = "";
	size_t n = 0;

	if (code != CL_BUILD_PROGRAM_FAILURE)
		return ocl_check(ctx, NULL, NONE, "building kernels", code);
	if (clGetProgramBuildInfo(p, d->id, CL_PROGRAM_BUILD_LOG, sizeof(log) - 1, log, &n))
		log[0] = 0;
	char *at = strstr(log, "error"), *end;

	for (; at && at > log && at[-1] != '\n'; at--)
		;
	at = at ? at : log;
	if ((end = strchr(at, '\n')))
		*end = 0;
	return inn_fail(ctx, INN_EDEVICE, NULL, "opencl: the kernels do not build for this device: %s", *at ? at : "it says nothing");
}

int ocl_build(inn_ctx *ctx, inn_dev *d, const char *source, size_t n, cl_program *program)
{
	struct file f;
	bool file = *d->cache && file_of(d, source, n, &f);
	cl_int code;

	if (file && (*program = from_file(d, &f)))
		return INN_OK;
	*program = clCreateProgramWithSource(d->context, 1, &source, &n, &code);
	int s = ocl_check(ctx, NULL, NONE, "making a program", code);

	if (s)
		return s;
	code = clBuildProgram(*program, 1, &d->id, d->build, NULL, NULL);
	if (code)
		return refuse(ctx, d, *program, code);
	if (file)
		keep(&f, *program);
	return INN_OK;
}
