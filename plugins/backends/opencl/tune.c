/* Tuning: CLBlast's own tuners measure what its products are made of; the fastest set of each is stored. */
#include "opencl.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static const struct tuner { const char *program, *kernel; } tuners[] = {
	{ "clblast_tuner_copy_fast", "Copy" },           { "clblast_tuner_copy_pad", "Pad" },
	{ "clblast_tuner_transpose_fast", "Transpose" }, { "clblast_tuner_transpose_pad", "Padtranspose" },
	{ "clblast_tuner_xgemm_direct", "XgemmDirect" }, { "clblast_tuner_xgemm", "Xgemm" },
};
#define TUNERS (sizeof(tuners) / sizeof(*tuners))

struct best { double ms; char keys[1024]; };

bool ocl_tuned_path(const struct device_info *info, char path[PATH_MAX])
{
	uint64_t h = ocl_hash(OCL_HASH, info->platform_name, strlen(info->platform_name) + 1);

	return ocl_path(false, ocl_hash(h, info->name, strlen(info->name)), path);
}

/* {"KEY": value,...} as KEY=value words; the precision is no key of the kernel. */
static bool words(const char *from, char *to, size_t room)
{
	size_t n = 0;

	to[0] = 0;
	while ((from = strchr(from, '"'))) {
		size_t len = strspn(++from, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_");
		const char *value = from + len;

		if (!len || strncmp(value, "\":", 2))
			return false;
		unsigned long v = strtoul(value + 2, NULL, 10);

		if (strncmp(from, "PRECISION\"", 10)) {
			int k = snprintf(to + n, room - n, "%s%.*s=%lu", n ? " " : "", (int)len, from, v);

			if (k < 0 || (size_t)k >= room - n)
				return false;
			n += (size_t)k;
		}
		from = value + 1;
	}
	return n > 0;
}

/* A tuner's file: a line with the time, then one with the parameters, for each result. */
static void read_results(FILE *f, struct best *b)
{
	char *line = NULL, keys[sizeof(b->keys)];
	size_t cap = 0;
	double ms = 0;

	while (getline(&line, &cap, f) > 0) {
		const char *time = strstr(line, "\"time\":"), *parameters = strstr(line, "\"parameters\":");

		if (time)
			ms = strtod(time + 7, NULL);
		if (!parameters)
			continue;
		if (ms > 0 && (!b->ms || ms < b->ms) && words(parameters + 13, keys, sizeof(keys))) {
			b->ms = ms;
			memcpy(b->keys, keys, sizeof(keys));
		}
		ms = 0;
	}
	free(line);
}

/* Reads and removes all files of the folder. */
static void collect(const char *folder, struct best *b)
{
	DIR *d = opendir(folder);

	for (struct dirent *e; d && (e = readdir(d));) {
		char path[PATH_MAX];
		FILE *f;

		if (e->d_name[0] == '.' || snprintf(path, sizeof(path), "%s/%s", folder, e->d_name) >= (int)sizeof(path))
			continue;
		if ((f = fopen(path, "r"))) {
			read_results(f, b);
			fclose(f);
		}
		unlink(path);
	}
	if (d)
		closedir(d);
}

/* Runs in the folder, its table going nowhere; waits. */
static int run(inn_ctx *ctx, const char *program, const struct device_info *info, const char *folder)
{
	char platform[16], device[16];
	char *argv[] = { (char *)(size_t)program, "-platform", platform, "-device", device, "-precision", "32", NULL };
	posix_spawn_file_actions_t files;
	pid_t pid;
	int status = 0, code = posix_spawn_file_actions_init(&files);

	if (code)
		return inn_nomem(ctx);
	snprintf(platform, sizeof(platform), "%u", info->platform_at);
	snprintf(device, sizeof(device), "%u", info->at);
	if ((code = posix_spawn_file_actions_addchdir_np(&files, folder)) == 0 &&
	    (code = posix_spawn_file_actions_addopen(&files, 1, "/dev/null", O_WRONLY, 0)) == 0)
		code = posix_spawnp(&pid, program, &files, NULL, argv, environ);
	posix_spawn_file_actions_destroy(&files);
	if (code == ENOENT)
		return inn_fail(ctx, INN_EPLUGIN, NULL, "opencl: %s is missing: it comes with the package clblast-utils", program);
	while (!code && waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			code = errno;
	if (inn_cancelled(ctx))
		return inn_fail(ctx, INN_ECANCEL, NULL, "opencl: stopped");
	if (code)
		return inn_fail(ctx, INN_EDEVICE, NULL, "opencl: %s cannot be started: %s", program, strerror(code));
	if (status)
		return inn_fail(ctx, INN_EDEVICE, NULL, "opencl: %s failed with %s %d; called by hand it says why", program,
				WIFSIGNALED(status) ? "signal" : "exit code", WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status));
	return INN_OK;
}

/* The best set of each tuner, a line each. */
static int measure(inn_ctx *ctx, const struct device_info *info, const char *folder, char *text, size_t room)
{
	size_t n = 0;

	for (size_t i = 0; i < TUNERS; i++) {
		struct best b = { 0 };

		inn_warn(ctx, NULL, "opencl: %s on %s (%zu of %zu)", tuners[i].program, info->name, i + 1, TUNERS);
		int s = run(ctx, tuners[i].program, info, folder);

		collect(folder, &b);
		if (s)
			return s;
		if (!b.ms)
			return inn_fail(ctx, INN_EDEVICE, NULL, "opencl: %s measured nothing on %s; called by hand it says why", tuners[i].program,
					info->name);
		n += (size_t)snprintf(text + n, room - n, "%s %s\n", tuners[i].kernel, b.keys);
	}
	return INN_OK;
}

static int tune_device(inn_ctx *ctx, const struct device_info *info)
{
	const char *tmp = secure_getenv("TMPDIR");
	char path[PATH_MAX], folder[PATH_MAX], text[TUNERS * (sizeof(((struct best *)0)->keys) + 32)];

	snprintf(folder, sizeof(folder), "%s/innvestigate-tune.XXXXXX", tmp && *tmp == '/' ? tmp : "/tmp");
	if (!ocl_tuned_path(info, path))
		return inn_fail(ctx, INN_EIO, NULL, "opencl: there is no folder for the user's data: set HOME or XDG_DATA_HOME");
	if (!mkdtemp(folder))
		return inn_fail(ctx, INN_EIO, NULL, "%s: %s", folder, strerror(errno));
	int s = measure(ctx, info, folder, text, sizeof(text));

	rmdir(folder);
	if (!s && !ocl_store(path, text, strlen(text)))
		s = inn_fail(ctx, INN_EIO, NULL, "%s: %s", path, strerror(errno));
	if (!s)
		inn_warn(ctx, NULL, "opencl: %s: taken wherever CLBlast computes on %s", path, info->name);
	return s;
}

int ocl_tune(inn_ctx *ctx, const void *opts)
{
	struct device_info *list;
	uint32_t n, at;
	const char *why;
	int s = ocl_devices(ctx, &list, &n);

	if (s)
		return s;
	at = ocl_choose(ctx, opts, list, n, &why);
	s = at == NONE ? INN_EPLUGIN : tune_device(ctx, &list[at]);
	free(list);
	return s;
}
