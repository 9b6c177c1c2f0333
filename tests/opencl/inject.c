/* inject NET PLUGINS BACKEND [SHAPE PART]: the n-th OpenCL or CLBlast call, of those with PART in their names, fails, for
 * n = 0, 1, 2 ... until none does. Each time the run must end with a fitting status and a message, or with the right result, and
 * with every OpenCL object released. The functions below stand in front of the library's, for the plugin and for CLBlast. */
#define CL_TARGET_OPENCL_VERSION 120
#include <CL/cl.h>
#include <clblast_c.h>
#include <dlfcn.h>
#include <innvestigate/innvestigate.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static long calls, fail_at = -1, alive;
static const char *failed; /* the function that failed, NULL: none */
static const char *part = "";
static struct inn_shape shape = { .rank = 2, .dim = { 2, 10 } };

static bool fails(const char *name)
{
	if (!strcasestr(name, part) || calls++ != fail_at)
		return false;
	failed = name;
	return true;
}

static void *real(const char *lib, const char *name)
{
	void *h = dlopen(lib, RTLD_NOW | RTLD_LOCAL), *f = h ? dlsym(h, name) : NULL;

	if (!f) {
		printf("%s: no %s\n", lib, name);
		exit(1);
	}
	return f;
}

#define CL "libOpenCL.so.1"
#define BLAST "libclblast.so.1"
#define REAL(lib, f) (__extension__(__typeof__(&f))real(lib, #f))
#define CODE(f, params, args) cl_int f params { return fails(#f) ? CL_OUT_OF_RESOURCES : REAL(CL, f) args; }
#define MAKE(type, f, params, args) type f params \
	{ \
		if (fails(#f)) { \
			if (code) \
				*code = CL_MEM_OBJECT_ALLOCATION_FAILURE; \
			return NULL; \
		} \
		type made = REAL(CL, f) args; \
		alive += made != NULL; \
		return made; \
	}
#define COUNT(f, type, by) cl_int f(type o) { alive += by; return REAL(CL, f)(o); }
/* An event that the caller asks for is an object too. */
#define SEND(f, params, args) cl_int f params \
	{ \
		cl_int sent = fails(#f) ? CL_OUT_OF_RESOURCES : REAL(CL, f) args; \
		alive += !sent && event; \
		return sent; \
	}
#define BLAS(f, params, args) CLBlastStatusCode f params { return fails(#f) ? CLBlastInvalidLocalMemUsage : REAL(BLAST, f) args; }

CODE(clGetPlatformIDs, (cl_uint n, cl_platform_id *p, cl_uint *c), (n, p, c))
CODE(clGetPlatformInfo, (cl_platform_id p, cl_platform_info i, size_t n, void *v, size_t *r), (p, i, n, v, r))
CODE(clGetDeviceIDs, (cl_platform_id p, cl_device_type t, cl_uint n, cl_device_id *d, cl_uint *c), (p, t, n, d, c))
CODE(clGetDeviceInfo, (cl_device_id d, cl_device_info i, size_t n, void *v, size_t *r), (d, i, n, v, r))
CODE(clGetProgramInfo, (cl_program p, cl_program_info i, size_t n, void *v, size_t *r), (p, i, n, v, r))
CODE(clGetProgramBuildInfo, (cl_program p, cl_device_id d, cl_program_build_info i, size_t n, void *v, size_t *r), (p, d, i, n, v, r))
CODE(clGetKernelWorkGroupInfo, (cl_kernel k, cl_device_id d, cl_kernel_work_group_info i, size_t n, void *v, size_t *r), (k, d, i, n, v, r))
CODE(clSetKernelArg, (cl_kernel k, cl_uint i, size_t n, const void *v), (k, i, n, v))
CODE(clGetEventProfilingInfo, (cl_event e, cl_profiling_info i, size_t n, void *v, size_t *r), (e, i, n, v, r))
CODE(clWaitForEvents, (cl_uint n, const cl_event *e), (n, e))
CODE(clFlush, (cl_command_queue q), (q))
CODE(clFinish, (cl_command_queue q), (q))
MAKE(cl_command_queue, clCreateCommandQueue, (cl_context c, cl_device_id d, cl_command_queue_properties p, cl_int *code), (c, d, p, code))
MAKE(cl_mem, clCreateBuffer, (cl_context c, cl_mem_flags f, size_t n, void *h, cl_int *code), (c, f, n, h, code))
CODE(clEnqueueUnmapMemObject, (cl_command_queue q, cl_mem m, void *p, cl_uint n, const cl_event *w, cl_event *e), (q, m, p, n, w, e))
MAKE(cl_program, clCreateProgramWithBinary, (cl_context c, cl_uint n, const cl_device_id *d, const size_t *l, const unsigned char **b,
     cl_int *status, cl_int *code), (c, n, d, l, b, status, code))
MAKE(cl_kernel, clCreateKernel, (cl_program p, const char *name, cl_int *code), (p, name, code))

void *clEnqueueMapBuffer(cl_command_queue q, cl_mem m, cl_bool b, cl_map_flags f, size_t x, size_t n, cl_uint nw, const cl_event *w, cl_event *e,
			 cl_int *code)
{
	if (!fails("clEnqueueMapBuffer"))
		return REAL(CL, clEnqueueMapBuffer)(q, m, b, f, x, n, nw, w, e, code);
	*code = CL_MAP_FAILURE;
	return NULL;
}

/* Compiling takes far longer than all else, so the context and the programs are made once and lent out again. */
static cl_context context;
static struct kept { char *source; cl_program program; bool built; } kept[512];
static size_t n_kept;

cl_context clCreateContext(const cl_context_properties *p, cl_uint n, const cl_device_id *d,
			   void (CL_CALLBACK *f)(const char *, const void *, size_t, void *), void *u, cl_int *code)
{
	*code = fails("clCreateContext") ? CL_OUT_OF_HOST_MEMORY : CL_SUCCESS;
	if (*code)
		return NULL;
	if (!context)
		context = REAL(CL, clCreateContext)(p, n, d, f, u, code);
	REAL(CL, clRetainContext)(context);
	alive++;
	return context;
}

cl_program clCreateProgramWithSource(cl_context c, cl_uint n, const char **s, const size_t *l, cl_int *code)
{
	size_t k = 0, len = l ? l[0] : strlen(s[0]);

	*code = fails("clCreateProgramWithSource") ? CL_OUT_OF_HOST_MEMORY : CL_SUCCESS;
	if (*code)
		return NULL;
	while (k < n_kept && (strncmp(kept[k].source, s[0], len) || kept[k].source[len]))
		k++;
	if (k == sizeof(kept) / sizeof(*kept))
		exit(1);
	if (k == n_kept) {
		kept[n_kept].source = strndup(s[0], len);
		kept[n_kept++].program = REAL(CL, clCreateProgramWithSource)(c, n, s, l, code);
	}
	REAL(CL, clRetainProgram)(kept[k].program);
	alive++;
	return kept[k].program;
}

cl_int clBuildProgram(cl_program p, cl_uint n, const cl_device_id *d, const char *o, void (CL_CALLBACK *f)(cl_program, void *), void *u)
{
	cl_int code = fails("clBuildProgram") ? CL_BUILD_PROGRAM_FAILURE : CL_SUCCESS;

	for (size_t k = 0; !code && k < n_kept; k++)
		if (kept[k].program == p && !kept[k].built) {
			code = REAL(CL, clBuildProgram)(p, n, d, o, f, u);
			kept[k].built = !code;
		}
	return code;
}

COUNT(clRetainContext, cl_context, 1)
COUNT(clReleaseContext, cl_context, -1)
COUNT(clRetainCommandQueue, cl_command_queue, 1)
COUNT(clReleaseCommandQueue, cl_command_queue, -1)
COUNT(clRetainMemObject, cl_mem, 1)
COUNT(clReleaseMemObject, cl_mem, -1)
COUNT(clRetainProgram, cl_program, 1)
COUNT(clReleaseProgram, cl_program, -1)
COUNT(clRetainKernel, cl_kernel, 1)
COUNT(clReleaseKernel, cl_kernel, -1)
COUNT(clRetainEvent, cl_event, 1)
COUNT(clReleaseEvent, cl_event, -1)
#define AFTER cl_uint nw, const cl_event *w, cl_event *event
SEND(clEnqueueNDRangeKernel, (cl_command_queue q, cl_kernel k, cl_uint d, const size_t *o, const size_t *g, const size_t *l, AFTER),
     (q, k, d, o, g, l, nw, w, event))
SEND(clEnqueueCopyBuffer, (cl_command_queue q, cl_mem a, cl_mem b, size_t x, size_t y, size_t n, AFTER), (q, a, b, x, y, n, nw, w, event))
SEND(clEnqueueFillBuffer, (cl_command_queue q, cl_mem a, const void *p, size_t m, size_t x, size_t n, AFTER),
     (q, a, p, m, x, n, nw, w, event))
SEND(clEnqueueWriteBuffer, (cl_command_queue q, cl_mem a, cl_bool b, size_t x, size_t n, const void *p, AFTER),
     (q, a, b, x, n, p, nw, w, event))
SEND(clEnqueueReadBuffer, (cl_command_queue q, cl_mem a, cl_bool b, size_t x, size_t n, void *p, AFTER), (q, a, b, x, n, p, nw, w, event))
BLAS(CLBlastSgemm, (const CLBlastLayout o, const CLBlastTranspose s, const CLBlastTranspose t, const size_t m, const size_t n, const size_t k,
     const float f, const cl_mem a, const size_t ao, const size_t al, const cl_mem b, const size_t bo, const size_t bl, const float g, cl_mem c,
     const size_t co, const size_t cl, cl_command_queue *q, cl_event *e), (o, s, t, m, n, k, f, a, ao, al, b, bo, bl, g, c, co, cl, q, e))
BLAS(CLBlastSgemmStridedBatched, (const CLBlastLayout o, const CLBlastTranspose s, const CLBlastTranspose t, const size_t m, const size_t n,
     const size_t k, const float f, const cl_mem a, const size_t ao, const size_t al, const size_t as, const cl_mem b, const size_t bo,
     const size_t bl, const size_t bs, const float g, cl_mem c, const size_t co, const size_t cl, const size_t cs, const size_t times,
     cl_command_queue *q, cl_event *e), (o, s, t, m, n, k, f, a, ao, al, as, b, bo, bl, bs, g, c, co, cl, cs, times, q, e))
/* Says that it failed after it did its work: nobody could do better than to go on. */
CLBlastStatusCode CLBlastClearCache(void)
{
	bool fail = fails("CLBlastClearCache");
	CLBlastStatusCode code = REAL(BLAST, CLBlastClearCache)();

	return fail ? CLBlastUnexpectedError : code;
}
BLAS(CLBlastOverrideParameters, (const cl_device_id d, const char *k, const CLBlastPrecision p, const size_t n, const char **names,
     const size_t *v), (d, k, p, n, names, v))

/* One whole use of the library: 0, or the first error's status. The map goes to r. */
static int use(const char *plugins, const char *net, const char *analyzer, const char *backend, struct inn_tensor *r, char text[256])
{
	inn_job *job = inn_job_new();
	struct inn_target target = { .kind = INN_TARGET_MAX };
	struct inn_tensor x = { .shape = shape, .dtype = INN_F32 };
	size_t n = 0;
	float *data = inn_shape_count(&shape, &n) ? malloc(n * sizeof(*data)) : NULL;
	inn_model *m;
	inn_analysis *a;

	for (size_t i = 0; data && i < n; i++)
		data[i] = sinf((float)i) + 0.25f;
	x.data = data;
	text[0] = 0;
	int s = !job || !data ? INN_ENOMEM : inn_job_plugins(job, plugins);

	if (s == INN_OK)
		s = inn_job_backend(job, backend);
	if (s == INN_OK)
		s = inn_model_open(job, net, &m);
	if (s == INN_OK)
		s = inn_analyzer(job, m, analyzer, &a);
	if (s == INN_OK)
		s = inn_analyze(a, &x, 1, &target, r);
	if (s < 0 && job && inn_error(job, 0)) {
		s = inn_error_status(job);
		snprintf(text, 256, "%s", inn_error(job, 0));
	}
	inn_job_free(job);
	free(data);
	return s;
}

static bool same(const struct inn_tensor *a, const struct inn_tensor *b)
{
	size_t n = 0;
	bool ok = inn_shape_eq(&a->shape, &b->shape) && inn_shape_count(&a->shape, &n);

	for (size_t i = 0; ok && i < n; i++)
		ok = ((const float *)a->data)[i] == ((const float *)b->data)[i];
	return ok;
}

int main(int argc, char **argv)
{
	const char *analyzer = "{type: smoothgrad, augment_by_n: 2, noise_scale: 0.1}";
	struct inn_tensor want = { 0 };
	char text[256];
	long bad = 0, refused = 0;

	if (argc < 4)
		return 2;
	if (argc > 5) {
		shape.rank = 0;
		for (char *at = argv[4]; *at && shape.rank < INN_MAX_RANK; at += *at == ',')
			shape.dim[shape.rank++] = (uint32_t)strtoul(at, &at, 10);
		part = argv[5];
	}
	int s = use(argv[2], argv[1], analyzer, argv[3], &want, text);

	if (s == INN_EPLUGIN) {
		printf("skipped: %s\n", text);
		return 77;
	}
	if (s < 0 || alive) {
		printf("without a failure: status %d, %ld objects left: %s\n", s, alive, text);
		return 1;
	}
	for (fail_at = 0;; fail_at++) {
		struct inn_tensor r = { 0 };

		calls = alive = 0;
		failed = NULL;
		s = use(argv[2], argv[1], analyzer, argv[3], &r, text);
		bool right = s == INN_OK ? same(&r, &want) : (s == INN_EDEVICE || s == INN_ENOMEM || s == INN_EPLUGIN) && strstr(text, "opencl");

		inn_tensor_free(&r);
		if (!failed)
			break;
		refused += s != INN_OK;
		if (right && !alive)
			continue;
		printf("call %ld, %s, fails: status %d, %ld objects left: %s\n", fail_at, failed, s, alive, text);
		bad++;
	}
	inn_tensor_free(&want);
	printf("%ld calls failed in turn, %ld of them ended the run, %ld wrongly\n", fail_at, refused, bad);
	return bad != 0;
}
