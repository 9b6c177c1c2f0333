/* States of fitted analyzers, as they are asked for while a plan is recorded: found, and held to the network. */
#include "job.h"
#include <string.h>

static int foreign(inn_ctx *ctx, const struct inn_inst *inst, const struct inn__archive *a, uint64_t model)
{
	const struct inn__head *h = a->head;
	char key[17];

	snprintf(key, sizeof(key), "%016llx", (unsigned long long)model);
	if (!h)
		return inn_fail(ctx, INN_EDATA, &inst->loc, "%s: %s is no state that `innvestigate fit` wrote", inst->label, inst->state);
	if (h->kind != INN__STATE)
		return inn_fail(ctx, INN_EDATA, &inst->loc, "%s: %s holds sums over a part of a data set, not a state; merge all parts first",
				inst->label, inst->state);
	if (!h->fits || strcmp(h->fits, ((const struct inn_analyzer_ops *)(const void *)inst->cls)->fits))
		return inn_fail(ctx, INN_EDATA, &inst->loc, "%s: %s was fitted for another analyzer: %s", inst->label, inst->state,
				h->configuration);
	if (strcmp(h->model_key, key))
		return inn_fail(ctx, INN_EDATA, &inst->loc, "%s: %s was fitted for another network, or with other passes (%s)", inst->label,
				inst->state, h->model);
	return INN_OK;
}

static const struct inn_tensor *find(void *user, const struct inn_inst *inst, const char *name, bool must)
{
	struct inn_model *m = user;
	inn_ctx *ctx = m->job->ctx;
	struct inn__archive *a;
	int status;

	if (inn_failed(ctx))
		return NULL;
	if (!inst->state) {
		if (must)
			inn_fail(ctx, INN_ECONFIG, &inst->loc, "%s must be fitted first; give the file that `innvestigate fit` writes as state: FILE",
				 inst->label);
		return NULL;
	}
	if ((status = inn__archive_open(m->job, inst->state, &a)) < 0) {
		inn_while(ctx, status, &inst->loc, "reading the state of %s", inst->label);
		return NULL;
	}
	if (foreign(ctx, inst, a, inn__model_key(m)) < 0)
		return NULL;
	const struct inn_tensor *t = inn__archive_find(a, name);

	if (!t && must)
		inn_fail(ctx, INN_EDATA, &inst->loc, "%s: %s has no %s; it was fitted for %s", inst->label, inst->state, name,
			 a->head->configuration);
	return t;
}

static const struct inn_tensor *member(void *user, const char *path, const char *name)
{
	struct inn_model *m = user;
	struct inn__archive *a;

	if (inn_failed(m->job->ctx) || inn__archive_open(m->job, path, &a) < 0)
		return NULL;
	const struct inn_tensor *t = inn__archive_find(a, name);

	if (!t)
		inn_fail(m->job->ctx, INN_EDATA, NULL, "%s has no array %s", path, name);
	return t;
}

int inn__states_attach(inn_build *b, struct inn_model *m)
{
	struct inn__store *s = inn_alloc(m->job->ctx, 1, sizeof(*s));

	if (!s)
		return INN_ENOMEM;
	*s = (struct inn__store){ .user = m, .find = find, .member = member };
	inn__net_store(b, s, NULL);
	return INN_OK;
}
