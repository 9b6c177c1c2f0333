/* From a network, analyzers and a target to one plan: all analyzers share one forward pass. */
#include "job.h"
#include <stdlib.h>
#include <string.h>

uint32_t inn__batch_for(size_t n) { return n >= 8 ? 8 : n >= 4 ? 4 : n >= 2 ? 2 : 1; }

/* Resolves for the batch asked for; where the network's constants forbid it, for its own. */
static int resolve(inn_job *job, const struct inn__what *w, size_t n_samples, inn_graph *g, uint32_t *batch)
{
	uint32_t want = w->declared ? 0 : w->batch ? w->batch : inn__batch_for(n_samples);
	uint32_t before = inn__errors(job->ctx);
	int status = inn__graph_resolve(g, want);

	if (status == INN_OK) {
		*batch = want ? want : 1;
		return INN_OK;
	}
	if (before || w->batch || w->declared || status == INN_ENOMEM || status == INN_ECANCEL)
		return status;
	inn__errors_clear(job->ctx);
	if ((status = inn__graph_resolve(g, 0)) < 0)
		return status;
	*batch = inn_graph_batch(g);
	if (*batch != want)
		inn_info(job->ctx, "%s runs in batches of %u, its own; not of %u", w->model->path, *batch, want);
	return INN_OK;
}

struct rec { /* what recording carries around */
	inn_job *job;
	const struct inn__what *w;
	struct inn__exec *e;
	inn_build *b;
	inn_val *x, *r, pick, y; /* r: n_x maps of each analyzer */
	uint32_t out; /* outputs recorded so far */
	bool untracked; /* failed because axis 0 of the output does not count samples */
};

static int record_inputs(struct rec *c)
{
	char name[128];

	for (uint32_t i = 0; i < c->e->n_x; i++) {
		const struct inn__port *p = inn__graph_input(c->e->graph, i);

		if (p->dtype != INN_F32 && p->dtype != INN_F64 && p->dtype != INN_F16 && p->dtype != INN_BF16)
			return inn_fail(c->job->ctx, INN_EUNSUP, NULL, "input %s is of type %s; only floating-point inputs are supported",
					p->name, inn_dtype_name(p->dtype));
		if (!c->w->declared && (!p->shape.rank || p->shape.dim[0] != c->e->batch))
			return inn_fail(c->job->ctx, INN_EUNSUP, NULL, "axis 0 of input %s does not count samples", p->name);
		snprintf(name, sizeof(name), "%u (%s)", i, p->name);
		c->x[i] = inn__input(c->b, name, &p->shape, i ? 0 : inn__pre_sign(c->w->pre, &p->shape), 0);
	}
	return c->w->pre && c->w->pre->n ? inn__pre_bounds(c->b, c->w->pre, inn_shape_of(c->b, c->x[0])) : INN_OK;
}

static void add_output(struct rec *c, inn_val v, const char *of)
{
	char name[128];

	snprintf(name, sizeof(name), "%u (%s)", c->out++, of);
	inn__output(c->b, name, v);
}

/* Weights that are the same for all samples, made to depend on the sample: so each row of what follows is one sample's. */
static inn_val per_sample(struct rec *c, inn_val weights)
{
	struct inn_shape column = { .rank = 2, .dim = { c->e->batch, 1 } };

	return inn_mul(c->b, weights, inn_reshape(c->b, inn_valid(c->b), &column));
}

static inn_val pick_of(struct rec *c, inn_val logits, uint32_t n)
{
	struct inn_shape s = { .rank = 2, .dim = { c->e->batch, n } }, one = { .rank = 1, .dim = { c->e->batch } };

	switch (c->w->target->kind) {
	case INN_TARGET_INDEX: return inn_onehot(c->b, inn__input(c->b, "pick", &one, INN_NONNEG, 0), n);
	case INN_TARGET_ALL: return per_sample(c, inn_const(c->b, 1, &s));
	case INN_TARGET_EACH: return (inn_val){ 0 };
	default: return inn_onehot(c->b, inn_argmax(c->b, logits, 1), n);
	}
}

/* v with a new axis 1 that counts the outputs; what does not depend on the output is repeated. */
static inn_val stack(struct rec *c, inn_val v, inn_val index, uint32_t n)
{
	struct inn_shape s = *inn_shape_of(c->b, v);

	if (!v.id || inn__depends(c->b, v, index))
		return inn_loop_stack(c->b, v, index);
	if (s.rank >= INN_MAX_RANK) {
		inn_fail(c->job->ctx, INN_EUNSUP, NULL, "the maps have too many axes for one map for each output");
		return (inn_val){ 0 };
	}
	memmove(s.dim + 2, s.dim + 1, (s.rank - 1) * sizeof(*s.dim));
	s.dim[1] = 1;
	s.rank++;
	v = inn_reshape(c->b, v, &s);
	s.dim[1] = n;
	return inn_expand(c->b, v, &s);
}

static void record_each(struct rec *c, const struct inn_inst *a, struct inn_query *q, uint32_t n, inn_val *r)
{
	struct inn_shape row = { .rank = 2, .dim = { 1, n } };
	inn_val index = inn_loop_begin(c->b, n);

	q->pick = per_sample(c, inn_reshape(c->b, inn_eq(c->b, inn_iota(c->b, n), index), &row));
	inn_nested(c->b, a, q, r);
	for (uint32_t i = 0; i < c->e->n_x; i++)
		r[i] = stack(c, r[i], index, n);
	inn_loop_end(c->b);
}

static struct inn_query query(struct rec *c)
{
	return (struct inn_query){ .size = sizeof(struct inn_query), .n_x = c->e->n_x, .x = c->x, .pick = c->pick, .head = -1, .dialect = -1 };
}

/* The maps of analyzer k. */
static int record_analyzer(struct rec *c, size_t k)
{
	const struct inn_inst *a = &c->w->analyzer[k];
	const struct inn_analyzer_ops *ops = (const struct inn_analyzer_ops *)(const void *)a->cls;
	struct inn__probe *probe = &c->e->layers[k].probe;
	struct inn_query q = query(c);
	inn_val *r = c->r + k * c->e->n_x;
	int status = ops->accepts ? ops->accepts(c->job->ctx, c->e->graph, a->opts) : INN_OK;

	*probe = (struct inn__probe){ .audit = c->w->audit, .watch = c->w->watch };
	inn__net_probe(c->b, c->w->audit || c->w->watch.n ? probe : NULL);
	if (status == INN_OK && c->w->target->kind == INN_TARGET_EACH)
		record_each(c, a, &q, c->e->n_classes, r);
	else if (status == INN_OK)
		inn_nested(c->b, a, &q, r);
	inn__net_probe(c->b, NULL);
	if (inn_failed(c->job->ctx))
		return inn_while(c->job->ctx, inn__last_status(c->job->ctx), &a->loc, "while building %s", a->label);
	for (uint32_t i = 0; i < c->e->n_x; i++) {
		const struct inn_shape *got = inn_shape_of(c->b, r[i]), *want = inn_shape_of(c->b, c->x[i]);

		if (c->w->target->kind != INN_TARGET_EACH && !inn_shape_eq(got, want)) {
			char g[INN_SHAPE_STR], v[INN_SHAPE_STR];

			return inn_fail(c->job->ctx, INN_EBUG, &a->loc, "%s gives a map of shape %s for an input of shape %s",
					a->label, inn_shape_str(got, g), inn_shape_str(want, v));
		}
		if (k < c->w->n_maps) {
			add_output(c, r[i], a->label);
			c->e->n_maps = c->out;
		} else { /* only measured: that all of it is finite shows in its sum */
			add_output(c, inn_sum(c->b, r[i], (1u << want->rank) - 2), a->label);
		}
	}
	return status;
}

/* What was asked about layers; analyzers without a reverse walk have nothing to say. */
static int record_layers(struct rec *c)
{
	bool any = !c->w->audit && !c->w->watch.n;

	for (size_t i = 0; i < c->e->n_layers; i++) {
		struct inn__layers *l = &c->e->layers[i];
		const char *label = c->w->analyzer[i].label;

		l->audit = UINT32_MAX;
		if (l->probe.n_row) {
			l->audit = c->out;
			add_output(c, inn__audit_matrix(c->b, &l->probe), label);
		}
		l->first = c->out;
		for (uint32_t k = 0; k < l->probe.n_watched; k++)
			add_output(c, l->probe.watched[k].v, l->probe.watched[k].name);
		if (l->probe.n_row || l->probe.n_watched)
			any = true;
		else if (c->w->audit || c->w->watch.n)
			inn_info(c->job->ctx, "%s passes no relevance from layer to layer: nothing to report about layers", label);
	}
	if (any)
		return INN_OK;
	return inn_fail(c->job->ctx, INN_EUNSUP, &c->w->analyzer[0].loc, "%s passes no relevance from layer to layer: there is nothing to audit and none "
			"to write out", c->w->analyzer[0].label);
}

/* Statistics are sinks of their own; the query is what `analyze` would ask. */
static int record_fit(struct rec *c)
{
	const struct inn_inst *a = c->w->analyzer;
	const struct inn_analyzer_ops *ops = (const struct inn_analyzer_ops *)(const void *)a->cls;
	struct inn_query q = { .size = sizeof(q), .n_x = c->e->n_x, .x = c->x, .pick = c->pick, .head = ops->head, .dialect = INN_PAPER };
	int status = ops->accepts ? ops->accepts(c->job->ctx, c->e->graph, a->opts) : INN_OK;

	if (status == INN_OK)
		ops->fit(c->b, &q, a->opts);
	if (inn_failed(c->job->ctx))
		return inn_while(c->job->ctx, inn__last_status(c->job->ctx), &a->loc, "while fitting %s", a->label);
	return status;
}

static int record(struct rec *c)
{
	int status = record_inputs(c);

	if (status < 0)
		return status;
	if (c->w->plain) {
		for (uint32_t i = 0; i < inn__graph_outputs(c->e->graph); i++)
			add_output(c, inn__forward_output(c->b, c->x, i), inn__graph_output(c->e->graph, i)->name);
		return inn_failed(c->job->ctx) ? inn__last_status(c->job->ctx) : INN_OK;
	}
	c->y = inn_logits(c->b, inn_forward(c->b, c->x));
	if (inn_failed(c->job->ctx))
		return inn__last_status(c->job->ctx);
	c->e->n_classes = inn_dim(c->b, c->y, 1);
	c->untracked = inn_dim(c->b, c->y, 0) != c->e->batch;
	if (c->untracked)
		return inn_fail(c->job->ctx, INN_EUNSUP, NULL, "%s: axis 0 of the output does not count samples", c->w->model->path);
	if (c->w->target)
		c->pick = pick_of(c, c->y, c->e->n_classes);
	if (c->w->fit)
		return record_fit(c);
	for (size_t i = 0; status == INN_OK && i < c->w->n_analyzer; i++)
		status = record_analyzer(c, i);
	if (status == INN_OK && c->w->n_analyzer)
		status = record_layers(c);
	if (status == INN_OK && c->w->logits) {
		c->e->logits = c->out;
		add_output(c, c->y, "logits");
	}
	if (status == INN_OK && c->w->n_metric) {
		struct inn_query q = query(c);

		status = inn__measures_record(c->job, c->w, c->e, c->b, &q, c->r, c->y, &c->out);
	}
	return inn_failed(c->job->ctx) ? inn__last_status(c->job->ctx) : status;
}

/* Where inputs and outputs ended up in the closed plan. */
static void locate(struct inn__exec *e)
{
	const struct inn_plan *p = e->plan;
	uint32_t k;

	for (uint32_t i = 0; i < p->n_ops; i++) {
		const struct inn_op *o = inn_plan_op(p, i);
		const uint32_t *a = p->attr + o->attr;

		if (o->code == INN_OP_OUTPUT && sscanf(p->names[a[0]], "%u", &k) == 1 && k < e->n_out)
			e->out[k] = i;
		if (o->code != INN_OP_INPUT)
			continue;
		if (a[1])
			*(a[1] == 1 ? &e->ids : &e->valid) = i;
		else if (!strcmp(p->names[a[0]], "pick"))
			e->pick = i;
		else if (sscanf(p->names[a[0]], "%u", &k) == 1 && k < e->n_x)
			e->x[k] = i;
	}
}

static void layers_free(struct inn__exec *e)
{
	for (size_t i = 0; e->layers && i < e->n_layers; i++)
		inn__probe_free(&e->layers[i].probe);
	e->n_layers = 0;
}

static int make(struct rec *c)
{
	inn_ctx *ctx = c->job->ctx;
	int status = inn__net_attach(c->b, c->e->graph);

	if (status == INN_OK)
		status = inn__states_attach(c->b, c->w->model);
	c->x = inn_alloc(ctx, c->e->n_x, sizeof(*c->x));
	c->r = inn_alloc(ctx, c->e->n_x * (c->w->n_analyzer + 1), sizeof(*c->r));
	layers_free(c->e); /* of a recording for another batch */
	c->e->n_layers = c->w->n_analyzer;
	c->e->layers = inn_alloc(ctx, c->e->n_layers + 1, sizeof(*c->e->layers));
	if (status < 0 || !c->x || !c->r || !c->e->layers)
		return INN_ENOMEM;
	if (c->w->watch.n && (status = inn__layers_known(c->job, c->e->graph, &c->w->watch)) < 0)
		return status;
	if ((status = record(c)) < 0)
		return status;
	c->e->n_out = c->out;
	if (!(c->e->plan = inn__close(c->b, c->job->strict)))
		return inn__last_status(ctx);
	c->e->x = inn_alloc(ctx, c->e->n_x, sizeof(*c->e->x));
	c->e->out = inn_alloc(ctx, c->out + 1u, sizeof(*c->e->out));
	if (!c->e->x || !c->e->out)
		return INN_ENOMEM;
	memset(c->e->x, 0xff, c->e->n_x * sizeof(*c->e->x));
	memset(c->e->out, 0xff, c->out * sizeof(*c->e->out));
	locate(c->e);
	for (uint32_t i = 0; i < c->out; i++)
		if (c->e->out[i] == UINT32_MAX)
			return inn_fail(ctx, INN_EBUG, NULL, "output %u is lost from the plan", i);
	return INN_OK;
}

static int load_array(inn_ctx *ctx, void *user, const char *path, struct inn_tensor *t)
{
	inn_job *job = user;
	struct inn_stream s;
	struct inn_inst inst;
	const struct inn_format_ops *f;
	int status = inn__file_map(ctx, path, INN_EDATA, &s);

	if (status < 0)
		return status;
	if (!(f = inn__format_of(job, path, &s)))
		status = inn__last_status(ctx);
	else if (!f->read_tensor)
		status = inn_fail(ctx, INN_EDATA, NULL, "%s holds no array", path);
	else if ((status = inn__bind_name(ctx, job->finder, INN_FORMAT, f->cls.name, &inst)) == INN_OK &&
		 (status = f->read_tensor(ctx, &s, inst.opts, t)) == INN_OK)
		status = inn__ctx_own(ctx, t->data, free);
	return inn__file_close(ctx, &s, status);
}

/* Records for the batch that the graph is resolved for. `again`: it failed for reasons that the model's own batch may not have. */
static int record_batch(inn_job *job, const struct inn__what *w, struct inn__exec *e, bool *again)
{
	struct rec c = { .job = job, .w = w, .e = e, .b = inn__build_new(job->ctx, e->batch) };

	if (!c.b)
		return INN_ENOMEM;
	inn__build_set_loader(c.b, load_array, job);
	int status = make(&c);

	bool fixed = e->n_x && inn__graph_input(e->graph, 0)->dim[0] > 0;

	*again = c.untracked || inn__build_untracked(c.b) || (fixed && inn__build_mixes(c.b));
	inn__build_free(c.b);
	return status;
}

int inn__plan_make(inn_job *job, const struct inn__what *w, size_t n_samples, struct inn__exec **out)
{
	struct inn__exec *e = *out = inn_alloc(job->ctx, 1, sizeof(*e));
	bool again = false;
	int status;

	if (!e)
		return INN_ENOMEM;
	*e = (struct inn__exec){ .model = w->model, .ids = UINT32_MAX, .valid = UINT32_MAX, .pick = UINT32_MAX, .logits = UINT32_MAX,
				 .target = w->target, .declared = w->declared };
	if (!(e->graph = inn__model_graph(w->model, w->plain)))
		return inn__last_status(job->ctx);
	if ((status = resolve(job, w, n_samples, e->graph, &e->batch)) < 0)
		return inn_while(job->ctx, status, NULL, "in %s", w->model->path);
	e->n_x = inn__graph_inputs(e->graph);
	status = record_batch(job, w, e, &again);
	if (status < 0 && again && !w->batch && e->batch > 1) {
		uint32_t tried = e->batch;

		inn__errors_clear(job->ctx);
		if ((status = inn__graph_resolve(e->graph, 0)) < 0)
			return inn_while(job->ctx, status, NULL, "in %s", w->model->path);
		e->batch = inn_graph_batch(e->graph);
		inn_info(job->ctx, "%s runs in batches of %u, not of %u: samples cannot be followed through it", w->model->path, e->batch, tried);
		status = record_batch(job, w, e, &again);
	}
	if (status == INN_OK && w->target)
		status = inn__target_check(job->ctx, w->target, n_samples, e->n_classes);
	return status;
}

int inn__exec_load(inn_job *job, struct inn__exec *e) { return e->exec ? INN_OK : inn__backend_compile(job, e->plan, &e->exec); }

void inn__exec_free(inn_job *job, struct inn__exec *e)
{
	if (!e)
		return;
	inn__prep_free(job, e->prep);
	if (e->exec && job->ops->release)
		job->ops->release(e->exec);
	inn__plan_free(e->plan);
	layers_free(e);
	e->prep = NULL;
	e->exec = NULL;
	e->plan = NULL;
}
