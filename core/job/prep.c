/* Preprocessing of pictures: stages on the host, then recorded ones in a plan of their own, so that relevance belongs to
 * what the network sees. */
#include "job.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

static const struct inn_stage_ops *stage(const struct inn__pre *pre, size_t i)
{
	return (const struct inn_stage_ops *)(const void *)pre->stage[i].cls;
}

struct pre_opts { struct inn_insts stages; };
static const struct inn_param rows[] = {
	INN_CLASSES(struct pre_opts, stages, INN_STAGE, "what is done to a picture, in order"),
	{ 0 },
};

static int unknown(inn_job *job, const char *name)
{
	struct inn__nearest near = { .want = name };

	inn__each_config(job->reg, job->def.preprocess, inn__offer_file, &near);
	return inn__suggest(job->ctx, NULL, &near, "preprocess: no %s.yaml in configs/%s (`innvestigate list preprocess`)", name, job->def.preprocess);
}

int inn__pre_load(inn_job *job, const char *name, struct inn__pre *pre)
{
	struct pre_opts o = { 0 };
	struct inn__yaml *y;
	const char *path = NULL;
	int status = inn__defaults(job);

	*pre = (struct inn__pre){ .name = name };
	if (status < 0)
		return status;
	if (name[0] == '{') {
		status = inn__yaml_text(job->ctx, "preprocess", name, &y);
	} else {
		if (strchr(name, '/') || !strcmp(inn__suffix(name), "yaml"))
			path = name;
		else if (!(path = inn_printf(job->ctx, "%s/%s.yaml", job->def.preprocess, name)) ||
			 !(path = inn__data_path(job->reg, path)))
			return unknown(job, name);
		status = inn__yaml_file(job->ctx, path, &y);
	}
	if (status == INN_OK)
		status = inn__bind_params(job->ctx, job->finder, "preprocess", rows, sizeof(*rows), y, NULL, &o);
	if (status < 0)
		return status;
	pre->n = o.stages.n;
	pre->stage = o.stages.v;
	while (pre->n_apply < pre->n && stage(pre, pre->n_apply)->apply)
		pre->n_apply++;
	for (size_t i = pre->n_apply; i < pre->n; i++)
		if (!stage(pre, i)->build)
			return inn_fail(job->ctx, INN_ECONFIG, &pre->stage[i].loc, "%s works on pictures and must stand before the stages that are recorded",
					pre->stage[i].label);
	return INN_OK;
}

int inn__pre_apply(inn_ctx *ctx, const struct inn__pre *pre, struct inn_tensor *image)
{
	for (size_t i = 0; pre && i < pre->n_apply; i++) {
		struct inn_tensor out = { 0 };
		int status = stage(pre, i)->apply(ctx, image, &out, pre->stage[i].opts);

		if (status < 0) {
			inn_tensor_free(&out);
			return inn_while(ctx, status, &pre->stage[i].loc, "in stage %s", pre->stage[i].label);
		}
		inn_tensor_free(image);
		*image = out;
	}
	return INN_OK;
}

/* The interval of channel c after all stages; pictures have values 0 to 255. */
static void interval(const struct inn__pre *pre, uint32_t c, double *low, double *high)
{
	*low = 0;
	*high = 255;
	for (size_t i = 0; i < pre->n; i++)
		if (stage(pre, i)->bounds)
			stage(pre, i)->bounds(pre->stage[i].opts, c, low, high);
}

/* The axis of a network's input that counts channels. */
static uint32_t channel_axis(const struct inn_shape *x)
{
	return x->rank == 4 && x->dim[1] > 4 && x->dim[3] <= 4 ? 3 : 1;
}

uint32_t inn__pre_sign(const struct inn__pre *pre, const struct inn_shape *x)
{
	double low, high;

	if (!pre || !pre->n || x->rank < 2)
		return 0;
	for (uint32_t c = 0; c < x->dim[channel_axis(x)]; c++) {
		interval(pre, c, &low, &high);
		if (!(low >= 0))
			return 0;
	}
	return INN_NONNEG;
}

int inn__pre_bounds(inn_build *b, const struct inn__pre *pre, const struct inn_shape *x)
{
	inn_ctx *ctx = inn_build_ctx(b);
	struct inn_tensor *t = inn_alloc(ctx, 2, sizeof(*t));
	uint32_t axis = channel_axis(x), n = x->rank > 1 ? x->dim[axis] : 1;
	double *v = inn_alloc(ctx, n, 2 * sizeof(*v));

	if (!t || !v)
		return INN_ENOMEM;
	for (uint32_t c = 0; c < n; c++)
		interval(pre, c, &v[c], &v[n + c]);
	for (uint32_t c = 0; c < 2 * n; c++)
		if (!isfinite(v[c]))
			return INN_OK;
	for (int k = 0; k < 2; k++) {
		t[k] = (struct inn_tensor){ .dtype = INN_F64, .shape = { .rank = x->rank }, .data = v + (size_t)k * n };
		for (uint32_t d = 0; d < x->rank; d++)
			t[k].shape.dim[d] = d == axis ? n : 1;
	}
	inn__net_bounds(b, inn_param_of(b, "input low", &t[0]), inn_param_of(b, "input high", &t[1]));
	return inn_failed(ctx) ? inn__last_status(ctx) : INN_OK;
}

static int record(inn_job *job, const struct inn__pre *pre, inn_build *b, const struct inn_shape *want, struct inn__prep *p)
{
	char g[INN_SHAPE_STR], w[INN_SHAPE_STR];
	inn_val v = inn__input(b, "picture", &p->in_shape, INN_NONNEG, 0);

	for (size_t i = pre ? pre->n_apply : 0; pre && i < pre->n; i++) {
		const char *from = inn__build_from(b, pre->stage[i].label);

		v = stage(pre, i)->build(b, v, pre->stage[i].opts);
		inn__build_from(b, from);
		if (inn_failed(job->ctx) || !v.id)
			return inn_while(job->ctx, inn__last_status(job->ctx), &pre->stage[i].loc, "in stage %s", pre->stage[i].label);
	}
	if (!inn_shape_eq(inn_shape_of(b, v), want))
		return inn_fail(job->ctx, INN_ESHAPE, NULL, "preprocessing gives %s, the network takes %s", inn_shape_str(inn_shape_of(b, v), g),
				inn_shape_str(want, w));
	inn__output(b, "network", v);
	return INN_OK;
}

int inn__prep_make(inn_job *job, const struct inn__pre *pre, uint32_t batch, const struct inn_tensor *image,
		   const struct inn_shape *want, struct inn__prep **out)
{
	struct inn__prep *p = *out = inn_alloc(job->ctx, 1, sizeof(*p));
	inn_build *b = p ? inn__build_new(job->ctx, batch) : NULL;
	int status;

	if (!b)
		return INN_ENOMEM;
	p->in_shape = image->shape;
	status = record(job, pre, b, want, p);
	if (status == INN_OK && !(p->plan = inn__close(b, true)))
		status = inn__last_status(job->ctx);
	inn__build_free(b);
	if (status < 0)
		return status;
	p->in = p->out = UINT32_MAX;
	for (uint32_t i = 0; i < p->plan->n_ops; i++) {
		uint32_t code = inn_plan_op(p->plan, i)->code;

		if (code == INN_OP_INPUT)
			p->in = i;
		else if (code == INN_OP_OUTPUT)
			p->out = i;
	}
	return inn__backend_compile(job, p->plan, &p->exec);
}

int inn__prep_run(inn_job *job, struct inn__prep *p, const struct inn_tensor *in, struct inn_tensor *out)
{
	int status = INN_OK;

	if (!inn_shape_eq(&in->shape, &p->in_shape))
		return inn_fail(job->ctx, INN_ESHAPE, NULL, "the pictures have different sizes after the stages that change them");
	*out = (struct inn_tensor){ .shape = inn_plan_op(p->plan, p->out)->shape, .dtype = INN_F64 };
	if ((status = inn_tensor_alloc(job->ctx, out)) < 0)
		return status;
	if (p->in != UINT32_MAX)
		status = job->ops->write(job->ctx, p->exec, p->in, in);
	if (status == INN_OK)
		status = job->ops->run(job->ctx, p->exec);
	if (status == INN_OK)
		status = job->ops->read(job->ctx, p->exec, p->out, out);
	return status < 0 ? inn_while(job->ctx, status, NULL, "in preprocessing") : status;
}

void inn__prep_free(inn_job *job, struct inn__prep *p)
{
	if (!p)
		return;
	if (p->exec && job->ops->release)
		job->ops->release(p->exec);
	inn__plan_free(p->plan);
	p->exec = NULL;
	p->plan = NULL;
}
