/* Every rule of affine layers, with all its parameters, on every kind of affine layer. */
#include "rules.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PAPER_GUARD { INN_GUARD_ZERO, 1e-7 }
#define ZENNIT INN_ZENNIT, .guard = { INN_GUARD_SIGN, 1e-6 }
#define CAPTUM INN_CAPTUM, .guard = { INN_GUARD_SIGN, 1e-9 }
#define RELEASED INN_INNVESTIGATE, .guard = PAPER_GUARD
#define PAPER INN_PAPER, .guard = PAPER_GUARD
#define PARTS(...) .part = { __VA_ARGS__ }
#define BOUNDS(l, h) .low = { l, l, l, l }, .high = { h, h, h, h }

const struct rule_case rule_cases[] = {
	{ "lrp.z", PAPER, PARTS({ 1, XW, B }) },
	{ "lrp.z, bias: false", PAPER, PARTS({ 1, XW, NO_BIAS }) },
	{ "lrp.epsilon", .guard = { INN_GUARD_SIGN, 1e-7 }, PARTS({ 1, XW, B }) },
	{ "lrp.epsilon, epsilon: 0.25, bias: false", .guard = { INN_GUARD_SIGN, 0.25 }, PARTS({ 1, XW, NO_BIAS }) },
	{ "lrp.gamma", PAPER, .gamma = 0.25, PARTS({ 1, RAISED, B_RAISED, 1 }, { 1, LOWERED, B_LOWERED, -1 }) },
	{ "lrp.gamma, gamma: 3", ZENNIT, .gamma = 3, PARTS({ 1, RAISED, B_RAISED, 1 }, { 1, LOWERED, B_LOWERED, -1 }) },
	{ "lrp.gamma, generalised: false", PAPER, .gamma = 0.25, PARTS({ 1, PLAIN, B_RAISED }) },
	{ "lrp.gamma, generalised: false", CAPTUM, .gamma = 0.25, PARTS({ 1, PLAIN, B }) },
	{ "lrp.z_plus", PAPER, PARTS({ 1, XW_POS, NO_BIAS }) },
	{ "lrp.z_plus", ZENNIT, PARTS({ 1, XW_POS, B_POS }) },
	{ "lrp.z_plus_fast", PAPER, PARTS({ 1, X_WPOS, NO_BIAS }) },
	{ "lrp.z_plus_fast", CAPTUM, PARTS({ 1, X_WPOS, B }) },
	{ "lrp.alpha_beta", PAPER, PARTS({ 2, XW_POS, B_POS }, { -1, XW_NEG, B_NEG }) },
	{ "lrp.alpha_beta, alpha: 1", PAPER, PARTS({ 1, XW_POS, B_POS }) },
	{ "lrp.alpha_beta, beta: 2, bias: whole", PAPER, PARTS({ 3, XW_POS, B }, { -2, XW_NEG, B }) },
	{ "lrp.alpha_beta, alpha: 1, beta: 0, bias: whole", PAPER, PARTS({ 1, XW_POS, B }) },
	{ "lrp.alpha_beta, alpha: 3, beta: 2, bias: none", PAPER, PARTS({ 3, XW_POS, NO_BIAS }, { -2, XW_NEG, NO_BIAS }) },
	{ "lrp.alpha_beta", RELEASED, PARTS({ 2, XW_POS, B }, { -1, XW_NEG, B }) },
	{ "lrp.alpha_beta, bias: none", RELEASED, PARTS({ 2, XW_POS, NO_BIAS }, { -1, XW_NEG, NO_BIAS }) },
	{ "lrp.alpha_beta_x", PAPER, PARTS({ 2, POS_POS, B_POS }, { -1, POS_NEG, B_NEG }) },
	{ "lrp.alpha_beta_x, alpha: [1, 1.5], beta: [0.5, 2]", PAPER,
	  PARTS({ 1, POS_POS, B_POS }, { 1.5, NEG_NEG, B_POS }, { -0.5, POS_NEG, B_NEG }, { -2, NEG_POS, B_NEG }) },
	{ "lrp.alpha_beta_x, alpha: [1, 1.5], beta: [0.5, 2], bias: false", PAPER,
	  PARTS({ 1, POS_POS, NO_BIAS }, { 1.5, NEG_NEG, NO_BIAS }, { -0.5, POS_NEG, NO_BIAS }, { -2, NEG_POS, NO_BIAS }) },
	{ "lrp.alpha_beta_x, alpha: [1, 1.5], beta: [0.5, 2]", RELEASED,
	  PARTS({ 1, POS_POS, B_POS }, { 2, NEG_NEG, B_NEG }, { -0.5, POS_NEG, B_NEG }, { -2, NEG_POS, B_POS }) },
	{ "lrp.w_square", PAPER, PARTS({ 1, W_SQUARE, NO_BIAS }) },
	{ "lrp.w_square", ZENNIT, PARTS({ 1, W_SQUARE, B_SQUARE }) },
	{ "lrp.by_dialect, rule: lrp.flat, zennit: lrp.w_square", PAPER, PARTS({ 1, ONE, NO_BIAS }) },
	{ "lrp.by_dialect, rule: lrp.flat, zennit: lrp.w_square", ZENNIT, PARTS({ 1, W_SQUARE, B_SQUARE }) },
	{ "lrp.flat", PAPER, PARTS({ 1, ONE, NO_BIAS }) },
	{ "lrp.bounded, low: -2, high: 2.5", PAPER, BOUNDS(-2, 2.5), PARTS({ 1, BOX, NO_BIAS }) },
	{ "lrp.bounded, low: [-2, -3, -4, -2.5], high: [2, 3, 2.25, 4]", ZENNIT, .low = { -2, -3, -4, -2.5 }, .high = { 2, 3, 2.25, 4 },
	  PARTS({ 1, BOX, NO_BIAS }) },
};
static const struct { const char *name; struct inn_stabilizer how; } guards[] = {
	{ "zero", { INN_GUARD_ZERO, 0.5 } }, { "sign", { INN_GUARD_SIGN, 0.5 } }, { "clip", { INN_GUARD_CLIP, 0.75 } }, { "rms", { INN_GUARD_RMS, 0.25 } },
};
#define COUNT(a) (sizeof(a) / sizeof(*(a)))
const size_t n_rule_cases = COUNT(rule_cases);

static inn_val apply(inn_build *b, const struct inn_site *s, uint32_t k, const void *rule) { return inn_apply_rule(b, s, k, rule); }

static bool graph(inn_ctx *ctx, struct subject *s)
{
	static const char *const name[] = { "x0", "x1", "w0", "w1", "w2", "w3" };
	const char *out = "y";
	uint32_t n_in = 0;
	int rc = INN_OK;

	if (!(s->g = inn__graph_new(ctx, s->classes)))
		return false;
	inn_graph_opset(s->g, 17);
	for (uint32_t k = 0; rc == INN_OK && k < s->n_data; k++) {
		int64_t dim[INN_MAX_RANK];

		for (uint32_t d = 0; d < s->x[k].rank; d++)
			dim[d] = s->x[k].dim[d];
		rc = inn_graph_input(s->g, name[k], INN_F32, dim, s->x[k].rank);
	}
	for (uint32_t k = 0; rc == INN_OK && k < 4 && s->held[k]; k++)
		rc = inn_graph_const(s->g, name[2 + k], &s->t[k]);
	while (s->in[n_in])
		n_in++;
	inn_node *n = rc == INN_OK ? inn_graph_add(s->g, s->kind, "layer", s->in, n_in, &out, 1) : NULL;

	return n && (!s->attributes || s->attributes(s, n) >= 0) && inn_graph_output(s->g, "y") >= 0;
}

inn_val make_relevance(inn_build *b, const inn_val *x, const struct spec *spec)
{
	struct subject *s = spec->user;
	inn_ctx *ctx = inn_build_ctx(b);
	struct inn_query q = { .size = sizeof(q), .n_x = s->n_data, .x = x, .head = -1, .dialect = (int)s->rule->dialect };
	struct inn__yaml *y;
	struct inn_inst rule = { 0 };
	inn_val r[MAX_IN + 1] = { { 0 } };
	const char *text = inn_printf(ctx, "{type: %s}", s->rule->type);

	if (!text || !graph(ctx, s) || inn__yaml_text(ctx, "rule", text, &y) < 0 || inn__bind_class(ctx, s->classes, INN_RULE, y, &rule) < 0 ||
	    inn__graph_resolve(s->g, s->x[0].dim[0]) < 0 || inn__net_attach(b, s->g) < 0)
		return r[0];
	inn__net_probe(b, s->probe);
	inn_walk(b, &q, x[s->n_data], apply, &rule, r);
	if (s->operand < s->n_data)
		return r[s->operand];
	for (uint32_t k = 0; k < s->n_data; k++) {
		inn_val sum = inn_sum(b, inn_flatten(b, r[k], 1), 2);

		r[MAX_IN] = k ? inn_add(b, r[MAX_IN], sum) : sum;
	}
	return r[MAX_IN];
}

static void oracle(const struct spec *spec, const double *const *x, double *out)
{
	const struct subject *s = spec->user;

	relevance(&s->map, s->rule, x[0], x[1], out, NULL);
}

/* What an audit says of the layer: relevance in and out, bias, stabilizer. */
static inn_val make_audit(inn_build *b, const inn_val *x, const struct spec *spec)
{
	struct inn__probe p = { .audit = true };
	struct inn_shape column = { .rank = 2, .dim = { inn_shape_of(b, x[0])->dim[0], 1 } };
	inn_val v[4] = { { 0 } };

	((struct subject *)spec->user)->probe = &p;
	make_relevance(b, x, spec);
	if (p.n_row == 1) {
		v[0] = p.row[0].in;
		v[1] = p.row[0].out;
		v[2] = p.row[0].lost[INN_LOSS_BIAS];
		v[3] = p.row[0].lost[INN_LOSS_STABILIZER];
	}
	for (int i = 0; i < 4; i++)
		v[i] = v[i].id ? v[i] : inn_const(b, 0, &column);
	inn__probe_free(&p);
	return inn_concat(b, v, 4, 1);
}

static void oracle_audit(const struct spec *spec, const double *const *x, double *out)
{
	const struct subject *s = spec->user;
	const struct map *m = &s->map;
	double *r = malloc((m->n_in + 1) * sizeof(*r));
	struct lost *lost = calloc(m->samples, sizeof(*lost));

	if (r && lost)
		relevance(m, s->rule, x[0], x[1], r, lost);
	for (size_t n = 0; n < m->samples; n++) {
		double *row = out + 4 * n;

		row[0] = row[1] = r && lost ? 0 : NAN;
		for (size_t j = 0; j < m->n_out / m->samples; j++)
			row[0] += x[1][n * (m->n_out / m->samples) + j];
		for (size_t i = 0; r && i < m->n_in / m->samples; i++)
			row[1] += r[n * (m->n_in / m->samples) + i];
		row[2] = lost ? lost[n].bias : NAN;
		row[3] = lost ? lost[n].stabilizer : NAN;
	}
	free(r);
	free(lost);
}

static void run(struct bench *t, const struct layer_case *l, const struct rule_case *r, bool audit)
{
	struct subject s = { .rule = r, .classes = inn__registry_finder(t->plugins) };
	char name[200];

	snprintf(name, sizeof(name), "%s {type: %s} in dialect %u at %s", audit ? "audit of" : "", r->type, r->dialect, l->name);
	struct spec spec = { .name = name, .make = audit ? make_audit : make_relevance, .oracle = audit ? oracle_audit : oracle, .n_in = 2, .in = { l->x }, .fill = { l->fill, SMOOTH },
			     .batch = l->x.dim[0], .user = &s, .done = subject_free };

	if (layer_subject(&s, l, true)) {
		spec.in[1] = s.y;
		conform(t, &spec);
	} else {
		fails(t, &spec, "no memory");
		subject_free(&s);
	}
}

/* A list of bounds fits four channels; squares of a bias and of weights that both have factors do not add up. */
static bool fits(const struct layer_case *l, const struct rule_case *r)
{
	return !(strstr(r->type, "low: [") && l->x.dim[1] != 4) && !(r->part[0].bias == B_SQUARE && l->alpha != 0);
}

/* The reference runs everything. Another backend computes the same plans: it takes every fourth, so that each rule and each
 * kind of layer still comes up. */
static bool left_out(const struct bench *t, size_t number) { return t->be != t->ref && number % 4; }

/* Every way to guard a division, where denominators are exactly 0 among others. */
static void guarded(struct bench *t, const struct rule_case *given, size_t number)
{
	char type[200];

	for (size_t i = 0; i < COUNT(guards); i++) {
		struct rule_case r = *given;

		if (strstr(given->type, "epsilon:") || strstr(given->type, "by_dialect"))
			return; /* has its own, or passes none on */
		snprintf(type, sizeof(type), "%s, stabilizer: %s, epsilon: %g", given->type, guards[i].name, guards[i].how.eps);
		r.type = type;
		r.guard = guards[i].how;
		for (size_t l = 0; l < 4; l++)
			if (fits(&layer_cases[l], &r) && !left_out(t, number + i + l))
				run(t, &layer_cases[l], &r, false);
	}
}

void conform_rules(struct bench *t)
{
	for (size_t i = 0; i < COUNT(rule_cases); i++) {
		for (const struct layer_case *l = layer_cases; l->name; l++)
			if (l->fill != COARSE && fits(l, &rule_cases[i]) && !left_out(t, i + (size_t)(l - layer_cases)))
				run(t, l, &rule_cases[i], false);
		for (const struct layer_case *l = layer_cases; l < layer_cases + 2; l++)
			if (fits(l, &rule_cases[i]) && !left_out(t, i))
				run(t, l, &rule_cases[i], true);
		guarded(t, &rule_cases[i], i);
	}
	conform_other_layers(t);
	conform_batch_norms(t);
	conform_conservation(t);
}
