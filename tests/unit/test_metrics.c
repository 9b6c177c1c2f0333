/* Metrics against closed forms, against a plain loop over regions written here, and against what iNNvestigate and Quantus compute. */
#include "../../core/job/report.h"
#include "../../core/base/ctx.h"
#include <check.h>
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
	struct inn_tensor x;
	struct inn_target target;
	uint32_t batch;
} on;
static double curve[MAX_POINTS], where[MAX_POINTS]; /* of the last measure: [samples, points], points */
static uint32_t points;

static void fine(inn_job *job, int status)
{
	for (uint32_t i = 0; status < 0 && i < inn_error_count(job); i++)
		fprintf(stderr, "%s\n", inn_error(job, i));
	ck_assert_int_eq(status, INN_OK);
}

static void read_array(const char *path, struct inn_tensor *t)
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
static void measure(const char *analyzer, const char *metric, const char *name)
{
	inn_job *job = inn_job_new();
	struct inn_inst a, m;
	struct inn__samples s = { .job = job, .n = on.x.shape.dim[0], .n_x = 1, .array = &on.x };
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

static void input(uint32_t rank, const uint32_t *dim)
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
static double next(void) { return (double)((seed = seed * 1664525u + 1013904223u) >> 8) / (1 << 23) - 1; }

static void noise(void)
{
	size_t n;

	inn_shape_count(&on.x.shape, &n);
	for (size_t i = 0; i < n; i++)
		((double *)on.x.data)[i] = next();
}

static void setup(void)
{
	seed = 7;
	on.backend = F64;
	on.target = (struct inn_target){ .kind = INN_TARGET_MAX };
	on.batch = 0;
}
static void teardown(void)
{
	inn_tensor_free(&on.x);
	memset(&on, 0, sizeof(on));
}

/* x = 0 ... 31 as two pictures with channels last, y = sum_i i x_i, its mean square after each step. */
START_TEST(innvestigate_numbers)
{
	static const double want[4] = { 5761600, 1654564, 182672, 21284 };

	INPUT(2, 4, 4, 1);
	for (int i = 0; i < 32; i++)
		((double *)on.x.data)[i] = i;
	on.net = METRICS "line.onnx";
	measure("{type: gradient, postprocess: abs}",
		"{type: score_curve, region_shape: [2, 2], steps: 3, regions_per_step: 1, score: output, channels: last}", "morf");
	ck_assert_uint_eq(points, 4);
	ck_assert_double_eq_tol(curve[0], 1240, 1e-9);
	ck_assert_double_eq_tol(curve[4], 3160, 1e-9);
	for (uint32_t i = 0; i < 4; i++)
		ck_assert_double_eq_tol((curve[i] * curve[i] + curve[4 + i] * curve[4 + i]) / 2, want[i], 1e-6);
}
END_TEST

static double linear_weight(size_t i, size_t k) { return (double)((7 * i + 3 * k) % 11) / 8 - 5.0 / 8; }

static int descending(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x < y) - (x > y);
}

/* The contributions w_i x_i of a linear model, largest first: no order of removal can lower the score faster. */
static void contributions(size_t sample, size_t k, double *v, double *total)
{
	const double *x = (const double *)on.x.data + 60 * sample;

	*total = (float)k / 10;
	for (size_t i = 0; i < 60; i++)
		*total += v[i] = linear_weight(i, k) * x[i];
	qsort(v, 60, sizeof(*v), descending);
}

#define EACH "reduce_function: none, region_shape: 1, steps: 60, score: output"
START_TEST(linear_model)
{
	static const int64_t index[1] = { 1 };
	double v[60], total, sum;

	INPUT(3, 3, 4, 5);
	noise();
	on.net = METRICS "linear.onnx";
	on.target = (struct inn_target){ .kind = INN_TARGET_INDEX, .index = index, .n_index = 1 };
	measure("input_t_gradient", "{type: score_curve, lerf: true, " EACH "}", "morf");
	for (size_t s = 0; s < 3; s++) {
		contributions(s, 1, v, &total);
		sum = total;
		for (size_t i = 0; i <= 60; sum -= i < 60 ? v[i] : 0, i++)
			ck_assert_double_eq_tol(curve[61 * s + i], sum, 1e-9);
	}
	measure("input_t_gradient", "{type: score_curve, lerf: true, " EACH "}", "lerf");
	for (size_t s = 0; s < 3; s++) {
		contributions(s, 1, v, &total);
		sum = total;
		for (size_t i = 0; i <= 60; sum -= i < 60 ? v[59 - i] : 0, i++)
			ck_assert_double_eq_tol(curve[61 * s + i], sum, 1e-9);
	}
	measure("input_t_gradient", "{type: insertion, fill: zeros, " EACH "}", "inserted");
	for (size_t s = 0; s < 3; s++) {
		contributions(s, 1, v, &total);
		sum = 0.1f;
		for (size_t i = 0; i <= 60; sum += i < 60 ? v[i] : 0, i++)
			ck_assert_double_eq_tol(curve[61 * s + i], sum, 1e-9);
	}
}
END_TEST

/* The score of every metric in closed form from the same contributions; noise never does better. */
START_TEST(linear_scores)
{
	static const int64_t index[1] = { 2 };
	static const char *const metric[] = { "aopc", "abpc", "pixel_flipping", "region_perturbation", "insertion", "deletion", "score_curve" };
	double v[60], total, perfect[7];

	INPUT(1, 3, 4, 5);
	noise();
	on.net = METRICS "linear.onnx";
	on.target = (struct inn_target){ .kind = INN_TARGET_INDEX, .index = index, .n_index = 1 };
	contributions(0, 2, v, &total);
	for (int k = 0; k < 14; k++) {
		double down = total, up = 0.2f, lerf = total, morf_sum = 0, lerf_sum = 0, trapezoid = 0, inserted = 0, want[7];
		char text[256];

		for (size_t i = 0; i <= 60; i++) {
			double edge = i == 0 || i == 60 ? 0.5 : 1;

			morf_sum += down;
			lerf_sum += lerf;
			trapezoid += edge * down / 60;
			inserted += edge * up / 60;
			if (i < 60) {
				down -= v[i];
				lerf -= v[59 - i];
				up += v[i];
			}
		}
		want[0] = total - morf_sum / 61;
		want[1] = (lerf_sum - morf_sum) / 61;
		want[2] = (morf_sum - total - (total - v[0] + 0.2f) / 2) / 59;
		want[3] = total - (morf_sum - total) / 60;
		want[4] = inserted;
		want[5] = want[6] = trapezoid;
		snprintf(text, sizeof(text), "{type: %s, fill: zeros, regions_per_step: 1, " EACH "}", metric[k % 7]);
		measure(k < 7 ? "input_t_gradient" : "random", text, "score");
		if (k < 7) {
			ck_assert_double_eq_tol(curve[0], want[k], 1e-9);
			perfect[k] = curve[0];
		} else if (k % 7 == 2 || k % 7 > 4) { /* the perfect map is better than noise under every metric */
			ck_assert_double_gt(curve[0], perfect[k % 7]);
		} else {
			ck_assert_double_lt(curve[0], perfect[k % 7]);
		}
	}
}
END_TEST

START_TEST(constant_model)
{
	static const struct { const char *metric; double score; } t[] = {
		{ "aopc", 0 }, { "abpc", 0 }, { "region_perturbation", 0 }, { "accuracy_curve", 1 },
		{ "score_curve", NAN }, { "pixel_flipping", NAN }, { "insertion", NAN }, { "deletion", NAN },
	};
	const double p = exp(0.2f) / (1 + exp(0.1f) + exp(0.2f)); /* of the biases 0, 0.1, 0.2 */

	INPUT(2, 3, 4, 5);
	noise();
	on.net = METRICS "constant.onnx";
	for (size_t i = 0; i < sizeof(t) / sizeof(*t); i++) {
		measure("random", t[i].metric, "score");
		for (size_t s = 0; s < 2; s++)
			ck_assert_double_eq_tol(curve[s], isnan(t[i].score) ? p : t[i].score, 1e-12);
	}
}
END_TEST

/* A map that says nothing: both orders are the same. */
START_TEST(flat_map)
{
	INPUT(2, 3, 8, 8);
	noise();
	on.net = NETS "cnn.onnx";
	measure("{type: random, stddev: 0}", "{type: abpc, region_shape: 2}", "score");
	ck_assert_double_eq(curve[0], 0);
	ck_assert_double_eq(curve[1], 0);
}
END_TEST

/* ---- the same by a plain loop: regions of any size, cut at the edge or with padding that counts */
enum { CUT, REFLECT, EDGE };
struct plain { uint32_t rh, rw, steps; int pad; bool lerf, again; enum { ZEROS, MEAN, INVERT } fill; };

static long reflected(long i, long n, int pad)
{
	while (i < 0 || i >= n)
		i = pad == EDGE ? (i < 0 ? 0 : n - 1) : i < 0 ? -i : 2 * (n - 1) - i;
	return i;
}

/* Calls on each cell of region g of a picture h x w; cells of the padding stand for the cell they copy, or are left out. */
static void cells(const struct plain *p, long h, long w, uint32_t g, void (*each)(void *, size_t cell, bool inside), void *user)
{
	long lack_h = (p->rh - h % p->rh) % p->rh, lack_w = (p->rw - w % p->rw) % p->rw, columns = (w + lack_w) / p->rw;
	long y0 = g / columns * p->rh - lack_h / 2, x0 = g % columns * p->rw - lack_w / 2;

	for (long y = y0; y < y0 + p->rh; y++)
		for (long x = x0; x < x0 + p->rw; x++) {
			bool inside = y >= 0 && y < h && x >= 0 && x < w;

			if (inside || p->pad != CUT)
				each(user, (size_t)(reflected(y, h, p->pad) * w + reflected(x, w, p->pad)), inside);
		}
}

struct sum { const double *v; double total, n; };
static void add(void *user, size_t cell, bool inside)
{
	struct sum *s = user;

	(void)inside;
	s->total += s->v[cell];
	s->n++;
}

static double region_mean(const struct plain *p, const double *v, uint32_t g)
{
	struct sum s = { v, 0, 0 };

	cells(p, 8, 8, g, add, &s);
	return s.total / s.n;
}

struct put { double *x; const double *clean; double value; bool invert; };
static void put(void *user, size_t cell, bool inside)
{
	struct put *q = user;

	if (inside)
		q->x[cell] = q->invert ? -q->clean[cell] : q->value;
}

static void replace(const struct plain *p, const double *clean, double *x, uint32_t g)
{
	for (int c = 0; c < 3; c++) {
		struct put q = { x + 64 * c, clean + 64 * c, p->fill == MEAN ? region_mean(p, clean + 64 * c, g) : 0, p->fill == INVERT };

		cells(p, 8, 8, g, put, &q);
	}
}

/* The region that is most, or least, relevant among those that are left. */
static uint32_t best(const struct plain *p, const double *map, const bool *gone, uint32_t n)
{
	double mean[64], score[256];
	uint32_t found = UINT32_MAX;

	for (int i = 0; i < 64; i++)
		mean[i] = (map[i] + map[64 + i] + map[128 + i]) / 3;
	for (uint32_t g = 0; g < n; g++) {
		score[g] = region_mean(p, mean, g) * (p->lerf ? -1 : 1);
		if (!gone[g] && (found == UINT32_MAX || score[g] > score[found]))
			found = g;
	}
	return found;
}

static double probability(const double *y, size_t n, size_t k)
{
	double sum = 0;

	for (size_t i = 0; i < n; i++)
		sum += exp(y[i] - y[k]);
	return 1 / sum;
}

/* want[i]: the target's probability after i of `steps` equal steps. Gives the number of regions. */
static void by_hand(const char *analyzer, const struct plain *p, size_t sample, double *want)
{
	inn_job *job = inn_job_new();
	inn_model *m;
	inn_analysis *a;
	const double *clean = (const double *)on.x.data + 192 * sample;
	double now[192];
	struct inn_tensor x = { .dtype = INN_F64, .shape = { 4, { 1, 3, 8, 8 } }, .data = now };
	struct inn_target target = { .kind = INN_TARGET_INDEX, .n_index = 1 };
	struct inn_tensor map = { .dtype = INN_F64 }, y = { .dtype = INN_F64 };
	uint32_t n = ((8 + p->rh - 1) / p->rh) * ((8 + p->rw - 1) / p->rw), k = 0;
	int64_t index = 0;
	bool gone[256] = { 0 };

	memcpy(now, clean, sizeof(now));
	fine(job, inn_job_backend(job, F64));
	fine(job, inn_model_open(job, on.net, &m));
	fine(job, inn_analyzer(job, m, analyzer, &a));
	for (uint32_t i = 0; i <= p->steps; i++) {
		fine(job, inn_predict(m, &x, 1, &y));
		for (int64_t c = 0; !i && c < y.shape.dim[1]; c++)
			index = ((double *)y.data)[c] > ((double *)y.data)[index] ? c : index;
		want[i] = probability(y.data, y.shape.dim[1], (size_t)index);
		inn_tensor_free(&y);
		target.index = &index;
		if (!i || p->again) {
			inn_tensor_free(&map);
			fine(job, inn_analyze(a, &x, 1, &target, &map));
		}
		for (; i < p->steps && k < (i + 1) * n / p->steps; k++) {
			uint32_t g = best(p, map.data, gone, n);

			gone[g] = true;
			replace(p, clean, now, g);
		}
	}
	inn_tensor_free(&map);
	inn_job_free(job);
}

static const struct plain plains[] = {
	{ 2, 2, 16, CUT, false, false, ZEROS }, { 3, 2, 12, CUT, false, false, MEAN }, { 3, 5, 6, CUT, true, false, INVERT },
	{ 8, 3, 3, CUT, true, false, MEAN }, { 3, 3, 9, REFLECT, false, false, MEAN }, { 5, 3, 6, EDGE, true, false, MEAN },
	{ 1, 1, 10, CUT, false, false, ZEROS }, { 2, 2, 5, CUT, false, true, ZEROS }, { 3, 3, 9, CUT, true, true, MEAN },
	{ 1, 8, 4, REFLECT, false, true, INVERT },
};

START_TEST(plain_loop)
{
	static const char *const fill[] = { "zeros", "mean", "invert" }, *const pad[] = { "none", "reflect", "edge" };
	const struct plain *p = &plains[_i];
	char metric[256];
	double want[64];

	INPUT(3, 3, 8, 8);
	noise();
	on.net = NETS "residual.onnx";
	snprintf(metric, sizeof(metric), "{type: abpc, region_shape: [%u, %u], steps: %u, pad_mode: %s, fill: %s, recompute_analysis: %s}", p->rh, p->rw,
		 p->steps, pad[p->pad], fill[p->fill], p->again ? "true" : "false");
	measure("input_t_gradient", metric, p->lerf ? "lerf" : "morf");
	ck_assert_uint_eq(points, p->steps + 1);
	for (size_t s = 0; s < 3; s++) {
		by_hand("input_t_gradient", p, s, want);
		for (uint32_t i = 0; i <= p->steps; i++)
			ck_assert_double_eq_tol(curve[s * points + i], want[i], 1e-9);
	}
}
END_TEST

/* One sample alone, among others, in another place, in batches of another size: the same bits. */
static void batches(const char *backend, const char *metric)
{
	double all[MAX_POINTS];
	struct inn_tensor whole;

	INPUT(5, 3, 8, 8);
	noise();
	on.net = NETS "cnn.onnx";
	on.backend = backend;
	on.batch = 4;
	measure("lrp.epsilon", metric, "morf");
	memcpy(all, curve, sizeof(all));
	whole = on.x;
	for (uint32_t s = 0; s < 5; s++) {
		on.x.shape.dim[0] = 1;
		on.x.data = (double *)whole.data + 192 * s;
		on.batch = 1 + s % 2;
		measure("lrp.epsilon", metric, "morf");
		ck_assert_mem_eq(curve, all + s * points, points * sizeof(double));
	}
	on.x = whole;
}

START_TEST(batch_invariance)
{
	static const char *const backend[] = { "{type: reference}", F64, "cpu" };

	batches(backend[_i], "{type: abpc, region_shape: 3, fill: mean}");
	batches(backend[_i], "{type: aopc, region_shape: 2, steps: 4, recompute_analysis: true, fill: blur}");
}
END_TEST

START_TEST(by_quantus)
{
	static const struct { const char *name, *metric, *series; double sign; } t[] = {
		{ "cnn.pixel_flipping", "{type: pixel_flipping, regions_per_step: 4, steps: 0}", "morf", 0 },
		{ "residual.pixel_flipping", "{type: pixel_flipping, regions_per_step: 16, steps: 0}", "morf", 0 },
		{ "cnn.morf", "{type: region_perturbation, fill: zeros, region_shape: 2, steps: 0}", "lost", 0 },
		{ "residual.morf", "{type: region_perturbation, fill: zeros, region_shape: 3, steps: 0}", "lost", 0 },
		{ "cnn.lerf", "{type: abpc, reduce_function: sum, aggregation_function: sum, region_shape: 2, steps: 0, regions_per_step: 1}", "lerf", 1 },
		{ "residual.lerf", "{type: abpc, reduce_function: sum, aggregation_function: sum, region_shape: 3, steps: 0, regions_per_step: 1}", "lerf", 1 },
	};
	struct inn_tensor want = { 0 };
	char path[128];

	snprintf(path, sizeof(path), NETS "%.*s.x.npy", (int)strcspn(t[_i].name, "."), t[_i].name);
	read_array(path, &on.x);
	snprintf(path, sizeof(path), METRICS "%s.npy", t[_i].name);
	read_array(path, &want);
	snprintf(path, sizeof(path), NETS "%.*s.onnx", (int)strcspn(t[_i].name, "."), t[_i].name);
	on.net = path;
	measure("gradient", t[_i].metric, t[_i].series);
	uint32_t n = want.shape.dim[1], skip = t[_i].sign > 0; /* our curves begin with the clean input */

	ck_assert_uint_eq(points, n + skip);
	for (uint32_t s = 0; s < want.shape.dim[0]; s++)
		for (uint32_t i = 0; i < n; i++) {
			double got = curve[s * points + i + skip];

			got = skip ? curve[s * points] - got : got;
			ck_assert_double_eq_tol(got, ((double *)want.data)[s * n + i], 1e-6);
		}
	inn_tensor_free(&want);
}
END_TEST

/* Nothing replaced is the clean input, all replaced is the fill, and what is replaced grows. */
START_TEST(steps)
{
	static const int64_t index[1] = { 0 };
	size_t n = 60;

	INPUT(1, 3, 4, 5);
	for (size_t i = 0; i < n; i++) /* every contribution is positive: each region takes some of the score */
		((double *)on.x.data)[i] = linear_weight(i, 0) < 0 ? -1 : 1;
	on.net = METRICS "linear.onnx";
	on.target = (struct inn_target){ .kind = INN_TARGET_INDEX, .index = index, .n_index = 1 };
	measure("random", "{type: score_curve, region_shape: [3, 2], steps: 4, score: output}", "morf");
	ck_assert_uint_eq(points, 5);
	for (uint32_t i = 1; i < 5; i++) {
		ck_assert_double_le(curve[i], curve[i - 1]);
		ck_assert_double_eq(where[i], floor(i * 6 / 4.) / 6);
	}
	ck_assert_double_eq_tol(curve[4], 0, 1e-12);
	measure("random", "{type: score_curve, region_shape: 2, steps: 3, regions_per_step: 2, first_step: 1, score: output}", "morf");
	for (uint32_t i = 0; i < 4; i++) /* iNNvestigate's 1 + s regions_per_step, of 2 x 3 regions */
		ck_assert_double_eq(where[i], (i ? 2 * i - 1 : 0) / 6.);
	measure("random", "{type: score_curve, region_shape: 2, steps: 0, regions_per_step: 4}", "morf");
	ck_assert_uint_eq(points, 3);
	measure("random", "{type: score_curve, region_shape: 100, steps: 20}", "morf");
	ck_assert_uint_eq(points, 2);
}
END_TEST

/* All replaced: the output says what the fill was. */
static double filled(const char *fill, const char *more)
{
	char metric[256];

	snprintf(metric, sizeof(metric), "{type: score_curve, region_shape: [4, 5], score: output, steps: 1, fill: %s%s}", fill, more);
	measure("random", metric, "morf");
	return curve[points - 1];
}

START_TEST(fills)
{
	static const int64_t index[1] = { 0 };
	double mean[3] = { 0 }, want[3] = { 0, 0, 0 }, all = 0, weight[3] = { 0 };

	INPUT(1, 3, 4, 5);
	noise();
	for (size_t i = 0; i < 60; i++) {
		mean[i / 20] += ((double *)on.x.data)[i] / 20;
		weight[i / 20] += linear_weight(i, 0);
	}
	for (size_t c = 0; c < 3; c++) {
		want[0] += mean[c] * weight[c];
		all += mean[c] / 3;
		want[2] += weight[c];
	}
	on.net = METRICS "linear.onnx";
	on.target = (struct inn_target){ .kind = INN_TARGET_INDEX, .index = index, .n_index = 1 };
	ck_assert_double_eq_tol(filled("zeros", ""), 0, 1e-12);
	ck_assert_double_eq_tol(filled("mean", ""), want[0], 1e-9);
	ck_assert_double_eq_tol(filled("{type: mean, over: channel}", ""), want[0], 1e-9);
	ck_assert_double_eq_tol(filled("{type: mean, over: sample}", ""), all * want[2], 1e-9);
	ck_assert_double_eq_tol(filled("{type: dataset_mean, mean: 0.25}", ""), 0.25 * want[2], 1e-9);
	ck_assert_double_eq_tol(filled("{type: dataset_mean, mean: 0.25}", ", value_range: [-1, 0.125]"), 0.125 * want[2], 1e-9);
	ck_assert_double_eq_tol(filled("{type: gaussian, stddev: 0, mean: 2}", ""), 2 * want[2], 1e-9);
	ck_assert_double_eq_tol(filled("{type: uniform, low: 3, high: 3}", ""), 3 * want[2], 1e-9);
	double clean = curve[0];

	ck_assert_double_eq_tol(filled("invert", ""), -clean, 1e-9);
	ck_assert(filled("gaussian", "") != filled("{type: gaussian, seed: 2}", ""));
}
END_TEST

/* A blur keeps constants and is what a plain sum of weights makes of an impulse. */
START_TEST(blurred)
{
	static const int64_t index[1] = { 0 };
	double want = 0;

	INPUT(1, 3, 4, 5);
	for (size_t i = 0; i < 60; i++)
		((double *)on.x.data)[i] = 1;
	on.net = METRICS "linear.onnx";
	on.target = (struct inn_target){ .kind = INN_TARGET_INDEX, .index = index, .n_index = 1 };
	double kept = filled("{type: blur, sigma: 1.5}", "");

	ck_assert_double_eq_tol(kept, curve[0], 1e-9);
	memset(on.x.data, 0, 60 * sizeof(double));
	((double *)on.x.data)[20 + 5 * 1 + 3] = 1;
	for (int y = 0; y < 4; y++)
		for (int x = 0; x < 5; x++) {
			double wy = 0, wx = 0;

			for (int k = 0; k < 4; k++)
				wy += abs(k - y) <= 2 ? exp(-(k - y) * (k - y) / 2.) : 0;
			for (int k = 0; k < 5; k++)
				wx += abs(k - x) <= 2 ? exp(-(k - x) * (k - x) / 2.) : 0;
			if (abs(y - 1) <= 2 && abs(x - 3) <= 2)
				want += linear_weight((size_t)(20 + 5 * y + x), 0) * exp(-(y - 1) * (y - 1) / 2.) / wy * exp(-(x - 3) * (x - 3) / 2.) / wx;
		}
	ck_assert_double_eq_tol(filled("{type: blur, sigma: 1}", ""), want, 1e-9);
}
END_TEST

/* The share of Student's distribution within +- t, by Simpson's rule on the angle atan(t / sqrt(v)). */
START_TEST(students_t)
{
	static const size_t freedom[] = { 1, 2, 3, 5, 10, 11, 12, 20, 50, 999 };

	for (size_t i = 0; i < sizeof(freedom) / sizeof(*freedom); i++) {
		double v = (double)freedom[i], top = atan(inn__t_quantile(freedom[i]) / sqrt(v)), part = 0, all = 0;

		for (int k = 0; k <= 20000; k++) {
			double c = k == 0 || k == 20000 ? 1 : k % 2 ? 4 : 2;

			part += c * pow(cos(top * k / 20000), v - 1) * top;
			all += c * pow(cos(acos(0) * k / 20000), v - 1) * acos(0);
		}
		ck_assert_double_eq_tol(part / all, 0.95, 2e-5);
	}
	struct inn_tensor t = { .dtype = INN_F64, .shape = { 2, { 3, 2 } }, .data = (double[]){ 1, 5, 2, 5, 6, 5 } };
	struct inn__interval r[2];

	inn__intervals(&t, r);
	ck_assert_double_eq_tol(r[0].mean, 3, 1e-12);
	ck_assert_double_eq_tol(r[0].high - 3, 4.302653 * sqrt(7. / 3), 1e-5);
	ck_assert_double_eq_tol(r[1].low, 5, 1e-12);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("metrics");
	TCase *t = tcase_create("metrics");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_set_timeout(t, 60);
	tcase_add_test(t, innvestigate_numbers);
	tcase_add_test(t, linear_model);
	tcase_add_test(t, linear_scores);
	tcase_add_test(t, constant_model);
	tcase_add_test(t, flat_map);
	tcase_add_loop_test(t, plain_loop, 0, sizeof(plains) / sizeof(*plains));
	tcase_add_loop_test(t, batch_invariance, 0, 3);
	tcase_add_loop_test(t, by_quantus, 0, 6);
	tcase_add_test(t, steps);
	tcase_add_test(t, fills);
	tcase_add_test(t, blurred);
	tcase_add_test(t, students_t);
	suite_add_tcase(s, t);
	SRunner *r = srunner_create(s);

	srunner_run_all(r, CK_NORMAL);
	int failed = srunner_ntests_failed(r);

	srunner_free(r);
	return failed != 0;
}
