/* The formats of files, and writing that leaves the old file or the new one, never a part. */
#include "job.h"
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define LEFTOVER ".innvestigate-"

const char *inn__suffix(const char *path)
{
	const char *base = strrchr(path, '/'), *dot = strrchr(base ? base : path, '.');

	return dot && dot[1] ? dot + 1 : "";
}

/* The class that a suffix stands for; NULL without an error if there is none. */
static const struct inn_format_ops *by_suffix(inn_job *job, const char *path)
{
	char name[32];
	const char *s = inn__suffix(path);
	size_t n = strlen(s);

	if (!n || n >= sizeof(name) || inn__defaults(job) < 0)
		return NULL;
	for (size_t i = 0; i <= n; i++)
		name[i] = (char)tolower((unsigned char)s[i]);
	const struct inn__yaml *alias = inn__yaml_get(job->aliases, name);

	for (const char *p = name; !alias && *p; p++)
		if (!isalnum((unsigned char)*p))
			return NULL;
	if (!alias && !islower((unsigned char)name[0]))
		return NULL;
	return (const struct inn_format_ops *)(const void *)inn__find(job->reg, INN_FORMAT,
								       alias && alias->text ? alias->text : name, NULL);
}

struct probe { const struct inn_stream *s; const struct inn_format_ops *best; int score; };

static void probe_one(void *user, const struct inn_class *cls, const char *file)
{
	struct probe *p = user;
	const struct inn_format_ops *f = (const struct inn_format_ops *)(const void *)cls;
	int score = f->probe ? f->probe(p->s->data, p->s->size < 4096 ? p->s->size : 4096) : 0;

	(void)file;
	if (score > p->score) {
		p->score = score;
		p->best = f;
	}
}

const struct inn_format_ops *inn__format_of(inn_job *job, const char *path, const struct inn_stream *s)
{
	uint32_t before = inn__errors(job->ctx);
	const struct inn_format_ops *f = by_suffix(job, path);
	struct probe p = { .s = s };

	if (!f && inn__errors(job->ctx) > before)
		return NULL;
	if (f && (!f->probe || f->probe(s->data, s->size < 4096 ? s->size : 4096) > 0))
		return f;
	inn__each_class(job->reg, INN_FORMAT, probe_one, &p);
	if (p.best && p.best != f)
		inn_info(job->ctx, "%s is read as %s, as its content says", path, p.best->cls.name);
	if (p.best)
		return p.best;
	if (!f)
		inn_fail(job->ctx, INN_EDATA, NULL, "%s: no format is known for this file; `innvestigate list format` shows those there are", path);
	return f; /* its reader says what is wrong */
}

const struct inn_format_ops *inn__format_for(inn_job *job, const char *path)
{
	uint32_t before = inn__errors(job->ctx);
	const struct inn_format_ops *f = by_suffix(job, path);

	if (f && (f->write_tensor || f->write_named))
		return f;
	if (inn__errors(job->ctx) == before)
		inn_fail(job->ctx, INN_ECONFIG, NULL, "%s: files with this suffix cannot be written", path);
	return NULL;
}

/* Removes what killed runs left in a folder. */
static void sweep(const char *dir)
{
	DIR *d = opendir(dir);
	struct dirent *e;

	while (d && (e = readdir(d))) {
		char *end;

		if (strncmp(e->d_name, LEFTOVER, strlen(LEFTOVER)))
			continue;
		long pid = strtol(e->d_name + strlen(LEFTOVER), &end, 10);

		if (pid > 0 && *end == '-' && kill((pid_t)pid, 0) < 0 && errno == ESRCH)
			unlinkat(dirfd(d), e->d_name, 0);
	}
	if (d)
		closedir(d);
}

/* The folder of a path, "." if it names none; by malloc. */
static char *folder_of(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? strndup(path, slash == path ? 1 : (size_t)(slash - path)) : strdup(".");
}

static int put(int fd, const char *p, size_t n)
{
	while (n) {
		ssize_t k = write(fd, p, n);

		if (k < 0 && errno == EINTR)
			continue;
		if (k <= 0)
			return -1;
		p += k;
		n -= (size_t)k;
	}
	return 0;
}

struct sink { const char *path; char *dir, *temp; int fd; }; /* a file under a temporary name */

static int sink_open(inn_ctx *ctx, const char *path, struct sink *k)
{
	const char *slash = strrchr(path, '/');

	*k = (struct sink){ .path = path, .dir = folder_of(path), .fd = -1 };
	if (!k->dir || asprintf(&k->temp, "%s/" LEFTOVER "%ld-%s", k->dir, (long)getpid(), slash ? slash + 1 : path) < 0) {
		k->temp = NULL;
		return inn_nomem(ctx);
	}
	sweep(k->dir);
	k->fd = open(k->temp, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
	return k->fd < 0 ? inn_fail(ctx, INN_EIO, NULL, "cannot write %s: %s", path, strerror(errno)) : INN_OK;
}

/* Gives the file its name, or removes it if the status is an error. */
static int sink_close(inn_ctx *ctx, struct sink *k, int status)
{
	bool open_now = k->fd >= 0;

	if (status == INN_OK && fsync(k->fd) < 0)
		status = inn_fail(ctx, INN_EIO, NULL, "cannot write %s: %s", k->path, strerror(errno));
	if (open_now && close(k->fd) < 0 && status == INN_OK)
		status = inn_fail(ctx, INN_EIO, NULL, "cannot write %s: %s", k->path, strerror(errno));
	if (status == INN_OK && rename(k->temp, k->path) < 0)
		status = inn_fail(ctx, INN_EIO, NULL, "cannot write %s: %s", k->path, strerror(errno));
	if (status == INN_OK && (k->fd = open(k->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC)) >= 0) {
		fsync(k->fd); /* the name too */
		close(k->fd);
	}
	if (status < 0 && open_now)
		unlink(k->temp);
	free(k->temp);
	free(k->dir);
	return status;
}

static int sink_put(inn_ctx *ctx, const struct sink *k, const void *data, size_t n)
{
	return put(k->fd, data, n) < 0 ? inn_fail(ctx, INN_EIO, NULL, "cannot write %s: %s", k->path, strerror(errno)) : INN_OK;
}

int inn__write_file(inn_ctx *ctx, const char *path, const void *data, size_t n)
{
	struct sink k;
	int status = sink_open(ctx, path, &k);

	if (status == INN_OK)
		status = sink_put(ctx, &k, data, n);
	return sink_close(ctx, &k, status);
}

int inn__writable(inn_ctx *ctx, const char *path)
{
	char *dir = folder_of(path);
	struct stat st;
	int status = INN_OK;

	if (!dir)
		return inn_nomem(ctx);
	if (!stat(path, &st) && S_ISDIR(st.st_mode))
		status = inn_fail(ctx, INN_EIO, NULL, "cannot write %s: it is a folder", path);
	else if (access(dir, W_OK | X_OK) < 0)
		status = inn_fail(ctx, INN_EIO, NULL, "cannot write %s: folder %s: %s", path, dir, strerror(errno));
	free(dir);
	return status;
}

int inn__make_folder(inn_ctx *ctx, const char *path)
{
	char *p = strdup(path);
	int status = INN_OK;

	if (!p)
		return inn_nomem(ctx);
	for (char *s = p + 1; status == INN_OK; s++) {
		char c = *s;

		if (c && c != '/')
			continue;
		*s = 0;
		if (mkdir(p, 0777) < 0 && errno != EEXIST)
			status = inn_fail(ctx, INN_EIO, NULL, "cannot make folder %s: %s", p, strerror(errno));
		*s = c;
		if (!c)
			break;
	}
	free(p);
	if (status == INN_OK && access(path, W_OK | X_OK) < 0)
		status = inn_fail(ctx, INN_EIO, NULL, "cannot write into folder %s: %s", path, strerror(errno));
	if (status == INN_OK)
		sweep(path);
	return status;
}

static int write_with(inn_job *job, const char *path, const struct inn_tensor *t, const struct inn_named *v, uint32_t n)
{
	const struct inn_format_ops *f = inn__format_for(job, path);
	struct sink k;
	struct inn_stream s = { .path = path, .sink = &k };
	struct inn_inst inst;
	int status;

	if (!f)
		return inn__last_status(job->ctx);
	if ((status = inn__bind_name(job->ctx, job->finder, INN_FORMAT, f->cls.name, &inst)) < 0)
		return status;
	if ((status = sink_open(job->ctx, path, &k)) < 0)
		return sink_close(job->ctx, &k, status);
	if (v && f->write_named)
		status = f->write_named(job->ctx, &s, inst.opts, v, n);
	else if (!f->write_tensor)
		status = inn_fail(job->ctx, INN_ECONFIG, NULL, "%s: files with this suffix take no single tensor", path);
	else
		status = f->write_tensor(job->ctx, &s, inst.opts, v ? &v[0].t : t);
	return sink_close(job->ctx, &k, status);
}

int inn__write_tensor(inn_job *job, const char *path, const struct inn_tensor *t) { return write_with(job, path, t, NULL, 0); }

int inn__write_named(inn_job *job, const char *path, const struct inn_named *v, uint32_t n)
{
	return write_with(job, path, NULL, v, n);
}

int inn_stream_put(inn_ctx *ctx, struct inn_stream *s, const void *bytes, size_t n)
{
	if (n > SIZE_MAX / 4 - s->out_size)
		return inn_nomem(ctx);
	if (s->sink) {
		s->out_size += n;
		return sink_put(ctx, s->sink, bytes, n);
	}
	if (s->out_size + n > s->out_cap) {
		size_t cap = (s->out_size + n) * 2;
		uint8_t *p = realloc(s->out, cap);

		if (!p)
			return inn_nomem(ctx);
		s->out = p;
		s->out_cap = cap;
	}
	if (n)
		memcpy(s->out + s->out_size, bytes, n);
	s->out_size += n;
	return INN_OK;
}
