/* Files of several arrays that analyzers read: states, and arrays that parameters name. Opened once, kept until the job ends. */
#include "job.h"
#include <stdlib.h>
#include <string.h>

static int read_all(inn_job *job, struct inn__archive *a)
{
	const struct inn_format_ops *f;
	struct inn_stream s;
	struct inn_inst inst;
	int status = inn__file_map(job->ctx, a->path, INN_EDATA, &s);

	if (status < 0)
		return status;
	a->hash = inn__file_hash(&s);
	if (!(f = inn__format_of(job, a->path, &s)))
		status = inn__last_status(job->ctx);
	else if (!f->read_named)
		status = inn_fail(job->ctx, INN_EDATA, NULL, "%s: files of format %s do not hold several arrays", a->path, f->cls.name);
	else if ((status = inn__bind_name(job->ctx, job->finder, INN_FORMAT, f->cls.name, &inst)) == INN_OK)
		status = f->read_named(job->ctx, &s, inst.opts, &a->v, &a->n);
	return inn__file_close(job->ctx, &s, status);
}

int inn__archive_open(inn_job *job, const char *path, struct inn__archive **out)
{
	struct inn__archive *a;
	int status;

	for (a = job->archives; a; a = a->next)
		if (!strcmp(a->path, path)) {
			*out = a;
			return INN_OK;
		}
	*out = NULL;
	if (!(a = inn_alloc(job->ctx, 1, sizeof(*a))) || !(a->path = inn_strdup(job->ctx, path)))
		return INN_ENOMEM;
	if ((status = read_all(job, a)) < 0) {
		inn__archive_close(a);
		return status;
	}
	a->next = job->archives;
	job->archives = a;
	if ((status = inn__head_read(job, a, &a->head)) < 0)
		return status;
	*out = a;
	return INN_OK;
}

void inn__archive_close(struct inn__archive *a)
{
	for (uint32_t i = 0; i < a->n; i++)
		inn_tensor_free(&a->v[i].t);
	a->n = 0;
	a->path = "";
}

void inn__archive_forget(inn_job *job, const char *path)
{
	for (struct inn__archive *a = job->archives; a; a = a->next)
		if (!strcmp(a->path, path))
			inn__archive_close(a);
}

const struct inn_tensor *inn__archive_find(const struct inn__archive *a, const char *name)
{
	for (uint32_t i = 0; i < a->n; i++)
		if (!strcmp(a->v[i].name, name))
			return &a->v[i].t;
	return NULL;
}
