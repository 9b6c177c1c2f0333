/* The reference backend: plain C loops in a fixed order. It defines the results. */
#include "ref.h"
#include <stdlib.h>
#include <string.h>

enum { F32, F64 };
struct opts { int dtype; bool check; };
struct inn_dev { struct opts opts; };

static const struct inn_choice dtypes[] = {
	{ "f32", F32, "single precision; products and sums accumulate in double" },
	{ "f64", F64, "double precision" },
	{ 0 },
};
static const struct inn_param params[] = {
	INN_ENUM(struct opts, dtype, F32, dtypes, "precision of every value"),
	INN_BOOL(struct opts, check, false, "compare every result with the sign the plan claims for it"),
	{ 0 },
};

static int score(inn_ctx *ctx, const void *opts)
{
	(void)ctx;
	(void)opts;
	return 1;
}

static int dev_open(inn_ctx *ctx, const void *opts, uint32_t threads, inn_dev **dev)
{
	(void)threads;
	*dev = calloc(1, sizeof(**dev));
	if (!*dev)
		return inn_nomem(ctx);
	(*dev)->opts = *(const struct opts *)opts;
	return INN_OK;
}

static void dev_close(inn_dev *dev) { free(dev); }

static int compile(inn_ctx *ctx, inn_dev *dev, const struct inn_plan *p, uint64_t memory_limit, inn_exec **exec)
{
	struct inn_exec *e = calloc(1, sizeof(*e));
	int rc;

	*exec = NULL;
	if (!e)
		return inn_nomem(ctx);
	e->plan = p;
	e->f64 = dev->opts.dtype == F64;
	e->check = dev->opts.check;
	e->size = e->f64 ? sizeof(double) : sizeof(float);
	rc = ref_compile(ctx, e, memory_limit);
	if (rc < 0)
		ref_free(e);
	else
		*exec = e;
	return rc;
}

/* Checks that `op` is an ACCUMULATE or of this code, and that t has its shape. */
static int port(inn_ctx *ctx, const struct inn_exec *e, uint32_t op, uint32_t code, const struct inn_tensor *t)
{
	const struct inn_op *o = op < e->plan->n_ops ? inn_plan_op(e->plan, op) : NULL;
	char have[INN_SHAPE_STR], want[INN_SHAPE_STR];

	if (!o || (o->code != code && o->code != INN_OP_ACCUMULATE))
		return inn_fail(ctx, INN_EBUG, NULL, "operation %u cannot be written or read", op);
	if (!inn_shape_eq(&o->shape, &t->shape))
		return inn_fail(ctx, INN_ESHAPE, NULL, "%s has shape %s, not %s", e->plan->names[e->plan->attr[o->attr]],
				inn_shape_str(&o->shape, want), inn_shape_str(&t->shape, have));
	return INN_OK;
}

static int put(inn_ctx *ctx, inn_exec *e, uint32_t op, const struct inn_tensor *t)
{
	bool input = op < e->plan->n_ops && inn_plan_op(e->plan, op)->code == INN_OP_INPUT;
	int rc = port(ctx, e, op, input ? INN_OP_INPUT : INN_OP_PARAM, t);

	if (rc < 0)
		return rc;
	for (uint32_t k = 0; k < e->plan->n_params; k++) /* read where it lies: no other can be written there */
		if (e->plan->params[k].op == op && e->plan->params[k].data && e->plan->params[k].data->data == e->value[op])
			return t->data == e->value[op] ? INN_OK : inn_fail(ctx, INN_EBUG, NULL, "operation %u holds the plan's own values", op);
	inn_convert(t->data, t->dtype, e->value[op], ref_dtype(e, op), ref_count(&t->shape));
	return INN_OK;
}

static int get(inn_ctx *ctx, inn_exec *e, uint32_t op, struct inn_tensor *t)
{
	int rc = port(ctx, e, op, INN_OP_OUTPUT, t);

	if (rc < 0)
		return rc;
	inn_convert(e->value[op], ref_dtype(e, op), t->data, t->dtype, ref_count(&t->shape));
	return INN_OK;
}

static int share(inn_ctx *ctx, inn_exec *e, uint32_t op, double *sums)
{
	if (op >= e->plan->n_ops || inn_plan_op(e->plan, op)->code != INN_OP_ACCUMULATE)
		return inn_fail(ctx, INN_EBUG, NULL, "operation %u is no sum", op);
	e->value[op] = sums;
	return INN_OK;
}

static const char *describe(const inn_dev *dev)
{
	return dev->opts.dtype == F64 ? "reference, plain C loops, f64" : "reference, plain C loops, f32";
}

static const struct inn_backend_ops reference = {
	.cls = INN_HEAD(struct inn_backend_ops, INN_BACKEND, "reference", "plain C loops that define the results", params,
			sizeof(struct opts), NULL),
	.score = score,
	.open = dev_open,
	.close = dev_close,
	.compile = compile,
	.release = ref_free,
	.write = put,
	.run = ref_run,
	.read = get,
	.share = share,
	.profile = ref_profile,
	.describe = describe,
};

INN_PLUGIN("reference", "1.0.0", "BSD-2-Clause", &reference.cls);
