/* Programs: built from source once, then taken from a file that is named by all they depend on. */
#include "opencl.h"
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static uint64_t hash(uint64_t h, const void *data, size_t n)
{
	const unsigned char *p = data;

	for (size_t i = 0; i < n; i++)
		h = (h ^ p[i]) * 0x100000001b3u;
	return h;
}

/* The file of a program: false where there is no folder for it. */
static bool file_of(const inn_dev *d, const char *source, size_t n, char path[PATH_MAX])
{
	const char *own = secure_getenv("INNVESTIGATE_CACHE"), *xdg = secure_getenv("XDG_CACHE_HOME"), *home = secure_getenv("HOME");
	char base[PATH_MAX - 64];
	uint64_t h = hash(hash(hash(0xcbf29ce484222325u, source, n), d->build, strlen(d->build)), d->cache, strlen(d->cache));
	int len = own && *own ? snprintf(base, sizeof(base), "%s", own) : xdg && *xdg == '/' ? snprintf(base, sizeof(base), "%s/innvestigate", xdg) :
		  home && *home == '/' ? snprintf(base, sizeof(base), "%s/.cache/innvestigate", home) : -1;

	if (len < 0 || (size_t)len >= sizeof(base))
		return false;
	for (char *at = base + 1;; at++) {
		char was = *at;

		if (was && was != '/')
			continue;
		*at = 0;
		if (mkdir(base, 0700) < 0 && errno != EEXIST)
			return false;
		if (!(*at = was))
			break;
	}
	snprintf(path, PATH_MAX, "%s/%016llx.cl.bin", base, (unsigned long long)h);
	return true;
}

/* What the file holds, if it is ours and nobody else may write it; NULL otherwise. */
static unsigned char *load(const char *path, size_t *n)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	struct stat st;
	unsigned char *data = NULL;

	if (fd >= 0 && !fstat(fd, &st) && S_ISREG(st.st_mode) && st.st_uid == geteuid() && !(st.st_mode & 022) && st.st_size > 0 &&
	    st.st_size < 1 << 28 && (data = malloc((size_t)st.st_size))) {
		*n = (size_t)st.st_size;
		if (read(fd, data, *n) != (ssize_t)*n) {
			free(data);
			data = NULL;
		}
	}
	if (fd >= 0)
		close(fd);
	return data;
}

static void store(const char *path, const void *data, size_t n)
{
	char tmp[PATH_MAX + 16];

	snprintf(tmp, sizeof(tmp), "%s.XXXXXX", path);
	int fd = mkstemp(tmp);

	if (fd < 0)
		return;
	bool ok = write(fd, data, n) == (ssize_t)n;

	ok = !close(fd) && ok;
	if (!ok || rename(tmp, path) < 0)
		unlink(tmp);
}

static void keep(const char *path, cl_program program)
{
	size_t n = 0;
	unsigned char *data;

	if (clGetProgramInfo(program, CL_PROGRAM_BINARY_SIZES, sizeof(n), &n, NULL) || !n || !(data = malloc(n)))
		return;
	if (!clGetProgramInfo(program, CL_PROGRAM_BINARIES, sizeof(data), &data, NULL))
		store(path, data, n);
	free(data);
}

static cl_program from_file(const inn_dev *d, const char *path)
{
	size_t n;
	unsigned char *data = load(path, &n);
	cl_int status = CL_SUCCESS, code = CL_SUCCESS;
	cl_program p = data ? clCreateProgramWithBinary(d->context, 1, &d->id, &n, (const unsigned char **)&data, &status, &code) : NULL;

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
	char path[PATH_MAX];
	bool file = *d->cache && file_of(d, source, n, path);
	cl_int code;

	if (file && (*program = from_file(d, path)))
		return INN_OK;
	*program = clCreateProgramWithSource(d->context, 1, &source, &n, &code);
	int s = ocl_check(ctx, NULL, NONE, "making a program", code);

	if (s)
		return s;
	code = clBuildProgram(*program, 1, &d->id, d->build, NULL, NULL);
	if (code)
		return refuse(ctx, d, *program, code);
	if (file)
		keep(path, *program);
	return INN_OK;
}
