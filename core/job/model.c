/* Opening a network: the file, its format, the graph, the passes. */
#include "job.h"
#include <string.h>

uint64_t inn__model_hash(struct inn_model *m) { return m->hash ? m->hash : (m->hash = inn__file_hash(&m->file)); }

uint64_t inn__model_key(struct inn_model *m)
{
	uint64_t h = inn__model_hash(m);

	for (size_t i = 0; i < m->passes.n; i++)
		for (const char *s = inn__print_inst(m->job->ctx, &m->passes.v[i]); *s; s++)
			h = (h ^ (unsigned char)*s) * 0x100000001b3u;
	return h;
}

int inn__model_open(inn_job *job, const char *path, const struct inn_insts *passes, struct inn_model **out)
{
	struct inn_model *m;
	int status = inn__defaults(job);

	*out = NULL;
	if (status < 0)
		return status;
	if (!(m = inn_alloc(job->ctx, 1, sizeof(*m))) || !(m->path = inn_strdup(job->ctx, path)))
		return INN_ENOMEM;
	if ((status = inn__file_map(job->ctx, m->path, INN_EMODEL, &m->file)) < 0)
		return status;
	if ((status = inn_within(job->ctx, INN_LIMIT_MODEL_BYTES, &(struct inn_loc){ .file = m->path }, m->file.size, 0, "bytes of the model")) < 0) {
		inn__file_unmap(&m->file);
		return status;
	}
	m->job = job;
	m->next = job->models;
	job->models = m; /* from now on the job unmaps */
	m->passes = passes->v ? *passes : job->def.passes;
	if (!(m->format = inn__format_of(job, m->path, &m->file)))
		return inn__last_status(job->ctx);
	if (!m->format->read_graph)
		return inn_fail(job->ctx, INN_EMODEL, NULL, "%s: files of format %s hold no network", path, m->format->cls.name);
	*out = m;
	return INN_OK;
}

struct model_opts { const char *path; struct inn_insts passes; };
static const struct inn_param model_rows[] = {
	INN_PATH(struct model_opts, path, NULL, "the model's file"),
	INN_CLASSES(struct model_opts, passes, INN_PASS, "what changes the network before it is analyzed"),
	{ 0 },
};

int inn__model_bind(inn_job *job, const struct inn__yaml *y, const char **path, struct inn_insts *passes)
{
	struct model_opts o = { 0 };

	*passes = (struct inn_insts){ 0 };
	if (y->kind == INN__SCALAR)
		return (*path = inn__yaml_path(job->ctx, y)) ? INN_OK : INN_ENOMEM;
	if (y->kind != INN__MAP)
		return inn_fail(job->ctx, INN_ECONFIG, &y->loc, "model: a path or a mapping is expected");
	int status = inn__bind_params(job->ctx, job->finder, "model", model_rows, sizeof(*model_rows), y, NULL, &o);

	if (status == INN_OK && !o.path)
		status = inn_fail(job->ctx, INN_ECONFIG, &y->loc, "model: path is missing");
	*path = o.path;
	*passes = o.passes;
	return status;
}

int inn__model_of(inn_job *job, const char *text, struct inn_model **m)
{
	struct inn_insts passes = { 0 };
	struct inn__yaml *y;
	int status;

	*m = NULL;
	if (*text != '{')
		return inn__model_open(job, text, &passes, m);
	if ((status = inn__defaults(job)) < 0 || (status = inn__yaml_text(job->ctx, "model", text, &y)) < 0 ||
	    (status = inn__model_bind(job, y, &text, &passes)) < 0)
		return status;
	return inn__model_open(job, text, &passes, m);
}

static int run_pass(struct inn_model *m, inn_graph *g, const struct inn_inst *inst)
{
	const struct inn_pass_ops *pass = (const struct inn_pass_ops *)(const void *)inst->cls;
	inn_ctx *ctx = m->job->ctx;
	int status;

	if (!pass->apply)
		return inn_fail(ctx, INN_EPLUGIN, &inst->loc, "pass %s does nothing", inst->label);
	if ((status = pass->apply(ctx, g, inst->opts)) < 0 || (status = inn__graph_resolve(g, 0)) < 0)
		return inn_while(ctx, status, NULL, "in pass %s over %s", inst->label, m->path);
	return INN_OK;
}

inn_graph *inn__model_read(struct inn_model *m, bool plain)
{
	inn_ctx *ctx = m->job->ctx;
	inn_graph **slot = plain ? &m->plain : &m->graph, *g;
	struct inn_inst inst;
	int status = inn__bind_name(ctx, m->job->finder, INN_FORMAT, m->format->cls.name, &inst);

	if (*slot || status < 0)
		return *slot;
	if (!(g = inn__graph_new(ctx, m->job->finder)))
		return NULL;
	if ((status = m->format->read_graph(ctx, &m->file, inst.opts, g)) < 0) {
		inn_while(ctx, status, NULL, "reading %s", m->path);
		inn__graph_free(g);
		return NULL;
	}
	return *slot = g;
}

static int settle(struct inn_model *m, inn_graph *g, const struct inn_insts *passes)
{
	int status = inn__graph_resolve(g, 0);

	if (status < 0)
		return inn_while(m->job->ctx, status, NULL, "in %s", m->path);
	for (size_t i = 0; status == INN_OK && i < passes->n; i++)
		status = run_pass(m, g, &passes->v[i]);
	return status == INN_OK ? inn__file_same(m->job->ctx, &m->file, INN_EMODEL) : status;
}

inn_graph *inn__model_graph(struct inn_model *m, bool plain)
{
	inn_graph **slot = plain ? &m->plain : &m->graph;

	if (m->settled[plain] || !inn__model_read(m, plain))
		return *slot;
	if (settle(m, *slot, plain ? &m->job->def.predict_passes : &m->passes) < 0) {
		inn__graph_free(*slot);
		return *slot = NULL;
	}
	m->settled[plain] = true;
	return *slot;
}
