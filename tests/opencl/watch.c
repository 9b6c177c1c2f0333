/* Linked into the conformance program for oclgrind, in front of its OpenCL. Says which kernels were launched, and replaces text
 * of the kernels where a test wants a broken one ($WATCH_BREAK: "old => new").
 *
 * oclgrind keeps for each buffer which bytes are initialised, but a write, copy or fill by the host makes it forget all bytes
 * except those, and a new buffer inherits what an earlier one of its number had. So here the host's commands on a buffer go
 * through kernels, and no buffer is given back before the end. */
#define CL_TARGET_OPENCL_VERSION 120
#define CL_USE_DEPRECATED_OPENCL_1_1_APIS
#include <CL/cl.h>
#include <dlfcn.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void *next(const char *name)
{
	void *f = dlsym(RTLD_NEXT, name);

	if (!f) {
		printf("skipped: not under oclgrind\n");
		exit(77);
	}
	return f;
}
#define NEXT(f) (__extension__(__typeof__(&f))next(#f))

static void say_once(const char *name)
{
	static char seen[1024][64];
	static size_t n;

	for (size_t i = 0; i < n; i++)
		if (!strcmp(seen[i], name))
			return;
	printf("kernel %s\n", name);
	if (n < sizeof(seen) / sizeof(*seen))
		snprintf(seen[n++], sizeof(*seen), "%s", name);
}

cl_int clEnqueueNDRangeKernel(cl_command_queue q, cl_kernel k, cl_uint d, const size_t *o, const size_t *g, const size_t *l, cl_uint nw,
			      const cl_event *w, cl_event *event)
{
	char name[64] = "";

	if (!NEXT(clGetKernelInfo)(k, CL_KERNEL_FUNCTION_NAME, sizeof(name), name, NULL))
		say_once(name);
	return NEXT(clEnqueueNDRangeKernel)(q, k, d, o, g, l, nw, w, event);
}

cl_program clCreateProgramWithSource(cl_context c, cl_uint n, const char **s, const size_t *l, cl_int *code)
{
	const char *rule = getenv("WATCH_BREAK"), *to = rule ? strstr(rule, " => ") : NULL;
	char *old = to ? strndup(rule, (size_t)(to - rule)) : NULL, *at = old && n == 1 ? strstr(s[0], old) : NULL, *text = NULL;
	cl_program p;

	if (at && asprintf(&text, "%.*s%s%s", (int)(at - s[0]), s[0], to + 4, at + strlen(old)) > 0) {
		printf("broken: %s\n", rule);
		p = NEXT(clCreateProgramWithSource)(c, 1, (const char **)&text, NULL, code);
	} else {
		p = NEXT(clCreateProgramWithSource)(c, n, s, l, code);
	}
	free(text);
	free(old);
	return p;
}

/* Both kernels take (from, its start, to, its start, elements to cycle through) in elements of four bytes. */
static cl_int by_kernel(cl_command_queue q, cl_mem from, size_t x0, cl_mem to, size_t y0, size_t cycle, size_t n)
{
	static const char *text = "__kernel void moved(__global const uint *x, ulong x0, __global uint *y, ulong y0, ulong cycle)\n"
				  "{ ulong i = get_global_id(0); y[y0 + i] = x[x0 + i % cycle]; }\n";
	cl_ulong at[3] = { x0 / 4, y0 / 4, cycle / 4 };
	size_t global = n / 4;
	cl_context c;
	cl_device_id d;
	cl_int code = NEXT(clGetCommandQueueInfo)(q, CL_QUEUE_CONTEXT, sizeof(c), &c, NULL);

	code |= NEXT(clGetCommandQueueInfo)(q, CL_QUEUE_DEVICE, sizeof(d), &d, NULL);
	if (code || !n)
		return code;
	cl_program p = NEXT(clCreateProgramWithSource)(c, 1, &text, NULL, &code);

	code |= NEXT(clBuildProgram)(p, 1, &d, "", NULL, NULL);
	cl_kernel k = NEXT(clCreateKernel)(p, "moved", &code);

	code |= NEXT(clSetKernelArg)(k, 0, sizeof(from), &from) | NEXT(clSetKernelArg)(k, 1, sizeof(*at), at) |
		NEXT(clSetKernelArg)(k, 2, sizeof(to), &to) | NEXT(clSetKernelArg)(k, 3, sizeof(*at), at + 1) |
		NEXT(clSetKernelArg)(k, 4, sizeof(*at), at + 2);
	code |= NEXT(clEnqueueNDRangeKernel)(q, k, 1, NULL, &global, NULL, 0, NULL, NULL) | NEXT(clFinish)(q);
	NEXT(clReleaseKernel)(k);
	NEXT(clReleaseProgram)(p);
	return code;
}

/* `cycle` bytes of the host, over and over. */
static cl_int from_host(cl_command_queue q, const void *data, size_t cycle, cl_mem to, size_t at, size_t n)
{
	cl_context c;
	cl_int code = NEXT(clGetCommandQueueInfo)(q, CL_QUEUE_CONTEXT, sizeof(c), &c, NULL);
	cl_mem m = code || !n ? NULL : NEXT(clCreateBuffer)(c, CL_MEM_READ_ONLY | CL_MEM_COPY_HOST_PTR, cycle, (void *)(size_t)data, &code);

	return code || !n ? code : by_kernel(q, m, 0, to, at, cycle, n);
}

cl_int clEnqueueFillBuffer(cl_command_queue q, cl_mem m, const void *pattern, size_t size, size_t at, size_t n, cl_uint nw, const cl_event *w,
			   cl_event *event)
{
	(void)nw, (void)w, (void)event;
	return from_host(q, pattern, size, m, at, n);
}

cl_int clEnqueueWriteBuffer(cl_command_queue q, cl_mem m, cl_bool wait, size_t at, size_t n, const void *data, cl_uint nw, const cl_event *w,
			    cl_event *event)
{
	cl_int code = from_host(q, data, n, m, at, n);

	(void)wait, (void)nw, (void)w;
	return code || !event ? code : NEXT(clEnqueueMarker)(q, event);
}

cl_int clEnqueueCopyBuffer(cl_command_queue q, cl_mem a, cl_mem b, size_t x, size_t y, size_t n, cl_uint nw, const cl_event *w, cl_event *event)
{
	(void)nw, (void)w, (void)event;
	return by_kernel(q, a, x, b, y, n, n);
}

cl_int clReleaseMemObject(cl_mem m)
{
	(void)m;
	return CL_SUCCESS;
}
