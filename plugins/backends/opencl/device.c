/* The device: one context, one in-order queue, and the class. */
#include "opencl.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct inn_choice gemms[] = {
	{ "auto", GEMM_AUTO, "own on processors, CLBlast on everything else" },
	{ "own", GEMM_OWN, "register tiles on packed panels" },
	{ "clblast", GEMM_CLBLAST, "CLBlast, and all other kernels as for a GPU" },
	{ 0 },
};
static const struct inn_param params[] = {
	INN_STR(struct ocl_opts, platform, "", "part of the platform's name"),
	INN_STR(struct ocl_opts, device, "", "part of the device's name, or its number on the platforms that fit"),
	INN_ENUM(struct ocl_opts, gemm, GEMM_AUTO, gemms, "who computes matrix products"),
	INN_BOOL(struct ocl_opts, profile, false, "measure every kernel and say where the time went"),
	{ 0 },
};

static int score(inn_ctx *ctx, const void *opts)
{
	struct device_info *list;
	uint32_t n, at;
	const char *why;
	int s = 0;

	(void)ctx;
	if (ocl_only_processors() || ocl_devices(ctx, &list, &n) < 0)
		return 0;
	at = ocl_choose(ctx, opts, list, n, &why);
	if (at != NONE && !(list[at].type & CL_DEVICE_TYPE_CPU))
		s = 20;
	free(list);
	return s;
}

static void close_dev(inn_dev *d)
{
	if (!d)
		return;
	if (d->queue) {
		clFinish(d->queue);
		clReleaseCommandQueue(d->queue);
	}
	ocl_clblast_close(d);
	while (d->generated) {
		struct generated *next = d->generated->next;

		if (d->generated->program)
			clReleaseProgram(d->generated->program);
		free(d->generated);
		d->generated = next;
	}
	if (d->program)
		clReleaseProgram(d->program);
	if (d->context)
		clReleaseContext(d->context);
	free(d);
}

/* How kernels are built: for a processor in vectors of 16, one work-item a group. */
static int shape_kernels(inn_ctx *ctx, inn_dev *d, const struct device_info *info, int gemm)
{
	cl_device_fp_config fp = 0;
	cl_bool little = CL_FALSE;
	size_t group = 1, items[16] = { 1 };
	cl_int code = clGetDeviceInfo(d->id, CL_DEVICE_SINGLE_FP_CONFIG, sizeof(fp), &fp, NULL);

	if (!code)
		code = clGetDeviceInfo(d->id, CL_DEVICE_ENDIAN_LITTLE, sizeof(little), &little, NULL);
	if (!code)
		code = clGetDeviceInfo(d->id, CL_DEVICE_MAX_WORK_GROUP_SIZE, sizeof(group), &group, NULL);
	if (!code)
		code = clGetDeviceInfo(d->id, CL_DEVICE_MAX_WORK_ITEM_SIZES, sizeof(items), items, NULL);
	if (!code)
		code = clGetDeviceInfo(d->id, CL_DEVICE_MAX_MEM_ALLOC_SIZE, sizeof(d->max_alloc), &d->max_alloc, NULL);
	int s = ocl_check(ctx, NULL, NONE, "asking what the device can do", code);

	if (s)
		return s;
	if (!little)
		return inn_fail(ctx, INN_EUNSUP, NULL, "opencl: %s is big-endian", info->name);

	d->processor = info->type & CL_DEVICE_TYPE_CPU;
	d->clblast = gemm == GEMM_CLBLAST || (gemm == GEMM_AUTO && !d->processor);
	d->lanes = d->processor && !d->clblast ? 16 : 1;
	for (d->local = d->lanes == 16 ? 1 : 64; d->local > 1 && (d->local > group || d->local > items[0]); d->local /= 2)
		;
	snprintf(d->build, sizeof(d->build), "-cl-std=CL1.2 -DLANES=%d%s", d->lanes,
		 fp & CL_FP_CORRECTLY_ROUNDED_DIVIDE_SQRT ? " -cl-fp32-correctly-rounded-divide-sqrt" : "");
	return INN_OK;
}

static int start(inn_ctx *ctx, inn_dev *d, const struct device_info *info, const struct ocl_opts *o, const char *why)
{
	const cl_context_properties of[] = { CL_CONTEXT_PLATFORM, (cl_context_properties)info->platform, 0 };
	cl_int code;
	int s;

	d->id = info->id;
	d->profile = d->report = o->profile;
	if ((s = shape_kernels(ctx, d, info, o->gemm)))
		return s;
	d->context = clCreateContext(of, 1, &d->id, NULL, NULL, &code);
	if ((s = ocl_check(ctx, NULL, NONE, "making a context", code)))
		return s;
	d->queue = clCreateCommandQueue(d->context, d->id, d->profile ? CL_QUEUE_PROFILING_ENABLE : 0, &code);
	if ((s = ocl_check(ctx, NULL, NONE, "making a queue", code)))
		return s;
	/* PoCL keeps what it compiles, and would compile everything twice to give it to us. */
	if (strcmp(info->platform_name, "Portable Computing Language"))
		snprintf(d->cache, sizeof(d->cache), "%s|%s|%s", info->platform_name, info->name, info->driver);
	snprintf(d->text, sizeof(d->text), "OpenCL, %s, %s, driver %s, %s (%s)", info->platform_name, info->name, info->driver,
		 d->clblast ? "CLBlast" : "own products", why);
	if (d->clblast && (s = ocl_clblast_open(ctx, d, info)))
		return s;
	return ocl_build(ctx, d, ocl_kernels, ocl_kernels_size, &d->program);
}

static int open_dev(inn_ctx *ctx, const void *opts, uint32_t threads, inn_dev **dev)
{
	struct device_info *list = NULL;
	uint32_t n, at;
	const char *why = "";
	int s = ocl_devices(ctx, &list, &n);

	(void)threads; /* the driver's */
	if (s)
		return s;
	inn_dev *d = calloc(1, sizeof(*d));

	if (!d)
		s = inn_nomem(ctx);
	else if ((at = ocl_choose(ctx, opts, list, n, &why)) == NONE)
		s = INN_EPLUGIN;
	else
		s = start(ctx, d, &list[at], opts, why);
	free(list);
	if (s) {
		close_dev(d);
		return s;
	}
	*dev = d;
	return INN_OK;
}

static int devices(inn_ctx *ctx, const void *opts, void (*show)(void *user, const struct inn_device *d), void *user)
{
	struct device_info *list;
	uint32_t n, at;
	const char *why = NULL;
	int s = ocl_devices(ctx, &list, &n);

	if (s)
		return s;
	at = ocl_choose(ctx, opts, list, n, &why);
	for (uint32_t i = 0; i < n; i++) {
		const struct device_info *d = &list[i];
		struct inn_device v = { .platform = d->platform_name, .name = d->name, .driver = d->driver, .memory = d->memory,
					.why = i == at ? why : NULL };

		v.kind = d->type & CL_DEVICE_TYPE_CPU ? "processor" : d->type & CL_DEVICE_TYPE_GPU ? "GPU" : "accelerator";
		show(user, &v);
	}
	free(list);
	return at == NONE ? INN_EPLUGIN : INN_OK;
}

static const char *describe(const inn_dev *d) { return d->text; }

static const struct inn_backend_ops opencl = {
	.cls = INN_HEAD(struct inn_backend_ops, INN_BACKEND, "opencl", "Any OpenCL 1.2 device: GPUs by CLBlast, processors by kernels of our own",
			params, sizeof(struct ocl_opts), NULL),
	.score = score,
	.open = open_dev,
	.close = close_dev,
	.compile = ocl_compile,
	.release = ocl_release,
	.write = ocl_write,
	.run = ocl_run,
	.read = ocl_read,
	.describe = describe,
	.profile = ocl_profile,
	.devices = devices,
	.tune = ocl_tune,
};

INN_PLUGIN("opencl", "1.0.0", "BSD-2-Clause", &opencl.cls);
