/* Weights of wrong shapes, as some exporters write them: each is refused, and the message names both shapes. */
#include "core/base/ctx.h"
#include "core/load/load.h"
#include "core/net/net.h"
#include "unit.h"
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static inn_ctx *ctx;
static struct inn__registry *reg;

static void setup(void)
{
	char exe[4096] = "", dir[4200];

	ctx = inn__ctx_new();
	inn__ctx_level(ctx, INN__QUIET);
	reg = inn__registry_new(ctx);
	ck_assert(readlink("/proc/self/exe", exe, sizeof(exe) - 1) > 0);
	snprintf(dir, sizeof(dir), "%s/../plugins", dirname(exe));
	ck_assert_int_eq(inn__registry_dir(reg, dir), INN_OK);
}
static void teardown(void) { inn__ctx_free(ctx); }

/* Input, weights; the last row of shapes has rank 0. */
static const struct wrong {
	const char *kind;
	uint32_t opset;
	struct inn_shape shape[6];
	const char *attr;
	int64_t value;
	const char *said[2]; /* both shapes; NULL: nothing is wrong */
} wrong[] = {
#define S1(a) { 1, { a } }
#define S2(a, b) { 2, { a, b } }
#define S3(a, b, c) { 3, { a, b, c } }
#define S4(a, b, c, d) { 4, { a, b, c, d } }
#define X S4(1, 3, 8, 8)
	{ "conv", 17, { X, S4(4, 3, 3, 3), S1(4) }, NULL, 0, { NULL, NULL } },
	{ "conv", 17, { X, S4(4, 3, 3, 3), S1(5) }, NULL, 0, { "bias [5]", "[1,4,6,6]" } },
	{ "conv", 17, { X, S4(4, 3, 3, 3), S1(1) }, NULL, 0, { "bias [1]", "[1,4,6,6]" } },
	{ "conv", 17, { X, S4(4, 3, 3, 3), S2(4, 1) }, NULL, 0, { "bias [4,1]", "[1,4,6,6]" } },
	{ "conv", 17, { X, S4(4, 2, 3, 3) }, NULL, 0, { "[1,3,8,8]", "[4,2,3,3]" } },
	{ "conv", 17, { X, S3(4, 3, 3) }, NULL, 0, { "[1,3,8,8]", "[4,3,3]" } },
	{ "conv", 17, { S4(1, 4, 8, 8), S4(4, 2, 3, 3) }, "group", 3, { "[1,4,8,8]", "[4,2,3,3]" } },
	{ "conv", 17, { S4(1, 4, 8, 8), S4(5, 2, 3, 3) }, "group", 2, { "[1,4,8,8]", "[5,2,3,3]" } },
	{ "conv_transpose", 17, { X, S4(3, 4, 3, 3), S1(4) }, NULL, 0, { NULL, NULL } },
	{ "conv_transpose", 17, { X, S4(3, 4, 3, 3), S1(1) }, NULL, 0, { "bias [1]", "[1,4,10,10]" } },
	{ "conv_transpose", 17, { X, S4(2, 4, 3, 3) }, NULL, 0, { "[1,3,8,8]", "[2,4,3,3]" } },
	{ "gemm", 17, { S2(2, 3), S2(3, 5), S1(5) }, NULL, 0, { NULL, NULL } },
	{ "gemm", 17, { S2(2, 3), S2(3, 5), S1(1) }, NULL, 0, { NULL, NULL } }, /* broadcast, as the format says */
	{ "gemm", 17, { S2(2, 3), S2(4, 5) }, NULL, 0, { "[2,3]", "[4,5]" } },
	{ "gemm", 17, { S2(2, 3), S2(3, 5), S1(4) }, NULL, 0, { "[2,5]", "[4]" } },
	{ "gemm", 17, { S2(1, 3), S2(3, 5), S2(2, 5) }, NULL, 0, { "[1,5]", "[2,5]" } },
	{ "gemm", 17, { S2(2, 3), S2(3, 5) }, "transB", 1, { "[2,3]", "[3,5]" } },
	{ "mat_mul", 17, { S3(2, 3, 4), S2(3, 5) }, NULL, 0, { "[2,3,4]", "[3,5]" } },
	{ "batch_normalization", 17, { X, S1(3), S1(3), S1(3), S1(3) }, NULL, 0, { NULL, NULL } },
	{ "batch_normalization", 17, { X, S1(1), S1(3), S1(3), S1(3) }, NULL, 0, { "scale [1]", "[1,3,8,8]" } },
	{ "batch_normalization", 17, { X, S1(3), S1(4), S1(3), S1(3) }, NULL, 0, { "B [4]", "[1,3,8,8]" } },
	{ "batch_normalization", 17, { X, S1(3), S1(3), S1(1), S1(3) }, NULL, 0, { "mean [1]", "[1,3,8,8]" } },
	{ "batch_normalization", 17, { X, S1(3), S1(3), S1(3), S1(2) }, NULL, 0, { "var [2]", "[1,3,8,8]" } },
	{ "batch_normalization", 17, { X, S1(4), S1(4), S1(4), S1(4) }, NULL, 0, { "scale [4]", "[1,3,8,8]" } },
	{ "instance_normalization", 17, { X, S1(3), S1(1) }, NULL, 0, { "B [1]", "[1,3,8,8]" } },
	{ "instance_normalization", 17, { X, S1(2), S1(3) }, NULL, 0, { "scale [2]", "[1,3,8,8]" } },
	{ "group_normalization", 18, { S4(1, 4, 8, 8), S1(2), S1(2) }, "num_groups", 2, { NULL, NULL } },
	{ "group_normalization", 18, { S4(1, 4, 8, 8), S1(2), S1(1) }, "num_groups", 2, { "B [1]", "[1,4,8,8]" } },
	{ "group_normalization", 21, { S4(1, 4, 8, 8), S1(2), S1(4) }, "num_groups", 2, { "scale [2]", "[1,4,8,8]" } },
	{ "layer_normalization", 17, { S3(1, 3, 8), S1(7), S1(8) }, NULL, 0, { "[1,3,8]", "[7]" } },
	{ "layer_normalization", 17, { S3(1, 3, 1), S1(8), S1(8) }, NULL, 0, { "[1,3,1]", "[1,3,8]" } },
	{ "p_relu", 17, { X, S3(3, 1, 1) }, NULL, 0, { NULL, NULL } },
	{ "p_relu", 17, { X, S3(2, 1, 1) }, NULL, 0, { "[1,3,8,8]", "[2,1,1]" } },
	{ "p_relu", 17, { S4(1, 1, 8, 8), S3(3, 1, 1) }, NULL, 0, { "[1,1,8,8]", "[3,1,1]" } },
	{ "add", 17, { X, S1(7) }, NULL, 0, { "[1,3,8,8]", "[7]" } },
	{ "concat", 17, { X, S4(1, 3, 8, 7) }, "axis", 1, { "[1,3,8,8]", "[1,3,8,7]" } },
};

static int resolve(const struct wrong *c)
{
	static const char *const names[] = { "x", "w1", "w2", "w3", "w4", "w5" };
	static const char *const out[] = { "y" };
	inn_graph *g = inn__graph_new(ctx, inn__registry_finder(reg));
	int64_t dim[INN_MAX_RANK];
	uint32_t n = 1;

	inn_graph_opset(g, c->opset);
	for (uint32_t d = 0; d < c->shape[0].rank; d++)
		dim[d] = c->shape[0].dim[d];
	ck_assert_int_eq(inn_graph_input(g, "x", INN_F32, dim, c->shape[0].rank), INN_OK);
	for (; c->shape[n].rank; n++) {
		struct inn_tensor t = { .shape = c->shape[n], .dtype = INN_F32 };
		size_t count;

		ck_assert(inn_shape_count(&t.shape, &count));
		t.data = inn_alloc(ctx, count, sizeof(float));
		ck_assert_int_eq(inn_graph_const(g, names[n], &t), INN_OK);
	}
	inn_node *node = inn_graph_add(g, c->kind, "layer", names, n, out, 1);

	ck_assert_ptr_nonnull(node);
	if (c->attr && inn_node_set_int(node, c->attr, c->value) < 0)
		ck_abort_msg("%s has no attribute %s", c->kind, c->attr);
	ck_assert_int_eq(inn_graph_output(g, "y"), INN_OK);
	int status = inn__graph_resolve(g, 0);

	inn__graph_free(g);
	return status;
}

START_TEST(refused_by_both_shapes)
{
	const struct wrong *c = &wrong[_i];
	char text[4096] = "";
	int status = resolve(c);

	for (uint32_t i = 0; i < inn__errors(ctx); i++)
		snprintf(text + strlen(text), sizeof(text) - strlen(text), "%s\n", inn__error(ctx, i)->text);
	if (!c->said[0]) {
		ck_assert_msg(status == INN_OK, "%s, case %d: %s", c->kind, _i, text);
		return;
	}
	ck_assert_msg(status == INN_ESHAPE, "%s, case %d: status %d", c->kind, _i, status);
	ck_assert_msg(strstr(text, c->said[0]) && strstr(text, c->said[1]) && strstr(text, "layer"), "%s, case %d: %s", c->kind, _i, text);
}
END_TEST

int main(void)
{
	TCase *t = tcase_create("shapes");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_loop_test(t, refused_by_both_shapes, 0, sizeof(wrong) / sizeof(*wrong));
	return run_case(t);
}
