/* Rules of layers without weights, of batch norm, and the promise of rules to conserve relevance. */
#include "rules.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ZERO_GUARD .guard = { INN_GUARD_ZERO, 1e-7 }

static void run(struct bench *t, struct subject *s, void (*oracle)(const struct spec *, const double *const *, double *), int fill)
{
	char name[240];
	struct spec spec = { .name = name, .make = make_relevance, .oracle = oracle, .n_in = s->n_data + 1, .fill = { fill, fill, fill },
			     .batch = s->x[0].dim[0], .user = s, .done = subject_free };

	snprintf(name, sizeof(name), "{type: %s} in dialect %u at %s", s->rule->type, s->rule->dialect, s->kind);
	for (uint32_t k = 0; k < s->n_data; k++)
		spec.in[k] = s->x[k];
	spec.in[s->n_data] = s->y;
	spec.fill[s->n_data] = SMOOTH;
	conform(t, &spec);
}

static const struct rule_case norm = { "lrp.norm", ZERO_GUARD, .part = { { 1, XW, NO_BIAS } } };
static const struct rule_case norm_clip = { "lrp.norm, stabilizer: clip, epsilon: 0.5", .guard = { INN_GUARD_CLIP, 0.5 }, .part = { { 1, XW, NO_BIAS } } };
static const struct rule_case norm_zennit = { "lrp.norm", INN_ZENNIT, .guard = { INN_GUARD_SIGN, 1e-6 }, .part = { { 1, XW, NO_BIAS } } };
static const struct rule_case share = { "lrp.proportional", ZERO_GUARD, .part = { { 1, XW, NO_BIAS } } };
static const struct rule_case share_rms = { "lrp.proportional, stabilizer: rms, epsilon: 0.5", .guard = { INN_GUARD_RMS, 0.5 }, .part = { { 1, XW, NO_BIAS } } };
static const struct rule_case pass = { .type = "lrp.pass" };
static const struct rule_case winner = { .type = "lrp.winner_take_all" };

/* The operands one after the other are the map's input. */
static void oracle_sum(const struct spec *spec, const double *const *x, double *out)
{
	const struct subject *s = spec->user;
	size_t n[2] = { count_of(&s->x[0]), s->n_data > 1 ? count_of(&s->x[1]) : 0 };
	double *all = malloc(2 * (n[0] + n[1] + 1) * sizeof(*all)), *r = all + n[0] + n[1];

	for (size_t i = 0; all && i < n[0] + n[1]; i++)
		all[i] = i < n[0] ? x[0][i] : x[1][i - n[0]];
	if (all)
		relevance(&s->map, s->rule, all, x[s->n_data], r, NULL);
	for (size_t i = 0; i < n[s->operand]; i++)
		out[i] = all ? r[i + (s->operand ? n[0] : 0)] : NAN;
	free(all);
}

/* Elementwise maximum of two. */
static void oracle_larger(const struct spec *spec, const double *const *x, double *out)
{
	const struct subject *s = spec->user;

	for (size_t i = 0; i < count_of(&s->y); i++)
		out[i] = x[s->operand][i] > x[1 - s->operand][i] ? x[2][i] : 0;
}

/* a + b, a - b, max(a, b), or a + a without b; b may be broadcast. */
static void sum(struct bench *t, const struct rule_case *r, const char *kind, const struct inn_shape *b, uint32_t operand)
{
	struct subject s = { .rule = r, .classes = inn__registry_finder(t->plugins), .kind = kind, .in = { "x0", b ? "x1" : "x0" }, .n_data = b ? 2 : 1,
			     .operand = operand, .x = { SHAPE(2, 3, 4, 2) } };
	size_t n = count_of(&s.x[0]), cells = b ? (size_t)b->dim[2] * b->dim[3] : 0;

	s.y = s.x[0];
	if (b)
		s.x[1] = *b;
	s.map = (struct map){ .n_in = n + (b ? count_of(b) : 0), .n_out = n, .channels = 1, .inner = 1, .samples = 2, .W = malloc(2 * sizeof(double)) };
	for (size_t j = 0; s.map.W && j < n; j++) {
		push_edge(&s.map, j, j, 0);
		push_edge(&s.map, b ? n + (cells == 1 ? j / 8 : j) : j, j, 1);
	}
	if (s.map.W) {
		s.map.W[0] = 1;
		s.map.W[1] = strcmp(kind, "sub") ? 1 : -1;
	}
	run(t, &s, strcmp(kind, "max") ? oracle_sum : oracle_larger, SMOOTH);
}

static void mean_edge(const struct tap *at, void *map) { push_edge(map, at->in, at->out, at->out); }

/* By value or to the largest, the first of equals. */
static void oracle_winner(const struct spec *spec, const double *const *x, double *out)
{
	const struct map *m = &((const struct subject *)spec->user)->map;

	for (size_t i = 0; i < m->n_in; i++)
		out[i] = 0;
	for (size_t j = 0; j < m->n_out; j++) {
		const struct edge *best = NULL;

		for (const struct edge *e = m->e; e < m->e + m->n; e++)
			if (e->j == j && (!best || x[0][e->i] > x[0][best->i]))
				best = e;
		out[best->i] += x[1][j];
	}
}

static int pool_attributes(const struct subject *s, inn_node *n)
{
	int64_t size[3] = { s->w.size[0], s->w.size[1], s->w.size[2] };
	int rc = window_attributes(s, n) | inn_node_set_ints(n, "kernel_shape", size, s->w.n);

	return s->w.count_pad ? rc | inn_node_set_int(n, "count_include_pad", 1) : rc;
}

/* Every output is a sum of the cells of its window, over their number for a mean. */
static void pool(struct bench *t, const struct rule_case *r, const char *kind, struct inn_window w, bool global)
{
	struct subject s = { .rule = r, .classes = inn__registry_finder(t->plugins), .kind = kind, .in = { "x0" }, .n_data = 1, .w = w,
			     .attributes = global ? NULL : pool_attributes, .x = { SHAPE(2, 4, 7, 6) } };
	bool mean = !strstr(kind, "max");

	s.x[0].rank = w.n + 2;
	s.y = s.x[0];
	for (uint32_t d = 0; d < w.n; d++) {
		w.size[d] = s.w.size[d] = global ? s.x[0].dim[2 + d] : w.size[d];
		s.y.dim[2 + d] = steps(s.x[0].dim[2 + d], w.size[d], &w, d);
	}
	s.map = (struct map){ .n_in = count_of(&s.x[0]), .n_out = count_of(&s.y), .channels = 1, .inner = 1, .samples = 2 };
	taps(&w, &s.x[0], &s.y, w.size, false, mean_edge, &s.map);
	s.map.W = calloc(s.map.n_out, sizeof(double));
	for (size_t k = 0; s.map.W && k < s.map.n; k++)
		s.map.W[s.map.e[k].j]++;
	for (size_t j = 0; s.map.W && j < s.map.n_out; j++)
		s.map.W[j] = !mean ? 1 : 1 / (w.count_pad ? (double)w.size[0] * (w.n > 1 ? w.size[1] : 1) : s.map.W[j]);
	run(t, &s, r == &winner ? oracle_winner : oracle_sum, r == &winner ? COARSE : SMOOTH);
}

void conform_other_layers(struct bench *t)
{
	static const struct rule_case *const norms[] = { &norm, &norm_clip, &norm_zennit }, *const shares[] = { &winner, &share, &share_rms };
	static const struct inn_shape same = SHAPE(2, 3, 4, 2), one = SHAPE(2, 3, 1, 1);
	static const struct inn_window windows[] = {
		{ .n = 2, .size = { 2, 2 }, .stride = { 2, 2 }, .dilation = { 1, 1 } },
		{ .n = 2, .size = { 3, 2 }, .stride = { 2, 1 }, .before = { 1, 1 }, .after = { 1, 0 }, .dilation = { 1, 1 } },
		{ .n = 1, .size = { 3 }, .stride = { 1 }, .dilation = { 2 } },
		{ .n = 2, .size = { 3, 3 }, .stride = { 2, 2 }, .before = { 1, 1 }, .after = { 1, 1 }, .dilation = { 1, 1 }, .count_pad = 1 },
		{ .n = 2, .stride = { 1, 1 }, .dilation = { 1, 1 } },
	};

	sum(t, &pass, "max", &same, 0);
	sum(t, &pass, "max", &same, 1);
	for (int i = 0; i < 3; i++) {
		for (uint32_t operand = 0; operand < 2; operand++) {
			sum(t, norms[i], "add", &same, operand);
			sum(t, norms[i], "add", &one, operand);
			sum(t, norms[i], "sub", &same, operand);
		}
		sum(t, norms[i], "add", NULL, 0);
		for (int k = 0; k < 5; k++) {
			pool(t, norms[i], k == 4 ? "global_average_pool" : "average_pool", windows[k], k == 4);
			if (!windows[k].count_pad)
				pool(t, shares[i], k == 4 ? "global_max_pool" : "max_pool", windows[k], k == 4);
		}
	}
}

enum { SCALE, SHIFT, MEAN, VAR };
#define CHANNELS 4
#define BN_EPSILON 0.0625

static int bn_attributes(const struct subject *s, inn_node *n) { return (void)s, inn_node_set_real(n, "epsilon", BN_EPSILON); }

/* x k + c, channel by channel. */
static bool scaled(struct map *m, const struct subject *s, const double k[CHANNELS], const double c[CHANNELS])
{
	size_t n = count_of(&s->x[0]), inner = n / s->x[0].dim[0] / CHANNELS;

	*m = (struct map){ .n_in = n, .n_out = n, .channels = CHANNELS, .inner = inner, .samples = s->x[0].dim[0],
			   .W = malloc(CHANNELS * sizeof(double)), .bias = malloc(CHANNELS * sizeof(double)) };
	for (size_t j = 0; j < n; j++)
		if (!push_edge(m, j, j, j / inner % CHANNELS))
			return false;
	for (int i = 0; m->W && m->bias && i < CHANNELS; i++) {
		m->W[i] = k[i];
		m->bias[i] = c[i];
	}
	return m->W && m->bias;
}

static void free_map(struct map *m)
{
	free(m->e);
	free(m->W);
	free(m->bias);
}

static void own_formula(const struct subject *s, const double *x, const double *R, double *out)
{
	size_t n = count_of(&s->x[0]), inner = n / s->x[0].dim[0] / CHANNELS;

	for (size_t i = 0; i < n; i++) {
		size_t c = i / inner % CHANNELS;
		double y = (x[i] - s->held[MEAN][c]) / sqrt(s->held[VAR][c] + BN_EPSILON) * s->held[SCALE][c] + s->held[SHIFT][c];
		double d = (x[i] - s->held[MEAN][c]) * y;

		out[i] = x[i] * (y - s->held[SHIFT][c]) * R[i] / (d + (d >= 0 ? 1e-7 : -1e-7));
	}
}

/* The nested rule at one layer, or at two: normalise, then scale. */
static void oracle_bn(const struct spec *spec, const double *const *x, double *out)
{
	const struct subject *s = spec->user;
	bool released = s->rule->dialect == INN_INNVESTIGATE, two = strstr(s->rule->type, "two_linear");
	double k[2][CHANNELS], c[2][CHANNELS], *mid = malloc(2 * count_of(&s->x[0]) * sizeof(*mid)), *R = mid + count_of(&s->x[0]);
	struct map m[2] = { { 0 } };

	if (!s->rule->part[0].term) {
		own_formula(s, x[0], x[1], out);
		free(mid);
		return;
	}
	for (int i = 0; i < CHANNELS; i++) {
		double var = s->held[VAR][i], t = sqrt((released ? var * var : var) + BN_EPSILON), scale = s->held[SCALE][i];

		k[0][i] = two ? 1 / t : scale / t;
		c[0][i] = -s->held[MEAN][i] / t;
		if (!two)
			c[0][i] = c[0][i] * (released ? 1 : scale) + s->held[SHIFT][i];
		k[1][i] = scale;
		c[1][i] = s->held[SHIFT][i];
	}
	if (mid && scaled(&m[0], s, k[0], c[0]) && scaled(&m[1], s, k[1], c[1])) {
		for (size_t i = 0; i < m[0].n_in; i++)
			mid[i] = x[0][i] * k[0][i / m[0].inner % CHANNELS] + c[0][i / m[0].inner % CHANNELS];
		if (two)
			relevance(&m[1], s->rule, mid, x[1], R, NULL);
		relevance(&m[0], s->rule, x[0], two ? R : x[1], out, NULL);
	}
	free_map(&m[0]);
	free_map(&m[1]);
	free(mid);
}

static void batch_norm(struct bench *t, const struct rule_case *r)
{
	static const struct inn_shape channels = SHAPE(CHANNELS);
	static const double v[4][CHANNELS] = { { 1.5, -0.75, 0.5, 2 }, { 0.25, -0.5, 1, 0 }, { 0.5, 1.25, -0.75, -0.25 }, { 0.5, 2, 1.25, 0.25 } };
	struct subject s = { .rule = r, .classes = inn__registry_finder(t->plugins), .kind = "batch_normalization", .attributes = bn_attributes,
			     .in = { "x0", "w0", "w1", "w2", "w3" }, .n_data = 1, .x = { SHAPE(2, CHANNELS, 3, 2) } };
	bool ok = true;

	s.y = s.x[0];
	for (int k = 0; k < 4; k++)
		ok = ok && hold(&s, k, v[k], &channels, 1);
	if (ok)
		run(t, &s, oracle_bn, SMOOTH);
	else
		subject_free(&s);
}

void conform_batch_norms(struct bench *t)
{
	static const char *const fuse[] = { "one_linear", "two_linear" };
	char type[240];

	for (uint32_t dialect = INN_PAPER; dialect <= INN_INNVESTIGATE; dialect++)
		batch_norm(t, &(struct rule_case){ .type = "lrp.batch_norm", .dialect = dialect });
	for (size_t i = 0; i < n_rule_cases; i++)
		for (int k = 0; k < 2; k++) {
			struct rule_case r = rule_cases[i];

			snprintf(type, sizeof(type), "lrp.batch_norm, fuse: %s, rule: {type: %s}", fuse[k], rule_cases[i].type);
			r.type = type;
			batch_norm(t, &r);
		}
}

static void oracle_total(const struct spec *spec, const double *const *x, double *out)
{
	const struct subject *s = spec->user;
	size_t n = count_of(&s->y) / s->y.dim[0];

	for (size_t j = 0; j < s->y.dim[0] * n; j++)
		out[j / n] = (j % n ? out[j / n] : 0) + x[s->n_data][j];
}

/* What arrives is what goes on: at an affine layer, or at what the rule is for. */
static void conserves(void *bench, const struct inn_class *cls, const char *file)
{
	static const struct layer_case layers[] = {
		{ "gemm", "gemm", SHAPE(2, 12), SHAPE(12, 5), .bias = true }, { "gemm", "gemm", SHAPE(2, 12), SHAPE(12, 5), .bias = false },
		{ "conv", "conv", SHAPE(2, 4, 5, 6), SHAPE(3, 4, 3, 3), .w = { .n = 2 }, .bias = true },
		{ "conv", "conv", SHAPE(2, 4, 5, 6), SHAPE(3, 4, 3, 3), .w = { .n = 2 }, .bias = false },
	};
	const struct inn_rule_ops *ops = (const struct inn_rule_ops *)(const void *)cls;
	struct bench *t = bench;
	char type[100];

	(void)file;
	snprintf(type, sizeof(type), "%s%s", cls->name, strcmp(cls->name, "lrp.bounded") ? "" : ", low: -2, high: 2");
	struct rule_case r = { .type = type };

	for (int i = 0; ops->promises && i < 4; i++) {
		struct subject s = { .rule = &r, .classes = inn__registry_finder(t->plugins), .n_data = 1 };
		bool affine = ops->needs & INN_T_AFFINE;

		if (affine && layers[i].bias && !(ops->promises & INN_CONSERVES))
			continue;
		if (affine && !layer_subject(&s, &layers[i], false)) {
			subject_free(&s);
			t->failed++;
			continue;
		}
		if (!affine) {
			s.n_data = ops->needs & INN_T_GATE ? 2 : 1;
			s.kind = ops->needs & INN_T_GATE ? "mul" : ops->needs & INN_T_MAX_POOL ? "global_max_pool" : "tanh";
			s.x[0] = s.x[1] = s.y = (struct inn_shape)SHAPE(2, 3, 4, 4);
			if (ops->needs & INN_T_MAX_POOL)
				s.y.dim[2] = s.y.dim[3] = 1;
			s.in[0] = "x0";
			s.in[1] = s.n_data > 1 ? "x1" : NULL;
		}
		s.operand = s.n_data; /* all of them */
		run(t, &s, oracle_total, SMOOTH);
	}
}

void conform_conservation(struct bench *t) { inn__each_class(t->plugins, INN_RULE, conserves, t); }
