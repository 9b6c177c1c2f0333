/* Pictures from files, or from the rows of an array, prepared on the host; a batch of them by several threads. */
#include "job.h"
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

const char *inn__sample_name(const struct inn__samples *s, size_t i, char buf[INN__SAMPLE_NAME])
{
	const char *slash = s->path ? strrchr(s->path[i], '/') : NULL;

	if (s->path)
		return slash ? slash + 1 : s->path[i];
	snprintf(buf, INN__SAMPLE_NAME, "sample %zu", i);
	return buf;
}

static int decode(inn_ctx *ctx, const struct inn__samples *s, size_t i, struct inn_tensor *t)
{
	const struct inn_format_ops *f = (const struct inn_format_ops *)(const void *)s->format[i].cls;
	struct inn_stream file;
	int status = inn__file_map(ctx, s->path[i], INN_EDATA, &file);

	if (status < 0)
		return status;
	if (!f->read_tensor)
		status = inn_fail(ctx, INN_EDATA, NULL, "%s holds no picture", s->path[i]);
	else
		status = f->read_tensor(ctx, &file, s->format[i].opts, t);
	status = inn__file_close(ctx, &file, status);
	if (status == INN_OK && (t->shape.rank != 3 || !t->data))
		status = inn_fail(ctx, INN_EDATA, NULL, "%s holds no picture", s->path[i]);
	return status;
}

/* Row i of an array of pictures. */
static int cut(inn_ctx *ctx, const struct inn_tensor *a, size_t i, struct inn_tensor *t)
{
	size_t n = 1;

	*t = (struct inn_tensor){ .dtype = a->dtype, .shape = { .rank = a->shape.rank - 1 } };
	memcpy(t->shape.dim, a->shape.dim + 1, t->shape.rank * sizeof(uint32_t));
	int status = inn_tensor_alloc(ctx, t);

	if (status < 0)
		return status;
	inn_shape_count(&t->shape, &n);
	n *= inn_dtype_size(t->dtype);
	memcpy(t->data, (const char *)a->data + i * n, n);
	return INN_OK;
}

int inn__read_image(inn_ctx *ctx, const struct inn__samples *s, size_t i, struct inn_tensor *t)
{
	char name[INN__SAMPLE_NAME];
	int status;

	memset(t, 0, sizeof(*t));
	status = s->path ? decode(ctx, s, i, t) : cut(ctx, &s->array[0], i, t);
	if (status == INN_OK && (status = inn__pre_apply(ctx, s->pre, t)) < 0)
		inn_while(ctx, status, NULL, "preparing %s", inn__sample_name(s, i, name));
	if (status < 0)
		inn_tensor_free(t);
	return status;
}

struct share { /* what one thread decodes: rows from, from + step, ... of the batch */
	const struct inn__samples *s;
	inn_ctx *ctx;
	size_t first;
	uint32_t from, step, batch;
	struct inn_tensor *out;
	pthread_t thread;
	bool running;
	int status;
};

static int place(struct share *w, uint32_t row, const struct inn_tensor *image, size_t sample)
{
	const struct inn_tensor *x = w->out;
	char name[INN__SAMPLE_NAME];
	size_t n = 1;

	if (image->dtype != x->dtype || image->shape.rank + 1 != x->shape.rank ||
	    memcmp(image->shape.dim, x->shape.dim + 1, image->shape.rank * sizeof(uint32_t)))
		return inn_fail(w->ctx, INN_EDATA, NULL, "%s has another size or depth than the pictures before it, after the stages that "
				"change them", inn__sample_name(w->s, sample, name));
	inn_shape_count(&image->shape, &n);
	n *= inn_dtype_size(image->dtype);
	memcpy((char *)x->data + row * n, image->data, n);
	return INN_OK;
}

static size_t sample_at(const struct share *w, uint32_t row) { return w->first + row < w->s->n ? w->first + row : w->s->n - 1; }

static void *work(void *user)
{
	struct share *w = user;

	for (uint32_t row = w->from; w->status == INN_OK && row < w->batch; row += w->step) {
		struct inn_tensor image = { 0 };

		w->status = inn__read_image(w->ctx, w->s, sample_at(w, row), &image);
		if (w->status == INN_OK)
			w->status = place(w, row, &image, sample_at(w, row));
		inn_tensor_free(&image);
	}
	return NULL;
}

/* Room for the batch, by its first picture. */
static int begin(inn_ctx *ctx, const struct inn__samples *s, size_t first, uint32_t batch, struct inn_tensor *x)
{
	struct inn_tensor image = { 0 };
	int status = inn__read_image(ctx, s, first, &image);
	size_t n = 1;

	if (status < 0)
		return status;
	*x = (struct inn_tensor){ .dtype = image.dtype, .shape = { .rank = image.shape.rank + 1, .dim = { batch } } };
	memcpy(x->shape.dim + 1, image.shape.dim, image.shape.rank * sizeof(uint32_t));
	if ((status = inn_tensor_alloc(ctx, x)) == INN_OK && inn_shape_count(&image.shape, &n))
		memcpy(x->data, image.data, n * inn_dtype_size(image.dtype));
	inn_tensor_free(&image);
	return status;
}

int inn__read_images(inn_ctx *ctx, const struct inn__samples *s, size_t first, uint32_t batch, uint32_t threads, struct inn_tensor *x)
{
	uint32_t n = threads < batch ? threads : batch;
	struct share *w = calloc(n ? n : 1, sizeof(*w));

	*x = (struct inn_tensor){ 0 };
	int status = w ? begin(ctx, s, first, batch, x) : inn_nomem(ctx);

	for (uint32_t i = 0; status == INN_OK && i < n; i++) {
		w[i] = (struct share){ .s = s, .first = first, .from = 1 + i, .step = n, .batch = batch, .out = x };
		if (!(w[i].ctx = i ? inn__ctx_helper(ctx) : ctx))
			status = inn_nomem(ctx);
	}
	for (uint32_t i = 1; status == INN_OK && i < n; i++)
		if (!(w[i].running = !pthread_create(&w[i].thread, NULL, work, &w[i])))
			work(&w[i]);
	if (status == INN_OK)
		work(&w[0]);
	for (uint32_t i = 0; w && i < n; i++) {
		if (w[i].running)
			pthread_join(w[i].thread, NULL);
		if (i && w[i].ctx) {
			inn__errors_move(ctx, w[i].ctx);
			inn__ctx_free(w[i].ctx);
		}
		status = status < 0 ? status : w[i].status;
	}
	free(w);
	if (status < 0)
		inn_tensor_free(x);
	return status;
}
