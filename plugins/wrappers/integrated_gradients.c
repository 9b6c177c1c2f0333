/* integrated_gradients: (x - r) * integral of an analyzer along the line from r to x (Sundararajan et al. 2017); of the
 * gradient by default. The left Riemann sum is iNNvestigate's, Gauss-Legendre captum's default (and that dialect's). */
#include "../gradient/postprocess.h"
#include <math.h>

enum { LEFT, RIGHT, MIDDLE, TRAPEZOID, GAUSS };

struct opts {
	struct inn_inst analyzer;
	int64_t steps;
	struct inn_source reference_inputs;
	int quadrature, postprocess;
};

static const struct inn_choice quadratures[] = {
	{ "left", LEFT, "i/n, i = 0 ... n-1: holds the reference, never the input" },
	{ "right", RIGHT, "i/n, i = 1 ... n" },
	{ "middle", MIDDLE, "(i + 1/2)/n" },
	{ "trapezoid", TRAPEZOID, "i/n, i = 0 ... n, ends by half" },
	{ "gauss_legendre", GAUSS, "Gauss-Legendre nodes" },
	{ 0 },
};

static const struct inn_param params[] = {
	INN_CLASS(struct opts, analyzer, INN_ANALYZER, "gradient", "what is integrated"),
	INN_INT(struct opts, steps, 64, 1, 1e6, "points on the path"),
	INN_SOURCE(struct opts, reference_inputs, 0, "where the path begins: a number or an array file"),
	INN_ENUM(struct opts, quadrature, LEFT, quadratures, "points and weights"),
	INN_ENUM(struct opts, postprocess, KEEP, postprocess_choices, "applied at every point"),
	{ 0 },
};

/* Node i of n on [0,1] and its weight, by Newton's method on the Legendre polynomial of degree n. */
static void gauss(uint32_t n, uint32_t i, double *at, double *weight)
{
	double x = cos(3.14159265358979323846 * (n - i - 0.25) / (n + 0.5)), p = 0, dp = 1;

	for (int it = 0; it < 100; it++) {
		double before = 1;

		p = x;
		for (uint32_t k = 2; k <= n; k++) {
			double next = ((2.0 * k - 1) * x * p - (k - 1.0) * before) / k;

			before = p;
			p = next;
		}
		dp = n == 1 ? 1 : n * (x * p - before) / (x * x - 1);
		if (n == 1)
			p = x;
		if (fabs(p / dp) < 1e-16)
			break;
		x -= p / dp;
	}
	*at = (x + 1) / 2;
	*weight = 1 / ((1 - x * x) * dp * dp);
}

static void point(int quadrature, uint32_t n, uint32_t i, double *at, double *weight)
{
	*weight = quadrature == TRAPEZOID && (i == 0 || i == n) ? 0.5 / n : 1.0 / n;
	switch (quadrature) {
	case RIGHT: *at = (i + 1.0) / n; break;
	case MIDDLE: *at = (i + 0.5) / n; break;
	case GAUSS: gauss(n, i, at, weight); break;
	default: *at = (double)i / n;
	}
}

/* The tables of `count` points and weights as parameters. */
static bool tables(inn_build *b, int quadrature, uint32_t n, uint32_t count, inn_val *at, inn_val *weight)
{
	inn_ctx *ctx = inn_build_ctx(b);
	struct inn_tensor *t = inn_alloc(ctx, 2, sizeof(*t));
	double *v = inn_alloc(ctx, 2 * (size_t)count, sizeof(*v));
	char *name[2] = { inn_printf(ctx, "path.%d.%u.at", quadrature, n), inn_printf(ctx, "path.%d.%u.weight", quadrature, n) };

	if (!t || !v || !name[0] || !name[1])
		return false;
	for (uint32_t i = 0; i < count; i++)
		point(quadrature, n, i, &v[i], &v[count + i]);
	for (int k = 0; k < 2; k++)
		t[k] = (struct inn_tensor){ .shape = { .rank = 1, .dim = { count } }, .dtype = INN_F64, .data = v + (size_t)k * count };
	*at = inn_param_of(b, name[0], &t[0]);
	*weight = inn_param_of(b, name[1], &t[1]);
	return true;
}

static void build(inn_build *b, const struct inn_query *q, const void *opts, inn_val *r)
{
	const struct opts *o = opts;
	int quadrature = q->dialect == INN_CAPTUM ? GAUSS : o->quadrature;
	uint32_t n = (uint32_t)o->steps, count = n + (quadrature == TRAPEZOID);
	inn_val *x = inn_alloc(inn_build_ctx(b), 2 * (size_t)q->n_x, sizeof(*x)), *d = x + q->n_x, at, weight;
	struct inn_query along = *q;

	if (!x || !tables(b, quadrature, n, count, &at, &weight))
		return;
	inn_val i = inn_loop_begin(b, count), a = inn_gather(b, at, i, 0), w = inn_gather(b, weight, i, 0);

	along.x = x;
	for (uint32_t k = 0; k < q->n_x; k++) {
		inn_val ref = inn_source_of(b, &o->reference_inputs, o->reference_inputs.path ? o->reference_inputs.path : "", q->x[k]);

		d[k] = inn_sub(b, q->x[k], ref);
		x[k] = inn_add(b, inn_mul(b, d[k], a), ref);
	}
	inn_nested(b, &o->analyzer, &along, r);
	for (uint32_t k = 0; k < q->n_x; k++)
		r[k] = inn_mul(b, d[k], inn_loop_sum(b, inn_mul(b, postprocess(b, r[k], o->postprocess), w), i));
	inn_loop_end(b);
}

static const struct inn_analyzer_ops integrated_gradients = {
	.cls = INN_HEAD(struct inn_analyzer_ops, INN_ANALYZER, "integrated_gradients", "integral along a path", params, sizeof(struct opts), NULL),
	.head = INN_PASS_HEAD,
	.build = build,
};

INN_PLUGIN("integrated_gradients", "1.0.0", "BSD-2-Clause", &integrated_gradients.cls);
