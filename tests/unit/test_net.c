/* The graph: building, attributes, resolution, editing; forward pass, derivatives, walk and rule tables on it. The layer
 * classes are small ones of its own. */
#include "../../core/base/ctx.h"
#include "toy_layers.h"
#include "unit.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

static inn_ctx *ctx;
static inn_graph *g;
static float data[4][2 * 3 * 3 * 3 * 4];

static void setup(void)
{
	ctx = inn__ctx_new();
	inn__ctx_level(ctx, INN__QUIET);
	g = inn__graph_new(ctx, &finder);
	inn_graph_opset(g, 17);
	for (int i = 0; i < 4; i++)
		for (size_t k = 0; k < sizeof(data[0]) / sizeof(float); k++)
			data[i][k] = (float)sin((double)k * 1.7 + i);
	ck_assert_int_eq(inn_graph_input(g, "x", INN_F32, (int64_t[]){ -1, 3, 6, 6 }, 4), INN_OK);
}
static void teardown(void)
{
	inn__graph_free(g);
	inn__ctx_free(ctx);
}
static void weight(const char *name, float *v, uint32_t rank, uint32_t k, uint32_t c, uint32_t size)
{
	struct inn_tensor t = { .dtype = INN_F32, .data = v, .shape = { .rank = rank, .dim = { k, c, size, size } } };

	ck_assert_int_eq(inn_graph_const(g, name, &t), INN_OK);
}
static inn_node *node(const char *kind, const char *out, const char *a, const char *b, const char *c)
{
	const char *in[3] = { a, b, c };

	return inn_graph_add(g, kind, out, in, c ? 3 : b ? 2 : 1, &out, 1);
}
/* x -> c1 (4 channels) -> r1 -> c2 -> sum with r1 -> y */
static void residual(void)
{
	weight("w1", data[0], 4, 4, 3, 3);
	weight("b1", data[1], 1, 4, 0, 0);
	weight("w2", data[2], 4, 4, 4, 1);
	ck_assert_ptr_nonnull(node("conv", "c1", "x", "w1", "b1"));
	ck_assert_ptr_nonnull(node("relu", "r1", "c1", NULL, NULL));
	ck_assert_ptr_nonnull(node("conv", "c2", "r1", "w2", NULL));
	ck_assert_ptr_nonnull(node("add", "y", "c2", "r1", NULL));
	ck_assert_int_eq(inn_graph_output(g, "y"), INN_OK);
}
static inn_build *attached(uint32_t n, inn_val *x)
{
	ck_assert_int_eq(inn__graph_resolve(g, n), INN_OK);
	inn_build *b = inn__build_new(ctx, n);

	ck_assert_int_eq(inn__net_attach(b, g), INN_OK);
	*x = inn__input(b, "x", &inn__graph_input(g, 0)->shape, 0, 0);
	return b;
}
static bool said(const char *text)
{
	for (uint32_t i = 0; i < inn__errors(ctx); i++)
		if (strstr(inn__error(ctx, i)->text, text))
			return true;
	return false;
}

START_TEST(building_refuses)
{
	float one = 1;

	weight("w", &one, 0, 0, 0, 0);
	ck_assert_ptr_null(node("nonsense", "n", "x", NULL, NULL));
	ck_assert(said("nonsense") && said("17"));
	ck_assert_ptr_null(node("relu", "r", "nobody", NULL, NULL));
	ck_assert(said("nobody"));
	ck_assert_ptr_null(node("relu", "w", "x", NULL, NULL));
	ck_assert(said("defined twice"));
	ck_assert_int_lt(inn_graph_output(g, "z"), 0);
}
END_TEST

START_TEST(attributes)
{
	int64_t v[4] = { 2, 1, 1, 1 }, got[4] = { 0 };

	weight("w", data[0], 4, 4, 3, 3);
	inn_node *n = node("conv", "y", "x", "w", NULL);

	ck_assert_int_eq(inn_node_set_ints(n, "pads", v, 4), INN_OK);
	ck_assert_int_eq(inn_node_set_int(n, "flag", 1), INN_OK);
	ck_assert_int_eq(inn_node_attr_ints(n, "pads", got, 4), 4);
	ck_assert_int_eq(got[0], 2);
	ck_assert_int_eq(inn_node_attr_ints(n, "flag", got, 4), 1);
	ck_assert_int_eq(inn_node_attr_ints(n, "group", got, 4), 1);
	ck_assert_int_eq(got[0], 1);
	ck_assert_int_eq(inn_node_attr_ints(n, "none", got, 4), -1);
	ck_assert_int_lt(inn_node_set_int(n, "group", 65), 0);
	ck_assert_int_lt(inn_node_set_int(n, "none", 1), 0);
	ck_assert_int_lt(inn_node_set_str(n, "group", "one"), 0);
	ck_assert(said("group") && said("none"));
}
END_TEST

START_TEST(resolves_shapes_and_positions)
{
	struct inn__node_info info;
	char s[INN_SHAPE_STR];

	residual();
	ck_assert_int_eq(inn__graph_resolve(g, 0), INN_OK);
	ck_assert_uint_eq(inn_graph_batch(g), 1);
	ck_assert_int_eq(inn__graph_resolve(g, 5), INN_OK);
	ck_assert_str_eq(inn_shape_str(&inn__graph_output(g, 0)->shape, s), "[5,4,4,4]");
	ck_assert(inn__graph_info(g, 0, &info) && info.kernel_index == 0 && info.first && !info.last);
	ck_assert(inn__graph_info(g, 1, &info) && info.kernel_index == -1 && !info.first);
	ck_assert(inn__graph_info(g, 2, &info) && info.kernel_index == 1 && !info.first && info.last);
	ck_assert(!inn__graph_info(g, 9, &info));
	ck_assert_uint_eq(inn_graph_readers(g, inn_node_out(inn_graph_node(g, 1), 0)), 2);
	ck_assert(inn_graph_reader(g, inn_node_out(inn_graph_node(g, 1), 0), 1) == inn_graph_node(g, 3));
}
END_TEST

START_TEST(misfits_are_located)
{
	weight("w", data[0], 4, 4, 2, 3);
	node("conv", "y", "x", "w", NULL);
	ck_assert_int_eq(inn_graph_output(g, "y"), INN_OK);
	ck_assert_int_lt(inn__graph_resolve(g, 1), 0);
	ck_assert(said("y (conv)") && said("[1,3,6,6]") && said("[4,2,3,3]"));
}
END_TEST

START_TEST(wide_bias_is_refused)
{
	weight("w", data[0], 4, 1, 3, 3);
	weight("b", data[1], 1, 5, 0, 0);
	node("conv", "y", "x", "w", "b");
	ck_assert_int_eq(inn_graph_output(g, "y"), INN_OK);
	ck_assert_int_lt(inn__graph_resolve(g, 1), 0);
	ck_assert(said("y (conv)") && said("bias [5]") && said("[1,1,4,4]"));
}
END_TEST

START_TEST(free_axis_is_refused)
{
	ck_assert_int_eq(inn_graph_input(g, "t", INN_F32, (int64_t[]){ -1, -1 }, 2), INN_OK);
	ck_assert_ptr_nonnull(node("relu", "y", "t", NULL, NULL));
	ck_assert_int_eq(inn_graph_output(g, "y"), INN_OK);
	ck_assert_int_lt(inn__graph_resolve(g, 2), 0);
	ck_assert(said("input t") && said("axis 1"));
}
END_TEST

START_TEST(weights_must_be_finite)
{
	data[0][7] = NAN;
	residual();
	ck_assert_int_eq(inn__graph_resolve(g, 1), INN_ENONFINITE);
	ck_assert(said("c1 (conv)") && said("index 7"));
}
END_TEST

START_TEST(constants_fold)
{
	inn_val x;

	weight("w", data[0], 4, 4, 3, 3);
	ck_assert_ptr_nonnull(node("identity", "alias", "w", NULL, NULL));
	ck_assert_ptr_nonnull(node("relu", "computed", "alias", NULL, NULL));
	ck_assert_ptr_nonnull(node("shape", "s", "x", NULL, NULL));
	ck_assert_ptr_nonnull(node("plus_shape", "p", "x", "s", NULL));
	ck_assert_ptr_nonnull(node("conv", "c", "p", "computed", NULL));
	ck_assert_ptr_nonnull(node("conv", "d", "p", "alias", NULL));
	ck_assert_ptr_nonnull(node("add", "y", "c", "d", NULL));
	ck_assert_ptr_nonnull(node("relu", "dead", "y", NULL, NULL));
	ck_assert_int_eq(inn_graph_output(g, "y"), INN_OK);
	inn_build *b = attached(3, &x);

	for (uint32_t i = 0; i < inn_graph_nodes(g); i++)
		if (!strcmp(inn_node_kind(inn_graph_node(g, i)), "conv")) /* also with a computed kernel */
			ck_assert_uint_eq(inn_node_traits(inn_graph_node(g, i)), INN_T_AFFINE | INN_T_SPATIAL);
	ck_assert_uint_ne(inn_forward(b, &x).id, 0);
	ck_assert(inn_graph_nodes(g) == 7); /* the dead one is gone */
	ck_assert(!inn_failed(ctx));
	inn__build_free(b);
}
END_TEST

START_TEST(dynamic_kernel_is_not_affine)
{
	ck_assert_int_eq(inn_graph_input(g, "k", INN_F32, (int64_t[]){ 1, 3, 3, 3 }, 4), INN_OK);
	inn_node *n = node("conv", "y", "x", "k", NULL);

	ck_assert_int_eq(inn_graph_output(g, "y"), INN_OK);
	ck_assert_int_eq(inn__graph_resolve(g, 0), INN_OK);
	ck_assert_uint_eq(inn_node_traits(n), INN_T_SPATIAL);
}
END_TEST

static inn_val vjp_back(inn_build *b, const struct inn_site *s, uint32_t k, const void *user)
{
	(void)user;
	return inn_vjp(b, s, k, s->r);
}

/* The walk by derivatives is the derivative, as one and the same value. */
START_TEST(walk_is_the_gradient)
{
	inn_val x, r;

	residual();
	inn_build *b = attached(2, &x);
	inn_val y = inn_forward(b, &x);

	ck_assert_uint_eq(y.id, inn_forward(b, &x).id);
	ck_assert_uint_eq(inn_dim(b, inn_logits(b, y), 1), 64);
	inn_val pick = inn__input(b, "pick", &(struct inn_shape){ .rank = 2, .dim = { 2, 64 } }, 0, 0);
	struct inn_query q = { .size = sizeof(q), .n_x = 1, .x = &x, .pick = pick, .head = INN_ONE, .dialect = -1 };
	inn_val seed = inn_seed(b, &q, y);

	inn_walk(b, &q, seed, vjp_back, NULL, &r);
	ck_assert_uint_ne(r.id, 0);
	ck_assert_uint_eq(r.id, inn_grad(b, y, x, seed, NULL, 0).id);
	ck_assert(!inn_failed(ctx));
	inn__build_free(b);
}
END_TEST

static inn_val affine_back(inn_build *b, const struct inn_site *s, uint32_t k, const void *user)
{
	inn_val W = inn_weight_of(s, INN_W_KERNEL), bias = inn_weight_of(s, INN_W_BIAS);

	(void)user;
	if (!W.id)
		return inn_vjp(b, s, k, s->r);
	ck_assert_uint_eq(inn_affine(b, s, s->x[0], W, bias).id, s->y.id);
	ck_assert_uint_eq(inn_affine_t(b, s, s->r, W).id, inn_vjp(b, s, 0, s->r).id);
	struct inn_branch br = { s->x[0], W, bias, 0 };

	return inn_branches(b, s, s->r, &br, 1, (struct inn_stabilizer){ INN_GUARD_SIGN, 1e-6 });
}

START_TEST(affine_maps)
{
	inn_val x, r;

	residual();
	inn_build *b = attached(2, &x);
	struct inn_query q = { .size = sizeof(q), .n_x = 1, .x = &x, .head = INN_ONE, .dialect = -1 };

	inn_walk(b, &q, inn_forward(b, &x), affine_back, NULL, &r);
	ck_assert_uint_ne(r.id, 0);
	ck_assert(inn_shape_eq(inn_shape_of(b, r), inn_shape_of(b, x)));
	inn__build_free(b);
}
END_TEST

static inn_val called_back(inn_build *b, const struct inn_site *s, uint32_t k, const void *opts)
{
	int *calls = *(int *const *)opts;

	++*calls;
	return inn_vjp(b, s, k, s->r);
}
static const struct inn_rule_ops any_rule = { .cls = INN_HEAD(struct inn_rule_ops, INN_RULE, "any", "test", NULL, 0, NULL), .back = called_back };
static const struct inn_rule_ops affine_rule = { .cls = INN_HEAD(struct inn_rule_ops, INN_RULE, "aff", "test", NULL, 0, NULL), .needs = INN_T_AFFINE, .back = called_back };

START_TEST(rule_tables)
{
	int calls[3] = { 0 }, *at[3] = { &calls[0], &calls[1], &calls[2] };
	const char *kinds[] = { "relu", "add" }, *names[] = { "affine" };
	struct inn_rule_entry e[2] = {
		{ .match = { .position = INN_FIRST, .trait = { 1, names }, .until = INN_NO_INT, .depth_from = NAN, .depth_to = NAN },
		  .rule = { .cls = &affine_rule.cls, .opts = &at[0] } },
		{ .match = { .kind = { 2, kinds }, .until = INN_NO_INT, .depth_from = NAN, .depth_to = NAN },
		  .rule = { .cls = &any_rule.cls, .opts = &at[1] } },
	};
	struct inn_rules rules = { 2, e };
	struct inn_inst fallback = { .cls = &any_rule.cls, .opts = &at[2] };
	inn_val x, r;

	residual();
	inn_build *b = attached(2, &x);
	struct inn_query q = { .size = sizeof(q), .n_x = 1, .x = &x, .dialect = -1 };

	inn_walk_rules(b, &q, inn_forward(b, &x), &rules, &fallback, &r);
	ck_assert_uint_ne(r.id, 0);
	ck_assert_int_eq(calls[0], 1);
	ck_assert_int_eq(calls[1], 3); /* the merge has two operands */
	ck_assert_int_eq(calls[2], 1);
	inn_walk_rules(b, &q, inn_forward(b, &x), &rules, NULL, &r);
	ck_assert(!r.id && said("c2 (conv)"));
	inn__errors_clear(ctx);
	e[1].rule.cls = &affine_rule.cls;
	inn_walk_rules(b, &q, inn_forward(b, &x), &rules, &fallback, &r);
	ck_assert(!r.id && said("rule aff") && said("y (add)"));
	inn__build_free(b);
}
END_TEST

START_TEST(editing)
{
	residual();
	ck_assert_int_eq(inn__graph_resolve(g, 1), INN_OK);
	inn_node *r1 = inn_graph_node(g, 1), *c2 = inn_graph_node(g, 2);
	uint32_t c1 = inn_node_in(r1, 0);
	struct inn_tensor t = { .dtype = INN_F32, .data = data[3], .shape = { .rank = 1, .dim = { 4 } } };
	uint32_t bias = inn_graph_new_const(g, "w1", &t);

	ck_assert_uint_ne(bias, 0);
	inn_node_rewire(c2, 2, bias);
	inn_graph_remove(g, r1);
	ck_assert_uint_eq(inn_node_in(c2, 0), c1);
	ck_assert_uint_eq(inn_node_n_in(c2), 3);
	ck_assert_uint_eq(inn_graph_nodes(g), 3);
	ck_assert_int_eq(inn__graph_resolve(g, 2), INN_OK);
	inn_graph_remove(g, inn_graph_node(g, 2)); /* the output moves to c2 */
	ck_assert(inn_graph_is_output(g, inn_node_out(c2, 0)));
	ck_assert_int_eq(inn__graph_resolve(g, 2), INN_OK);
	ck_assert_str_eq(inn__graph_output(g, 0)->name, "y");
}
END_TEST

int main(void)
{
	TCase *c = tcase_create("all");

	tcase_add_checked_fixture(c, setup, teardown);
	tcase_add_test(c, building_refuses);
	tcase_add_test(c, attributes);
	tcase_add_test(c, resolves_shapes_and_positions);
	tcase_add_test(c, misfits_are_located);
	tcase_add_test(c, wide_bias_is_refused);
	tcase_add_test(c, free_axis_is_refused);
	tcase_add_test(c, weights_must_be_finite);
	tcase_add_test(c, constants_fold);
	tcase_add_test(c, dynamic_kernel_is_not_affine);
	tcase_add_test(c, walk_is_the_gradient);
	tcase_add_test(c, affine_maps);
	tcase_add_test(c, rule_tables);
	tcase_add_test(c, editing);
	return run_case(c);
}
