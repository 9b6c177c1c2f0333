/* Folding: constants are computed on the host, by the layer, while the network is resolved. */
#include "state.h"

#define TOUCHED ((uint64_t)1 << 27) /* elements that folding may read and make, over all resolutions, besides 8 for each stored byte */

static bool affordable(const struct inn_shape *s)
{
	size_t n;

	return inn_shape_count(s, &n) && n <= FOLD_LIMIT;
}

/* Everything is known; or only shapes are asked for. A constant without data (cost estimates) is a shape only. */
static bool foldable(const inn_graph *g, const inn_node *n)
{
	if (!n->ops->fold)
		return false;
	for (uint32_t k = 0; k < n->n_in; k++) {
		const struct tensor *t = &g->t[n->in[k]];

		if (n->in[k] && !n->ops->fold_shape_only && (!t->value || !t->value->data || !affordable(&t->value->shape)))
			return false;
	}
	return true;
}

static uint64_t mix(uint64_t h, uint64_t v) { return (h ^ v) * 0x100000001b3u; }

/* The same key: the same inputs in the same memory, so the last answer holds. */
static uint64_t fold_key(const inn_graph *g, const inn_node *n)
{
	uint64_t h = mix(0xcbf29ce484222325u, n->n_in);

	for (uint32_t k = 0; k < n->n_in; k++) {
		const struct tensor *t = &g->t[n->in[k]];

		h = mix(mix(h, n->in[k]), t->shape.rank);
		h = n->ops->fold_shape_only ? h : mix(h, (uintptr_t)t->value);
		for (uint32_t d = 0; d < t->shape.rank; d++)
			h = mix(h, t->shape.dim[d]);
	}
	return h | 1;
}

/* Small files must not cost much time: what folding reads and makes is bounded. */
static int afford(inn_graph *g, const inn_node *n, const struct inn_tensor *in)
{
	size_t count;

	for (uint32_t k = 0; k < n->n_in && !n->ops->fold_shape_only; k++)
		g->touched += in[k].data && inn_shape_count(&in[k].shape, &count) ? count : 0;
	if (g->touched <= TOUCHED + 8 * g->stored)
		return INN_OK;
	return inn_fail(g->ctx, INN_ELIMIT, NULL, "%s: the model's constants take too much work to unfold", n->label);
}

/* What the layer makes of the constants, within what they may unfold to. */
static int call(inn_graph *g, inn_node *n, struct inn_tensor *in, struct inn_tensor *out)
{
	uint64_t most = inn_limit(g->ctx, INN_LIMIT_CONSTANTS), left;
	int status;

	for (uint32_t k = 0; k < n->n_in; k++) {
		const struct tensor *t = &g->t[n->in[k]];

		in[k] = n->in[k] && t->value ? *t->value : (struct inn_tensor){ .shape = t->shape };
	}
	if ((status = afford(g, n, in)) < 0)
		return status;
	most = most > 100 * g->stored ? most : 100 * g->stored;
	left = most > g->unfolded ? most - g->unfolded : 0;
	inn__ctx_budget(g->ctx, left, "the network's constants unfold to more than limits.constants allows, and a hundred times what it stores");
	status = n->ops->fold(g->ctx, n, in, n->n_in, out);
	g->unfolded += left - inn__ctx_budget(g->ctx, UINT64_MAX, NULL);
	return status;
}

/* The values become the outputs'. */
static int adopt(inn_graph *g, inn_node *n, bool fresh)
{
	for (uint32_t k = 0; k < n->n_out; k++) {
		const struct inn_tensor *v = &n->folded[k];
		struct tensor *t = &g->t[n->out[k]];
		size_t count;

		if (!n->out[k])
			continue;
		bool sound = v->shape.rank <= INN_MAX_RANK && inn_shape_count(&v->shape, &count) && inn_dtype_size(v->dtype);

		if (!sound || (count && !v->data)) {
			if (!t->used)
				continue;
			return inn_fail(g->ctx, INN_EBUG, NULL, "%s: folding gave no output %u", n->label, k);
		}
		g->touched += fresh ? count : 0;
		t->value = v;
		t->param = t->name;
		t->shape = v->shape;
		t->dynamic = false;
	}
	n->dynamic = false;
	return INN_OK;
}

int inn__fold(inn_graph *g, inn_node *n, struct inn_tensor *in)
{
	uint32_t errors = inn__errors(g->ctx);
	uint64_t key;

	if (!foldable(g, n))
		return NOT_FOLDED;
	key = fold_key(g, n);
	bool fresh = n->fold_key != key;

	if (fresh) {
		struct inn_tensor *out = inn_alloc(g->ctx, n->n_out + 1, sizeof(*out));
		int status = out ? call(g, n, in, out) : INN_ENOMEM;

		if (status < 0 && inn__errors(g->ctx) == errors)
			return NOT_FOLDED;
		if (status < 0)
			return inn_while(g->ctx, status, NULL, "while folding %s, opset %u", n->label, g->opset);
		n->folded = out;
		n->fold_key = key;
	}
	return adopt(g, n, fresh);
}
