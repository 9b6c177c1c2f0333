/* Statistics: sums that live across batches in doubles, leave out the spare rows, and can be put back to the bit. */
#include "conform.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { ROWS = 3, WIDTH = 4, VALID = 2, BATCHES = 5 };

static inn_val valid_column(inn_build *b)
{
	return inn_reshape(b, inn_valid(b), &(struct inn_shape)SHAPE(ROWS, 1));
}

/* The sums of x and of x^T x, as statistics "s" and "p". */
static struct inn_plan *record(inn_ctx *ctx, inn_build *b)
{
	inn_val x = inn__input(b, "x", &(struct inn_shape)SHAPE(ROWS, WIDTH), 0, 0);

	inn_stat(b, "s", x);
	inn_stat(b, "p", inn_matmul(b, x, inn_mul(b, x, valid_column(b)), true, false));
	return inn_failed(ctx) ? NULL : inn__close(b, true);
}

static uint32_t find(const struct inn_plan *p, uint32_t code, const char *name)
{
	for (uint32_t i = 0; i < p->n_ops; i++)
		if (inn_plan_op(p, i)->code == code && !strcmp(p->names[p->attr[inn_plan_op(p, i)->attr]], name))
			return i;
	return 0;
}

/* One batch: large values, so that a sum in single precision would show, and rubbish in the spare row. */
static int batch(const struct inn_backend_ops *be, inn_ctx *ctx, const struct inn_plan *p, inn_exec *e, uint32_t k)
{
	double x[ROWS * WIDTH], valid[ROWS] = { 1, 1, 0 };
	struct inn_tensor t = { .dtype = INN_F64, .shape = SHAPE(ROWS, WIDTH), .data = x };
	int rc;

	for (uint32_t i = 0; i < ROWS * WIDTH; i++)
		x[i] = i < VALID * WIDTH ? (float)(1000 + sin(i + 100 * k)) : 1e9;
	if ((rc = be->write(ctx, e, find(p, INN_OP_INPUT, "x"), &t)) < 0)
		return rc;
	t = (struct inn_tensor){ .dtype = INN_F64, .shape = SHAPE(ROWS), .data = valid };
	if ((rc = be->write(ctx, e, find(p, INN_OP_INPUT, "@valid"), &t)) < 0)
		return rc;
	return be->run(ctx, e);
}

static int sums(const struct inn_backend_ops *be, inn_ctx *ctx, const struct inn_plan *p, inn_exec *e, double s[WIDTH], double q[WIDTH * WIDTH],
		bool put)
{
	struct inn_tensor a = { .dtype = INN_F64, .shape = SHAPE(1, WIDTH), .data = s };
	struct inn_tensor b = { .dtype = INN_F64, .shape = SHAPE(WIDTH, WIDTH), .data = q };
	uint32_t at = find(p, INN_OP_ACCUMULATE, "s"), bt = find(p, INN_OP_ACCUMULATE, "p");
	int rc = put ? be->write(ctx, e, at, &a) : be->read(ctx, e, at, &a);

	if (rc < 0)
		return rc;
	return put ? be->write(ctx, e, bt, &b) : be->read(ctx, e, bt, &b);
}

/* All batches at once; and half of them, the rest in an executable of its own that the sums were put into. */
static int run(struct bench *t, inn_ctx *ctx, const struct inn_plan *p, double s[2][WIDTH], double q[2][WIDTH * WIDTH])
{
	inn_exec *e[2] = { NULL, NULL };
	int rc = t->be->compile(ctx, t->dev, p, 0, &e[0]);

	for (uint32_t k = 0; rc == INN_OK && k < BATCHES; k++) {
		if (k == BATCHES / 2)
			rc = sums(t->be, ctx, p, e[0], s[1], q[1], false);
		if (rc == INN_OK)
			rc = batch(t->be, ctx, p, e[0], k);
	}
	if (rc == INN_OK && (rc = sums(t->be, ctx, p, e[0], s[0], q[0], false)) == INN_OK &&
	    (rc = t->be->compile(ctx, t->dev, p, 0, &e[1])) == INN_OK)
		rc = sums(t->be, ctx, p, e[1], s[1], q[1], true);
	for (uint32_t k = BATCHES / 2; rc == INN_OK && k < BATCHES; k++)
		rc = batch(t->be, ctx, p, e[1], k);
	if (rc == INN_OK)
		rc = sums(t->be, ctx, p, e[1], s[1], q[1], false);
	t->be->release(e[0]);
	t->be->release(e[1]);
	return rc;
}

static double expected(uint32_t c, uint32_t d, bool product)
{
	double sum = 0;

	for (uint32_t k = 0; k < BATCHES; k++)
		for (uint32_t r = 0; r < VALID; r++) {
			float x = (float)(1000 + sin(r * WIDTH + c + 100 * k)), y = (float)(1000 + sin(r * WIDTH + d + 100 * k));

			sum += product ? (double)x * y : (double)x;
		}
	return sum;
}

static void check(struct bench *t, const struct spec *spec, double s[2][WIDTH], double q[2][WIDTH * WIDTH])
{
	double worst = 0;

	for (uint32_t c = 0; c < WIDTH; c++) {
		worst = fmax(worst, fabs(s[0][c] / expected(c, 0, false) - 1));
		for (uint32_t d = 0; d < WIDTH; d++)
			worst = fmax(worst, fabs(q[0][c * WIDTH + d] / expected(c, d, true) - 1));
	}
	if (worst < 2e-7) /* of one batch in single precision */
		t->passed++;
	else
		fails(t, spec, "a sum is off by %.3g", worst);
	if (!memcmp(s[0], s[1], sizeof(s[0])) && !memcmp(q[0], q[1], sizeof(q[0])))
		t->passed++;
	else
		fails(t, spec, "sums that were put back go on as others");
}

/* A product over samples that were not masked is refused. */
static void unmasked(struct bench *t, const struct spec *spec)
{
	inn_ctx *ctx = inn__ctx_new();
	inn_build *b = inn__build_new(ctx, ROWS);
	inn_val x = inn__input(b, "x", &(struct inn_shape)SHAPE(ROWS, WIDTH), 0, 0);

	inn_stat(b, "p", inn_matmul(b, x, inn_addc(b, inn_mul(b, x, valid_column(b)), 1), true, false));
	if (inn_failed(ctx) && strstr(inn__error(ctx, 0)->text, "spare rows"))
		t->passed++;
	else
		fails(t, spec, "a statistic over spare rows is taken");
	inn__build_free(b);
	inn__ctx_free(ctx);
}

void conform_sums(struct bench *t)
{
	struct spec spec = { .name = "accumulate" };
	double s[2][WIDTH], q[2][WIDTH * WIDTH];

	if (!conform_wants(t, spec.name))
		return;
	inn_ctx *ctx = inn__ctx_new();
	inn_build *b = inn__build_new(ctx, ROWS);
	struct inn_plan *p = record(ctx, b);

	if (p && run(t, ctx, p, s, q) == INN_OK)
		check(t, &spec, s, q);
	else
		fails(t, &spec, "%s", inn__error(ctx, 0) ? inn__error(ctx, 0)->text : "not recorded");
	inn__plan_free(p);
	inn__build_free(b);
	inn__ctx_free(ctx);
	unmasked(t, &spec);
}
