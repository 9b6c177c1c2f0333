/* The command fit: over data, or from the sums of shards. */
#include "job.h"
#include <stdlib.h>
#include <string.h>

/* K/N, K from 1. */
static int parse_shard(inn_job *job, const char *text, uint32_t *k, uint32_t *n)
{
	int64_t a, b;
	char first[16];
	const char *slash = strchr(text, '/');
	size_t length = slash ? (size_t)(slash - text) : sizeof(first);

	snprintf(first, sizeof(first), "%.*s", (int)(length < sizeof(first) ? length : 0), text);
	if (!slash || !inn__parse_int(first, &a) || !inn__parse_int(slash + 1, &b) || a < 1 || a > b || b > 1000000)
		return inn_fail(job->ctx, INN_ECONFIG, NULL, "--shard %s is no K/N with K from 1 to N", text);
	*k = (uint32_t)a;
	*n = (uint32_t)b;
	return INN_OK;
}

static void report(const struct inn__request *r, FILE *out)
{
	struct inn__text t = { 0 };

	if (!r->json)
		return;
	inn__text_add(&t, "{\"schema\": 1, \"output\": ");
	inn__text_json(&t, r->output);
	inn__text_add(&t, "}\n");
	fputs(t.s ? t.s : "", out);
	free(t.s);
}

/* That sums and states can be written there, before the work starts. */
static int archive_output(inn_job *job, const char *path)
{
	const struct inn_format_ops *f = inn__format_for(job, path);

	if (!f)
		return inn__last_status(job->ctx);
	if (!f->write_named || !f->read_named)
		return inn_fail(job->ctx, INN_ECONFIG, NULL, "%s: a state is several arrays: write to .%s", path, job->def.archive);
	return inn__writable(job->ctx, path);
}

struct fitting { struct inn__pre pre; struct inn_inst analyzer; struct inn__samples samples; struct inn__fit f; };

/* All that can be bound before a model is opened. */
static int bind(inn_job *job, const struct inn__request *r, struct fitting *t)
{
	int status = inn__defaults(job), more;

	if (status < 0)
		return status;
	if (r->preprocess)
		status = inn__pre_load(job, r->preprocess, &t->pre);
	if ((more = inn__bind_text(job, INN_ANALYZER, "-a", r->analyzer, &t->analyzer)) < 0 && status == INN_OK)
		status = more;
	if (r->shard && (more = parse_shard(job, r->shard, &t->f.shard, &t->f.shards)) < 0 && status == INN_OK)
		status = more;
	if (r->batch > 4096 && status == INN_OK)
		status = inn_fail(job->ctx, INN_ECONFIG, NULL, "--batch %lld is not within 1 to 4096", (long long)r->batch);
	return status < 0 ? status : archive_output(job, r->output);
}

int inn__request_fit(inn_job *job, const struct inn__request *r, FILE *out)
{
	struct fitting t = { .f = { .batch = (uint32_t)r->batch, .interval = r->checkpoint } };
	int status = bind(job, r, &t);

	if (status == INN_OK && (status = inn__model_of(job, r->model, &t.f.model)) == INN_OK)
		status = inn__samples_for(t.f.model, false, r->input, r->n_input, &t.pre, &t.samples);
	t.f.analyzer = &t.analyzer;
	t.f.pre = &t.pre;
	t.f.samples = &t.samples;
	if (status == INN_OK && (status = inn__fit(job, &t.f, r->output)) == INN_OK)
		report(r, out);
	inn__samples_free(&t.samples);
	return status;
}

int inn__request_merge(inn_job *job, const struct inn__request *r, FILE *out)
{
	int status = inn__defaults(job);

	if (status == INN_OK && (status = archive_output(job, r->output)) == INN_OK &&
	    (status = inn__fit_merge(job, r->file, r->n_file, r->model, r->output)) == INN_OK)
		report(r, out);
	return status;
}
