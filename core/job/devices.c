/* What backends could compute on, and which one `auto` takes. */
#include "job.h"
#include <stdlib.h>
#include <string.h>

struct shown { struct inn__text *t; bool json; size_t n; };

static void field(struct shown *s, const char *key, const char *value)
{
	inn__text_add(s->t, ", \"%s\": ", key);
	inn__text_json(s->t, value);
}

static void show_device(void *user, const struct inn_device *d)
{
	struct shown *s = user;

	if (s->json) {
		inn__text_add(s->t, "%s{\"index\": %zu", s->n ? ", " : "", s->n);
		field(s, "platform", d->platform);
		field(s, "name", d->name);
		field(s, "kind", d->kind);
		field(s, "driver", d->driver);
		inn__text_add(s->t, ", \"memory\": %llu, \"taken\": %s}", (unsigned long long)d->memory, d->why ? "true" : "false");
	} else {
		inn__text_add(s->t, "    %s %zu  %s, %s, %.1f GiB, %s, driver %s%s%s\n", d->why ? "*" : " ", s->n, d->name, d->kind,
			      (double)d->memory / (1 << 30), d->platform, d->driver, d->why ? ": " : "", d->why ? d->why : "");
	}
	s->n++;
}

/* One backend of the list: its score and what it sees. What it lacks is text here, not a failure. */
static int show_backend(inn_job *job, const char *name, struct shown *s, int *score)
{
	uint32_t before = inn__errors(job->ctx);
	struct inn_inst inst = { 0 };
	const char *lacks = NULL;
	int status = INN_OK;

	*score = 0;
	s->n = 0;
	if (job->backend.cls && !strcmp(job->backend.cls->name, name))
		inst = job->backend;
	else if (inn__find(job->reg, INN_BACKEND, name, NULL))
		status = inn__bind_name(job->ctx, job->finder, INN_BACKEND, name, &inst);
	const struct inn_backend_ops *ops = (const struct inn_backend_ops *)(const void *)inst.cls;

	if (status == INN_ENOMEM)
		return status;
	if (ops && ops->score)
		*score = ops->score(job->ctx, inst.opts);
	if (s->json)
		inn__text_add(s->t, "{\"backend\": \"%s\", \"score\": %d, \"devices\": [", name, *score);
	else
		inn__text_add(s->t, "  %-10s %s\n", name, *score > 0 ? "can be taken" : ops ? "is not taken unless asked for" : "is not here");
	if (ops && ops->devices)
		status = ops->devices(job->ctx, inst.opts, show_device, s);
	if (inn__errors(job->ctx) > before)
		lacks = inn__error(job->ctx, before)->text;
	if (s->json)
		inn__text_add(s->t, "]");
	if (lacks && s->json)
		field(s, "lacks", lacks);
	else if (lacks)
		inn__text_add(s->t, "      %s\n", lacks);
	if (s->json)
		inn__text_add(s->t, "}");
	if (!before)
		inn__errors_clear(job->ctx);
	return status == INN_ENOMEM ? status : INN_OK;
}

int inn__devices(inn_job *job, bool json, FILE *out)
{
	struct inn__text t = { 0 };
	struct shown s = { .t = &t, .json = json };
	const struct inn_strs *list = &job->def.backends;
	const char *taken = NULL;
	int status = inn__defaults(job), score;

	if (status < 0)
		return status;
	inn__text_add(&t, "%s", json ? "{\"schema\": 1, \"backends\": [" : "");
	for (size_t i = 0; status == INN_OK && i < list->n; i++) {
		inn__text_add(&t, "%s", json && i ? ", " : "");
		status = show_backend(job, list->v[i], &s, &score);
		if (score > 0 && !taken)
			taken = list->v[i];
	}
	if (json) {
		inn__text_add(&t, "], \"auto\": ");
		inn__text_json(&t, taken);
		inn__text_add(&t, "}\n");
	} else {
		inn__text_add(&t, "auto takes %s, the first that can be taken\n", taken ? taken : "nothing");
	}
	if (status == INN_OK && t.failed)
		status = inn_nomem(job->ctx);
	if (status == INN_OK)
		fputs(t.s ? t.s : "", out);
	free(t.s);
	return status;
}

int inn__tune(inn_job *job)
{
	int status = inn__defaults(job);
	const struct inn_backend_ops *ops = (const struct inn_backend_ops *)(const void *)job->backend.cls;

	if (status < 0)
		return status;
	if (!ops)
		return inn_fail(job->ctx, INN_ECONFIG, NULL, "say which backend is tuned: -b NAME");
	if (!ops->tune)
		return inn_fail(job->ctx, INN_ECONFIG, NULL, "backend %s has nothing to tune", ops->cls.name);
	return ops->tune(job->ctx, job->backend.opts);
}
