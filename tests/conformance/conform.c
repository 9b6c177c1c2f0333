/* conform [backend] [plugin dir] [name...]: every operation, or those of these names ("?": says all names), over edge shapes, against naive
 * sums, the f64 reference and central differences; every rule of relevance over kinds of layers, against its formula. */
#include "conform.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SKIPPED 77 /* what ctest takes for it */

void fails(struct bench *t, const struct spec *s, const char *fmt, ...)
{
	va_list ap;

	t->failed++;
	printf("%s", s->name);
	for (uint32_t k = 0; k < s->n_in; k++) {
		char buf[INN_SHAPE_STR];

		printf(" %s", inn_shape_str(&s->in[k], buf));
	}
	if (s->w.n)
		printf(" size %u stride %u,%u before %u,%u after %u,%u dilation %u,%u groups %u", s->w.size[0], s->w.stride[0],
		       s->w.stride[1], s->w.before[0], s->w.before[1], s->w.after[0], s->w.after[1], s->w.dilation[0],
		       s->w.dilation[1], s->w.groups);
	printf(": ");
	va_start(ap, fmt);
	vprintf(fmt, ap);
	va_end(ap);
	printf("\n");
}

static double draw(uint64_t *state, int fill)
{
	*state = *state * 6364136223846793005u + 1442695040888963407u;
	double u = (double)(*state >> 40) * 0x1p-24;

	switch (fill) {
	case POSITIVE: return (float)(0.25 + u);
	case COARSE: return floor(u * 5) / 2 - 1;
	case INDEX3: return floor(u * 3);
	default: return (float)(4 * u - 2);
	}
}

double *numbers(size_t n, int fill, uint64_t seed)
{
	double *v = malloc((n + 1) * sizeof(*v));

	for (size_t i = 0; v && i < n; i++)
		v[i] = draw(&seed, fill);
	return v;
}

const char *first_error(inn_ctx *ctx)
{
	const struct inn__error *e = inn__error(ctx, 0);

	return e ? e->text : "no error recorded";
}

/* Input k is "x<k>", the seed "seed", outputs "y" and "g<k>". */
static bool record(struct bench *t, struct spec *s, struct plan_of *q)
{
	char name[16];
	inn_val x[MAX_IN];

	q->ctx = inn__ctx_new();
	inn__ctx_level(q->ctx, INN__QUIET);
	q->b = inn__build_new(q->ctx, s->batch ? s->batch : 1);
	for (uint32_t k = 0; k < s->n_in; k++) {
		snprintf(name, sizeof(name), "x%u", k);
		x[k] = inn__input(q->b, name, &s->in[k], 0, 0);
		q->n_x[k] = count_of(&s->in[k]);
		q->x[k] = numbers(q->n_x[k], s->fill[k], 17 + k);
	}
	inn_val y = s->make(q->b, x, s);

	s->out = *inn_shape_of(q->b, y);
	q->n_y = count_of(&s->out);
	q->seed = numbers(q->n_y, SMOOTH, 5);
	inn__output(q->b, "y", y);
	if (s->grads) {
		inn_val seed = inn__input(q->b, "seed", &s->out, 0, 0);

		for (uint32_t k = 0; k < s->n_in; k++) {
			snprintf(name, sizeof(name), "g%u", k);
			if (s->grads >> k & 1)
				inn__output(q->b, name, inn_grad(q->b, y, x[k], seed, NULL, 0));
		}
	}
	q->p = inn__close(q->b, !s->fast);
	if (!q->p)
		fails(t, s, "not recorded: %s", first_error(q->ctx));
	return q->p != NULL;
}

static void drop(struct plan_of *q, const struct spec *s)
{
	for (uint32_t k = 0; k < MAX_IN; k++)
		free(q->x[k]);
	free(q->seed);
	inn__plan_free(q->p);
	inn__build_free(q->b);
	if (s->done)
		s->done(s->user);
	inn__ctx_free(q->ctx);
}

static const char *name_of(const struct inn_plan *p, uint32_t i) { return p->names[p->attr[inn_plan_op(p, i)->attr]]; }

int feed(const struct inn_backend_ops *be, inn_exec *e, struct plan_of *q)
{
	int rc = INN_OK;

	for (uint32_t i = 0; rc == INN_OK && i < q->p->n_ops; i++) {
		const struct inn_op *o = inn_plan_op(q->p, i);
		uint32_t ids[] = { 0, 20000001 };
		struct inn_tensor v = { .shape = o->shape, .dtype = INN_F64 };

		if (o->code != INN_OP_INPUT)
			continue;
		v.data = name_of(q->p, i)[0] == 'x' ? q->x[name_of(q->p, i)[1] - '0'] : q->seed;
		if (q->p->attr[o->attr + 1] == 1) {
			v.dtype = INN_U32;
			v.data = ids;
		}
		rc = be->write(q->ctx, e, i, &v);
	}
	for (uint32_t i = 0; rc == INN_OK && i < q->p->n_params; i++)
		rc = be->write(q->ctx, e, q->p->params[i].op, q->p->params[i].data);
	return rc;
}

int fetch(const struct inn_backend_ops *be, inn_exec *e, struct plan_of *q, const char *name, double *y)
{
	for (uint32_t i = 0; i < q->p->n_ops; i++) {
		const struct inn_op *o = inn_plan_op(q->p, i);
		struct inn_tensor v = { .shape = o->shape, .dtype = INN_F64, .data = y };

		if (o->code == INN_OP_OUTPUT && !strcmp(name_of(q->p, i), name))
			return be->read(q->ctx, e, i, &v);
	}
	return inn_fail(q->ctx, INN_EBUG, NULL, "no output %s in the plan", name);
}

static double nmse(const double *a, const double *b, size_t n)
{
	double d = 0, s = 0;

	for (size_t i = 0; i < n; i++) {
		if (isnan(a[i]) != isnan(b[i]) || (isinf(b[i]) && a[i] != b[i]))
			return INFINITY;
		if (isfinite(b[i])) {
			d += (a[i] - b[i]) * (a[i] - b[i]);
			s += b[i] * b[i];
		}
	}
	return d == 0 ? 0 : s == 0 ? d : d / s;
}

void compare(struct bench *t, const struct spec *s, const char *what, const double *a, const double *b, size_t n, double tol)
{
	double e = nmse(a, b, n);

	if (e <= tol)
		t->passed++;
	else
		fails(t, s, "%s: NMSE %.3g", what, e);
}

/* Nothing may leak from one element to another. */
static void compare_each(struct bench *t, const struct spec *s, const double *a, const double *b, size_t n)
{
	double worst = 0;
	size_t at = 0;

	for (size_t i = 0; i < n; i++) {
		double e = b[i] == 0 ? (a[i] == 0 ? 0 : INFINITY) : s->each == INFINITY ? 0 : fabs(a[i] - b[i]) / fabs(b[i]);

		if (!(e <= worst)) {
			worst = e;
			at = i;
		}
	}
	if (worst <= s->each && worst < INFINITY)
		t->passed++;
	else
		fails(t, s, "element %zu is %.9g, not %.9g", at, a[at], b[at]);
}

/* Central differences of sum(seed * y) in every (at most 40) element of input k against g. */
static void differences(struct bench *t, const struct spec *s, struct plan_of *q, inn_exec *e, uint32_t k, const double *g)
{
	double *y = malloc((q->n_y + 1) * sizeof(*y)), largest = 1e-3, worst = 0, h = 1e-5;
	size_t step = q->n_x[k] / 40 + 1, at = 0;

	for (size_t i = 0; i < q->n_x[k]; i++)
		largest = fmax(largest, fabs(g[i]));
	for (size_t i = 0; y && i < q->n_x[k]; i += step) {
		double x = q->x[k][i], d = 0;

		for (int side = -1; side <= 1; side += 2) {
			q->x[k][i] = x + side * h;
			if (feed(t->ref, e, q) < 0 || t->ref->run(q->ctx, e) < 0 || fetch(t->ref, e, q, "y", y) < 0)
				d = NAN;
			for (size_t j = 0; j < q->n_y; j++)
				d += side * y[j] * q->seed[j];
		}
		q->x[k][i] = x;
		if (!(fabs(d / (2 * h) - g[i]) <= worst)) {
			worst = fabs(d / (2 * h) - g[i]);
			at = i;
		}
	}
	if (worst <= 1e-6 * largest)
		t->passed++;
	else
		fails(t, s, "derivative of input %u off by %.3g at %zu (largest %.3g)", k, worst, at, largest);
	free(y);
}

/* Runs one output of the plan on both devices; twice, since a second batch must not see the first. */
bool both(struct bench *t, const struct spec *s, struct plan_of *q, inn_exec *e, inn_exec *r, const char *name, double *y, double *z)
{
	for (int pass = 0; pass < 2; pass++) {
		if (feed(t->be, e, q) < 0 || t->be->run(q->ctx, e) < 0 || fetch(t->be, e, q, name, y) < 0 || feed(t->ref, r, q) < 0 ||
		    t->ref->run(q->ctx, r) < 0 || fetch(t->ref, r, q, name, z) < 0) {
			fails(t, s, "%s", first_error(q->ctx));
			return false;
		}
	}
	return true;
}

static void outputs(struct bench *t, const struct spec *s, struct plan_of *q, inn_exec *e, inn_exec *r)
{
	size_t most = q->n_y;

	for (uint32_t k = 0; k < s->n_in; k++)
		most = most > q->n_x[k] ? most : q->n_x[k];
	double *y = calloc(most + 1, sizeof(*y)), *z = calloc(most + 1, sizeof(*z));

	if (y && z && both(t, s, q, e, r, "y", y, z)) {
		compare(t, s, "against the reference", y, z, q->n_y, t->tol);
		if (s->each > 0)
			compare_each(t, s, y, z, q->n_y);
		if (s->oracle) {
			s->oracle(s, (const double *const *)q->x, y);
			compare(t, s, "reference against a naive computation", z, y, q->n_y, 1e-24);
		}
		for (uint32_t k = 0; k < s->n_in; k++) {
			char name[16];

			snprintf(name, sizeof(name), "g%u", k);
			if (!(s->grads >> k & 1) || !both(t, s, q, e, r, name, y, z))
				continue;
			compare(t, s, name, y, z, q->n_x[k], t->tol);
			differences(t, s, q, r, k, z);
		}
	}
	free(y);
	free(z);
}

bool conform_wants(const struct bench *t, const char *name)
{
	for (char **only = t->only; only && *only; only++) {
		if (!strcmp(*only, name))
			return true;
		if (!strcmp(*only, "?"))
			printf("name %s\n", name);
	}
	return !t->only;
}

void conform(struct bench *t, const struct spec *given)
{
	struct plan_of q = { 0 };
	struct spec s = *given;
	inn_exec *e = NULL, *r = NULL;

	if (!conform_wants(t, s.name))
		return;
	if (record(t, &s, &q)) {
		if (t->be->compile(q.ctx, t->dev, q.p, 0, &e) < 0 || t->ref->compile(q.ctx, t->ref64, q.p, 0, &r) < 0)
			fails(t, &s, "%s", first_error(q.ctx));
		else
			outputs(t, &s, &q, e, r);
		if (e && r)
			conform_again(t, &s, &q, e, r);
		t->be->release(e);
		t->ref->release(r);
	}
	drop(&q, &s);
}

static const struct inn_backend_ops *open_backend(inn_ctx *ctx, struct inn__registry *r, const char *yaml, inn_dev **dev)
{
	struct inn__yaml *y;
	struct inn_inst inst = { 0 };

	if (inn__yaml_text(ctx, "backend", yaml, &y) < 0 || inn__bind_class(ctx, inn__registry_finder(r), INN_BACKEND, y, &inst) < 0)
		return NULL;
	const struct inn_backend_ops *be = (const struct inn_backend_ops *)(const void *)inst.cls;

	return be->open(ctx, inst.opts, 1, dev) < 0 ? NULL : be;
}

int main(int argc, char **argv)
{
	inn_ctx *ctx = inn__ctx_new();
	struct inn__registry *r = ctx ? inn__registry_new(ctx) : NULL;
	struct bench t = { .tol = 1e-7, .plugins = r, .only = argc > 3 ? argv + 3 : NULL };

	if (!r || (argc > 2 && inn__registry_dir(r, argv[2]) < 0))
		return 1;
	t.ref = open_backend(ctx, r, "{type: reference, dtype: f64, check: true}", &t.ref64);
	t.be = t.ref ? open_backend(ctx, r, argc > 1 ? argv[1] : "{type: reference, check: true}", &t.dev) : NULL;
	if (!t.be) {
		const struct inn__error *e = inn__error(ctx, 0);
		bool missing = t.ref && e && e->status == INN_EPLUGIN;

		printf("%s%s\n", missing ? "skipped: " : "", first_error(ctx));
		inn__ctx_free(ctx);
		return missing ? SKIPPED : 1;
	}
	conform_elements(&t);
	conform_moves(&t);
	conform_windows(&t);
	conform_loops(&t);
	conform_side(&t);
	conform_kept(&t);
	conform_filled(&t);
	conform_joined(&t);
	conform_rules(&t);
	conform_sums(&t);
	t.be->close(t.dev);
	t.ref->close(t.ref64);
	inn__ctx_free(ctx);
	printf("%u passed, %u failed\n", t.passed, t.failed);
	return t.failed != 0;
}
