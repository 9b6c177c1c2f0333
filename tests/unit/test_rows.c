/* Which places of a value belong to which sample, with a batch of 2. */
#include "../../core/base/ctx.h"
#include "../../core/plan/value.h"
#include "unit.h"
#include <stdlib.h>

static inn_ctx *ctx;
static inn_build *b;
static inn_val x; /* [2,6,4] */

static void setup(void)
{
	ctx = inn__ctx_new();
	b = inn__build_new(ctx, 2);
	x = inn__input(b, "x", &(struct inn_shape){ .rank = 3, .dim = { 2, 6, 4 } }, 0, 0);
}

static void teardown(void)
{
	inn__build_free(b);
	inn__ctx_free(ctx);
}

static char rows(inn_val v) { return (char)val(b, v.id)->op.rows; }
static uint32_t axis(inn_val v) { return val(b, v.id)->axis; }
static uint32_t run(inn_val v) { return val(b, v.id)->run; }

static inn_val reshape(inn_val v, uint32_t rank, uint32_t p, uint32_t q, uint32_t r, uint32_t s)
{
	return inn_reshape(b, v, &(struct inn_shape){ .rank = rank, .dim = { p, q, r, s } });
}

static inn_val swapped(inn_val v, uint32_t p, uint32_t q) /* two of three axes */
{
	uint32_t order[3] = { 0, 1, 2 };

	order[p] = q;
	order[q] = p;
	return inn_permute(b, v, order);
}

/* Sizes alone do not tell where one sample is. */
START_TEST(one_sample_stays_in_front)
{
	inn_build *one = inn__build_new(ctx, 1);
	inn_val v = inn__input(one, "x", &(struct inn_shape){ .rank = 3, .dim = { 1, 6, 4 } }, 0, 0), f = inn_flatten(one, v, 1);

	ck_assert_int_eq(val(one, f.id)->op.rows, 'B');
	ck_assert_int_eq(val(one, inn_reshape(one, f, inn_shape_of(one, v)).id)->op.rows, 'B');
	inn__build_free(one);
}
END_TEST

START_TEST(samples_stay_apart)
{
	inn_val w = inn__placeholder(b, "w", &(struct inn_shape){ .rank = 2, .dim = { 4, 5 } });

	ck_assert_int_eq(rows(x), 'B');
	ck_assert_int_eq(rows(inn_exp(b, x)), 'B');
	ck_assert_int_eq(rows(inn_sum(b, x, 6)), 'B');
	ck_assert_int_eq(rows(inn_matmul(b, x, w, false, false)), 'B');
	ck_assert_int_eq(rows(inn_matmul(b, x, x, false, true)), 'B');
	ck_assert_int_eq(rows(inn_mul(b, x, inn__placeholder(b, "s", &(struct inn_shape){ .rank = 3, .dim = { 1, 6, 4 } }))), 'B');
	ck_assert_int_eq(rows(w), 'U');
}
END_TEST

START_TEST(they_are_followed)
{
	inn_val packed = reshape(x, 2, 12, 4, 0, 0), turned = swapped(x, 0, 1), merged = reshape(turned, 2, 12, 4, 0, 0);
	inn_val w = inn__placeholder(b, "w", &(struct inn_shape){ .rank = 2, .dim = { 4, 5 } });

	ck_assert_int_eq(rows(packed), 'B'); /* six rows of one sample, then six of the next */
	ck_assert_uint_eq(run(packed), 6);
	ck_assert_int_eq(rows(reshape(inn_matmul(b, packed, w, false, false), 3, 2, 6, 5, 0)), 'B');
	ck_assert_int_eq(rows(turned), 'A');
	ck_assert_uint_eq(axis(turned), 1);
	ck_assert_int_eq(rows(merged), 'A'); /* a row of one sample, then one of the next */
	ck_assert_uint_eq(run(merged), 1);
	ck_assert_int_eq(rows(swapped(reshape(inn_matmul(b, merged, w, false, false), 3, 6, 2, 5, 0), 0, 1)), 'B');
	ck_assert_int_eq(rows(inn_mul(b, turned, swapped(inn_exp(b, x), 0, 1))), 'A');
	ck_assert_int_eq(rows(inn_concat(b, (inn_val[]){ x, inn_expand(b, inn__placeholder(b, "t", &(struct inn_shape){ .rank = 3,
			 .dim = { 1, 1, 4 } }), &(struct inn_shape){ .rank = 3, .dim = { 2, 1, 4 } }) }, 2, 1)), 'B');
}
END_TEST

START_TEST(they_meet)
{
	ck_assert_int_eq(rows(inn_sum(b, x, 1)), 'M');
	ck_assert_int_eq(rows(inn_softmax(b, x, 0)), 'M');
	ck_assert_int_eq(rows(inn_slice(b, x, 0, 0, 1, 1)), 'M');
	ck_assert_int_eq(rows(inn_add(b, reshape(x, 4, 2, 1, 6, 4), reshape(x, 4, 1, 2, 6, 4))), 'M');
	ck_assert_int_eq(rows(inn_matmul(b, reshape(x, 2, 2, 24, 0, 0), reshape(x, 2, 2, 24, 0, 0), true, false)), 'M');
	ck_assert_int_eq(rows(inn_sum(b, reshape(swapped(x, 0, 1), 2, 12, 4, 0, 0), 1)), 'M');
	ck_assert_uint_eq(inn__output(b, "y", inn_softmax(b, x, 0)).id, 0);
	ck_assert(inn__build_mixes(b));
}
END_TEST

START_TEST(they_are_lost)
{
	/* Numbers that differ from place to place of the batch, and samples that whole rows do not hold. */
	inn_val other = inn__placeholder(b, "o", &(struct inn_shape){ .rank = 3, .dim = { 2, 6, 4 } });

	ck_assert_int_eq(rows(inn_add(b, x, other)), 'X');
	ck_assert_int_eq(rows(reshape(x, 2, 3, 16, 0, 0)), 'X');
	ck_assert_uint_eq(inn__output(b, "y", swapped(x, 0, 1)).id, 0);
	ck_assert(inn__build_untracked(b) && !inn__build_mixes(b));
}
END_TEST

/* Constants of the batch's size that no sample tells from another. */
START_TEST(the_same_for_all)
{
	inn_val t = inn_expand(b, inn__placeholder(b, "t", &(struct inn_shape){ .rank = 3, .dim = { 1, 6, 4 } }), inn_shape_of(b, x));
	inn_val padded = inn_slice(b, inn_pad(b, inn_exp(b, t), 1, 1, 1, 1), 1, 0, 6, 1);

	ck_assert_int_eq(rows(t), 'U');
	ck_assert_int_eq(rows(inn_add(b, x, padded)), 'B');
	ck_assert_int_eq(rows(inn_add(b, x, inn_matmul(b, inn_matmul(b, t, t, false, true), t, false, false))), 'B');
	ck_assert_int_eq(rows(inn_add(b, x, inn_pad(b, inn_slice(b, t, 0, 0, 1, 1), 0, 1, 0, 1))), 'X');
}
END_TEST

/* Positions in the flattened tensor, as gathering by element records them. */
START_TEST(gathered_in_place)
{
	int32_t own[4] = { 3, 0, 24, 47 }, strange[4] = { 3, 24, 0, 47 };
	struct inn_tensor t = { .shape = { .rank = 1, .dim = { 4 } }, .dtype = INN_I32, .data = own }, u = t;
	inn_val flat = reshape(x, 1, 48, 0, 0, 0);
	inn_val y = inn_gather(b, flat, inn_param_of(b, "own", &t), 0);

	u.data = strange;
	ck_assert_int_eq(rows(y), 'B');
	ck_assert_int_eq(rows(inn_scatter(b, y, inn_param_of(b, "own", &t), 0, 48)), 'B');
	ck_assert_int_eq(rows(inn_gather(b, flat, inn_param_of(b, "strange", &u), 0)), 'M');
}
END_TEST

int main(void)
{
	TCase *t = tcase_create("rows");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, samples_stay_apart);
	tcase_add_test(t, one_sample_stays_in_front);
	tcase_add_test(t, they_are_followed);
	tcase_add_test(t, they_meet);
	tcase_add_test(t, they_are_lost);
	tcase_add_test(t, the_same_for_all);
	tcase_add_test(t, gathered_in_place);
	return run_case(t);
}
