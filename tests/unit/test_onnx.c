/* The ONNX reader on models written here byte by byte: weights that stay in the file, wherever they stand in the message. */
#include "core/base/ctx.h"
#include "core/job/job.h"
#include "unit.h"
#include <innvestigate/innvestigate.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { F32 = 1, I32 = 6, MOST = 5000 }; /* data types; elements */

struct text { uint8_t *p; size_t n; };

static char path[] = "/tmp/inn-onnx-XXXXXX";

static void put(struct text *t, const void *p, size_t n)
{
	t->p = realloc(t->p, t->n + n + 1);
	if (n)
		memcpy(t->p + t->n, p, n);
	t->n += n;
}

/* Padded with empty groups of bits to `least` bytes. */
static void number(struct text *t, uint64_t v, unsigned least)
{
	for (unsigned i = 1; v > 127 || i < least; i++, v >>= 7)
		put(t, &(uint8_t){ (uint8_t)(v | 128) }, 1);
	put(t, &(uint8_t){ (uint8_t)v }, 1);
}

static void integer(struct text *t, unsigned field, uint64_t v)
{
	number(t, (uint64_t)field << 3, 1);
	number(t, v, 1);
}

static void bytes(struct text *t, unsigned field, const void *p, size_t n, unsigned width)
{
	number(t, (uint64_t)field << 3 | 2, 1);
	number(t, n, width);
	put(t, p, n);
}

static void string(struct text *t, unsigned field, const char *s) { bytes(t, field, s, strlen(s), 1); }

/* Frees the inner message. */
static void message(struct text *t, unsigned field, struct text inner, unsigned width)
{
	bytes(t, field, inner.p, inner.n, width);
	free(inner.p);
}

static float value(uint32_t i) { return (float)i / 64 - 3; }

enum stored { RAW, FLOATS, HALVES, BOTH, AS_INT, KINDS }; /* raw_data, float_data, that in two pieces, both, float_data of another type */

/* n numbers, of which `bytes_more` bytes too many are stored. */
static struct text tensor(const char *name, uint32_t n, int bytes_more, enum stored how)
{
	static float v[MOST + 1];
	struct text t = { 0 };

	for (uint32_t i = 0; i < n; i++)
		v[i] = value(i);
	integer(&t, 1, n);
	integer(&t, 2, how == AS_INT ? I32 : F32);
	if (how != RAW)
		bytes(&t, 4, v, (how == HALVES ? n / 2 : n) * sizeof(float) + (size_t)bytes_more, 1);
	if (how == HALVES)
		bytes(&t, 4, v + n / 2, (n - n / 2) * sizeof(float), 1);
	string(&t, 8, name);
	if (how == RAW || how == BOTH)
		bytes(&t, 9, v, n * sizeof(float) + (size_t)bytes_more, 1);
	return t;
}

static struct text port(const char *name, uint32_t n)
{
	struct text dim[2] = { 0 }, shape = { 0 }, tensor = { 0 }, type = { 0 }, t = { 0 };

	integer(&dim[0], 1, 1);
	integer(&dim[1], 1, n);
	message(&shape, 1, dim[0], 1);
	message(&shape, 1, dim[1], 1);
	integer(&tensor, 1, F32);
	message(&tensor, 2, shape, 1);
	message(&type, 1, tensor, 1);
	string(&t, 1, name);
	message(&t, 2, type, 1);
	return t;
}

static struct text node(const char *op, const char *a, const char *b, const char *out)
{
	struct text t = { 0 };

	if (a)
		string(&t, 1, a);
	if (b)
		string(&t, 1, b);
	string(&t, 2, out);
	string(&t, 4, op);
	return t;
}

/* y = x + c + d; c is an initializer, d a Constant's attribute. `width`: of the lengths of what encloses them; `mark`: a field of
 * that number within d, unless 0; `how`: c is stored. */
static void write_model(uint32_t n, unsigned width, int bytes_more, unsigned mark, enum stored how)
{
	struct text graph = { 0 }, constant = node("Constant", NULL, NULL, "d"), attribute = { 0 }, opset = { 0 }, model = { 0 };
	struct text d = tensor("", n, 0, RAW);
	FILE *f = fopen(path, "w");

	if (mark) {
		number(&d, (uint64_t)mark << 3 | 1, 1);
		put(&d, "12345678", 8);
	}
	string(&attribute, 1, "value");
	message(&attribute, 5, d, width);
	integer(&attribute, 20, 4);
	message(&constant, 5, attribute, width);
	message(&graph, 1, constant, width);
	message(&graph, 1, node("Add", "x", "c", "z"), 1);
	message(&graph, 1, node("Add", "z", "d", "y"), 1);
	message(&graph, 5, tensor("c", n, bytes_more, how), width);
	message(&graph, 11, port("x", n), 1);
	message(&graph, 12, port("y", n), 1);
	integer(&model, 1, 8);
	message(&model, 7, graph, width);
	integer(&opset, 2, 13);
	message(&model, 8, opset, 1);
	ck_assert_uint_eq(fwrite(model.p, 1, model.n, f), model.n);
	ck_assert_int_eq(fclose(f), 0);
	free(model.p);
}

static inn_job *open_job(inn_model **m, int want)
{
	inn_job *job = inn_job_new();

	ck_assert_int_eq(inn_job_backend(job, "reference"), INN_OK);
	ck_assert_int_eq(inn_model_open(job, path, m), want);
	return job;
}

static int predict(inn_model *m, uint32_t n)
{
	float *x = calloc(n, sizeof(*x));
	struct inn_tensor in = { .shape = { .rank = 2, .dim = { 1, n } }, .dtype = INN_F32, .data = x }, y = { 0 };
	int status = inn_predict(m, &in, 1, &y);

	for (uint32_t i = 0; status == INN_OK && i < n; i++)
		ck_assert_float_eq(((float *)y.data)[i], 2 * value(i));
	inn_tensor_free(&y);
	free(x);
	return status;
}

static bool says(inn_job *job, const char *text)
{
	for (uint32_t i = 0; i < inn_error_count(job); i++)
		if (strstr(inn_error(job, i), text))
			return true;
	return false;
}

static void setup(void)
{
	strcpy(path, "/tmp/inn-onnx-XXXXXX");
	int fd = mkstemp(path);

	ck_assert_int_ge(fd, 0);
	close(fd);
}

static void teardown(void) { unlink(path); }

/* Below and above what stays in the file; lengths as wide as they need to be, and wider. */
START_TEST(weights)
{
	static const uint32_t n[] = { 1, 1023, 1024, 1025, MOST };
	inn_model *m;

	write_model(n[_i % 5], _i < 10 ? 1 : 5, 0, 0, _i / 5 % 2 ? FLOATS : RAW);
	inn_job *job = open_job(&m, INN_OK);

	ck_assert_int_eq(predict(m, n[_i % 5]), INN_OK);
	inn_job_free(job);
}
END_TEST

START_TEST(wrong_size)
{
	inn_model *m;

	write_model(MOST, 1, 1, 0, RAW);
	inn_job *job = open_job(&m, INN_EMODEL);

	ck_assert(says(job, "tensor c has 20001 bytes where its shape needs 20000"));
	inn_job_free(job);
}
END_TEST

/* Large values that are no single field of their type's. */
START_TEST(other_fields)
{
	static const char *const why[] = {
		[FLOATS] = "tensor c has 20004 bytes where its shape needs 20000", [HALVES] = "tensor c has its values in several pieces",
		[BOTH] = "tensor c has its values in several pieces", [AS_INT] = "tensor c has float_data, but another type",
	};
	inn_model *m;

	write_model(MOST, 1, _i == FLOATS ? 4 : 0, 0, (enum stored)_i);
	inn_job *job = open_job(&m, _i == FLOATS || _i == AS_INT ? INN_EMODEL : INN_EUNSUP);

	ck_assert(says(job, why[_i]));
	inn_job_free(job);
}
END_TEST

/* What the reader writes for itself must not come from a file. */
START_TEST(forged_mark)
{
	inn_model *m;

	write_model(16, 1, 0, (1u << 29) - 1, RAW);
	inn_job *job = open_job(&m, INN_EMODEL);

	ck_assert(says(job, "a field number that no version of the format uses"));
	inn_job_free(job);
	write_model(16, 1, 0, (1u << 29) - 2, RAW); /* unknown fields are passed over */
	job = open_job(&m, INN_OK);
	ck_assert_int_eq(predict(m, 16), INN_OK);
	inn_job_free(job);
}
END_TEST

/* The file is cut off while it is open: before anything ran, and between two plans. */
START_TEST(cut_off)
{
	inn_model *m;
	inn_analysis *a;
	float x[MOST] = { 0 };
	struct inn_tensor in = { .shape = { .rank = 2, .dim = { 1, MOST } }, .dtype = INN_F32, .data = x }, r = { 0 };

	write_model(MOST, 1, 0, 0, RAW);
	inn_job *job = open_job(&m, INN_OK);

	if (_i)
		ck_assert_int_eq(predict(m, MOST), INN_OK);
	ck_assert_int_eq(inn_analyzer(job, m, "gradient", &a), INN_OK);
	ck_assert_int_eq(truncate(path, _i ? 30000 : 100), 0);
	ck_assert_int_eq(inn_analyze(a, &in, 1, NULL, &r), INN_EMODEL);
	ck_assert_ptr_null(r.data);
	ck_assert(says(job, "cut off"));
	inn_job_free(job);
}
END_TEST

int main(void)
{
	TCase *t = tcase_create("onnx");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_loop_test(t, weights, 0, 20);
	tcase_add_loop_test(t, other_fields, FLOATS, KINDS);
	tcase_add_test(t, wrong_size);
	tcase_add_test(t, forged_mark);
	tcase_add_loop_test(t, cut_off, 0, 2);
	return run_case(t);
}
