/* What the tests of metrics share: measuring one metric of one analyzer. */
#ifndef TESTS_UNIT_METRICS_H
#define TESTS_UNIT_METRICS_H
#include "../../core/job/report.h"
#include "../../core/base/ctx.h"
#include "unit.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define F64 "{type: reference, dtype: f64}"
#define NETS "tests/golden/nets/"
#define METRICS "tests/golden/metrics/"
#define MAX_POINTS 4096

static struct { /* what is measured, by default with one backend and the largest output */
	const char *backend;
	const char *net;
	struct inn_tensor x, second; /* second: of a network with two inputs */
	struct inn_target target;
	uint32_t batch;
} on;
static double curve[MAX_POINTS], where[MAX_POINTS]; /* of the last measure: [samples, points], points */
static uint32_t points;

static inline void fine(inn_job *job, int status)
{
	for (uint32_t i = 0; status < 0 && i < inn_error_count(job); i++)
		fprintf(stderr, "%s\n", inn_error(job, i));
	ck_assert_int_eq(status, INN_OK);
}

static inline void read_array(const char *path, struct inn_tensor *t)
{
	inn_job *job = inn_job_new();
	struct inn_stream s;
	struct inn_tensor raw = { 0 };

	fine(job, inn__defaults(job));
	fine(job, inn__file_map(job->ctx, path, INN_EDATA, &s));
	fine(job, inn__format_of(job, path, &s)->read_tensor(job->ctx, &s, NULL, &raw));
	t->dtype = INN_F64;
	fine(job, inn_tensor_convert(job->ctx, &raw, INN_F64, t));
	inn_tensor_free(&raw);
	inn__file_unmap(&s);
	inn_job_free(job);
}

/* Measures `name` of a metric of an analyzer; a number for each sample counts as a curve of one point. */
static inline void measure(const char *analyzer, const char *metric, const char *name)
{
	inn_job *job = inn_job_new();
	struct inn_inst a, m;
	struct inn_tensor in[2] = { on.x, on.second };
	struct inn__samples s = { .job = job, .n = on.x.shape.dim[0], .n_x = on.second.data ? 2 : 1, .array = in };
	struct inn__what w = { .analyzer = &a, .n_analyzer = 1, .metric = &m, .n_metric = 1, .target = &on.target, .batch = on.batch };
	struct inn__exec *e;

	fine(job, inn_job_backend(job, on.backend));
	fine(job, inn_model_open(job, on.net, &w.model));
	fine(job, inn__bind_text(job, INN_ANALYZER, "analyzer", analyzer, &a));
	fine(job, inn__bind_text(job, INN_METRIC, "metric", metric, &m));
	fine(job, inn__plan_make(job, &w, s.n, &e));
	fine(job, inn__exec_load(job, e));
	struct inn_tensor *out = calloc(e->n_out, sizeof(*out));

	for (uint32_t k = 0; k < e->n_out; k++)
		out[k].dtype = INN_F64;
	fine(job, inn__execute(job, e, &s, out));
	points = 0;
	for (uint32_t i = 0; i < e->n_measures; i++) {
		const struct inn__measure *v = &e->measure[i];

		if (strcmp(v->name, name))
			continue;
		points = v->n_at ? v->n_at : 1;
		ck_assert_uint_le(points * s.n, MAX_POINTS);
		for (size_t k = 0; k < points * s.n; k++)
			curve[k] = inn_tensor_real(&out[v->out], k);
		for (uint32_t k = 0; k < v->n_at; k++)
			where[k] = v->at[k];
	}
	ck_assert_msg(points, "nothing is named %s", name);
	for (uint32_t k = 0; k < e->n_out; k++)
		inn_tensor_free(&out[k]);
	free(out);
	inn__exec_free(job, e);
	inn_job_free(job);
}

static inline void input(uint32_t rank, const uint32_t *dim)
{
	size_t n = 1;

	inn_tensor_free(&on.x);
	on.x = (struct inn_tensor){ .dtype = INN_F64, .shape = { .rank = rank } };
	for (uint32_t d = 0; d < rank; d++)
		n *= on.x.shape.dim[d] = dim[d];
	on.x.data = calloc(n, sizeof(double));
}
#define INPUT(...) input(sizeof((uint32_t[]){ __VA_ARGS__ }) / sizeof(uint32_t), (uint32_t[]){ __VA_ARGS__ })

static uint32_t seed;
static inline double next(void) { return (double)((seed = seed * 1664525u + 1013904223u) >> 8) / (1 << 23) - 1; }

static inline void noise(void)
{
	size_t n;

	inn_shape_count(&on.x.shape, &n);
	for (size_t i = 0; i < n; i++)
		((double *)on.x.data)[i] = next();
}

static inline void setup(void)
{
	seed = 7;
	on.backend = F64;
	on.target = (struct inn_target){ .kind = INN_TARGET_MAX };
	on.batch = 0;
}
static inline void teardown(void)
{
	inn_tensor_free(&on.x);
	memset(&on, 0, sizeof(on));
}

static inline int run_metrics(TCase *t)
{
	tcase_add_checked_fixture(t, setup, teardown);
	tcase_set_timeout(t, 60);
	return run_case(t);
}

#endif
