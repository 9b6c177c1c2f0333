/* Which devices there are, and which of them is meant. */
#include "opencl.h"
#include <ctype.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define VENDORS "/etc/OpenCL/vendors"

static bool holds(const char *text, const char *part)
{
	size_t n = strlen(part);

	for (; *text; text++)
		if (!strncasecmp(text, part, n))
			return true;
	return !n;
}

/* The driver library that an ICD file names runs on the processor. */
static bool for_processors(const char *path)
{
	char line[256] = "";
	FILE *f = fopen(path, "r");

	if (f) {
		if (!fgets(line, sizeof(line), f))
			line[0] = 0;
		fclose(f);
	}
	return holds(line, "pocl");
}

bool ocl_only_processors(void)
{
	const char *own = secure_getenv("OCL_ICD_VENDORS"), *dir = own && *own ? own : VENDORS;
	DIR *d = opendir(dir);
	bool only = true;

	if (!d) /* a single file, or nothing */
		return for_processors(dir) || !own;
	for (struct dirent *e; only && (e = readdir(d));) {
		char path[512];
		size_t n = strlen(e->d_name);

		snprintf(path, sizeof(path), "%s/%s", dir, e->d_name);
		only = n < 4 || strcmp(e->d_name + n - 4, ".icd") || for_processors(path);
	}
	closedir(d);
	return only;
}

static void text_of(cl_device_id id, cl_device_info what, char *to, size_t n)
{
	if (clGetDeviceInfo(id, what, n, to, NULL))
		to[0] = 0;
	to[n - 1] = 0;
}

static void describe(struct device_info *d, cl_platform_id platform, cl_device_id id)
{
	*d = (struct device_info){ .platform = platform, .id = id };
	if (clGetPlatformInfo(platform, CL_PLATFORM_NAME, sizeof(d->platform_name), d->platform_name, NULL))
		d->platform_name[0] = 0;
	text_of(id, CL_DEVICE_NAME, d->name, sizeof(d->name));
	text_of(id, CL_DRIVER_VERSION, d->driver, sizeof(d->driver));
	if (clGetDeviceInfo(id, CL_DEVICE_TYPE, sizeof(d->type), &d->type, NULL))
		d->type = CL_DEVICE_TYPE_DEFAULT;
	if (clGetDeviceInfo(id, CL_DEVICE_GLOBAL_MEM_SIZE, sizeof(d->memory), &d->memory, NULL))
		d->memory = 0;
}

static int add_platform(inn_ctx *ctx, cl_platform_id platform, uint32_t at, struct device_info **list, uint32_t *n)
{
	cl_device_id ids[64];
	cl_uint count = 0;
	cl_int code = clGetDeviceIDs(platform, CL_DEVICE_TYPE_ALL, 64, ids, &count);

	if (code == CL_DEVICE_NOT_FOUND)
		return INN_OK;
	if (code)
		return ocl_check(ctx, NULL, NONE, "listing devices", code);
	count = count < 64 ? count : 64;
	struct device_info *more = realloc(*list, (*n + count + 1) * sizeof(*more));

	if (!more)
		return inn_nomem(ctx);
	*list = more;
	for (cl_uint i = 0; i < count; i++) {
		describe(&more[*n], platform, ids[i]);
		more[*n].platform_at = at;
		more[(*n)++].at = i;
	}
	return INN_OK;
}

int ocl_devices(inn_ctx *ctx, struct device_info **list, uint32_t *n)
{
	cl_platform_id platforms[32];
	cl_uint count = 0;
	cl_int code = clGetPlatformIDs(32, platforms, &count);
	int s = INN_OK;

	*list = NULL;
	*n = 0;
	if (code == -1001 || (!code && !count))
		return inn_fail(ctx, INN_EPLUGIN, NULL, "opencl: no driver (ICD) is installed: %s names none; a GPU's comes with its vendor's driver, "
				"and pocl-opencl-icd runs on the processor", VENDORS);
	if (code)
		return ocl_check(ctx, NULL, NONE, "listing platforms", code);
	for (cl_uint i = 0; !s && i < count && i < 32; i++)
		s = add_platform(ctx, platforms[i], i, list, n);
	if (!s && !*n)
		s = inn_fail(ctx, INN_EPLUGIN, NULL, "opencl: %u platform%s, but no device", count, count == 1 ? "" : "s");
	if (s) {
		free(*list);
		*list = NULL;
	}
	return s;
}

static int rank_of(const struct device_info *d)
{
	return d->type & CL_DEVICE_TYPE_CPU ? 1 : d->type & CL_DEVICE_TYPE_GPU ? 3 : 2;
}

/* Largest kind first, then most memory; the first of equals. */
static bool better(const struct device_info *a, const struct device_info *b)
{
	return rank_of(a) != rank_of(b) ? rank_of(a) > rank_of(b) : a->memory > b->memory;
}

static bool is_index(const char *s, uint32_t *index)
{
	char *end;
	unsigned long v = strtoul(s, &end, 10);

	*index = (uint32_t)v;
	return isdigit((unsigned char)*s) && !*end && v < UINT32_MAX;
}

uint32_t ocl_choose(inn_ctx *ctx, const struct ocl_opts *o, const struct device_info *list, uint32_t n, const char **why)
{
	uint32_t best = NONE, seen = 0, index = NONE;
	bool by_index = is_index(o->device, &index);

	for (uint32_t i = 0; i < n; i++) {
		if (!holds(list[i].platform_name, o->platform))
			continue;
		if (by_index ? seen++ != index : !holds(list[i].name, o->device))
			continue;
		if (best == NONE || better(&list[i], &list[best]))
			best = i;
	}
	if (best == NONE)
		inn_fail(ctx, INN_EPLUGIN, NULL, "opencl: no device fits platform '%s' and device '%s'; `innvestigate devices` lists what there is",
			 o->platform, o->device);
	else
		*why = *o->device || *o->platform ? "as asked" : n == 1 ? "the only one" : rank_of(&list[best]) == 3 ? "the GPU with most memory" :
		       rank_of(&list[best]) == 2 ? "the accelerator with most memory" : "the processor: there is no GPU";
	return best;
}
