/* Batches through a loaded plan. */
#include "job.h"
#include <stdlib.h>
#include <string.h>
#include <time.h>

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

struct pass { /* one call of inn__execute */
	inn_job *job;
	struct inn__exec *e;
	const struct inn__samples *s;
	struct inn_tensor *x, *part, *out; /* part: one batch of each output */
	float *valid, *pick;
	uint32_t *ids;
	size_t done; /* samples */
};

static int set(struct pass *p, uint32_t op, const struct inn_tensor *t)
{
	return op == UINT32_MAX ? INN_OK : p->job->ops->write(p->job->ctx, p->e->exec, op, t);
}

/* What differs from sample to sample besides the data. */
static int write_rows(struct pass *p, size_t first)
{
	const struct inn_target *target = p->e->target;
	struct inn_tensor t = { .shape = { .rank = 1, .dim = { p->e->batch } } };
	int status;

	for (uint32_t i = 0; i < p->e->batch; i++) {
		size_t k = first + i < p->s->n ? first + i : p->s->n - 1;

		p->ids[i] = (uint32_t)k;
		p->valid[i] = first + i < p->s->n;
		if (target && target->kind == INN_TARGET_INDEX)
			p->pick[i] = (float)target->index[target->n_index == 1 ? 0 : k];
	}
	t.dtype = INN_U32;
	t.data = p->ids;
	if ((status = set(p, p->e->ids, &t)) < 0)
		return status;
	t.dtype = INN_F32;
	t.data = p->valid;
	if ((status = set(p, p->e->valid, &t)) < 0)
		return status;
	t.data = p->pick;
	return set(p, p->e->pick, &t);
}

static int write_data(struct pass *p, size_t first, struct inn__reader *r)
{
	struct inn_tensor ready = { 0 };
	struct inn__exec *e = p->e;
	int status = inn__reader_get(r, first, p->x);

	if (status == INN_OK && (p->s->path || p->s->stack)) {
		const struct inn_shape *want = &inn__graph_input(e->graph, 0)->shape;
		struct inn_shape s = *want;

		s.dim[0] = e->batch;
		if (!e->prep)
			status = inn__prep_make(p->job, p->s->pre, e->batch, &p->x[0], &s, &e->prep);
		if (status == INN_OK && (status = inn__prep_run(p->job, e->prep, &p->x[0], &ready)) == INN_OK)
			p->x[0] = ready;
	}
	for (uint32_t i = 0; status == INN_OK && i < e->n_x; i++) {
		size_t bad = inn_tensor_nonfinite(&p->x[i]);

		if (bad != SIZE_MAX)
			status = inn_fail(p->job->ctx, INN_ENONFINITE, NULL, "input %s is not finite at element %zu of the batch that begins with "
					  "sample %zu", inn__graph_input(e->graph, i)->name, bad, first);
		else
			status = set(p, e->x[i], &p->x[i]);
	}
	inn_tensor_free(&ready);
	return status;
}

/* Rows of output k that are kept: all, but of maps that are only shown. */
static size_t kept(const struct pass *p, uint32_t k)
{
	return k < p->e->n_maps && p->e->map_rows && p->e->map_rows < p->s->n ? p->e->map_rows : p->s->n;
}

/* The tensors of all samples, and the shapes of one batch's. */
static int prepare(struct pass *p)
{
	for (uint32_t k = 0; k < p->e->n_out; k++) {
		struct inn_tensor t = { .dtype = p->out[k].dtype == INN_F64 ? INN_F64 : INN_F32 };
		int status;

		t.shape = inn_plan_op(p->e->plan, p->e->out[k])->shape;
		p->part[k] = t;
		if (p->s->n > UINT32_MAX)
			return inn_fail(p->job->ctx, INN_ELIMIT, NULL, "too many samples");
		if (t.shape.rank)
			t.shape.dim[0] = (uint32_t)kept(p, k);
		p->out[k] = t;
		if ((status = inn_tensor_alloc(p->job->ctx, &p->out[k])) < 0)
			return status;
	}
	return INN_OK;
}

/* Output k of the batch: where it is kept if all of it is, else in a tensor of its own. n: elements of a sample. */
static int read_batch(struct pass *p, size_t first, uint32_t k, size_t *n, struct inn_tensor *t)
{
	int status = INN_OK;
	bool whole = p->s->n - first >= p->e->batch && first + p->e->batch <= kept(p, k);

	*n = 1;
	inn_shape_count(&p->part[k].shape, n);
	*n /= p->e->batch;
	if (!whole && !p->part[k].data)
		status = inn_tensor_alloc(p->job->ctx, &p->part[k]);
	*t = p->part[k];
	if (whole)
		t->data = (char *)p->out[k].data + first * *n * inn_dtype_size(t->dtype);
	return status ? status : p->job->ops->read(p->job->ctx, p->e->exec, p->e->out[k], t);
}

static int collect(struct pass *p, size_t first)
{
	for (uint32_t k = 0; k < p->e->n_out; k++) {
		struct inn_tensor t;
		size_t n, rows = p->s->n - first < p->e->batch ? p->s->n - first : p->e->batch, bad;
		int status = read_batch(p, first, k, &n, &t);

		if (status < 0)
			return status;
		if (!p->job->keep_nonfinite && (bad = inn_tensor_nonfinite(&t)) != SIZE_MAX && bad / n < rows)
			return inn_fail(p->job->ctx, INN_ENONFINITE, NULL, "the result of sample %zu is not finite at element %zu; `nonfinite: keep` "
					"accepts that", first + bad / n, bad % n);
		if (first >= kept(p, k) || t.data != p->part[k].data)
			continue;
		rows = kept(p, k) - first < rows ? kept(p, k) - first : rows;
		n *= inn_dtype_size(t.dtype);
		memcpy((char *)p->out[k].data + first * n, t.data, rows * n);
	}
	return INN_OK;
}

static int batches(struct pass *p, const struct inn__range *range, struct inn__reader *r)
{
	size_t from = p->done > range->first ? p->done : range->first;
	double start = now();

	for (size_t first = from, next; first < range->last; first = next) {
		int status;

		next = first + p->e->batch < range->last ? first + p->e->batch : range->last;
		if (inn_cancelled(p->job->ctx))
			return inn_fail(p->job->ctx, INN_ECANCEL, NULL, "stopped after %zu of %zu samples", first, p->s->n);
		if ((status = write_data(p, first, r)) < 0 || (status = write_rows(p, first)) < 0)
			return status;
		if ((status = inn__exec_run(p->job, p->e)) < 0 || (status = collect(p, first)) < 0)
			return status;
		p->done = next;
		if (p->e->journal)
			inn__journal_add(p->e->journal, next, false);
		if (range->each && (status = range->each(range->user, next)) < 0)
			return status;
		if (p->job->progress)
			p->job->progress(p->job->progress_user, next - from, range->last - from, now() - start);
	}
	return INN_OK;
}

static int write_declared(inn_job *job, struct inn__exec *e, const struct inn__samples *s)
{
	int status = INN_OK;

	for (uint32_t i = 0; status == INN_OK && i < e->n_x; i++) {
		size_t bad = inn_tensor_nonfinite(&s->array[i]);

		if (bad != SIZE_MAX)
			return inn_fail(job->ctx, INN_ENONFINITE, NULL, "input %s is not finite at element %zu", inn__graph_input(e->graph, i)->name,
					bad);
		if (e->x[i] != UINT32_MAX)
			status = job->ops->write(job->ctx, e->exec, e->x[i], &s->array[i]);
	}
	return status;
}

static int read_declared(inn_job *job, struct inn__exec *e, struct inn_tensor *out)
{
	for (uint32_t k = 0; k < e->n_out; k++) {
		size_t bad;
		int status;

		out[k].shape = inn_plan_op(e->plan, e->out[k])->shape;
		out[k].dtype = out[k].dtype == INN_F64 ? INN_F64 : INN_F32;
		if ((status = inn_tensor_alloc(job->ctx, &out[k])) < 0 ||
		    (status = job->ops->read(job->ctx, e->exec, e->out[k], &out[k])) < 0)
			return status;
		if (!job->keep_nonfinite && (bad = inn_tensor_nonfinite(&out[k])) != SIZE_MAX)
			return inn_fail(job->ctx, INN_ENONFINITE, NULL, "output %s is not finite at element %zu",
					inn__graph_output(e->graph, k)->name, bad);
	}
	return INN_OK;
}

static int execute_declared(inn_job *job, struct inn__exec *e, const struct inn__samples *s, struct inn_tensor *out)
{
	int status = write_declared(job, e, s);

	if (status == INN_OK && (status = inn__exec_run(job, e)) == INN_OK)
		status = read_declared(job, e, out);
	for (uint32_t k = 0; status < 0 && k < e->n_out; k++)
		inn_tensor_free(&out[k]);
	return status;
}

int inn__execute(inn_job *job, struct inn__exec *e, const struct inn__samples *s, struct inn_tensor *out)
{
	return inn__execute_range(job, e, s, &(struct inn__range){ .last = s->n }, out);
}

int inn__execute_range(inn_job *job, struct inn__exec *e, const struct inn__samples *s, const struct inn__range *range, struct inn_tensor *out)
{
	struct pass p = { .job = job, .e = e, .s = s, .out = out };
	struct inn__reader *r = NULL;

	if (e->declared)
		return execute_declared(job, e, s, out);
	int status = inn__reader_new(s, e->batch, &r);

	p.x = calloc(e->n_x + 1u, sizeof(*p.x));
	p.part = calloc(e->n_out + 1u, sizeof(*p.part));
	p.valid = calloc(e->batch, sizeof(*p.valid));
	p.pick = calloc(e->batch, sizeof(*p.pick));
	p.ids = calloc(e->batch, sizeof(*p.ids));
	if (status == INN_OK && (!p.x || !p.part || !p.valid || !p.pick || !p.ids))
		status = inn_nomem(job->ctx);
	if (status == INN_OK && e->target)
		status = inn__target_check(job->ctx, e->target, s->n, e->n_classes);
	if (status == INN_OK && (status = prepare(&p)) == INN_OK)
		status = e->journal ? inn__journal_replay(e->journal, e, out, &p.done) : INN_OK;
	if (status == INN_OK)
		status = batches(&p, range, r);
	if (status < 0 && e->journal)
		inn__journal_add(e->journal, p.done, true);
	inn__reader_free(r);
	for (uint32_t k = 0; k < e->n_out; k++) {
		if (p.part)
			inn_tensor_free(&p.part[k]);
		if (status < 0)
			inn_tensor_free(&out[k]);
	}
	free(p.x);
	free(p.part);
	free(p.valid);
	free(p.pick);
	free(p.ids);
	return status;
}
