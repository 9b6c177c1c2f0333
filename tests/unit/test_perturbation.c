/* Perturbation against a plain loop over regions written here, of any size, cut at the edge or with padding that counts; against
 * Quantus; and in batches of other sizes. */
#include "metrics.h"

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

int main(void)
{
	TCase *t = tcase_create("perturbation");

	tcase_add_loop_test(t, plain_loop, 0, sizeof(plains) / sizeof(*plains));
	tcase_add_loop_test(t, batch_invariance, 0, 3);
	tcase_add_loop_test(t, by_quantus, 0, 6);
	return run_metrics(t);
}
