/* Fitting: one pass over a data set that adds up statistics, with checkpoints from which a killed fit goes on as if nothing
 * had happened: sums are added in the order of the batches, and are kept to the last bit. */
#include "job.h"
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

struct fitting {
	inn_job *job;
	const struct inn__fit *f;
	struct inn__exec *e;
	struct inn__head head;
	struct inn_named *sum;   /* host copies of the statistics */
	uint32_t *op, n;
	bool shared;             /* the backend adds into them */
	struct inn__range range;
	size_t done;
	const char *path, *part; /* where the result and the checkpoints go */
	double saved, cost;      /* when the last checkpoint was written, and how long that took */
};

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static uint64_t mix(uint64_t h, uint64_t v) { return ((h ^ v) * 0x9e3779b97f4a7c15u) ^ (h >> 31); }

static uint64_t mix_text(uint64_t h, const char *s)
{
	while (*s)
		h = mix(h, (unsigned char)*s++);
	return h;
}

static const char *hex(inn_ctx *ctx, uint64_t v) { return inn_printf(ctx, "%016llx", (unsigned long long)v); }

bool inn__fitted(const struct inn_inst *analyzer)
{
	return ((const struct inn_analyzer_ops *)(const void *)analyzer->cls)->fit && !analyzer->state;
}

static struct inn_inst plain(const struct inn_inst *analyzer)
{
	return (struct inn_inst){ .cls = analyzer->cls, .opts = analyzer->opts, .head = -1, .dialect = -1 };
}

const char *inn__fit_identity(inn_ctx *ctx, const struct inn_inst *analyzer)
{
	const struct inn_analyzer_ops *ops = (const struct inn_analyzer_ops *)(const void *)analyzer->cls;
	struct inn_inst a = plain(analyzer);
	const char *params = strchr(inn__print_inst(ctx, &a), ',');
	const char *s = inn_printf(ctx, "%s%s", ops->fits, params ? params : "");

	return s ? s : "";
}

static int describe(struct fitting *t)
{
	inn_ctx *ctx = t->job->ctx;
	const struct inn__fit *f = t->f;
	struct inn_inst a = plain(f->analyzer);
	char *real = realpath(f->model->path, NULL);
	uint64_t key = mix(inn__model_key(f->model), t->e->plan->hash), data = f->samples->key;
	int64_t *have = inn_alloc(ctx, f->shards + 1, sizeof(*have));
	uint64_t errors = inn__errors_total(ctx);

	key = mix(mix(key, f->samples->n), t->e->batch);
	for (size_t i = 0; f->pre && i < f->pre->n; i++)
		key = mix_text(key, inn__print_inst(ctx, &f->pre->stage[i]));
	t->head = (struct inn__head){
		.fits = ((const struct inn_analyzer_ops *)(const void *)a.cls)->fits, .configuration = inn__print_inst(ctx, &a), .model = inn_strdup(ctx, real ? real : f->model->path),
		.model_key = hex(ctx, inn__model_key(f->model)), .samples = (int64_t)f->samples->n, .shards = f->shards ? f->shards : 1,
		.have = { 1, have },
	};
	free(real);
	if (!have || !t->head.model || !t->head.model_key)
		return INN_ENOMEM;
	t->head.key = hex(ctx, mix_text(key, inn__fit_identity(ctx, f->analyzer)));
	t->head.data = hex(ctx, mix_text(data, inn__print_inst(ctx, &t->job->backend)));
	have[0] = f->shards ? f->shard : 1;
	return t->head.key && t->head.data && inn__errors_total(ctx) == errors ? INN_OK : INN_ENOMEM;
}

/* Whole batches, so that a batch is the same whatever the shards are. */
static int choose_range(struct fitting *t)
{
	size_t batch = t->e->batch, n = t->f->samples->n, batches = (n + batch - 1) / batch;
	uint32_t of = t->f->shards ? t->f->shards : 1, k = t->f->shards ? t->f->shard : 1;

	t->range.first = batches * (k - 1) / of * batch;
	t->range.last = k == of ? n : batches * k / of * batch;
	if (t->range.first >= t->range.last)
		return inn_fail(t->job->ctx, INN_ECONFIG, NULL, "shard %u/%u is empty: there are only %zu batches of %zu samples", k, of, batches, batch);
	t->done = t->range.first;
	return INN_OK;
}

static int find_sums(struct fitting *t)
{
	const struct inn_plan *p = t->e->plan;

	t->sum = inn_alloc(t->job->ctx, p->n_ops, sizeof(*t->sum));
	t->op = inn_alloc(t->job->ctx, p->n_ops, sizeof(*t->op));
	for (uint32_t i = 0; t->sum && t->op && i < p->n_ops; i++) {
		const struct inn_op *o = inn_plan_op(p, i);

		if (o->code != INN_OP_ACCUMULATE)
			continue;
		t->sum[t->n] = (struct inn_named){ .name = p->names[p->attr[o->attr]], .t = { .shape = o->shape, .dtype = INN_F64 } };
		t->op[t->n++] = i;
	}
	if (!t->sum || !t->op)
		return INN_ENOMEM;
	if (!t->n && t->f->optional)
		return 1;
	return t->n ? INN_OK : inn_fail(t->job->ctx, INN_EUNSUP, &t->f->analyzer->loc, "%s: with these parameters, or in this network, there is "
					"nothing to fit", t->f->analyzer->label);
}

static void free_sums(struct fitting *t)
{
	for (uint32_t i = 0; i < t->n; i++)
		inn_tensor_free(&t->sum[i].t);
}

/* Where the backend can add into our memory, it does: the sums of a large network are there once. */
static int share_sums(struct fitting *t)
{
	const struct inn_backend_ops *ops = t->job->ops;
	int status = INN_OK;

	t->shared = ops->share;
	for (uint32_t i = 0; status == INN_OK && t->shared && i < t->n; i++)
		if ((status = inn_tensor_alloc(t->job->ctx, &t->sum[i].t)) == INN_OK)
			status = ops->share(t->job->ctx, t->e->exec, t->op[i], t->sum[i].t.data);
	return status;
}

static int read_sums(struct fitting *t)
{
	int status = INN_OK;

	for (uint32_t i = 0; status == INN_OK && !t->shared && i < t->n; i++) {
		struct inn_tensor *s = &t->sum[i].t;

		if (!s->data)
			status = inn_tensor_alloc(t->job->ctx, s);
		if (status == INN_OK)
			status = t->job->ops->read(t->job->ctx, t->e->exec, t->op[i], s);
	}
	return status;
}

static int save(struct fitting *t)
{
	double start = now();
	int status = read_sums(t);

	t->head.kind = INN__PART;
	t->head.next = (int64_t)t->done;
	if (status == INN_OK)
		status = inn__head_write(t->job, t->part, &t->head, t->sum, t->n);
	if (!t->shared)
		free_sums(t);
	t->saved = now();
	t->cost = t->saved - start;
	return status;
}

/* After every batch; checkpoints take a twentieth of the time at most. */
static int each(void *user, size_t next)
{
	struct fitting *t = user;
	double since = now() - t->saved;

	t->done = next;
	if (!t->part || t->f->interval <= 0 || next == t->range.last || since < t->f->interval || since < 20 * t->cost)
		return INN_OK;
	return save(t);
}

static bool same_fit(const struct inn__head *a, const struct inn__head *b, int kind)
{
	return a && a->kind == kind && !strcmp(a->key, b->key) && !strcmp(a->data, b->data) && a->shards == b->shards && a->have.n == b->have.n &&
	       (!a->have.n || !memcmp(a->have.v, b->have.v, a->have.n * sizeof(*a->have.v)));
}

static int restore(struct fitting *t, const struct inn__archive *a)
{
	inn_ctx *ctx = t->job->ctx;
	int64_t next = a->head->next;
	int status = INN_OK;

	for (uint32_t i = 0; status == INN_OK && i < t->n; i++) {
		const struct inn_tensor *s = inn__archive_find(a, t->sum[i].name);
		size_t n = 1;

		if (!s || s->dtype != INN_F64 || !inn_shape_eq(&s->shape, &t->sum[i].t.shape) || inn_tensor_nonfinite(s) != SIZE_MAX)
			status = inn_fail(ctx, INN_EDATA, NULL, "%s is damaged: remove it to begin anew", a->path);
		else if (!t->shared)
			status = t->job->ops->write(ctx, t->e->exec, t->op[i], s);
		else if (inn_shape_count(&s->shape, &n))
			memcpy(t->sum[i].t.data, s->data, n * sizeof(double));
	}
	if (status == INN_OK && (next < (int64_t)t->range.first || next >= (int64_t)t->range.last || next % t->e->batch))
		status = inn_fail(ctx, INN_EDATA, NULL, "%s is damaged: remove it to begin anew", a->path);
	if (status == INN_OK) {
		t->range.first = t->done = (size_t)next;
		inn_info(ctx, "going on with sample %zu of %zu", t->done, t->f->samples->n);
	}
	return status;
}

static int resume(struct fitting *t)
{
	struct inn__archive *a;
	int status;

	if (!t->part || access(t->part, R_OK))
		return INN_OK;
	if ((status = inn__archive_open(t->job, t->part, &a)) < 0)
		return inn_while(t->job->ctx, status, NULL, "remove %s to begin anew", t->part);
	if (same_fit(a->head, &t->head, INN__PART))
		status = restore(t, a);
	else
		inn_warn(t->job->ctx, NULL, "%s is the checkpoint of another fit; this one begins anew", t->part);
	inn__archive_close(a);
	return status;
}

static int run(struct fitting *t)
{
	int status = inn__exec_load(t->job, t->e);

	if (status == INN_OK && (status = share_sums(t)) == INN_OK)
		status = resume(t);
	t->saved = now();
	t->range.each = each;
	t->range.user = t;
	if (status == INN_OK && (status = inn__execute_range(t->job, t->e, t->f->samples, &t->range, NULL)) == INN_ECANCEL && t->part &&
	    t->done > t->range.first)
		status = save(t) < 0 ? inn__last_status(t->job->ctx) : INN_ECANCEL;
	if (status == INN_OK)
		status = read_sums(t);
	for (uint32_t i = 0; status == INN_OK && i < t->n; i++)
		if (inn_tensor_nonfinite(&t->sum[i].t) != SIZE_MAX)
			status = inn_fail(t->job->ctx, INN_ENONFINITE, NULL, "the statistic %s is not finite", t->sum[i].name);
	return status;
}

/* 1 if the file is the state of this very fit; the state of another one is not written over. */
static int finished(struct fitting *t)
{
	struct inn__archive *a;
	int status;

	if (!t->f->reuse || access(t->path, R_OK))
		return 0;
	if ((status = inn__archive_open(t->job, t->path, &a)) < 0)
		return status;
	if (same_fit(a->head, &t->head, INN__STATE))
		return 1;
	return inn_fail(t->job->ctx, INN_ECONFIG, NULL, "%s is the state of another fit; --force writes over it", t->path);
}

static int prepare(struct fitting *t)
{
	static const struct inn_target max = { .kind = INN_TARGET_MAX };
	struct inn__what w = { .model = t->f->model, .analyzer = t->f->analyzer, .n_analyzer = 1, .target = &max, .pre = t->f->pre, .fit = true,
			       .batch = t->f->batch };
	const char *suffix = inn__suffix(t->path);
	int status = inn__plan_make(t->job, &w, t->f->samples->n, &t->e);

	if (t->f->interval > 0)
		t->part = inn_printf(t->job->ctx, "%.*s.part.%s", (int)(strlen(t->path) - strlen(suffix) - 1), t->path, suffix);
	if (status == INN_OK && (status = inn__exec_settle(t->job, t->e)) == INN_OK && (status = describe(t)) == INN_OK &&
	    (status = choose_range(t)) == INN_OK)
		status = find_sums(t);
	return status;
}

int inn__fit(inn_job *job, const struct inn__fit *f, const char *path)
{
	struct fitting t = { .job = job, .f = f, .path = path };
	const struct inn_analyzer_ops *ops = (const struct inn_analyzer_ops *)(const void *)f->analyzer->cls;
	int status;

	if (!ops->fit || !ops->finish || !ops->fits)
		return inn_fail(job->ctx, INN_ECONFIG, &f->analyzer->loc, "%s is not fitted: it can be used as it is", f->analyzer->label);
	if ((status = prepare(&t)) == INN_OK)
		status = finished(&t);
	if (status || f->only_check) {
		inn__exec_free(job, t.e);
		return status < 0 || !t.n ? status : INN_OK;
	}
	status = run(&t);
	inn__exec_free(job, t.e);
	t.head.next = 0;
	t.head.kind = INN__SUMS;
	if (status == INN_OK && f->shards)
		status = inn__head_write(job, path, &t.head, t.sum, t.n);
	else if (status == INN_OK)
		status = inn__fit_finish(job, f->model, f->analyzer, &t.head, t.sum, t.n, path);
	free_sums(&t);
	if (status == INN_OK && t.part)
		unlink(t.part);
	inn__archive_forget(job, path);
	return status;
}
