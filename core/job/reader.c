/* Batches of samples. Pictures are read and prepared one batch ahead, in threads with contexts of their own. */
#include "job.h"
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct inn__reader {
	const struct inn__samples *s;
	uint32_t batch, threads;
	bool decodes;            /* pictures in files, or stages on the host */
	inn_ctx *ctx;            /* of the thread */
	pthread_t thread;
	bool running;
	size_t ahead_first;
	int ahead_status;
	struct inn_tensor ahead, *now; /* now: one for each input */
	bool *own;
};

static void *work(void *user)
{
	struct inn__reader *r = user;

	r->ahead_status = inn__read_images(r->ctx, r->s, r->ahead_first, r->batch, r->threads, &r->ahead);
	return NULL;
}

/* As many as the backend may use, within reason: they work while it computes, and sleep when they are ahead. */
static uint32_t decoders(const inn_job *job)
{
	long n = job->threads ? (long)job->threads : sysconf(_SC_NPROCESSORS_ONLN);

	return n < 1 ? 1 : n > 16 ? 16 : (uint32_t)n;
}

int inn__reader_new(const struct inn__samples *s, uint32_t batch, struct inn__reader **out)
{
	struct inn__reader *r = *out = calloc(1, sizeof(*r));

	if (!r)
		return inn_nomem(s->job->ctx);
	r->s = s;
	r->batch = batch;
	r->now = calloc(s->n_x + 1u, sizeof(*r->now));
	r->own = calloc(s->n_x + 1u, sizeof(*r->own));
	r->decodes = s->path || (s->stack && s->pre->n_apply);
	r->threads = r->decodes ? decoders(s->job) : 1;
	r->ctx = r->decodes ? inn__ctx_helper(s->job->ctx) : NULL;
	if (!r->now || !r->own || (r->decodes && !r->ctx)) {
		inn__reader_free(r);
		*out = NULL;
		return inn_nomem(s->job->ctx);
	}
	return INN_OK;
}

static void release(struct inn__reader *r)
{
	for (uint32_t i = 0; r->now && r->own && i < r->s->n_x; i++) {
		if (r->own[i])
			inn_tensor_free(&r->now[i]);
		r->own[i] = false;
	}
}

/* Waits for the batch that is read ahead. */
static void settle(struct inn__reader *r)
{
	if (r->running)
		pthread_join(r->thread, NULL);
	r->running = false;
}

static int pictures(struct inn__reader *r, size_t first)
{
	inn_ctx *ctx = r->s->job->ctx;
	int status;

	settle(r);
	if (!r->ahead.data && r->ahead_status == INN_OK) {
		status = inn__read_images(ctx, r->s, first, r->batch, r->threads, &r->now[0]);
	} else {
		inn__errors_move(ctx, r->ctx);
		status = r->ahead_status;
		r->now[0] = r->ahead;
		r->ahead = (struct inn_tensor){ 0 };
	}
	if (status < 0)
		return status;
	r->own[0] = true;
	if (first + r->batch < r->s->n) {
		r->ahead_first = first + r->batch;
		r->running = !pthread_create(&r->thread, NULL, work, r);
	}
	return INN_OK;
}

static int rows(struct inn__reader *r, uint32_t k, size_t first)
{
	const struct inn_tensor *a = &r->s->array[k];
	size_t count, row;

	r->now[k] = *a;
	r->now[k].shape.dim[0] = 1;
	inn_shape_count(&r->now[k].shape, &count);
	row = count * inn_dtype_size(a->dtype);
	r->now[k].shape.dim[0] = r->batch;
	if (first + r->batch <= r->s->n) {
		r->now[k].data = (char *)a->data + first * row;
		return INN_OK;
	}
	int status = inn_tensor_alloc(r->s->job->ctx, &r->now[k]);

	if (status < 0)
		return status;
	r->own[k] = true;
	for (uint32_t i = 0; i < r->batch; i++) {
		size_t from = first + i < r->s->n ? first + i : r->s->n - 1;

		memcpy((char *)r->now[k].data + i * row, (char *)a->data + from * row, row);
	}
	return INN_OK;
}

int inn__reader_get(struct inn__reader *r, size_t first, struct inn_tensor *x)
{
	int status = INN_OK;

	release(r);
	if (r->decodes)
		status = pictures(r, first);
	for (uint32_t k = 0; status == INN_OK && !r->decodes && k < r->s->n_x; k++)
		status = rows(r, k, first);
	if (status == INN_OK)
		memcpy(x, r->now, r->s->n_x * sizeof(*x));
	return status;
}

void inn__reader_free(struct inn__reader *r)
{
	if (!r)
		return;
	settle(r);
	release(r);
	inn_tensor_free(&r->ahead);
	inn__ctx_free(r->ctx);
	free(r->now);
	free(r->own);
	free(r);
}
