/* The plan: equal expressions, facts, rewrites, derivatives as expressions, loops in blocks. */
#include "../../core/base/ctx.h"
#include "../../core/plan/value.h"
#include "unit.h"
#include <stdlib.h>

static inn_ctx *ctx;
static inn_build *b;
static inn_val x, w;

static void setup(void)
{
	ctx = inn__ctx_new();
	b = inn__build_new(ctx, 2);
	x = inn__input(b, "x", &(struct inn_shape){ .rank = 4, .dim = { 2, 3, 8, 8 } }, 0, 0);
	w = inn__placeholder(b, "w", &(struct inn_shape){ .rank = 4, .dim = { 4, 3, 3, 3 } });
}

static void teardown(void)
{
	inn__build_free(b);
	inn__ctx_free(ctx);
}

static const struct inn_window same = { .n = 2, .stride = { 1, 1 }, .before = { 1, 1 }, .after = { 1, 1 }, .dilation = { 1, 1 }, .groups = 1 };

START_TEST(equal_expressions_are_one_value)
{
	inn_val p = inn_mulc(b, x, 2), q = inn_mul(b, inn_scalar(b, 2), x);

	ck_assert_uint_eq(p.id, q.id);
	ck_assert_uint_eq(inn_conv(b, x, w, &same).id, inn_conv(b, x, w, &same).id);
	ck_assert_uint_eq(inn_add(b, x, p).id, inn_add(b, p, x).id);
	ck_assert_uint_ne(inn_sub(b, x, p).id, inn_sub(b, p, x).id);
}
END_TEST

START_TEST(rewrites_while_recording)
{
	inn_val a = inn_pos_part(b, x), z = inn_conv(b, a, inn_pos_part(b, w), &same);

	ck_assert_uint_eq(inn_addc(b, x, 0).id, x.id);
	ck_assert_uint_eq(inn_mulc(b, x, 1).id, x.id);
	ck_assert(inn_known(b, inn_mulc(b, x, 0)) == 0);
	ck_assert(inn_known(b, inn_sub(b, x, x)) == 0);
	ck_assert_uint_eq(inn_pos_part(b, a).id, a.id);
	ck_assert(inn_known(b, inn_neg_part(b, a)) == 0);
	ck_assert(inn_is_nonneg(b, z));
	ck_assert_uint_eq(inn_abs(b, z).id, z.id);
	ck_assert(inn_known(b, inn_gtc(b, inn_neg_part(b, x), 0)) == 0);
	ck_assert(inn_known(b, inn_mulc(b, inn_scalar(b, 3), 4)) == 12);
	ck_assert_uint_eq(inn_reshape(b, x, inn_shape_of(b, x)).id, x.id);
}
END_TEST

START_TEST(shapes_are_checked)
{

	inn_val v = inn_matmul(b, x, w, false, false);

	ck_assert_uint_eq(v.id, 0);
	ck_assert(inn_failed(ctx));
	ck_assert_uint_eq(inn_add(b, x, x).id, 0); /* everything after a failure is absent */
	ck_assert_uint_eq(inn__errors(ctx), 1);
}
END_TEST

START_TEST(neutral_operand_keeps_the_shape)
{
	inn_val row = inn__placeholder(b, "row", &(struct inn_shape){ .rank = 4, .dim = { 1, 3, 8, 8 } });
	inn_val s = inn_add(b, row, inn_mulc(b, x, 0));

	ck_assert(inn_shape_eq(inn_shape_of(b, s), inn_shape_of(b, x)));
}
END_TEST

START_TEST(derivative_of_a_convolution)
{
	inn_val y = inn_conv(b, x, w, &same), g = inn__placeholder(b, "g", inn_shape_of(b, y));
	inn_val d = inn_grad(b, y, x, g, NULL, 0);
	uint32_t spatial[2] = { 8, 8 };

	ck_assert_uint_eq(d.id, inn_conv_dx(b, g, w, &same, spatial).id);
	ck_assert_uint_eq(inn_grad(b, y, w, g, NULL, 0).id, inn_conv_dw(b, x, g, &same, (uint32_t[]){ 3, 3 }).id);
	ck_assert_uint_eq(inn_grad(b, d, g, x, NULL, 0).id, inn_conv(b, x, w, &same).id);
}
END_TEST

/* Closed: relu(z) masks read the activation, an idle mask vanishes, what is dead is not there. */
START_TEST(masks_read_the_activation)
{
	inn_val z = inn_conv(b, x, w, &same), a = inn_pos_part(b, z), seed = inn__input(b, "s", inn_shape_of(b, a), 0, 0);

	inn__output(b, "r", inn_grad(b, a, z, inn_mul(b, a, seed), NULL, 0));
	struct inn_plan *p = inn__close(b, false);

	ck_assert_ptr_nonnull(p);
	for (uint32_t i = 0; i < p->n_ops; i++)
		ck_assert_uint_ne(inn_plan_op(p, i)->code, INN_OP_GT);
	inn__plan_free(p);
}
END_TEST

/* Closed: where relu(z) is clipped at 6, masks on both of its sides read the clipped value, unless they tell apart what it does not. */
START_TEST(masks_read_the_clipped_value)
{
	inn_val a = inn_pos_part(b, inn_conv(b, x, w, &same)), y = inn_minc(b, a, 6);

	inn__output(b, "y", y);
	inn__output(b, "r", inn_add(b, inn_gtc(b, a, 0), inn_gt(b, inn_scalar(b, 6), a)));
	inn__output(b, "beyond", inn_gtc(b, a, 6));
	struct inn_plan *p = inn__close(b, false);
	uint32_t of_max = 0, of_min = 0;

	ck_assert_ptr_nonnull(p);
	for (uint32_t i = 0; i < p->n_ops; i++)
		for (uint32_t k = 0; inn_plan_op(p, i)->code == INN_OP_GT && k < 2; k++) {
			uint32_t code = inn_plan_op(p, inn_plan_src(p, i, k))->code;

			of_max += code == INN_OP_MAX;
			of_min += code == INN_OP_MIN;
		}
	ck_assert_uint_eq(of_max, 1);
	ck_assert_uint_eq(of_min, 2);
	inn__plan_free(p);
}
END_TEST

START_TEST(loops_are_blocks)
{
	inn_val i = inn_loop_begin(b, 5), j, s, t;

	j = inn_loop_begin(b, 3);
	s = inn_loop_sum(b, inn_mul(b, x, inn_add(b, i, j)), j);
	inn_loop_end(b);
	t = inn_loop_sum(b, s, i);
	inn_loop_end(b);
	inn__output(b, "t", t);
	struct inn_plan *p = inn__close(b, false);

	ck_assert_ptr_nonnull(p);
	ck_assert_uint_eq(p->n_blocks, 4);
	ck_assert_uint_eq(p->blocks[2].count, 5);
	ck_assert_uint_eq(p->blocks[3].count, 3);
	ck_assert_uint_eq(p->blocks[3].parent, 2);
	ck_assert(p->blocks[3].first >= p->blocks[2].first && p->blocks[3].first + p->blocks[3].n <= p->blocks[2].first + p->blocks[2].n);
	ck_assert_uint_eq(inn_plan_op(p, p->blocks[2].index)->code, INN_OP_INDEX);
	inn__plan_free(p);
}
END_TEST

START_TEST(equal_loops_share_a_sweep_and_dependent_ones_do_not)
{
	inn_val i = inn_loop_begin(b, 4), v = inn_mul(b, x, inn_addc(b, i, 1)), mean = inn_loop_sum(b, v, i);

	inn_loop_end(b);
	i = inn_loop_begin(b, 4);
	inn_val d = inn_sub(b, v, mean), dev = inn_loop_sum(b, inn_mul(b, d, d), i), square = inn_loop_sum(b, inn_mul(b, v, v), i);

	inn_loop_end(b);
	inn__output(b, "dev", inn_add(b, dev, square));
	struct inn_plan *p = inn__close(b, false);

	ck_assert_ptr_nonnull(p);
	ck_assert_uint_eq(p->n_blocks, 4); /* once, batch, mean and square, deviation */
	inn__plan_free(p);
}
END_TEST

static inn_val scaled(inn_build *plan, inn_val index, const void *user)
{
	return inn_mul(plan, *(const inn_val *)user, index);
}

START_TEST(mean_is_a_sum_over_the_loop)
{
	inn_val m = inn_mean(b, 5, scaled, &x), i = inn_loop_begin(b, 5), s = inn_loop_sum(b, inn_mul(b, x, i), i);

	inn_loop_end(b);
	ck_assert_uint_eq(m.id, inn_divc(b, s, 5).id);
}
END_TEST

START_TEST(weight_only_work_runs_once)
{
	inn__output(b, "y", inn_conv(b, x, inn_pos_part(b, w), &same));
	struct inn_plan *p = inn__close(b, false);

	ck_assert_ptr_nonnull(p);
	for (uint32_t i = 0; i < p->n_ops; i++)
		ck_assert_msg(inn_plan_op(p, i)->code != INN_OP_MAX || i < p->blocks[0].n, "max(w,0) is not in the prologue");
	inn__plan_free(p);
}
END_TEST

START_TEST(samples_may_not_mix)
{
	inn__output(b, "y", inn_expand(b, inn_sum(b, x, 1), inn_shape_of(b, x)));
	ck_assert(inn_failed(ctx));
}
END_TEST

int main(void)
{
	TCase *tc = tcase_create("plan");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, equal_expressions_are_one_value);
	tcase_add_test(tc, rewrites_while_recording);
	tcase_add_test(tc, shapes_are_checked);
	tcase_add_test(tc, neutral_operand_keeps_the_shape);
	tcase_add_test(tc, derivative_of_a_convolution);
	tcase_add_test(tc, masks_read_the_activation);
	tcase_add_test(tc, masks_read_the_clipped_value);
	tcase_add_test(tc, loops_are_blocks);
	tcase_add_test(tc, equal_loops_share_a_sweep_and_dependent_ones_do_not);
	tcase_add_test(tc, mean_is_a_sum_over_the_loop);
	tcase_add_test(tc, weight_only_work_runs_once);
	tcase_add_test(tc, samples_may_not_mix);
	return run_case(tc);
}
