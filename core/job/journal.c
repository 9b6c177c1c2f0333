/* The rows of an unfinished pass. A header tells which pass they belong to; records follow, each with a checksum: one that
 * was cut off by the end of its process does not count. */
#include "job.h"
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <time.h>
#include <unistd.h>

#define MAGIC 0x314a4e4e49u /* "INNJ1" */
#define EVERY 0.25          /* seconds */

struct header { uint64_t magic, key, outputs, row_bytes; };
struct record { uint64_t first, end, sum; };
struct inn__journal {
	inn_ctx *ctx;
	const char *path;
	uint64_t key;
	int fd;              /* -1 after a failure: the pass goes on without */
	off_t at;            /* the end of what counts */
	size_t written;      /* samples */
	double last;
	struct inn__exec *e;
	struct inn_tensor *out;
};

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static uint64_t sum_of(uint64_t h, const void *data, size_t n)
{
	const uint8_t *p = data;
	uint64_t word;

	for (; n >= sizeof(word); n -= sizeof(word), p += sizeof(word)) {
		memcpy(&word, p, sizeof(word));
		h = (h ^ word) * 0x9e3779b97f4a7c15u;
		h ^= h >> 29;
	}
	for (; n; n--)
		h = (h ^ *p++) * 0x100000001b3u;
	return h;
}

int inn__journal_new(inn_ctx *ctx, const char *path, uint64_t key, struct inn__journal **out)
{
	struct inn__journal *j = *out = calloc(1, sizeof(*j));

	if (!j)
		return inn_nomem(ctx);
	*j = (struct inn__journal){ .ctx = ctx, .path = path, .key = key, .last = now() };
	j->fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0666);
	if (j->fd < 0)
		return inn_fail(ctx, INN_EIO, NULL, "cannot write %s: %s", path, strerror(errno));
	if (flock(j->fd, LOCK_EX | LOCK_NB) < 0 && errno == EWOULDBLOCK)
		return inn_fail(ctx, INN_EIO, NULL, "%s: another process is at work there", path);
	return INN_OK;
}

/* Rows [first, end) of output k: where they are and how many bytes. */
static char *rows_of(const struct inn__journal *j, uint32_t k, size_t first, size_t end, size_t *bytes)
{
	const struct inn_tensor *t = &j->out[k];
	size_t n = 1, kept = t->shape.rank ? t->shape.dim[0] : 1;

	inn_shape_count(&t->shape, &n);
	n = n / kept * inn_dtype_size(t->dtype);
	first = first < kept ? first : kept;
	end = end < kept ? end : kept;
	*bytes = (end - first) * n;
	return (char *)t->data + first * n;
}

static bool whole(int fd, void *data, size_t n, off_t at, bool writing)
{
	for (char *p = data; n;) {
		ssize_t k = writing ? pwrite(fd, p, n, at) : pread(fd, p, n, at);

		if (k < 0 && errno == EINTR)
			continue;
		if (k <= 0)
			return false;
		p += k;
		at += k;
		n -= (size_t)k;
	}
	return true;
}

/* Moves one record's rows between the file and the tensors; gives the place behind them, or -1. */
static off_t move(struct inn__journal *j, struct record *r, off_t at, bool writing)
{
	uint64_t sum = sum_of(r->first, &r->end, sizeof(r->end));
	off_t head = at;
	size_t n;

	at += (off_t)sizeof(*r);
	for (uint32_t k = 0; k < j->e->n_out; k++) {
		char *data = rows_of(j, k, r->first, r->end, &n);

		if (!whole(j->fd, data, n, at, writing))
			return -1;
		sum = sum_of(sum, data, n);
		at += (off_t)n;
	}
	if (!writing)
		return r->sum == sum ? at : -1;
	r->sum = sum;
	return whole(j->fd, r, sizeof(*r), head, true) ? at : -1;
}

int inn__journal_replay(struct inn__journal *j, struct inn__exec *e, struct inn_tensor *out, size_t *done)
{
	struct header want = { .magic = MAGIC, .key = j->key, .outputs = e->n_out }, have;
	size_t samples = out[e->n_out - 1].shape.dim[0];
	struct record r;
	off_t at;

	j->e = e;
	j->out = out;
	*done = 0;
	for (uint32_t k = 0; k < e->n_out; k++) {
		size_t n;

		rows_of(j, k, 0, 1, &n);
		want.row_bytes += n;
	}
	j->at = sizeof(want);
	if (whole(j->fd, &have, sizeof(have), 0, false) && !memcmp(&have, &want, sizeof(want))) {
		while (whole(j->fd, &r, sizeof(r), j->at, false) && r.first == *done && r.end > r.first && r.end <= samples &&
		       (at = move(j, &r, j->at, false)) >= 0) {
			j->at = at;
			*done = r.end;
		}
		if (*done)
			inn_info(j->ctx, "%zu samples are taken from %s", *done, j->path);
	}
	j->written = *done;
	if (ftruncate(j->fd, j->at) < 0 || !whole(j->fd, &want, sizeof(want), 0, true))
		return inn_fail(j->ctx, INN_EIO, NULL, "cannot write %s: %s", j->path, strerror(errno));
	return INN_OK;
}

void inn__journal_add(struct inn__journal *j, size_t end, bool at_once)
{
	struct record r = { .first = j->written, .end = end };
	double t = now();

	if (j->fd < 0 || !j->e || end <= j->written || (!at_once && t - j->last < EVERY))
		return;
	off_t at = move(j, &r, j->at, true);

	if (at < 0) {
		inn_warn(j->ctx, NULL, "cannot write %s: %s; if this run is interrupted, it begins anew", j->path, strerror(errno));
		close(j->fd);
		unlink(j->path);
		j->fd = -1;
		return;
	}
	j->at = at;
	j->written = end;
	j->last = t;
}

void inn__journal_free(struct inn__journal *j, bool finished)
{
	if (!j)
		return;
	if (finished)
		unlink(j->path);
	if (j->fd >= 0)
		close(j->fd);
	free(j);
}
