/* What a profile says of a plan: which operations, how often, what they compute and move, and the floor beside it. No times. */
#include "../../core/job/job.h"
#include "unit.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define BATCH 2u
/* models/fashion: multiplications of its four convolutions and two dense layers for one sample */
#define LAYERS (1. * 16 * 9 * 784 + 16. * 16 * 9 * 784 + 16. * 32 * 9 * 196 + 32. * 32 * 9 * 196 + 1568. * 96 + LAST)
#define LAST (96. * 10)

static const char *const backends[] = { "reference", "cpu", "opencl" };
static inn_job *job;
static struct inn__exec *exec;
static struct inn__profile profile;

/* False where the backend is not built or has no device. */
static bool profiled(const char *backend, const char *analyzer, const char *floor, int want)
{
	static struct inn_target target;
	struct inn_inst a;
	struct inn__what w = { .analyzer = &a, .n_analyzer = 1, .n_maps = 1, .target = &target, .batch = BATCH };
	struct inn__samples none = { 0 };

	job = inn_job_new();
	profile = (struct inn__profile){ 0 };
	if (inn_job_backend(job, backend) < 0 || inn__backend_open(job) < 0)
		return false;
	ck_assert_int_eq(inn_model_open(job, "models/fashion/fashion.onnx", &w.model), INN_OK);
	ck_assert_int_eq(inn__bind_text(job, INN_ANALYZER, "analyzer", analyzer, &a), INN_OK);
	ck_assert_int_eq(inn__plan_make(job, &w, BATCH, &exec), INN_OK);
	ck_assert_int_eq(inn__profile(job, exec, &none, floor, &profile), want);
	return true;
}

static void closed(void)
{
	inn__exec_free(job, exec);
	inn_job_free(job);
	exec = NULL;
}

/* Sums of the parts of every batch: what products compute, and shares. */
static double products(double *shares)
{
	double flops = 0;

	*shares = 0;
	for (size_t i = 0; i < profile.n; i++) {
		const struct inn__part *q = &profile.part[i];
		uint32_t code = inn_plan_op(exec->plan, q->n_with ? q->with[0] : q->op)->code;

		ck_assert(isfinite(q->seconds) && q->seconds >= 0 && q->runs > 0);
		if (q->once)
			continue;
		*shares += q->seconds / profile.total;
		for (uint32_t m = 0; !q->extra && m <= q->n_with; m++) {
			uint32_t op = m ? q->with[m - 1] : q->op;

			if (inn_op_class(inn_plan_op(exec->plan, op)->code) == 'P')
				flops += inn__plan_flops(exec->plan, op) * (double)q->runs;
		}
		if (q->n_with == 0 && inn_op_class(code) == 'P' && !q->extra)
			ck_assert_double_eq(q->flops, inn__plan_flops(exec->plan, q->op) * (double)q->runs);
	}
	return flops;
}

START_TEST(accounts)
{
	double shares;

	if (profiled(backends[_i], "gradient", NULL, INN_OK)) {
		bool *seen = calloc(exec->plan->n_ops, sizeof(*seen));

		ck_assert_double_eq(products(&shares), 2. * BATCH * 2 * LAYERS); /* forward, and back to the input */
		ck_assert_double_eq_tol(shares, 1, 1e-9);
		for (size_t i = 0; i < profile.n; i++) /* every operation is computed in one place */
			for (uint32_t m = 0; !profile.part[i].extra && m <= profile.part[i].n_with; m++) {
				uint32_t op = m ? profile.part[i].with[m - 1] : profile.part[i].op;

				ck_assert(op < exec->plan->n_ops && !seen[op]);
				seen[op] = true;
			}
		free(seen);
	}
	closed();
}
END_TEST

/* Three noisy passes in a loop beside the clean one that picks the target. Without the last layer: nobody needs their outputs, and
 * what comes back through it is the same for all three. */
START_TEST(iterations)
{
	double shares;

	if (profiled(backends[_i], "{type: smoothgrad, augment_by_n: 3}", NULL, INN_OK))
		ck_assert_double_eq(products(&shares), 2. * BATCH * ((1 + 3 * 2) * LAYERS - 5 * LAST));
	closed();
}
END_TEST

/* The second convolution: its input, kernel and result, and whatever bias is computed with it; all once. */
START_TEST(traffic)
{
	size_t found = 0;

	if (profiled(backends[_i], "gradient", NULL, INN_OK)) {
		for (size_t i = 0; i < profile.n; i++) {
			const struct inn__part *q = &profile.part[i];
			uint32_t op = q->n_with ? q->with[0] : q->op;

			if (q->extra || inn_plan_op(exec->plan, op)->code != INN_OP_CONV || strcmp(inn_plan_op(exec->plan, op)->from, "/3/Conv"))
				continue;
			found++;
			ck_assert_double_eq(q->bytes, 4. * (2 * BATCH * 16 * 784 + 16 * 16 * 9 + (q->n_with ? 16 : 0)));
		}
		ck_assert_uint_eq(found, 1);
	}
	closed();
}
END_TEST

static void write_floor(char *path, const char *line, const char *key)
{
	int fd = mkstemp(path);
	FILE *f = fdopen(fd, "w");

	ck_assert_ptr_nonnull(f);
	fprintf(f, "# a comment\n");
	fprintf(f, line, key, key);
	ck_assert_int_eq(fclose(f), 0);
}

START_TEST(floors)
{
	char path[] = "/tmp/innvestigate-floor-XXXXXX", bad[] = "/tmp/innvestigate-floor-XXXXXX";
	struct inn__text key = { 0 };
	size_t with = 0;

	ck_assert(profiled("reference", "gradient", NULL, INN_OK));
	for (uint32_t i = 0; i < exec->plan->n_ops && !key.s; i++)
		if (inn_plan_op(exec->plan, i)->code == INN_OP_CONV && !strcmp(inn_plan_op(exec->plan, i)->from, "/3/Conv"))
			inn__product_key(exec->plan, i, &key);
	ck_assert_str_eq(key.s, "conv [2,16,28,28] [16,16,3,3] 1,1,1,1,1,1,1,1,1 [2,16,28,28]");
	closed();
	write_floor(path, "4096\t9\t9\t9\t%s\n", key.s); /* of another number of threads */
	ck_assert(profiled("reference", "gradient", path, INN_OK));
	for (size_t i = 0; i < profile.n; i++)
		ck_assert(profile.part[i].floor == 0);
	closed();
	FILE *f = fopen(path, "a");

	for (uint32_t t = 1; t < 1024; t++)
		fprintf(f, "%u 0.25 0.5 0.75 %s\n", t, key.s);
	ck_assert_int_eq(fclose(f), 0);
	ck_assert(profiled("reference", "gradient", path, INN_OK));
	for (size_t i = 0; i < profile.n; i++) {
		ck_assert(profile.part[i].floor == 0 || profile.part[i].floor == 0.25e-3);
		with += profile.part[i].floor > 0;
	}
	ck_assert_uint_eq(with, 1);
	closed();
	write_floor(bad, "2 0.1 -3 1 %s\n", key.s);
	ck_assert(profiled("reference", "gradient", bad, INN_EDATA));
	ck_assert_ptr_nonnull(strstr(inn_error(job, 0), ":2:"));
	closed();
	ck_assert(profiled("reference", "gradient", "/nowhere/floor", INN_EIO));
	closed();
	free(key.s);
	unlink(path);
	unlink(bad);
}
END_TEST

int main(void)
{
	TCase *t = tcase_create("profile");
	int n = (int)(sizeof(backends) / sizeof(*backends));

	tcase_set_timeout(t, 120);
	tcase_add_loop_test(t, accounts, 0, n);
	tcase_add_loop_test(t, iterations, 0, n);
	tcase_add_loop_test(t, traffic, 0, n);
	tcase_add_test(t, floors);
	return run_case(t);
}
