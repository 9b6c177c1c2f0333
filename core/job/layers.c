/* What an analyzer says about layers besides its maps: relevance at named layers, and the audit of where relevance stays. */
#include "job.h"
#include <fnmatch.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define MOST 5u /* layers that are named where too many keep too much */

enum { IN, OUT, LOST, COLUMNS = LOST + INN_LOSSES };

inn_val inn__audit_matrix(inn_build *b, const struct inn__probe *p)
{
	struct inn_shape column = { .rank = 2, .dim = { inn__build_batch(b), 1 } };
	inn_val *v = calloc((size_t)p->n_row * COLUMNS, sizeof(*v)), all = { 0 };

	if (!v) {
		inn_nomem(inn_build_ctx(b));
		return all;
	}
	for (uint32_t i = 0; i < p->n_row; i++) {
		v[i * COLUMNS + IN] = p->row[i].in;
		v[i * COLUMNS + OUT] = p->row[i].out;
		for (uint32_t k = 0; k < INN_LOSSES; k++)
			v[i * COLUMNS + LOST + k] = p->row[i].lost[k];
	}
	for (uint32_t i = 0; i < p->n_row * COLUMNS; i++)
		if (!v[i].id)
			v[i] = inn_const(b, 0, &column);
	all = inn_concat(b, v, p->n_row * COLUMNS, 1);
	free(v);
	return all;
}

int inn__layers_known(inn_job *job, const inn_graph *g, const struct inn_strs *watch)
{
	for (size_t i = 0; i < watch->n; i++) {
		struct inn__nearest near = { .want = watch->v[i] };
		struct inn__node_info n;
		bool found = false;

		for (uint32_t k = 0; k < inn_graph_nodes(g); k++) {
			if (!inn__graph_info(g, k, &n))
				continue;
			found |= !fnmatch(watch->v[i], n.name, 0) || (n.tensor && !fnmatch(watch->v[i], n.tensor, 0));
			inn__nearest_offer(&near, n.name);
		}
		if (!found)
			return inn__suggest(job->ctx, NULL, &near, "outputs: no layer is named %s (`innvestigate plan` lists them)", watch->v[i]);
	}
	return INN_OK;
}

struct leak { const struct inn__audit_row *row; double v[COLUMNS], dropped, size; }; /* means over samples; size of |in - out| */

static int larger(const void *a, const void *b)
{
	const struct leak *p = a, *q = b;

	return p->size < q->size ? 1 : p->size > q->size ? -1 : p->row < q->row ? -1 : p->row > q->row;
}

/* The rows, largest leak first; *scale: what a leak is measured by. */
static struct leak *leaks(const struct inn__probe *p, const struct inn_tensor *t, double *scale)
{
	size_t n = t->shape.dim[0];
	struct leak *v = calloc(p->n_row + 1u, sizeof(*v));

	*scale = 0;
	for (uint32_t i = 0; v && i < p->n_row; i++) {
		double mean = 0;

		v[i].row = &p->row[i];
		for (size_t s = 0; s < n; s++) {
			double x[COLUMNS];

			for (uint32_t k = 0; k < COLUMNS; k++) {
				x[k] = inn_tensor_real(t, (s * p->n_row + i) * COLUMNS + k);
				v[i].v[k] += x[k] / (double)n;
			}
			v[i].size += fabs(x[IN] - x[OUT]) / (double)n;
			mean += fabs(x[IN]) / (double)n;
		}
		v[i].dropped = v[i].v[IN] - v[i].v[OUT] - v[i].v[LOST + INN_LOSS_BIAS] - v[i].v[LOST + INN_LOSS_STABILIZER];
		*scale = i && *scale > 0 ? *scale : mean; /* of the output, where relevance begins */
	}
	if (v)
		qsort(v, p->n_row, sizeof(*v), larger);
	return v;
}

static void table(struct inn__text *t, const struct leak *v, uint32_t n, double scale)
{
	size_t wide = 5;

	for (uint32_t i = 0; i < n; i++)
		wide = strlen(v[i].row->node) > wide ? strlen(v[i].row->node) : wide;
	inn__text_add(t, "  %-*s  %-20s  %-18s %12s %12s %12s %12s %12s %9s\n", (int)wide, "layer", "kind", "rule", "in", "out", "bias",
		      "stabilizer", "dropped", "leak");
	for (uint32_t i = 0; i < n; i++)
		inn__text_add(t, "  %-*s  %-20s  %-18s %12.5g %12.5g %12.5g %12.5g %12.5g %8.3f%%\n", (int)wide, v[i].row->node, v[i].row->kind,
			      v[i].row->rule ? v[i].row->rule : "", v[i].v[IN], v[i].v[OUT], v[i].v[LOST + INN_LOSS_BIAS],
			      v[i].v[LOST + INN_LOSS_STABILIZER], v[i].dropped, scale > 0 ? 100 * v[i].size / scale : 0);
}

static void json(struct inn__text *t, const struct leak *v, uint32_t n, double scale)
{
	for (uint32_t i = 0; i < n; i++) {
		inn__text_add(t, "%s{\"layer\": ", i ? ", " : "[");
		inn__text_json(t, v[i].row->node);
		inn__text_add(t, ", \"kind\": \"%s\", \"rule\": \"%s\", \"in\": %.9g, \"out\": %.9g, \"bias\": %.9g, \"stabilizer\": %.9g, "
				 "\"dropped\": %.9g, \"leak\": %.9g}",
			      v[i].row->kind, v[i].row->rule ? v[i].row->rule : "", v[i].v[IN], v[i].v[OUT], v[i].v[LOST + INN_LOSS_BIAS],
			      v[i].v[LOST + INN_LOSS_STABILIZER], v[i].dropped, scale > 0 ? v[i].size / scale : 0);
	}
	inn__text_add(t, n ? "]" : "[]");
}

static void csv(struct inn__text *t, const struct leak *v, uint32_t n, double scale)
{
	inn__text_add(t, "layer,kind,rule,in,out,bias,stabilizer,dropped,leak\n");
	for (uint32_t i = 0; i < n; i++) {
		inn__text_json(t, v[i].row->node); /* quotes commas */
		inn__text_add(t, ",%s,%s,%.9g,%.9g,%.9g,%.9g,%.9g,%.9g\n", v[i].row->kind, v[i].row->rule ? v[i].row->rule : "", v[i].v[IN],
			      v[i].v[OUT], v[i].v[LOST + INN_LOSS_BIAS], v[i].v[LOST + INN_LOSS_STABILIZER], v[i].dropped,
			      scale > 0 ? v[i].size / scale : 0);
	}
}

int inn__audit_text(inn_job *job, const struct inn__layers *l, const struct inn_tensor *t, enum inn__audit_form form, uint32_t most,
		    struct inn__text *out)
{
	double scale;
	struct leak *v = leaks(&l->probe, t, &scale);
	uint32_t n = most && most < l->probe.n_row ? most : l->probe.n_row;

	if (!v)
		return inn_nomem(job->ctx);
	(form == INN__AUDIT_TABLE ? table : form == INN__AUDIT_JSON ? json : csv)(out, v, n, scale);
	free(v);
	return out->failed ? inn_nomem(job->ctx) : INN_OK;
}

int inn__audit_limit(inn_job *job, const char *label, const struct inn__layers *l, const struct inn_tensor *t, double limit)
{
	double scale;
	struct leak *v = leaks(&l->probe, t, &scale);
	int status = v ? INN_OK : inn_nomem(job->ctx);

	uint32_t n = 0;

	while (v && n < l->probe.n_row && v[n].size > limit * scale)
		n++;
	if (n > MOST)
		status = inn_fail(job->ctx, INN_ELIMIT, NULL, "%s: %u layers keep more of the relevance than the audit allows", label, n);
	for (uint32_t i = 0; i < n && i < MOST; i++)
		status = inn_fail(job->ctx, INN_ELIMIT, NULL, "%s: layer %s (%s) keeps %.3g %% of the relevance; the audit allows %.3g %%", label,
				  v[i].row->node, v[i].row->kind, 100 * v[i].size / scale, 100 * limit);
	free(v);
	return status;
}

static const char *layers_path(inn_job *job, const char *dir, const char *label)
{
	return inn_printf(job->ctx, "%s/%s.layers.%s", dir, label, job->def.archive);
}

static const char *audit_path(inn_job *job, const char *dir, const char *label) { return inn_printf(job->ctx, "%s/%s.audit.csv", dir, label); }

bool inn__layers_there(inn_job *job, const char *dir, const char *label, const struct inn__layers *l)
{
	const char *layers = layers_path(job, dir, label), *audit = audit_path(job, dir, label);

	return layers && audit && (!l->probe.n_watched || !access(layers, R_OK)) && (l->audit == UINT32_MAX || !access(audit, R_OK));
}

int inn__layers_write(inn_job *job, const char *dir, const char *label, const struct inn__layers *l, const struct inn_tensor *t)
{
	const char *layers = layers_path(job, dir, label), *audit = audit_path(job, dir, label);
	struct inn_named *v = inn_alloc(job->ctx, l->probe.n_watched + 1u, sizeof(*v));
	struct inn__text text = { 0 };
	int status = v && layers && audit ? INN_OK : INN_ENOMEM;

	for (uint32_t i = 0; status == INN_OK && i < l->probe.n_watched; i++)
		v[i] = (struct inn_named){ l->probe.watched[i].name, t[l->first + i] };
	if (status == INN_OK && l->probe.n_watched)
		status = inn__write_named(job, layers, v, l->probe.n_watched);
	if (status < 0 || l->audit == UINT32_MAX)
		return status;
	status = inn__audit_text(job, l, &t[l->audit], INN__AUDIT_CSV, 0, &text);
	if (status == INN_OK)
		status = inn__write_file(job->ctx, audit, text.s, text.n);
	free(text.s);
	return status;
}
