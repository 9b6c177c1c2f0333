/* Patterns against closed forms in numpy, and the maps they give against PyTorch (scripts/oracle/make_patterns.py). */
#include "../../core/job/job.h"
#include "unit.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char *const nets[] = { "mlp", "cnn", "strided", "dilated", "grouped", "avgpool", "conv1d", "residual", "batch_norm", "haufe" };
static const char *const types[] = { "linear", "relu", "relu.negative" };
static char state[64];
static inn_job *job;
static inn_model *model;
static struct inn_tensor x;

static void setup(void)
{
	snprintf(state, sizeof(state), "/tmp/innvestigate-test-%ld.npz", (long)getpid());
	job = inn_job_new();
	ck_assert_ptr_nonnull(job);
}

static void teardown(void)
{
	unlink(state);
	inn_job_free(job);
}

static struct inn__archive *archive(const char *path)
{
	struct inn__archive *a;

	ck_assert_msg(inn__archive_open(job, path, &a) == INN_OK, "%s", inn_error(job, 0));
	return a;
}

static char *file(const char *net, const char *suffix)
{
	char *path = inn_printf(job->ctx, "tests/golden/patterns/%s%s", net, suffix);

	ck_assert_ptr_nonnull(path);
	return path;
}

/* An .npy file by the engine's own reader: the source of a sample set. */
static struct inn_tensor array(const char *path)
{
	struct inn__samples s;
	inn_graph *g = inn__model_graph(model, false);

	ck_assert_msg(inn__samples_open(job, &path, 1, NULL, g, &s) == INN_OK, "%s", inn_error(job, 0));
	struct inn_tensor t = s.array[0];

	free(s.array);
	return t;
}

static void open_net(const char *net, const char *backend)
{
	if (backend)
		ck_assert_int_eq(inn_job_backend(job, backend), INN_OK);
	ck_assert_msg(inn_model_open(job, file(net, ".onnx"), &model) == INN_OK, "%s", inn_error(job, 0));
	x = array(file(net, ".x.npy"));
}

static inn_analysis *analyzer(const char *yaml)
{
	inn_analysis *a;

	ck_assert_msg(inn_analyzer(job, model, yaml, &a) == INN_OK, "%s", inn_error(job, 0));
	return a;
}

static void close_to(const char *what, const struct inn_tensor *got, const struct inn_tensor *want, double tolerance)
{
	size_t n;
	double largest = 0, worst = 0;

	ck_assert_msg(inn_shape_eq(&got->shape, &want->shape), "%s has another shape", what);
	inn_shape_count(&want->shape, &n);
	for (size_t i = 0; i < n; i++) {
		double d = fabs(inn_tensor_real(got, i) - inn_tensor_real(want, i));

		largest = fmax(largest, fabs(inn_tensor_real(want, i)));
		worst = d > worst || isnan(d) ? d : worst;
	}
	ck_assert_msg(worst <= tolerance * largest, "%s: off by %g of the largest, allowed %g", what, worst / largest, tolerance);
}

/* Output channels of the pattern in which w times the pattern is 1; the others must be dead: zero throughout. */
static uint32_t live(const struct inn_tensor *pattern, const struct inn_tensor *w, int axis)
{
	size_t n, inner = 1;
	uint32_t channels = w->shape.dim[axis], alive = 0;

	inn_shape_count(&w->shape, &n);
	for (uint32_t d = (uint32_t)axis + 1; d < w->shape.rank; d++)
		inner *= w->shape.dim[d];
	for (uint32_t c = 0; c < channels; c++) {
		double dot = 0, largest = 0;

		for (size_t i = 0; i < n; i++)
			if (i / inner % channels == c) {
				dot += inn_tensor_real(pattern, i) * inn_tensor_real(w, i);
				largest = fmax(largest, fabs(inn_tensor_real(pattern, i)));
			}
		ck_assert_msg(fabs(dot - 1) < 1e-9 || (dot == 0 && largest == 0), "channel %u: w times the pattern is %.12g", c, dot);
		alive += dot != 0;
	}
	return alive;
}

static void check_products(const struct inn__archive *got, const char *type)
{
	const inn_graph *g = inn__model_graph(model, false);
	uint32_t alive = 0;
	char name[64];

	for (uint32_t i = 0; i < inn_graph_nodes(g); i++) {
		const inn_node *n = inn_graph_node(g, i);

		if (inn_node_kernel_index(n) < 0)
			continue;
		snprintf(name, sizeof(name), "layer_%d.%s", (int)inn_node_kernel_index(n), type);
		alive += live(inn__archive_find(got, name), inn_node_const(n, 1), inn_node_kernel_axis(n));
	}
	ck_assert_uint_gt(alive, 0);
}

/* Every net and type with 53 samples: no multiple of a batch. */
static void fit_net(const char *net, const char *type, const char *backend, double tolerance)
{
	open_net(net, backend);
	inn_analysis *a = analyzer(inn_printf(job->ctx, "{type: pattern.net, pattern_type: %s}", type));
	uint32_t compared = 0;
	char suffix[32];

	ck_assert_msg(inn_fit(a, &x, 1, state) == INN_OK, "%s: %s", net, inn_error(job, 0));
	struct inn__archive *got = archive(state), *want = archive(file(net, ".npz"));

	snprintf(suffix, sizeof(suffix), ".%s", type);
	for (uint32_t i = 0; i < want->n; i++) {
		const char *name = want->v[i].name;

		if (strcmp(strchr(name, '.'), suffix))
			continue;
		ck_assert_ptr_nonnull(inn__archive_find(got, name));
		close_to(inn_printf(job->ctx, "%s: %s", net, name), inn__archive_find(got, name), &want->v[i].t, tolerance);
		compared++;
	}
	ck_assert_uint_eq(compared + 1, got->n); /* and the head */
	check_products(got, type);
	inn_tensor_free(&x);
}

START_TEST(closed_form_in_doubles)
{
	fit_net(nets[_i / 3], types[_i % 3], "{type: reference, dtype: f64}", 1e-8);
}
END_TEST

/* In single precision, on the backend that is taken unless one is asked for. */
START_TEST(closed_form_by_default)
{
	fit_net(nets[_i], "relu", NULL, 1e-4);
}
END_TEST

/* Samples one at a time: the first of them alone. */
START_TEST(one_sample)
{
	open_net("cnn", "{type: reference, dtype: f64}");
	x.shape.dim[0] = 1;
	ck_assert_msg(inn_fit(analyzer("{type: pattern.net, pattern_type: linear}"), &x, 1, state) == INN_OK, "%s", inn_error(job, 0));
	check_products(archive(state), "linear");
	inn_tensor_free(&x);
}
END_TEST

START_TEST(signal_and_distractor)
{
	open_net("haufe", "{type: reference, dtype: f64}");
	const struct inn_tensor *w = inn_node_const(inn_graph_node(inn__model_graph(model, false), 0), 1);

	ck_assert_msg(inn_fit(analyzer("{type: pattern.net, pattern_type: linear}"), &x, 1, state) == INN_OK, "%s", inn_error(job, 0));
	const struct inn_tensor *a = inn__archive_find(archive(state), "layer_0.linear");

	ck_assert_double_lt(fabs(inn_tensor_real(w, 0) - 1), .05);
	ck_assert_double_lt(fabs(inn_tensor_real(w, 1) + 1), .05);
	ck_assert_double_lt(fabs(inn_tensor_real(a, 0) - 1), .05);
	ck_assert_double_lt(fabs(inn_tensor_real(a, 1)), .05);
	inn_tensor_free(&x);
}
END_TEST

static void analyze(inn_analysis *a, const char *net, const char *want, double tolerance)
{
	static const struct inn_target max = { .kind = INN_TARGET_MAX };
	struct inn_tensor few = x, r = { .dtype = INN_F64 }, w = array(file(net, want));

	few.shape.dim[0] = w.shape.dim[0];
	ck_assert_msg(inn_analyze(a, &few, 1, &max, &r) == INN_OK, "%s: %s", net, inn_error(job, 0));
	close_to(inn_printf(job->ctx, "%s%s", net, want), &r, &w, tolerance);
	inn_tensor_free(&r);
	inn_tensor_free(&w);
}

#define RAW "reverse_project_bottleneck_layers: false"

START_TEST(maps)
{
	const char *net = nets[_i];

	open_net(net, "{type: reference, dtype: f64}");
	inn_analysis *a = analyzer("{type: pattern.net, " RAW "}");

	ck_assert_msg(inn_fit(a, &x, 1, state) == INN_OK, "%s", inn_error(job, 0));
	analyze(a, net, ".net.npy", 1e-7);
	analyze(analyzer(inn_printf(job->ctx, "{type: pattern.attribution, " RAW ", state: %s}", state)), net, ".attribution.npy", 1e-7);
	inn_tensor_free(&x);
}
END_TEST

START_TEST(files_of_the_original)
{
	static const char *const with[] = { "mlp", "cnn" };
	const char *net = with[_i];

	open_net(net, "{type: reference, dtype: f64}");
	analyze(analyzer(inn_printf(job->ctx, "{type: pattern.net, " RAW ", patterns: %s}", file(net, ".keras.npz"))), net, ".net.npy", 1e-9);
	analyze(analyzer(inn_printf(job->ctx, "{type: pattern.attribution, " RAW ", patterns: %s}", file(net, ".keras.npz"))), net,
		".attribution.npy", 1e-9);
	inn_tensor_free(&x);
}
END_TEST

/* Each sample's map has a largest magnitude of 1, and is the raw map but for a factor. */
START_TEST(projection)
{
	struct inn_tensor raw = { .dtype = INN_F64 }, scaled = { .dtype = INN_F64 };
	static const struct inn_target max = { .kind = INN_TARGET_MAX };

	open_net("cnn", "{type: reference, dtype: f64}");
	inn_analysis *a = analyzer("pattern.net"), *b;

	ck_assert_int_eq(inn_fit(a, &x, 1, state), INN_OK);
	b = analyzer(inn_printf(job->ctx, "{type: pattern.net, " RAW ", state: %s}", state));
	ck_assert_int_eq(inn_analyze(a, &x, 1, &max, &scaled), INN_OK);
	ck_assert_int_eq(inn_analyze(b, &x, 1, &max, &raw), INN_OK);
	for (uint32_t s = 0; s < x.shape.dim[0]; s++) {
		double largest = 0;

		for (size_t i = 0; i < 192; i++)
			largest = fmax(largest, fabs(inn_tensor_real(&raw, s * 192 + i)));
		for (size_t i = 0; i < 192; i++)
			ck_assert_double_eq_tol(inn_tensor_real(&scaled, s * 192 + i), inn_tensor_real(&raw, s * 192 + i) / largest, 1e-12);
	}
	inn_tensor_free(&raw);
	inn_tensor_free(&scaled);
	inn_tensor_free(&x);
}
END_TEST

int main(void)
{
	TCase *t = tcase_create("patterns");
	int n = sizeof(nets) / sizeof(*nets);

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_set_timeout(t, 60);
	tcase_add_loop_test(t, closed_form_in_doubles, 0, 3 * n);
	tcase_add_loop_test(t, closed_form_by_default, 0, n);
	tcase_add_test(t, one_sample);
	tcase_add_test(t, signal_and_distractor);
	tcase_add_loop_test(t, maps, 0, n - 2); /* those before batch_norm */
	tcase_add_loop_test(t, files_of_the_original, 0, 2);
	tcase_add_test(t, projection);
	return run_case(t);
}
