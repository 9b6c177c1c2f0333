/* External data, confined to the model's folder. */
#include "tensor.h"
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

struct place { const char *location; uint64_t offset, length; bool has_length; };

static bool number(const char *s, uint64_t *v)
{
	*v = 0;
	for (; *s >= '0' && *s <= '9'; s++)
		if (__builtin_mul_overflow(*v, 10u, v) || __builtin_add_overflow(*v, (uint64_t)(*s - '0'), v))
			return false;
	return !*s;
}

static int place_of(inn_ctx *ctx, const struct inn_loc *loc, const Onnx__TensorProto *p, struct place *out)
{
	const char *name = p->name ? p->name : "";

	for (size_t i = 0; i < p->n_external_data; i++) {
		const char *key = p->external_data[i]->key, *value = p->external_data[i]->value;
		bool ok = key && value;

		if (ok && !strcmp(key, "location"))
			out->location = value;
		else if (ok && !strcmp(key, "offset"))
			ok = number(value, &out->offset);
		else if (ok && !strcmp(key, "length"))
			ok = out->has_length = number(value, &out->length);
		else if (ok && strcmp(key, "checksum"))
			ok = false;
		if (!ok)
			return inn_fail(ctx, INN_EMODEL, loc, "tensor %s: external data entry %s is not understood", name, key ? key : "");
	}
	if (!out->location || !*out->location || out->location[0] == '/')
		return inn_fail(ctx, INN_EMODEL, loc, "tensor %s: external data needs a location relative to the model", name);
	return INN_OK;
}

/* Every component opened on its own, no link followed: for kernels without openat2. */
static int walk(int dir, const char *location)
{
	char part[256];
	int at = dup(dir);

	while (at >= 0) {
		size_t n = strcspn(location, "/");
		int next;

		if (!n || n >= sizeof(part) || (n == 2 && !memcmp(location, "..", 2))) {
			close(at);
			errno = EXDEV;
			return -1;
		}
		memcpy(part, location, n);
		part[n] = 0;
		next = openat(at, part, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | (location[n] ? O_DIRECTORY : 0));
		close(at);
		if (!location[n] || next < 0)
			return next;
		at = next;
		location += n + 1;
	}
	return -1;
}

static int open_beneath(inn_ctx *ctx, const struct inn_stream *file, const char *location)
{
	const char *slash = strrchr(file->path, '/');
	char *folder = slash ? inn_printf(ctx, "%.*s/", (int)(slash - file->path), file->path) : inn_printf(ctx, ".");
	struct open_how how = { .flags = O_RDONLY | O_CLOEXEC, .resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS };
	int dir = folder ? open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1, fd;

	if (dir < 0)
		return -1;
	fd = (int)syscall(SYS_openat2, dir, location, &how, sizeof(how));
	if (fd < 0 && errno == ENOSYS)
		fd = walk(dir, location);
	int saved = errno;

	close(dir);
	errno = saved;
	return fd;
}

static bool read_all(int fd, uint64_t offset, void *data, size_t n)
{
	for (size_t got = 0; got < n;) {
		ssize_t k = pread(fd, (char *)data + got, n - got, (off_t)(offset + got));

		if (k < 0 && errno == EINTR)
			continue;
		if (k <= 0)
			return false;
		got += (size_t)k;
	}
	return true;
}

int onnx_external(inn_ctx *ctx, const struct inn_stream *file, const Onnx__TensorProto *p, size_t bytes, void **data)
{
	struct inn_loc loc = { .file = file->path };
	struct place at = { 0 };
	struct stat st;
	const char *name = p->name ? p->name : "";
	int rc = place_of(ctx, &loc, p, &at), fd;

	if (rc < 0)
		return rc;
	if (at.has_length && at.length != bytes)
		return inn_fail(ctx, INN_EMODEL, &loc, "tensor %s: external data has %llu bytes where its shape needs %zu", name,
				(unsigned long long)at.length, bytes);
	fd = open_beneath(ctx, file, at.location);
	if (fd < 0)
		return inn_fail(ctx, INN_EMODEL, &loc, "tensor %s: external data %s cannot be opened inside of the model's folder: %s", name,
				at.location, strerror(errno));
	if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode))
		rc = inn_fail(ctx, INN_EMODEL, &loc, "tensor %s: external data %s is not a regular file", name, at.location);
	else if (bytes > (uint64_t)st.st_size || at.offset > (uint64_t)st.st_size - bytes)
		rc = inn_fail(ctx, INN_EMODEL, &loc, "tensor %s: external data %s ends before byte %llu + %zu", name, at.location,
			      (unsigned long long)at.offset, bytes);
	else if (!(*data = inn_alloc(ctx, bytes, 1)))
		rc = INN_ENOMEM;
	else if (!read_all(fd, at.offset, *data, bytes))
		rc = inn_fail(ctx, INN_EIO, &loc, "tensor %s: external data %s cannot be read", name, at.location);
	close(fd);
	return rc;
}
