/* Passes change the graph and not what it computes: outputs before and after, by the reference backend. */
#include "../../core/base/ctx.h"
#include "../../core/load/load.h"
#include "../../core/net/net.h"
#include "unit.h"
#include <libgen.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static inn_ctx *ctx;
static struct inn__registry *reg;
static inn_graph *g;
static uint32_t seed;

static void setup(void)
{
	char exe[4096] = "", dir[4200];

	ctx = inn__ctx_new();
	reg = inn__registry_new(ctx);
	ck_assert(readlink("/proc/self/exe", exe, sizeof(exe) - 1) > 0);
	snprintf(dir, sizeof(dir), "%s/../plugins", dirname(exe));
	ck_assert_int_eq(inn__registry_dir(reg, dir), INN_OK);
	g = inn__graph_new(ctx, inn__registry_finder(reg));
	inn_graph_opset(g, 13);
	seed = 1;
}
static void teardown(void)
{
	inn__graph_free(g);
	inn__ctx_free(ctx);
}

static float next(void) { return (float)((seed = seed * 1664525u + 1013904223u) >> 8) / (1 << 24) + 0.1f; }

static void weight(const char *name, uint32_t rank, const uint32_t *dim)
{
	struct inn_tensor t = { .dtype = INN_F32, .shape = { .rank = rank } };
	size_t n = 1;

	for (uint32_t i = 0; i < rank; i++)
		n *= t.shape.dim[i] = dim[i];
	float *v = inn_alloc(ctx, n, sizeof(*v));

	for (size_t i = 0; i < n; i++)
		v[i] = next();
	t.data = v;
	ck_assert_int_eq(inn_graph_const(g, name, &t), INN_OK);
}
static inn_node *node(const char *kind, const char *out, uint32_t n_in, const char *const *in)
{
	inn_node *n = inn_graph_add(g, kind, out, in, n_in, &out, 1);

	ck_assert_ptr_nonnull(n);
	return n;
}
#define NODE(kind, out, ...) node(kind, out, sizeof((const char *[]){ __VA_ARGS__ }) / sizeof(char *), (const char *[]){ __VA_ARGS__ })
#define WEIGHT(name, ...) weight(name, sizeof((uint32_t[]){ __VA_ARGS__ }) / sizeof(uint32_t), (uint32_t[]){ __VA_ARGS__ })

static void norm(const char *out, const char *in, uint32_t channels)
{
	char name[4][32];

	for (int i = 0; i < 4; i++) {
		snprintf(name[i], sizeof(name[i]), "%s.%d", out, i);
		weight(name[i], 1, &channels);
	}
	NODE("batch_normalization", out, in, name[0], name[1], name[2], name[3]);
}

static const struct inn_class *class_of(uint32_t kind, const char *name, struct inn_inst *inst)
{
	ck_assert_int_eq(inn__bind_name(ctx, inn__registry_finder(reg), kind, name, inst), INN_OK);
	return inst->cls;
}

/* Output of the network on made-up input, as f32; `n` elements. */
static float *output(size_t *n)
{
	struct inn_inst inst;
	const struct inn_backend_ops *be = (const void *)class_of(INN_BACKEND, "reference", &inst);
	inn_dev *dev = NULL;
	inn_exec *exec = NULL;

	ck_assert_int_eq(inn__graph_resolve(g, 2), INN_OK);
	inn_build *b = inn__build_new(ctx, 2);
	const struct inn_shape *s = &inn__graph_input(g, 0)->shape;
	inn_val x = inn__input(b, "x", s, 0, 0);

	ck_assert_int_eq(inn__net_attach(b, g), INN_OK);
	ck_assert(inn__output(b, "y", inn_forward(b, &x)).id);
	struct inn_plan *p = inn__close(b, false);

	ck_assert_ptr_nonnull(p);
	ck_assert_int_eq(be->open(ctx, inst.opts, 1, &dev), INN_OK);
	ck_assert_int_eq(be->compile(ctx, dev, p, 0, &exec), INN_OK);
	for (uint32_t i = 0; i < p->n_params; i++)
		ck_assert_int_eq(be->write(ctx, exec, p->params[i].op, p->params[i].data), INN_OK);
	struct inn_tensor in = { .dtype = INN_F32, .shape = *s }, out = { .dtype = INN_F32 };

	ck_assert_int_eq(inn_tensor_alloc(ctx, &in), INN_OK);
	ck_assert(inn_shape_count(s, n));
	for (size_t i = 0; i < *n; i++)
		((float *)in.data)[i] = (float)sin((double)i);
	for (uint32_t i = 0; i < p->n_ops; i++)
		if (inn_plan_op(p, i)->code == INN_OP_INPUT)
			ck_assert_int_eq(be->write(ctx, exec, i, &in), INN_OK);
	ck_assert_int_eq(be->run(ctx, exec), INN_OK);
	for (uint32_t i = 0; i < p->n_ops; i++)
		if (inn_plan_op(p, i)->code == INN_OP_OUTPUT) {
			out.shape = inn_plan_op(p, i)->shape;
			ck_assert_int_eq(inn_tensor_alloc(ctx, &out), INN_OK);
			ck_assert_int_eq(be->read(ctx, exec, i, &out), INN_OK);
		}
	ck_assert(inn_shape_count(&out.shape, n));
	be->release(exec);
	be->close(dev);
	inn__plan_free(p);
	inn__build_free(b);
	inn_tensor_free(&in);
	return out.data;
}

/* Applies the pass, expects `nodes` nodes afterwards and the same output. */
static void keeps_output(const char *pass, uint32_t nodes)
{
	struct inn_inst inst;
	const struct inn_pass_ops *ops = (const void *)class_of(INN_PASS, pass, &inst);
	size_t n, m;
	float *before = output(&n);

	ck_assert_int_eq(ops->apply(ctx, g, inst.opts), INN_OK);
	float *after = output(&m);

	ck_assert_uint_eq(inn_graph_nodes(g), nodes);
	ck_assert_uint_eq(n, m);
	for (size_t i = 0; i < n; i++)
		ck_assert_msg(fabsf(before[i] - after[i]) <= 1e-5f * (1 + fabsf(before[i])), "%zu: %g and %g", i, (double)before[i], (double)after[i]);
	free(before);
	free(after);
}

static void image(void) { ck_assert_int_eq(inn_graph_input(g, "x", INN_F32, (int64_t[]){ -1, 3, 5, 5 }, 4), INN_OK); }
static void vector(void) { ck_assert_int_eq(inn_graph_input(g, "x", INN_F32, (int64_t[]){ -1, 6 }, 2), INN_OK); }

START_TEST(norm_after_convolution)
{
	image();
	WEIGHT("w", 4, 3, 3, 3);
	WEIGHT("b", 4);
	NODE("conv", "c", "x", "w", "b");
	norm("n", "c", 4);
	NODE("relu", "y", "n");
	ck_assert_int_eq(inn_graph_output(g, "y"), INN_OK);
	keeps_output("fold_batch_norm", 2);
}
END_TEST

START_TEST(norm_after_dense)
{
	vector();
	WEIGHT("w", 4, 6);
	inn_node *n = NODE("gemm", "c", "x", "w");

	ck_assert_int_eq(inn_node_set_int(n, "transB", 1), INN_OK);
	norm("n", "c", 4);
	WEIGHT("v", 4, 3);
	WEIGHT("b", 3);
	n = NODE("gemm", "d", "n", "v", "b");
	ck_assert_int_eq(inn_node_set_real(n, "alpha", 0.5), INN_OK);
	ck_assert_int_eq(inn_node_set_real(n, "beta", 2), INN_OK);
	norm("y", "d", 3);
	ck_assert_int_eq(inn_graph_output(g, "y"), INN_OK);
	keeps_output("fold_batch_norm", 2);
}
END_TEST

START_TEST(norm_of_a_shared_value_stays)
{
	image();
	WEIGHT("w", 4, 3, 3, 3);
	NODE("conv", "c", "x", "w");
	norm("n", "c", 4);
	NODE("add", "y", "n", "c");
	ck_assert_int_eq(inn_graph_output(g, "y"), INN_OK);
	keeps_output("fold_batch_norm", 3);
}
END_TEST

START_TEST(dense_layer)
{
	vector();
	WEIGHT("w", 6, 4);
	WEIGHT("b", 1, 4);
	NODE("mat_mul", "m", "x", "w");
	NODE("add", "a", "b", "m");
	NODE("relu", "y", "a");
	ck_assert_int_eq(inn_graph_output(g, "y"), INN_OK);
	keeps_output("dense", 2);
}
END_TEST

START_TEST(bias_of_a_convolution)
{
	image();
	WEIGHT("w", 4, 3, 1, 5);
	WEIGHT("b", 4, 1);
	inn_node *n = NODE("conv", "c", "x", "w");

	ck_assert_int_eq(inn_node_set_ints(n, "strides", (int64_t[]){ 2, 1 }, 2), INN_OK);
	int64_t axis = 3;
	struct inn_tensor t = { .dtype = INN_I64, .shape = { .rank = 1, .dim = { 1 } }, .data = &axis };

	ck_assert_int_eq(inn_graph_const(g, "axes", &t), INN_OK);
	NODE("squeeze", "s", "c", "axes");
	NODE("add", "a", "s", "b");
	NODE("relu", "y", "a");
	ck_assert_int_eq(inn_graph_output(g, "y"), INN_OK);
	keeps_output("dense", 3);
	ck_assert(inn_node_const(inn_graph_node(g, 0), 2));
}
END_TEST

START_TEST(vector_along_another_axis_stays)
{
	image();
	WEIGHT("w", 5, 3, 1, 1);
	WEIGHT("b", 5);
	NODE("conv", "c", "x", "w");
	NODE("add", "y", "c", "b");
	ck_assert_int_eq(inn_graph_output(g, "y"), INN_OK);
	keeps_output("dense", 2);
}
END_TEST

START_TEST(factors_of_a_dense_layer)
{
	vector();
	WEIGHT("w", 6, 4);
	WEIGHT("b", 4);
	inn_node *n = NODE("gemm", "y", "x", "w", "b");

	ck_assert_int_eq(inn_node_set_real(n, "alpha", -0.5), INN_OK);
	ck_assert_int_eq(inn_node_set_real(n, "beta", 3), INN_OK);
	ck_assert_int_eq(inn_graph_output(g, "y"), INN_OK);
	keeps_output("dense", 1);
	ck_assert_double_eq(inn_node_attr_real(n, "alpha"), 1);
	ck_assert_double_lt(inn_tensor_real(inn_node_const(n, 1), 0), 0);
}
END_TEST

START_TEST(transposes)
{
	image();
	inn_node *n = NODE("transpose", "a", "x");

	ck_assert_int_eq(inn_node_set_ints(n, "perm", (int64_t[]){ 0, 2, 3, 1 }, 4), INN_OK);
	n = NODE("transpose", "b", "a");
	ck_assert_int_eq(inn_node_set_ints(n, "perm", (int64_t[]){ 0, 3, 1, 2 }, 4), INN_OK);
	NODE("relu", "c", "b");
	n = NODE("transpose", "y", "c");
	ck_assert_int_eq(inn_node_set_ints(n, "perm", (int64_t[]){ 0, 3, 2, 1 }, 4), INN_OK);
	ck_assert_int_eq(inn_graph_output(g, "y"), INN_OK);
	keeps_output("cancel_transposes", 2);
}
END_TEST

START_TEST(identities)
{
	image();
	NODE("identity", "a", "x");
	NODE("relu", "b", "a");
	NODE("dropout", "y", "b");
	ck_assert_int_eq(inn_graph_output(g, "y"), INN_OK);
	keeps_output("drop_identity", 1);
}
END_TEST

START_TEST(softmax_before_the_output)
{
	struct inn_inst inst;
	const struct inn_pass_ops *ops = (const void *)class_of(INN_PASS, "strip_softmax", &inst);

	vector();
	WEIGHT("w", 6, 4);
	NODE("mat_mul", "m", "x", "w");
	NODE("softmax", "s", "m");
	NODE("identity", "y", "s");
	ck_assert_int_eq(inn_graph_output(g, "y"), INN_OK);
	ck_assert_int_eq(inn__graph_resolve(g, 1), INN_OK);
	ck_assert_int_eq(ops->apply(ctx, g, inst.opts), INN_OK);
	ck_assert_int_eq(inn__graph_resolve(g, 1), INN_OK);
	ck_assert_uint_eq(inn_graph_nodes(g), 2);
	ck_assert_str_eq(inn_node_kind(inn_graph_node(g, 0)), "mat_mul");
}
END_TEST

int main(void)
{
	TCase *c = tcase_create("all");

	tcase_add_checked_fixture(c, setup, teardown);
	tcase_add_test(c, norm_after_convolution);
	tcase_add_test(c, norm_after_dense);
	tcase_add_test(c, norm_of_a_shared_value_stays);
	tcase_add_test(c, dense_layer);
	tcase_add_test(c, bias_of_a_convolution);
	tcase_add_test(c, vector_along_another_axis_stays);
	tcase_add_test(c, factors_of_a_dense_layer);
	tcase_add_test(c, transposes);
	tcase_add_test(c, identities);
	tcase_add_test(c, softmax_before_the_output);
	return run_case(c);
}
