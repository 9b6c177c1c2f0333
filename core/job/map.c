/* Files mapped for reading, and files that stand beside them: a model's weights. */
#include "job.h"
#include "../base/guard.h"
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#define READING (O_RDONLY | O_CLOEXEC | O_NONBLOCK) /* a pipe is refused, not waited for */

struct inn__map {            /* what stands behind a stream */
	struct inn__guard *guard;
	struct stat st;      /* when it was opened */
	struct beside *beside;
};
struct beside { struct beside *next; struct inn_stream s; char path[]; };

/* Takes fd. */
static int map(inn_ctx *ctx, int fd, const char *path, int status, struct inn_stream *s)
{
	struct inn__map *m = calloc(1, sizeof(*m));
	void *p = MAP_FAILED;

	*s = (struct inn_stream){ .path = path };
	if (!m)
		status = inn_nomem(ctx);
	else if (fstat(fd, &m->st) < 0 || !S_ISREG(m->st.st_mode))
		status = inn_fail(ctx, status, NULL, "%s is not a regular file", path);
	else if (!m->st.st_size)
		status = inn_fail(ctx, status, NULL, "%s is empty", path);
	else if ((p = mmap(NULL, (size_t)m->st.st_size, PROT_READ, MAP_PRIVATE, fd, 0)) == MAP_FAILED)
		status = inn_fail(ctx, INN_EIO, NULL, "cannot read %s: %s", path, strerror(errno));
	else if (!(m->guard = inn__guard_new(p, (size_t)m->st.st_size)))
		status = inn_nomem(ctx);
	close(fd);
	if (m && m->guard) {
		s->data = p;
		s->size = (size_t)m->st.st_size;
		s->map = m;
		return INN_OK;
	}
	if (p != MAP_FAILED)
		munmap(p, (size_t)m->st.st_size);
	free(m);
	return status;
}

int inn__file_map(inn_ctx *ctx, const char *path, int status, struct inn_stream *s)
{
	int fd = open(path, READING);

	*s = (struct inn_stream){ .path = path };
	return fd < 0 ? inn_fail(ctx, status, NULL, "cannot open %s: %s", path, strerror(errno)) : map(ctx, fd, path, status, s);
}

void inn__file_unmap(struct inn_stream *s)
{
	struct inn__map *m = s->map;

	if (!m)
		return;
	for (struct beside *b = m->beside; b;) {
		struct beside *next = b->next;

		inn__file_unmap(&b->s);
		free(b);
		b = next;
	}
	inn__guard_end(m->guard);
	munmap((void *)(uintptr_t)s->data, s->size);
	free(m);
	s->data = NULL;
	s->map = NULL;
}

/* Bytes that were lost read as zeros, those behind the end on its last page without a fault: so the file's own word counts too. */
int inn__file_same(inn_ctx *ctx, const struct inn_stream *s, int status)
{
	const struct inn__map *m = s->map;
	struct stat st;

	if (!m)
		return INN_OK;
	bool here = !stat(s->path, &st) && st.st_dev == m->st.st_dev && st.st_ino == m->st.st_ino;

	if (inn__guard_lost(m->guard) || (here && st.st_size < m->st.st_size))
		return inn_fail(ctx, status, NULL, "%s was cut off while it was read", s->path);
	if (here && (st.st_mtim.tv_sec != m->st.st_mtim.tv_sec || st.st_mtim.tv_nsec != m->st.st_mtim.tv_nsec))
		return inn_fail(ctx, status, NULL, "%s was changed while it was read", s->path);
	for (const struct beside *b = m->beside; b; b = b->next)
		if ((inn__file_same(ctx, &b->s, status)) < 0)
			return status;
	return INN_OK;
}

int inn__file_close(inn_ctx *ctx, struct inn_stream *s, int status)
{
	if (status == INN_OK)
		status = inn__file_same(ctx, s, INN_EDATA);
	inn__file_unmap(s);
	return status;
}

static uint64_t mix(uint64_t h, uint64_t v) { return (h ^ v) * 0x9e3779b97f4a7c15u ^ (h >> 29); }

uint64_t inn__file_hash(const struct inn_stream *s)
{
	const struct inn__map *m = s->map;
	uint64_t h = mix(0xcbf29ce484222325u, s->size), v;
	size_t i = 0;

	for (; i + 8 <= s->size; i += 8) {
		memcpy(&v, s->data + i, 8);
		h = mix(h, v);
	}
	for (; i < s->size; i++)
		h = mix(h, s->data[i]);
	for (const struct beside *b = m ? m->beside : NULL; b; b = b->next)
		h = mix(h, inn__file_hash(&b->s));
	return mix(h, h >> 32);
}

/* Names of folders and of a file, none of which leads up. */
static bool leads_down(const char *location)
{
	for (;;) {
		size_t n = strcspn(location, "/");

		if (!n || n > NAME_MAX || (n == 2 && !memcmp(location, "..", 2)))
			return false;
		if (!location[n])
			return true;
		location += n + 1;
	}
}

/* Every component opened on its own and no link followed, for kernels without openat2. */
static int walk(int dir, const char *location)
{
	char part[NAME_MAX + 1];
	int at = dup(dir);

	while (at >= 0) {
		size_t n = strcspn(location, "/");
		int next;

		memcpy(part, location, n);
		part[n] = 0;
		next = openat(at, part, READING | O_NOFOLLOW | (location[n] ? O_DIRECTORY : 0));
		close(at);
		if (!location[n] || next < 0)
			return next;
		at = next;
		location += n + 1;
	}
	return -1;
}

static int open_beneath(const char *folder, const char *location)
{
	struct open_how how = { .flags = READING, .resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS };
	int dir, fd, error;

	if (!leads_down(location)) {
		errno = EXDEV;
		return -1;
	}
	if ((dir = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)) < 0)
		return -1;
	fd = (int)syscall(SYS_openat2, dir, location, &how, sizeof(how));
	if (fd < 0 && (errno == ENOSYS || errno == EPERM)) /* an old kernel, or a filter that does not know the call */
		fd = walk(dir, location);
	error = errno;
	close(dir);
	errno = error;
	return fd;
}

int inn_stream_beside(inn_ctx *ctx, const struct inn_stream *s, const char *location, const struct inn_stream **other)
{
	const char *slash = strrchr(s->path, '/');
	size_t n = slash ? (size_t)(slash - s->path) + 1 : 0, len = strlen(location);
	struct inn__map *m = s->map;
	struct beside *b;
	int fd, status;

	for (b = m ? m->beside : NULL; b; b = b->next)
		if (!strcmp(b->path + n, location)) {
			*other = &b->s;
			return INN_OK;
		}
	if (!m || !(b = calloc(1, sizeof(*b) + n + len + 1)))
		return m ? inn_nomem(ctx) : inn_fail(ctx, INN_EBUG, NULL, "%s: nothing can be read beside what is no file", s->path);
	memcpy(b->path, s->path, n);
	fd = open_beneath(n ? b->path : ".", location); /* the path so far is the folder */
	memcpy(b->path + n, location, len);
	if (fd < 0)
		status = inn_fail(ctx, INN_EMODEL, NULL, "%s cannot be opened inside of the folder of %s: %s", location, s->path,
				  errno == EXDEV || errno == ELOOP ? "it leads out of there or is a link" : strerror(errno));
	else
		status = map(ctx, fd, b->path, INN_EMODEL, &b->s);
	if (status < 0) {
		free(b);
		return status;
	}
	b->next = m->beside;
	m->beside = b;
	*other = &b->s;
	return INN_OK;
}
