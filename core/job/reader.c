/* Batches of samples. Pictures are read and prepared one batch ahead, in a thread with a context of its own. */
#include "job.h"
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

struct inn__reader {
	const struct inn__samples *s;
	uint32_t batch;
	inn_ctx *ctx;            /* of the thread */
	pthread_t thread;
	bool running;
	size_t ahead_first;
	int ahead_status;
	struct inn_tensor ahead, *now; /* now: one for each input */
	bool *own;
};

int inn__read_image(inn_ctx *ctx, const struct inn__samples *s, size_t i, struct inn_tensor *t)
{
	const struct inn_format_ops *f = (const struct inn_format_ops *)(const void *)s->format[i].cls;
	struct inn_stream file;
	int status = inn__file_map(ctx, s->path[i], INN_EDATA, &file);

	memset(t, 0, sizeof(*t));
	if (status < 0)
		return status;
	if (!f->read_tensor)
		status = inn_fail(ctx, INN_EDATA, NULL, "%s holds no picture", s->path[i]);
	else
		status = f->read_tensor(ctx, &file, s->format[i].opts, t);
	inn__file_unmap(&file);
	if (status == INN_OK && (t->shape.rank != 3 || !t->data))
		status = inn_fail(ctx, INN_EDATA, NULL, "%s holds no picture", s->path[i]);
	if (status == INN_OK && (status = inn__pre_apply(ctx, s->pre, t)) < 0)
		inn_while(ctx, status, NULL, "preparing %s", s->path[i]);
	if (status < 0)
		inn_tensor_free(t);
	return status;
}

static int place(inn_ctx *ctx, struct inn__reader *r, uint32_t row, const struct inn_tensor *image, const char *path, struct inn_tensor *x)
{
	size_t n;

	if (!row) {
		*x = (struct inn_tensor){ .dtype = image->dtype, .shape = { .rank = image->shape.rank + 1, .dim = { r->batch } } };
		memcpy(x->shape.dim + 1, image->shape.dim, image->shape.rank * sizeof(uint32_t));
		int status = inn_tensor_alloc(ctx, x);

		if (status < 0)
			return status;
	}
	if (image->dtype != x->dtype || image->shape.rank + 1 != x->shape.rank ||
	    memcmp(image->shape.dim, x->shape.dim + 1, image->shape.rank * sizeof(uint32_t)))
		return inn_fail(ctx, INN_EDATA, NULL, "%s has another size or depth than the pictures before it, after the stages that change "
				"them", path);
	if (!inn_shape_count(&image->shape, &n))
		return inn_fail(ctx, INN_ELIMIT, NULL, "%s is too large", path);
	n *= inn_dtype_size(image->dtype);
	memcpy((char *)x->data + row * n, image->data, n);
	return INN_OK;
}

static int fetch(inn_ctx *ctx, struct inn__reader *r, size_t first, struct inn_tensor *x)
{
	struct inn_tensor image = { 0 };
	size_t have = SIZE_MAX;
	int status = INN_OK;

	*x = (struct inn_tensor){ 0 };
	for (uint32_t i = 0; status == INN_OK && i < r->batch; i++) {
		size_t k = first + i < r->s->n ? first + i : r->s->n - 1;

		if (k != have) {
			inn_tensor_free(&image);
			status = inn__read_image(ctx, r->s, k, &image);
			have = k;
		}
		if (status == INN_OK)
			status = place(ctx, r, i, &image, r->s->path[k], x);
	}
	inn_tensor_free(&image);
	if (status < 0)
		inn_tensor_free(x);
	return status;
}

static void *work(void *user)
{
	struct inn__reader *r = user;

	r->ahead_status = fetch(r->ctx, r, r->ahead_first, &r->ahead);
	return NULL;
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
	r->ctx = s->path ? inn__ctx_new() : NULL;
	if (!r->now || !r->own || (s->path && !r->ctx)) {
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
		status = fetch(ctx, r, first, &r->now[0]);
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
	if (r->s->path)
		status = pictures(r, first);
	for (uint32_t k = 0; status == INN_OK && !r->s->path && k < r->s->n_x; k++)
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
