/* Which backend computes, and a plan on its device. */
#include "job.h"
#include "../base/guard.h"
#include <stdlib.h>

static const struct inn_backend_ops *ops_of(const struct inn_inst *i) { return (const struct inn_backend_ops *)(const void *)i->cls; }

/* The first of the list that can work here. */
static int choose(inn_job *job)
{
	const struct inn_strs *list = &job->def.backends;

	for (size_t i = 0; i < list->n; i++) {
		uint32_t before = inn__errors(job->ctx);
		struct inn_inst inst;

		if (!inn__find(job->reg, INN_BACKEND, list->v[i], NULL)) {
			if (inn__errors(job->ctx) > before) {
				inn_warn(job->ctx, NULL, "backend %s cannot be used: %s", list->v[i],
					 inn__error(job->ctx, inn__errors(job->ctx) - 1)->text);
				if (!before)
					inn__errors_clear(job->ctx);
			}
			continue;
		}
		int status = inn__bind_name(job->ctx, job->finder, INN_BACKEND, list->v[i], &inst);

		if (status < 0)
			return status;
		if (ops_of(&inst)->score && ops_of(&inst)->score(job->ctx, inst.opts) > 0) {
			inn_info(job->ctx, "backend %s", list->v[i]);
			job->backend = inst;
			return INN_OK;
		}
	}
	return inn_fail(job->ctx, INN_EPLUGIN, NULL, "no backend can be used here");
}

int inn__backend_open(inn_job *job)
{
	const char *env = secure_getenv("INNVESTIGATE_BACKEND");
	int status = inn__defaults(job);

	if (status < 0 || job->dev)
		return status;
	if (!job->backend_given && env && *env && (status = inn_job_backend(job, env)) < 0)
		return inn_while(job->ctx, status, NULL, "from $INNVESTIGATE_BACKEND");
	if (!job->backend.cls && (status = choose(job)) < 0)
		return status;
	job->ops = ops_of(&job->backend);
	if (!job->ops->open || !job->ops->compile || !job->ops->write || !job->ops->run || !job->ops->read)
		return inn_fail(job->ctx, INN_EPLUGIN, NULL, "backend %s is incomplete", job->backend.cls->name);
	uint32_t before = inn__errors(job->ctx);

	status = job->ops->open(job->ctx, job->backend.opts, job->threads, &job->dev);
	if (status < 0 && inn__errors(job->ctx) == before)
		inn_fail(job->ctx, status, NULL, "backend %s does not open", job->backend.cls->name);
	if (status >= 0 && job->ops->describe)
		inn_info(job->ctx, "%s", job->ops->describe(job->dev));
	return status;
}

int inn__backend_compile(inn_job *job, struct inn_plan *p, inn_exec **exec)
{
	const struct inn_backend_ops *ops;
	int status = inn__backend_open(job);

	*exec = NULL;
	if (status < 0)
		return status;
	ops = job->ops;
	for (uint32_t i = 0; ops->supports && i < p->n_ops; i++)
		if ((status = ops->supports(job->ctx, job->dev, p, i)) < 0)
			return inn_while(job->ctx, status, NULL, "on backend %s", job->backend.cls->name);
	if ((status = ops->compile(job->ctx, job->dev, p, job->memory, exec)) < 0)
		return inn_while(job->ctx, status, NULL, "preparing the plan for backend %s", job->backend.cls->name);
	for (uint32_t i = 0; status == INN_OK && i < p->n_params; i++) {
		if (!p->params[i].data || !p->params[i].data->data)
			status = inn_fail(job->ctx, INN_EBUG, NULL, "a parameter of the plan has no values");
		else if ((status = ops->write(job->ctx, *exec, p->params[i].op, p->params[i].data)) < 0)
			inn_while(job->ctx, status, NULL, "writing weights");
		else
			inn__tensor_done(p->params[i].data);
	}
	if (status < 0) {
		if (ops->release)
			ops->release(*exec);
		*exec = NULL;
	}
	return status;
}

static void exchange(inn_job *job, struct inn__other *o)
{
	struct inn__other now = { job->backend, job->ops, job->dev };

	job->backend = o->backend;
	job->ops = o->ops;
	job->dev = o->dev;
	*o = now;
}

int inn__finish_begin(inn_job *job, struct inn__other *main)
{
	*main = (struct inn__other){ 0 };
	int status = inn__bind_text(job, INN_BACKEND, "finish", job->def.finish, &main->backend);

	exchange(job, main);
	return status;
}

void inn__finish_end(inn_job *job, struct inn__other *main)
{
	inn__backend_close(job);
	exchange(job, main);
}

void inn__backend_close(inn_job *job)
{
	if (job->dev && job->ops->close)
		job->ops->close(job->dev);
	job->dev = NULL;
}
