/* Sums over shards of a data set: added in the order of the shards, and finished once all are there. */
#include "job.h"
#include <stdlib.h>
#include <string.h>


struct merge {
	inn_job *job;
	struct inn__archive **a; /* by their first shard */
	size_t n;
	struct inn__head head;
	struct inn_named *sum;
	uint32_t n_sum;
};

static int by_shard(const void *x, const void *y)
{
	const struct inn__archive *a = *(struct inn__archive *const *)x, *b = *(struct inn__archive *const *)y;

	return a->head->have.v[0] < b->head->have.v[0] ? -1 : a->head->have.v[0] > b->head->have.v[0];
}

static int check_part(inn_ctx *ctx, const struct inn__archive *a, const struct inn__archive *first)
{
	if (!a->head || a->head->kind != INN__SUMS || !a->head->have.n)
		return inn_fail(ctx, INN_EDATA, NULL, "%s holds no sums that `innvestigate fit --shard` wrote", a->path);
	if (strcmp(a->head->key, first->head->key) || a->head->shards != first->head->shards)
		return inn_fail(ctx, INN_EDATA, NULL, "%s and %s are no parts of one fit: network, analyzer, data, batch or number of shards differ",
				first->path, a->path);
	return INN_OK;
}

static int open_parts(struct merge *m, const char *const *file)
{
	inn_ctx *ctx = m->job->ctx;
	int64_t *have;
	size_t total = 0;
	int status = INN_OK;

	if (!(m->a = inn_alloc(ctx, m->n, sizeof(struct inn__archive *))))
		return INN_ENOMEM;
	for (size_t i = 0; status == INN_OK && i < m->n; i++)
		if ((status = inn__archive_open(m->job, file[i], &m->a[i])) == INN_OK && (status = check_part(ctx, m->a[i], m->a[0])) == INN_OK)
			total += m->a[i]->head->have.n;
	if (status < 0)
		return status;
	qsort(m->a, m->n, sizeof(struct inn__archive *), by_shard);
	if (!(have = inn_alloc(ctx, total, sizeof(*have))))
		return INN_ENOMEM;
	m->head = *m->a[0]->head;
	m->head.have = (struct inn_ints){ 0, have };
	for (size_t i = 0; i < m->n; i++)
		for (size_t k = 0; k < m->a[i]->head->have.n; k++) {
			int64_t shard = m->a[i]->head->have.v[k];

			for (size_t j = 0; j < m->head.have.n; j++)
				if (have[j] == shard)
					return inn_fail(ctx, INN_EDATA, NULL, "shard %lld of %lld is given twice", (long long)shard,
							(long long)m->head.shards);
			have[m->head.have.n++] = shard;
		}
	return INN_OK;
}

/* Adds in the order of the shards, whatever order the files were given in. */
static int add_parts(struct merge *m)
{
	const struct inn__archive *first = m->a[0];

	if (!(m->sum = inn_alloc(m->job->ctx, first->n, sizeof(*m->sum))))
		return INN_ENOMEM;
	for (uint32_t i = 0; i < first->n; i++) {
		if (first->v[i].t.dtype != INN_F64)
			continue;
		struct inn_named *s = &m->sum[m->n_sum++];
		size_t n = 1;

		*s = first->v[i];
		inn_shape_count(&s->t.shape, &n);
		first->v[i].t.data = NULL; /* taken */
		for (size_t k = 1; k < m->n; k++) {
			const struct inn_tensor *t = inn__archive_find(m->a[k], s->name);

			if (!t || t->dtype != INN_F64 || !inn_shape_eq(&t->shape, &s->t.shape))
				return inn_fail(m->job->ctx, INN_EDATA, NULL, "%s has no sum %s of the right shape", m->a[k]->path, s->name);
			for (size_t j = 0; j < n; j++)
				((double *)s->t.data)[j] += ((const double *)t->data)[j];
		}
		if (inn_tensor_nonfinite(&s->t) != SIZE_MAX)
			return inn_fail(m->job->ctx, INN_ENONFINITE, NULL, "the statistic %s is not finite", s->name);
	}
	return INN_OK;
}

static int finish_merged(struct merge *m, const char *model, const char *path)
{
	inn_ctx *ctx = m->job->ctx;
	struct inn_inst analyzer;
	struct inn_model *net;
	char key[17];
	int status = inn__bind_text(m->job, INN_ANALYZER, m->a[0]->path, m->head.configuration, &analyzer);

	if (status == INN_OK)
		status = model ? inn__model_of(m->job, model, &net) : inn__model_open(m->job, m->head.model, &(struct inn_insts){ 0 }, &net);
	if (status < 0)
		return status;
	const struct inn_analyzer_ops *ops = (const struct inn_analyzer_ops *)(const void *)analyzer.cls;

	if (!inn__model_graph(net, false))
		return inn__last_status(ctx);
	snprintf(key, sizeof(key), "%016llx", (unsigned long long)inn__model_key(net));
	if (strcmp(key, m->head.model_key) || !ops->finish)
		return inn_fail(ctx, INN_EDATA, NULL, "%s: the sums belong to another network than %s", m->a[0]->path, net->path);
	return inn__fit_finish(m->job, net, &analyzer, &m->head, m->sum, m->n_sum, path);
}

int inn__fit_merge(inn_job *job, const char *const *file, size_t n, const char *model, const char *path)
{
	struct merge m = { .job = job, .n = n };
	int status = open_parts(&m, file);

	if (status == INN_OK)
		status = add_parts(&m);
	if (status == INN_OK && (int64_t)m.head.have.n == m.head.shards) {
		m.head.have.n = 1; /* as if there had been one shard */
		m.head.shards = 1;
		status = finish_merged(&m, model, path);
	} else if (status == INN_OK) {
		inn_warn(job->ctx, NULL, "%zu of %lld shards are there: %s holds their sums, to be merged with the others", m.head.have.n,
			 (long long)m.head.shards, path);
		status = inn__head_write(job, path, &m.head, m.sum, m.n_sum);
	}
	for (uint32_t i = 0; m.sum && i < m.n_sum; i++)
		inn_tensor_free(&m.sum[i].t);
	return status;
}
