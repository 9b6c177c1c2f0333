/* What methods cost on VGG16 and ResNet50, built through the graph API with weight shapes and no data: multiplications in
 * units of the forward pass (F) and the backward pass (B), after all rewrites. */
#include "../../core/base/ctx.h"
#include "../../core/load/load.h"
#include "../../core/net/net.h"
#include "unit.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct net { inn_ctx *ctx; inn_graph *g; int n; char last[32]; };

static void weight(struct net *t, const char *name, uint32_t rank, const uint32_t *dim)
{
	struct inn_tensor w = { .dtype = INN_F32, .shape = { .rank = rank } };

	memcpy(w.shape.dim, dim, rank * sizeof(*dim));
	ck_assert_int_eq(inn_graph_const(t->g, name, &w), INN_OK);
}

/* Adds a node on `a` (and `b`); gives its output's name in t->last. */
static inn_node *node(struct net *t, const char *kind, const char *a, const char *b, const char *c)
{
	char name[32];
	const char *in[3] = { a, b, c }, *out[1] = { name };

	snprintf(name, sizeof(name), "%s%d", kind, t->n++);
	inn_node *n = inn_graph_add(t->g, kind, name, in, c ? 3 : b ? 2 : 1, out, 1);

	ck_assert_ptr_nonnull(n);
	strcpy(t->last, name);
	return n;
}

static void conv(struct net *t, const char *in, uint32_t c, uint32_t k, uint32_t size, int64_t stride, int64_t pad)
{
	char w[32], b[32], from[32];
	int64_t pads[4] = { pad, pad, pad, pad }, strides[2] = { stride, stride };

	strcpy(from, in);
	snprintf(w, sizeof(w), "w%d", t->n);
	snprintf(b, sizeof(b), "b%d", t->n);
	weight(t, w, 4, (uint32_t[]){ k, c, size, size });
	weight(t, b, 1, &k);
	inn_node *n = node(t, "conv", from, w, b);

	ck_assert_int_eq(inn_node_set_ints(n, "pads", pads, 4), INN_OK);
	ck_assert_int_eq(inn_node_set_ints(n, "strides", strides, 2), INN_OK);
}

static void relu(struct net *t)
{
	char from[32];

	strcpy(from, t->last);
	node(t, "relu", from, NULL, NULL);
}

static void dense(struct net *t, uint32_t c, uint32_t k)
{
	char w[32], b[32], from[32];

	strcpy(from, t->last);
	snprintf(w, sizeof(w), "w%d", t->n);
	snprintf(b, sizeof(b), "b%d", t->n);
	weight(t, w, 2, (uint32_t[]){ k, c });
	weight(t, b, 1, &k);
	inn_node *n = node(t, "gemm", from, w, b);

	ck_assert_int_eq(inn_node_set_int(n, "transB", 1), INN_OK);
}

static void pool(struct net *t, int64_t size, int64_t stride, int64_t pad)
{
	char from[32];
	int64_t k[2] = { size, size }, s[2] = { stride, stride }, p[4] = { pad, pad, pad, pad };

	strcpy(from, t->last);
	inn_node *n = node(t, "max_pool", from, NULL, NULL);

	ck_assert_int_eq(inn_node_set_ints(n, "kernel_shape", k, 2), INN_OK);
	ck_assert_int_eq(inn_node_set_ints(n, "strides", s, 2), INN_OK);
	ck_assert_int_eq(inn_node_set_ints(n, "pads", p, 4), INN_OK);
}

static void vgg16(struct net *t)
{
	static const uint32_t plan[] = { 64, 64, 0, 128, 128, 0, 256, 256, 256, 0, 512, 512, 512, 0, 512, 512, 512, 0 };
	uint32_t c = 3;
	char from[32];

	strcpy(t->last, "x");
	for (size_t i = 0; i < sizeof(plan) / sizeof(*plan); i++) {
		if (!plan[i]) {
			pool(t, 2, 2, 0);
			continue;
		}
		conv(t, t->last, c, plan[i], 3, 1, 1);
		relu(t);
		c = plan[i];
	}
	strcpy(from, t->last);
	node(t, "flatten", from, NULL, NULL);
	dense(t, 25088, 4096);
	relu(t);
	dense(t, 4096, 4096);
	relu(t);
	dense(t, 4096, 1000);
}

static void resnet50(struct net *t)
{
	static const uint32_t width[] = { 64, 128, 256, 512 }, count[] = { 3, 4, 6, 3 };
	uint32_t c = 64;
	char in[32], skip[32], main[32];

	conv(t, "x", 3, 64, 7, 2, 3);
	relu(t);
	pool(t, 3, 2, 1);
	for (int s = 0; s < 4; s++)
		for (uint32_t i = 0; i < count[s]; i++) {
			uint32_t w = width[s];
			int64_t stride = i || !s ? 1 : 2;

			strcpy(in, t->last);
			strcpy(skip, in);
			if (!i) {
				conv(t, in, c, 4 * w, 1, stride, 0);
				strcpy(skip, t->last);
			}
			conv(t, in, c, w, 1, 1, 0);
			relu(t);
			conv(t, t->last, w, w, 3, stride, 1);
			relu(t);
			conv(t, t->last, w, 4 * w, 1, 1, 0);
			strcpy(main, t->last);
			node(t, "add", skip, main, NULL);
			relu(t);
			c = 4 * w;
		}
	strcpy(in, t->last);
	node(t, "global_average_pool", in, NULL, NULL);
	strcpy(in, t->last);
	node(t, "flatten", in, NULL, NULL);
	dense(t, 2048, 1000);
}

/* The plan of one analyzer (NULL: forward only) and its costs. */
static void cost(struct net *t, const struct inn__finder *f, const char *analyzer, struct inn__cost *c)
{
	inn_build *b = inn__build_new(t->ctx, 1);
	struct inn_shape image = { .rank = 4, .dim = { 1, 3, 224, 224 } };
	struct inn__yaml *y;
	struct inn_inst a;

	ck_assert_ptr_nonnull(b);
	ck_assert_int_eq(inn__net_attach(b, t->g), INN_OK);
	inn_val x = inn__input(b, "x", &image, 0, 0), out = inn_forward(b, &x), logits = inn_logits(b, out);

	if (analyzer) {
		inn_val pick = inn_onehot(b, inn_argmax(b, logits, 1), inn_dim(b, logits, 1)), r = { 0 };
		struct inn_query q = { .size = sizeof(q), .n_x = 1, .x = &x, .pick = pick, .head = -1, .dialect = -1 };

		ck_assert_int_eq(inn__yaml_text(t->ctx, "test", analyzer, &y), INN_OK);
		ck_assert_int_eq(inn__bind_class(t->ctx, f, INN_ANALYZER, y, &a), INN_OK);
		inn_nested(b, &a, &q, &r);
		out = r;
	}
	inn__output(b, "out", out);
	struct inn_plan *p = inn__close(b, false);

	if (!p && inn__errors(t->ctx))
		ck_abort_msg("%s: %s", analyzer, inn__error(t->ctx, 0)->text);
	ck_assert_ptr_nonnull(p);
	inn__plan_cost(p, c);
	inn__plan_free(p);
	inn__build_free(b);
}

/* Fitting patterns: the forward pass and two products of the size of a weight gradient. */
static void fit_cost(struct net *t, const struct inn__finder *f, double unit)
{
	inn_build *b = inn__build_new(t->ctx, 1);
	struct inn_shape image = { .rank = 4, .dim = { 1, 3, 224, 224 } };
	struct inn_inst a;
	struct inn__cost c;

	ck_assert_int_eq(inn__net_attach(b, t->g), INN_OK);
	ck_assert_int_eq(inn__bind_name(t->ctx, f, INN_ANALYZER, "pattern.net", &a), INN_OK);
	inn_val x = inn__input(b, "x", &image, 0, 0);
	struct inn_query q = { .size = sizeof(q), .n_x = 1, .x = &x, .head = INN_VALUE };

	((const struct inn_analyzer_ops *)(const void *)a.cls)->fit(b, &q, a.opts);
	struct inn_plan *p = inn__close(b, false);

	if (!p)
		ck_abort_msg("%s", inn__error(t->ctx, 0)->text);
	inn__plan_cost(p, &c);
	printf("fit pattern.net: F %.3f, weight gradients %.3f\n", c.forward / unit, (c.backward + c.other) / unit);
	ck_assert_double_eq_tol(c.forward / unit, 1, 1e-9);
	ck_assert_double_eq_tol((c.backward + c.other) / unit, 2, 1e-9);
	ck_assert(c.once == 0);
	inn__plan_free(p);
	inn__build_free(b);
}

struct row { const char *analyzer; double f[2], b[2], once; int z; };
static const struct row rows[] = { /* VGG16, ResNet50; once in F; z: pre-activations stored besides their ReLU, -1: not counted */
	{ "gradient", { 1, 1 }, { 1, 1 }, 0, 0 },
	{ "guided_backprop", { 1, 1 }, { 1, 1 }, 0, 0 },
	{ "deconvnet", { 1, 1 }, { 1, 1 }, 0, 0 },
	{ "lrp.z", { 1, 1 }, { 1, 1 }, 0, 0 },
	{ "lrp.epsilon", { 1, 1 }, { 1, 1 }, 0, 0 },
	{ "lrp.w_square", { 1, 1 }, { 1, 1 }, 1, 0 },
	{ "lrp.flat", { 1, 1 }, { 0, 0 }, -1, 0 },
	{ "lrp.z_plus", { 2.01, 2.03 }, { 1.01, 1.03 }, 0, 0 },
	{ "deep_taylor", { 2.01, 2.03 }, { 1.01, 1.03 }, 0, 0 },
	{ "lrp.alpha_1_beta_0", { 2.01, 2.03 }, { 1.01, 1.03 }, 0, 0 },
	{ "lrp.sequential_preset_a", { 2, 2.03 }, { 1.01, 1.03 }, 0, 0 },
	{ "lrp.sequential_preset_a_flat", { 1.99, 1.97 }, { .99, .97 }, -1, 0 },
	{ "{type: deep_taylor.bounded, low: -1, high: 1}", { 1.99, 1.97 }, { 1.01, 1.06 }, -1, 0 },
	{ "lrp.alpha_2_beta_1", { 2.01, 2.06 }, { 2.01, 2.06 }, 0, -1 },
	{ "lrp.sequential_preset_b", { 2.01, 2.06 }, { 2.01, 2.06 }, 0, -1 },
	{ "lrp.sequential_preset_b_flat", { 1.99, 1.97 }, { 1.98, 1.94 }, -1, -1 },
	{ "lrp.gamma", { 2.01, 2.03 }, { 1.01, 1.32 }, 0, 0 },
	{ "lrp.epsilon_plus", { 2, 2.03 }, { 1.01, 1.03 }, 0, 0 },
	{ "lrp.epsilon_plus_flat", { 1.99, 1.97 }, { .99, .97 }, -1, 0 },
	{ "lrp.epsilon_alpha2_beta1", { 2.01, 2.06 }, { 2.01, 2.06 }, 0, -1 },
	{ "{type: lrp.epsilon_gamma_box, low: -2, high: 2}", { 1.99, 1.97 }, { 1.01, 1.35 }, -1, 1 },
	{ "{type: smoothgrad, augment_by_n: 50}", { 51, 51 }, { 50, 50 }, 0, 0 },
};

START_TEST(test_costs)
{
	for (int k = 0; k < 2; k++) {
		struct net t = { .ctx = inn__ctx_new() };
		struct inn__registry *reg = inn__registry_new(t.ctx);
		const struct inn__finder *f = inn__registry_finder(reg);
		int64_t dim[4] = { -1, 3, 224, 224 };
		struct inn__cost unit, c;

		t.g = inn__graph_new(t.ctx, f);
		ck_assert_int_eq(inn_graph_input(t.g, "x", INN_F32, dim, 4), INN_OK);
		(k ? resnet50 : vgg16)(&t);
		ck_assert_int_eq(inn_graph_output(t.g, t.last), INN_OK);
		if (inn__graph_resolve(t.g, 1) != INN_OK)
			ck_abort_msg("%s", inn__error(t.ctx, 0)->text);
		cost(&t, f, NULL, &unit);
		fit_cost(&t, f, unit.forward);
		for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
			const struct row *r = &rows[i];

			cost(&t, f, r->analyzer, &c);
			printf("%-9s %-46s F %.3f B %.3f other %.3f once %.2f z %u ops %u\n", k ? "resnet50" : "vgg16", r->analyzer,
			       c.forward / unit.forward, c.backward / unit.forward, c.other / unit.forward, c.once / unit.forward, c.z, c.ops);
			ck_assert_msg(c.forward / unit.forward < r->f[k] + 0.006 && c.forward / unit.forward > r->f[k] - 0.03, "%s: F %g, not %g",
				      r->analyzer, c.forward / unit.forward, r->f[k]);
			ck_assert_msg(c.backward / unit.forward < r->b[k] + 0.006 && c.backward / unit.forward > r->b[k] - 0.03, "%s: B %g, not %g",
				      r->analyzer, c.backward / unit.forward, r->b[k]);
			ck_assert_msg(c.other == 0, "%s: %g F in products of no role", r->analyzer, c.other / unit.forward);
			ck_assert_msg(r->once < 0 || c.once / unit.forward < r->once + 0.006, "%s: once %g", r->analyzer, c.once / unit.forward);
			ck_assert_msg(r->z < 0 || (int)c.z <= r->z, "%s: z %u", r->analyzer, c.z);
		}
		inn__graph_free(t.g);
		inn__ctx_free(t.ctx);
	}
}
END_TEST

int main(void)
{
	TCase *tc = tcase_create("costs");

	tcase_set_timeout(tc, 60);
	tcase_add_test(tc, test_costs);
	return run_case(tc);
}
