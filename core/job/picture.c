/* Maps as pictures, by the stages that defaults.yaml names. */
#include "job.h"
#include <stdlib.h>
#include <string.h>

static int apply(inn_job *job, const char *text, const struct inn_tensor *in, struct inn_tensor *out)
{
	struct inn_inst inst;
	int status = inn__bind_text(job, INN_STAGE, "picture", text, &inst);

	if (status < 0)
		return status;
	const struct inn_stage_ops *s = (const struct inn_stage_ops *)(const void *)inst.cls;

	if (!s->apply)
		return inn_fail(job->ctx, INN_EPLUGIN, NULL, "stage %s makes no picture", inst.cls->name);
	return s->apply(job->ctx, in, out, inst.opts);
}

int inn__heat_map(inn_job *job, const struct inn_tensor *map, size_t sample, struct inn_tensor *out)
{
	struct inn_tensor one = { .dtype = INN_F32 };
	size_t n;
	int status;

	*out = (struct inn_tensor){ 0 };
	if (map->shape.rank < 3)
		return inn_fail(job->ctx, INN_ECONFIG, NULL, "a map without height and width makes no picture");
	one.shape.rank = map->shape.rank - 1;
	memcpy(one.shape.dim, map->shape.dim + 1, one.shape.rank * sizeof(uint32_t));
	if ((status = inn_tensor_alloc(job->ctx, &one)) < 0)
		return status;
	inn_shape_count(&one.shape, &n);
	inn_convert((const char *)map->data + sample * n * inn_dtype_size(map->dtype), map->dtype, one.data, INN_F32, n);
	status = apply(job, job->def.heat_map, &one, out);
	inn_tensor_free(&one);
	return status;
}

/* tile[k] as u8 [H,W,3]; gray ones get three equal channels. */
static int stack(inn_job *job, const struct inn_tensor *tile, size_t n, struct inn_tensor *out)
{
	const struct inn_shape *s = &tile[0].shape;
	int status;

	*out = (struct inn_tensor){ .dtype = INN_U8, .shape = { .rank = 4, .dim = { (uint32_t)n, s->dim[0], s->dim[1], 3 } } };
	if (s->rank != 3 || (status = inn_tensor_alloc(job->ctx, out)) < 0)
		return s->rank != 3 ? inn_fail(job->ctx, INN_EBUG, NULL, "a picture of rank %u", s->rank) : status;
	for (size_t k = 0; k < n; k++) {
		const struct inn_tensor *t = &tile[k];
		size_t pixels = (size_t)s->dim[0] * s->dim[1], c = t->shape.dim[2];
		uint8_t *to = (uint8_t *)out->data + k * pixels * 3;

		if (t->dtype != INN_U8 || t->shape.rank != 3 || t->shape.dim[0] != s->dim[0] || t->shape.dim[1] != s->dim[1] || (c != 1 && c != 3))
			return inn_fail(job->ctx, INN_ESHAPE, NULL, "the pictures of a sheet have different sizes");
		for (size_t i = 0; i < pixels * 3; i++)
			to[i] = ((const uint8_t *)t->data)[c == 3 ? i : i / 3];
	}
	return INN_OK;
}

int inn__sheet(inn_job *job, struct inn_tensor *tile, size_t n, const char *const *label, uint32_t columns, struct inn_tensor *out)
{
	struct inn__text t = { 0 };
	struct inn_tensor all = { 0 };
	int status = n ? stack(job, tile, n, &all) : inn_fail(job->ctx, INN_ECONFIG, NULL, "a sheet without pictures");

	inn__text_add(&t, "{type: %s, columns: %u, labels: [", job->def.sheet, columns);
	for (size_t i = 0; i < n; i++) {
		inn__text_add(&t, i ? ", " : "");
		inn__text_json(&t, label[i]);
	}
	inn__text_add(&t, "]}");
	if (status == INN_OK && t.failed)
		status = inn_nomem(job->ctx);
	if (status == INN_OK)
		status = apply(job, t.s, &all, out);
	free(t.s);
	inn_tensor_free(&all);
	return status;
}

int inn__plot(inn_job *job, const struct inn_tensor *v, const char *const *label, const double *at, const char *title,
	      const char *axis, struct inn_tensor *out)
{
	struct inn__text t = { 0 };
	int status = INN_OK;
	char buf[32];

	inn__text_add(&t, "{type: %s, title: ", job->def.plot);
	inn__text_json(&t, title);
	inn__text_add(&t, ", axis: ");
	inn__text_json(&t, axis ? axis : "");
	inn__text_add(&t, ", labels: [");
	for (uint32_t i = 0; i < v->shape.dim[0]; i++) {
		inn__text_add(&t, i ? ", " : "");
		inn__text_json(&t, label[i]);
	}
	inn__text_add(&t, "], at: [");
	for (uint32_t i = 0; i < v->shape.dim[1]; i++)
		inn__text_add(&t, "%s%s", i ? ", " : "", inn__print_real(at[i], buf));
	inn__text_add(&t, "]}");
	status = t.failed ? inn_nomem(job->ctx) : apply(job, t.s, v, out);
	free(t.s);
	return status;
}
