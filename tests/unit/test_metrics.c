/* Metrics and fills against closed forms, and iNNvestigate's numbers. */
#include "metrics.h"

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

/* The contributions w_i x_i of an input of n, largest first; gives their sum. */
static double sorted(const double *x, size_t n, size_t k, double *v)
{
	double sum = 0;

	for (size_t i = 0; i < n; i++)
		sum += v[i] = linear_weight(i, k) * x[i];
	qsort(v, n, sizeof(*v), descending);
	return sum;
}

/* The same of a linear model: no order of removal can lower the score faster. */
static void contributions(size_t sample, size_t k, double *v, double *total)
{
	*total = (float)k / 10 + sorted((const double *)on.x.data + 60 * sample, 60, k, v);
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

/* Each input of a linear network with two of them is perturbed on its own, while the other stays; ranked anew, nothing changes. */
START_TEST(two_inputs)
{
	static const int64_t index[1] = { 1 };
	static double z[2 * 18], v[2][60];
	static const char *const metric[] = {
		"{type: score_curve, reduce_function: none, region_shape: 1, score: output, steps: 60}",
		"{type: score_curve, reduce_function: none, region_shape: 1, score: output, input: 1, steps: 18}",
		"{type: score_curve, reduce_function: none, region_shape: 1, score: output, input: 1, steps: 18, recompute_analysis: true}",
	};

	INPUT(2, 3, 4, 5);
	noise();
	for (size_t i = 0; i < 36; i++)
		z[i] = next();
	on.net = METRICS "pair.onnx";
	on.second = (struct inn_tensor){ .dtype = INN_F64, .shape = { .rank = 4, .dim = { 2, 2, 3, 3 } }, .data = z };
	on.target = (struct inn_target){ .kind = INN_TARGET_INDEX, .index = index, .n_index = 1 };
	for (size_t m = 0; m < 3; m++) {
		measure("input_t_gradient", metric[m], "morf");
		ck_assert_uint_eq(points, m ? 19 : 61);
		for (size_t s = 0; s < 2; s++) {
			double left = 0.1f + sorted((const double *)on.x.data + 60 * s, 60, 1, v[0]) + sorted(z + 18 * s, 18, 1, v[1]);

			for (size_t i = 0; i < points; left -= i + 1 < points ? v[m > 0][i] : 0, i++)
				ck_assert_double_eq_tol(curve[points * s + i], left, 1e-9);
		}
	}
}
END_TEST

int main(void)
{
	TCase *t = tcase_create("metrics");

	tcase_add_test(t, innvestigate_numbers);
	tcase_add_test(t, linear_model);
	tcase_add_test(t, two_inputs);
	tcase_add_test(t, linear_scores);
	tcase_add_test(t, constant_model);
	tcase_add_test(t, flat_map);
	tcase_add_test(t, steps);
	tcase_add_test(t, fills);
	tcase_add_test(t, blurred);
	tcase_add_test(t, students_t);
	return run_metrics(t);
}
