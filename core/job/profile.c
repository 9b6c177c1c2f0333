/* Where the time of a plan goes: the best of some runs for each part of it, and what that part computes and moves. */
#include "job.h"
#include <errno.h>
#include <math.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define RUNS 5u       /* that many are measured, */
#define ENOUGH 2.0    /* or fewer if they take that many seconds */

struct take { /* what a backend shows after a run */
	inn_job *job;
	struct inn__profile *p;
	bool first, failed;
};

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* The part that t tells of, or NULL. */
static struct inn__part *known(const struct inn__profile *p, const struct inn_timing *t)
{
	for (size_t i = 0; i < p->n; i++)
		if (p->part[i].op == t->op && p->part[i].extra == t->extra && !strcmp(p->part[i].how, t->how))
			return &p->part[i];
	return NULL;
}

static struct inn__part *add(struct take *k, const struct inn_timing *t)
{
	inn_ctx *ctx = k->job->ctx;
	struct inn__profile *p = k->p;
	uint32_t *with = inn_alloc(ctx, t->n_with + 1u, sizeof(*with));
	const char *how = inn_strdup(ctx, t->how);

	if (with && how && p->n == p->cap) {
		size_t cap = p->cap ? 2 * p->cap : 64;
		struct inn__part *more = inn_alloc(ctx, cap, sizeof(*more));

		if (more && p->n)
			memcpy(more, p->part, p->n * sizeof(*more));
		p->part = more;
		p->cap = more ? cap : 0;
	}
	if (!with || !how || !p->part)
		return NULL;
	if (t->n_with)
		memcpy(with, t->with, t->n_with * sizeof(*with));
	p->part[p->n] = (struct inn__part){ .op = t->op, .n_with = t->n_with, .with = with, .how = how, .extra = t->extra, .seconds = INFINITY };
	return &p->part[p->n++];
}

static void take(void *user, const struct inn_timing *t)
{
	struct take *k = user;
	struct inn__part *q = k->failed ? NULL : known(k->p, t);

	if (!q && !k->failed && !(q = add(k, t)))
		k->failed = true;
	if (!q)
		return;
	if (q->once && !k->first) { /* the first run, which warms caches up, does not count */
		q->once = false;
		q->seconds = INFINITY;
	}
	q->once |= k->first;
	q->runs = t->runs;
	q->seconds = t->seconds < q->seconds ? t->seconds : q->seconds;
}

/* Samples for all inputs where none are given: from the unit interval around 0, the same every time. */
static int noise(inn_job *job, const struct inn__exec *e, struct inn__samples *s)
{
	uint32_t state = 1;

	*s = (struct inn__samples){ .job = job, .n = e->batch, .n_x = e->n_x, .array = inn_alloc(job->ctx, e->n_x + 1u, sizeof(*s->array)) };
	for (uint32_t i = 0; s->array && i < e->n_x; i++) {
		struct inn_shape shape = inn__graph_input(e->graph, i)->shape;
		size_t n = 1;

		inn_shape_count(&shape, &n);
		float *v = inn_alloc(job->ctx, n, sizeof(*v));

		for (size_t k = 0; v && k < n; k++) {
			state = state * 1664525u + 1013904223u;
			v[k] = (float)(state >> 8) * 0x1p-24f - 0.5f;
		}
		if (!v)
			return INN_ENOMEM;
		s->array[i] = (struct inn_tensor){ .shape = shape, .dtype = INN_F32, .data = v };
	}
	return s->array ? INN_OK : INN_ENOMEM;
}

/* One batch; the backend shows what it took. */
static int one_batch(inn_job *job, struct inn__exec *e, const struct inn__samples *s, struct take *k)
{
	struct inn_tensor *out = calloc(e->n_out + 1u, sizeof(*out));
	double start = now();
	int status = out ? inn__execute(job, e, s, out) : inn_nomem(job->ctx);

	start = now() - start;
	k->p->wall = k->p->batches++ && start > k->p->wall ? k->p->wall : start;
	if (status == INN_OK)
		status = job->ops->profile(job->ctx, e->exec, take, k);
	for (uint32_t i = 0; out && status == INN_OK && i < e->n_out; i++)
		inn_tensor_free(&out[i]);
	free(out);
	return status == INN_OK && k->failed ? INN_ENOMEM : status;
}

static int run(inn_job *job, struct inn__exec *e, const struct inn__samples *s, struct inn__profile *p)
{
	struct take k = { .job = job, .p = p, .first = true };
	int status = inn__exec_load(job, e);
	double start;

	if (status < 0)
		return status;
	if (!job->ops->profile)
		return inn_fail(job->ctx, INN_EUNSUP, NULL, "backend %s does not measure what it does", job->backend.cls->name);
	if ((status = job->ops->profile(job->ctx, e->exec, take, &k)) < 0 || (status = one_batch(job, e, s, &k)) < 0)
		return status;
	k.first = false;
	p->batches = 0;
	for (start = now(); status == INN_OK && p->batches < RUNS && (!p->batches || now() - start < ENOUGH);)
		status = one_batch(job, e, s, &k);
	return status;
}

static uint32_t root_of(const struct inn_plan *p, uint32_t i)
{
	while (inn_plan_op(p, i)->code == INN_OP_RESHAPE)
		i = inn_plan_src(p, i, 0);
	return i;
}

static double bytes_of(const struct inn_plan *p, uint32_t i)
{
	size_t n = 0;

	inn_shape_count(&inn_plan_op(p, i)->shape, &n);
	return (double)n * sizeof(float);
}

/* What parts compute, and what they must at least read and write: each value from outside once, each result that is read
 * elsewhere once. home: by operation, the part that computes it + 1. */
static void account(const struct inn_plan *p, struct inn__profile *f, const size_t *home)
{
	uint32_t *seen = calloc((size_t)p->n_ops + 1, sizeof(*seen)); /* by operation: the last part that read it + 1 */

	for (uint32_t i = 0; seen && i < p->n_ops; i++)
		for (uint32_t k = 0; k < inn_plan_op(p, i)->n_src; k++) {
			uint32_t r = root_of(p, inn_plan_src(p, i, k));

			if (home[r] && home[r] != home[i] && seen[r] != UINT32_MAX) {
				f->part[home[r] - 1].bytes += bytes_of(p, r);
				seen[r] = UINT32_MAX;
			}
		}
	for (size_t j = 0; seen && j < f->n; j++) {
		struct inn__part *q = &f->part[j];

		if (q->extra)
			q->bytes = 2 * bytes_of(p, q->op);
		for (uint32_t m = 0; !q->extra && m <= q->n_with; m++) {
			uint32_t i = m ? q->with[m - 1] : q->op;

			q->flops += inn__plan_flops(p, i);
			for (uint32_t k = 0; k < inn_plan_op(p, i)->n_src; k++) {
				uint32_t r = root_of(p, inn_plan_src(p, i, k));

				if (home[r] == j + 1 || inn_plan_op(p, r)->code == INN_OP_CONST || seen[r] == j + 1)
					continue;
				seen[r] = (uint32_t)j + 1;
				q->bytes += bytes_of(p, r);
			}
		}
		q->flops *= (double)q->runs;
		q->bytes *= (double)q->runs;
	}
	free(seen);
}

void inn__product_key(const struct inn_plan *p, uint32_t op, struct inn__text *t)
{
	const struct inn_op *o = inn_plan_op(p, op);
	char s[INN_SHAPE_STR];

	inn__text_add(t, "%s", inn_op_name(o->code));
	for (uint32_t k = 0; k < o->n_src; k++)
		inn__text_add(t, " %s", inn_shape_str(&inn_plan_op(p, inn_plan_src(p, op, k))->shape, s));
	for (uint32_t k = 0; k < o->n_attr; k++)
		inn__text_add(t, "%c%u", k ? ',' : ' ', p->attr[o->attr + k]);
	inn__text_add(t, " %s", inn_shape_str(&o->shape, s));
}

static uint32_t threads_of(const inn_job *job)
{
	cpu_set_t set;

	return job->threads ? job->threads : !sched_getaffinity(0, sizeof(set), &set) ? (uint32_t)CPU_COUNT(&set) : 1;
}

/* Takes one line, THREADS BEST LOCAL PLAIN KEY with times in ms, for the parts it speaks of. False: it is none. */
static bool floor_line(const char *line, uint32_t threads, const struct inn_plan *plan, struct inn__profile *p, const struct inn__text *keys)
{
	char word[4][32];
	double v[4];
	int at = 0;

	if (!*line || *line == '#')
		return true;
	if (sscanf(line, "%31s %31s %31s %31s %n", word[0], word[1], word[2], word[3], &at) != 4 || !at || !line[at])
		return false;
	for (uint32_t k = 0; k < 4; k++)
		if (!inn__parse_real(word[k], &v[k]) || v[k] < 0)
			return false;
	for (size_t j = 0; v[0] == threads && j < p->n; j++)
		for (uint32_t m = 0; !p->part[j].extra && m <= p->part[j].n_with; m++) {
			uint32_t i = m ? p->part[j].with[m - 1] : p->part[j].op;

			if (inn_op_class(inn_plan_op(plan, i)->code) == 'P' && keys[i].s && !strcmp(keys[i].s, line + at))
				p->part[j].floor = v[1] * 1e-3 * (double)p->part[j].runs;
		}
	return true;
}

static int read_floor(inn_job *job, const char *path, const struct inn_plan *plan, struct inn__profile *p, const struct inn__text *keys)
{
	FILE *f = fopen(path, "re");
	struct inn_loc at = { .file = path };
	char *line = NULL;
	size_t cap = 0;
	ssize_t n;
	int status = f ? INN_OK : inn_fail(job->ctx, INN_EIO, NULL, "cannot read %s: %s", path, strerror(errno));

	while (f && status == INN_OK && (n = getline(&line, &cap, f)) >= 0) {
		at.line++;
		line[strcspn(line, "\r\n")] = 0;
		if (!floor_line(line, threads_of(job), plan, p, keys))
			status = inn_fail(job->ctx, INN_EDATA, &at, "no floor: threads, three times and a product are expected");
	}
	if (f)
		fclose(f);
	free(line);
	return status;
}

static int add_floor(inn_job *job, const char *path, const struct inn_plan *plan, struct inn__profile *p)
{
	struct inn__text *keys = calloc((size_t)plan->n_ops + 1, sizeof(*keys));
	int status = keys ? INN_OK : inn_nomem(job->ctx);

	for (uint32_t i = 0; keys && i < plan->n_ops; i++)
		if (inn_op_class(inn_plan_op(plan, i)->code) == 'P')
			inn__product_key(plan, i, &keys[i]);
	if (status == INN_OK)
		status = read_floor(job, path, plan, p, keys);
	for (uint32_t i = 0; keys && i < plan->n_ops; i++)
		free(keys[i].s);
	free(keys);
	return status;
}

static int complete(inn_job *job, const struct inn_plan *plan, const char *floor, struct inn__profile *p)
{
	size_t *home = calloc((size_t)plan->n_ops + 1, sizeof(*home));

	if (!home)
		return inn_nomem(job->ctx);
	for (size_t j = 0; j < p->n; j++) {
		p->total += p->part[j].once ? 0 : p->part[j].seconds;
		for (uint32_t m = 0; !p->part[j].extra && m <= p->part[j].n_with; m++)
			home[m ? p->part[j].with[m - 1] : p->part[j].op] = j + 1;
	}
	account(plan, p, home);
	free(home);
	return floor ? add_floor(job, floor, plan, p) : INN_OK;
}

int inn__profile(inn_job *job, struct inn__exec *e, struct inn__samples *s, const char *floor, struct inn__profile *p)
{
	struct inn_target few = { 0 };
	const struct inn_target *all = e->target;
	struct inn__samples made;
	int status = INN_OK;

	if (!s->n && (status = noise(job, e, &made)) < 0)
		return status;
	s = s->n ? s : &made;
	inn__samples_first(s, e->batch);
	if (all && all->kind == INN_TARGET_INDEX && all->n_index > 1) {
		few = *all;
		few.n_index = s->n;
		e->target = &few;
	}
	status = run(job, e, s, p);
	e->target = all;
	return status == INN_OK ? complete(job, e->plan, floor, p) : status;
}
