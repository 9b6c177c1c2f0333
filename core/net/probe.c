/* What a reverse walk reports besides its maps: the relevance at named layers, and for an audit what arrived at each layer, what
 * it passed on, and what it kept. */
#include "state.h"
#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>

static struct inn__probe *probe_of(const inn_build *b)
{
	const struct inn__net *net = inn__build_net(b);

	return net ? net->probe : NULL;
}

void inn__net_probe(inn_build *b, struct inn__probe *p)
{
	struct inn__net *net = inn__build_net(b);

	if (net)
		net->probe = p;
}

static struct inn__audit_row *open_row(const inn_build *b)
{
	struct inn__probe *p = probe_of(b);

	return p && p->audit && p->open ? &p->row[p->n_row - 1] : NULL;
}

bool inn_audits(const inn_build *b) { return open_row(b); }

void inn__probe_free(struct inn__probe *p)
{
	free(p->row);
	free(p->watched);
	free(p->share);
}

/* The sum over everything but the samples, [N,1]. */
static inn_val per_sample(inn_build *b, inn_val v)
{
	struct inn_shape column = { .rank = 2, .dim = { inn__build_batch(b), 1 } };
	uint32_t rank = inn_shape_of(b, v)->rank;

	if (!v.id || !rank)
		return v;
	v = inn_flatten(b, v, 1);
	return inn_expand(b, inn_sum(b, v, 2), &column);
}

static void count(inn_build *b, inn_val *sum, inn_val v)
{
	v = per_sample(b, v);
	*sum = sum->id ? inn_add(b, *sum, v) : v;
}

static bool watched(const struct inn__probe *p, const char *name)
{
	for (size_t i = 0; i < p->watch.n; i++)
		if (!fnmatch(p->watch.v[i], name, 0))
			return true;
	return false;
}

static bool watch(inn_graph *g, struct inn__probe *p, const inn_node *n, uint32_t out, inn_val r)
{
	const char *tensor = g->t[n->out[out]].name, *name = watched(p, n->name) ? (out ? tensor : n->name) : watched(p, tensor) ? tensor : NULL;

	if (!name)
		return true;
	for (uint32_t i = 0; i < p->n_watched; i++)
		if (!strcmp(p->watched[i].name, name))
			return inn_fail(g->ctx, INN_EUNSUP, NULL, "%s: this analyzer passes here more than once, so there is no one relevance to write out",
					name) == INN_OK;
	if (!inn__grow(g->ctx, &p->watched, p->n_watched, &p->cap_watched, sizeof(*p->watched)))
		return false;
	p->watched[p->n_watched++] = (struct inn__watched){ name, r };
	return true;
}

bool inn__probe_begin(inn_build *b, const inn_node *n, uint32_t out, inn_val r)
{
	struct inn__probe *p = probe_of(b);

	if (!p)
		return true;
	if (inn__build_open(b))
		return inn_fail(n->g->ctx, INN_EUNSUP, NULL, "%s: the reverse walk is repeated in a loop here, so its layers have no one relevance; ask "
				"for what the analyzer wraps", n->label) == INN_OK;
	if (!watch(n->g, p, n, out, r))
		return false;
	if (!p->audit)
		return true;
	if (!inn__grow(n->g->ctx, &p->row, p->n_row, &p->cap_row, sizeof(*p->row)))
		return false;
	p->row[p->n_row++] = (struct inn__audit_row){ .node = n->name, .kind = n->ops->cls.name, .in = per_sample(b, r) };
	p->n_share = 0;
	p->open = true;
	return true;
}

void inn__probe_rule(inn_build *b, const char *rule)
{
	struct inn__audit_row *row = open_row(b);

	if (row)
		row->rule = rule; /* the innermost, which decides */
}

void inn__probe_operand(inn_build *b, inn_val r)
{
	struct inn__audit_row *row = open_row(b);

	if (row)
		count(b, &row->out, r);
}

void inn__probe_end(inn_build *b)
{
	struct inn__probe *p = probe_of(b);

	if (p)
		p->open = false;
}

void inn_lost(inn_build *b, enum inn_loss why, inn_val share)
{
	struct inn__audit_row *row = open_row(b);
	struct inn__probe *p = probe_of(b);

	if (!row || !share.id)
		return;
	for (uint32_t i = 0; i < p->n_share; i++)
		if (p->share[i] == share.id * INN_LOSSES + why)
			return;
	if (!inn__grow(inn_build_ctx(b), &p->share, p->n_share, &p->cap_share, sizeof(*p->share)))
		return;
	p->share[p->n_share++] = share.id * INN_LOSSES + why;
	count(b, &row->lost[why], share);
}
