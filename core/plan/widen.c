/* Iterations side by side: a loop of n iterations becomes one of n/k over batches k times as long, iteration after iteration.
 * What counts samples along axis 0 gets k times the rows; what counts none is computed k times, once for each iteration; what
 * does not depend on the loop is repeated in front of it. */
#include "widen.h"
#include <stdlib.h>
#include <string.h>

static bool room(struct widen *w, void *array, uint32_t n, uint32_t more, uint32_t *cap, size_t size)
{
	void **a = array, *q;

	if (w->failed || n + more <= *cap)
		return !w->failed;
	if (!(q = realloc(*a, ((size_t)n + more) * 2 * size))) {
		inn_nomem(w->ctx);
		w->failed = true;
		return false;
	}
	*a = q;
	*cap = (n + more) * 2;
	return true;
}

static bool inside(const struct widen *w, uint32_t i) { return within(&w->p->blocks[w->block], i); }

/* Copies an operation's description; its sources follow. Gives its position + 1. */
static uint32_t put(struct widen *w, const struct inn_op *like, const uint32_t *src, uint32_t n_src)
{
	if (!room(w, &w->op, w->n, 1, &w->cap, sizeof(*w->op)) || !room(w, &w->src, w->n_src, n_src, &w->cap_src, sizeof(*w->src)))
		return 0;
	w->op[w->n] = *like;
	w->op[w->n].src = w->n_src;
	w->op[w->n].n_src = n_src;
	if (n_src)
		memcpy(w->src + w->n_src, src, n_src * sizeof(*src));
	w->n_src += n_src;
	return ++w->n;
}

static uint32_t make(struct widen *w, uint32_t code, const struct inn_op *like, const struct inn_shape *shape, const uint32_t *src, uint32_t n_src,
		     const uint32_t *attr, uint32_t n_attr)
{
	struct inn_op o = *like;

	if (!room(w, &w->attr, w->n_attr, n_attr, &w->cap_attr, sizeof(*w->attr)))
		return 0;
	o.code = (uint16_t)code;
	o.role = INN_ROLE_OTHER;
	o.shape = *shape;
	o.attr = w->n_attr;
	o.n_attr = n_attr;
	if (n_attr)
		memcpy(w->attr + w->n_attr, attr, n_attr * sizeof(*attr));
	w->n_attr += n_attr;
	return put(w, &o, src, n_src);
}

static uint32_t number(struct widen *w, const struct inn_op *like, double v)
{
	uint32_t word[2];

	memcpy(word, &v, sizeof(word)); /* little-endian: low, high */
	return make(w, INN_OP_CONST, like, &(struct inn_shape){ 0 }, NULL, 0, word, 2);
}

/* The index counts k at a time; iteration j of these is index * k + j. */
static void put_index(struct widen *w, uint32_t i)
{
	const struct inn_op *o = inn_plan_op(w->p, i);
	uint32_t attr[2] = { w->p->attr[o->attr] / w->k, w->p->attr[o->attr + 1] };

	w->index = make(w, INN_OP_INDEX, o, &o->shape, NULL, 0, attr, 2);
	uint32_t k = number(w, o, w->k), first = make(w, INN_OP_MUL, o, &o->shape, (uint32_t[]){ w->index, k }, 2, NULL, 0), j = w->n + 1;

	for (uint32_t m = 0; m < w->k; m++)
		number(w, o, m);
	w->at[i] = w->n + 1;
	for (uint32_t m = 0; m < w->k; m++)
		make(w, INN_OP_ADD, o, &o->shape, (uint32_t[]){ first, j + m }, 2, NULL, 0);
}

/* x [N,...], the same for all iterations, as [kN,...]. */
static uint32_t repeated(struct widen *w, const struct inn_op *like, uint32_t x)
{
	struct inn_shape s = { .rank = like->shape.rank + 1 }, y = like->shape;

	if (s.rank > INN_MAX_RANK) { /* the axes behind the first are one */
		size_t n = 1;

		for (uint32_t d = 1; d < y.rank; d++)
			n *= y.dim[d];
		s = (struct inn_shape){ .rank = 3, .dim = { 1, y.dim[0], (uint32_t)n } };
	} else {
		s.dim[0] = 1;
		memcpy(s.dim + 1, y.dim, y.rank * sizeof(*y.dim));
	}
	x = make(w, INN_OP_RESHAPE, like, &s, &x, 1, NULL, 0);
	s.dim[0] = w->k;
	x = make(w, INN_OP_EXPAND, like, &s, &x, 1, NULL, 0);
	y.dim[0] *= w->k;
	return make(w, INN_OP_RESHAPE, like, &y, &x, 1, NULL, 0);
}

/* Operation v, which counts no samples and is there k times, as [kN,...] of a rank. */
static uint32_t stacked(struct widen *w, uint32_t v, uint32_t rank)
{
	const struct inn_op *o = inn_plan_op(w->p, v);
	struct inn_shape s = { .rank = rank }, n;
	uint32_t *src = malloc(w->k * sizeof(*src)), shift = rank - o->shape.rank, at = 0;

	if (!src) {
		inn_nomem(w->ctx);
		w->failed = true;
		return 0;
	}
	for (uint32_t d = 0; d < rank; d++)
		s.dim[d] = d < shift ? 1 : o->shape.dim[d - shift];
	n = s;
	n.dim[0] = w->p->batch;
	for (uint32_t j = 0; j < w->k; j++) {
		src[j] = w->at[v] + j;
		if (shift)
			src[j] = make(w, INN_OP_RESHAPE, o, &s, &src[j], 1, NULL, 0);
		if (n.dim[0] != s.dim[0])
			src[j] = make(w, INN_OP_EXPAND, o, &n, &src[j], 1, NULL, 0);
	}
	n.dim[0] *= w->k;
	at = make(w, INN_OP_CONCAT, o, &n, src, w->k, (uint32_t[]){ 0 }, 1);
	free(src);
	return at;
}

/* Position + 1 of operand k of i, as i takes it. */
static uint32_t operand(struct widen *w, uint32_t i, uint32_t k)
{
	const struct inn_op *o = inn_plan_op(w->p, i);
	uint32_t s = inn_plan_src(w->p, i, k), rank = inn_op_class(o->code) == 'N' ? 1 : o->shape.rank;
	enum inn__take t = inn__takes(w, i, k);
	struct form *f = &w->form[s];

	if (s == w->p->blocks[w->block].index && inn_op_class(o->code) == 'O')
		return w->index;
	if (t == INN__AS_IS || (w->depends[s] && counts(w->p, inn_plan_op(w->p, s))))
		return w->at[s];
	if (!f->at || (inside(w, s) && (f->block != w->now || f->rank != rank)))
		*f = (struct form){ w->depends[s] ? stacked(w, s, rank) : repeated(w, inn_plan_op(w->p, s), w->at[s]), rank, w->now };
	return f->at;
}

/* An operation whose result counts samples: k times as many of them. */
static void put_rows(struct widen *w, uint32_t i)
{
	const struct inn_op *old = inn_plan_op(w->p, i);
	struct inn_op o = *old;
	uint32_t *src = malloc((o.n_src + 1u) * sizeof(*src));

	if (!src) {
		inn_nomem(w->ctx);
		w->failed = true;
		return;
	}
	for (uint32_t k = 0; k < o.n_src; k++)
		src[k] = operand(w, i, k);
	if (w->depends[i])
		o.shape.dim[0] *= w->k;
	if (o.code == INN_OP_SLICE && room(w, &w->attr, w->n_attr, o.n_attr, &w->cap_attr, sizeof(*w->attr))) {
		memcpy(w->attr + w->n_attr, w->p->attr + o.attr, o.n_attr * sizeof(*w->attr));
		o.attr = w->n_attr;
		w->attr[o.attr + 1] *= w->k; /* to the end of axis 0 */
		w->n_attr += o.n_attr;
	}
	w->at[i] = put(w, &o, src, o.n_src);
	free(src);
}

/* Operation i as it was, once or for each of k iterations. */
static void put_same(struct widen *w, uint32_t i, uint32_t times)
{
	const struct inn_op *o = inn_plan_op(w->p, i);
	uint32_t first = 0;

	for (uint32_t j = 0; j < times && room(w, &w->src, w->n_src, o->n_src, &w->cap_src, sizeof(*w->src)); j++) {
		uint32_t at = put(w, o, w->p->src + o->src, o->n_src);

		for (uint32_t k = 0; at && k < o->n_src; k++) {
			uint32_t s = inn_plan_src(w->p, i, k);

			w->src[w->op[at - 1].src + k] = w->at[s] + (w->depends[s] ? j : 0);
		}
		first = first ? first : at;
	}
	w->at[i] = first;
}

static void emit(struct widen *w)
{
	const struct inn_plan *p = w->p;
	const struct inn_block *b = &p->blocks[w->block];

	for (uint32_t i = 0; i < p->n_ops && !w->failed; i++) {
		const struct inn_op *o = inn_plan_op(p, i);
		bool closes = inside(w, i) && (o->code == INN_OP_LOOP_SUM || o->code == INN_OP_LOOP_STACK) && inn_plan_src(p, i, 1) == b->index;

		w->start[i] = w->n;
		for (uint32_t s = 0; i == b->first && s < i; s++)
			if (w->repeat[s])
				w->form[s] = (struct form){ .at = repeated(w, inn_plan_op(p, s), w->at[s]) };
		w->now = 0;
		for (uint32_t k = 2; k < p->n_blocks; k++)
			if (within(&p->blocks[k], i))
				w->now = k; /* the innermost comes last */
		if (i == b->index)
			put_index(w, i);
		else if ((w->depends[i] || closes) && counts(p, o))
			put_rows(w, i);
		else
			put_same(w, i, w->depends[i] ? w->k : 1);
	}
	w->start[p->n_ops] = w->n;
}

/* Blocks lie around the same operations as before; what is repeated stands in front of the loop, in the blocks around it. */
static struct inn_block *blocks(const struct widen *w)
{
	const struct inn_plan *p = w->p;
	struct inn_block *b = calloc(p->n_blocks + 1u, sizeof(*b)), *loop = b ? b + w->block : NULL;
	uint32_t first = p->blocks[w->block].first, n = 0;

	for (uint32_t s = 0; s < first; s++)
		n += 3 * w->repeat[s];
	for (uint32_t k = 0; b && k < p->n_blocks; k++) {
		const struct inn_block *o = &p->blocks[k];

		b[k] = *o;
		b[k].first = w->start[o->first] + (k >= w->block && o->first == first ? n : 0);
		b[k].n = w->start[o->first + o->n] - b[k].first;
		b[k].index = k >= 2 ? w->at[o->index] - 1 : 0;
	}
	if (loop) {
		loop->index = w->index - 1;
		loop->count /= w->k;
	}
	return b;
}

static uint32_t count_names(const struct inn_plan *p)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < p->n_ops; i++) {
		const struct inn_op *o = inn_plan_op(p, i);
		bool named = o->code == INN_OP_INPUT || o->code == INN_OP_PARAM || o->code == INN_OP_OUTPUT || o->code == INN_OP_ACCUMULATE;

		if (named && p->attr[o->attr] >= n)
			n = p->attr[o->attr] + 1;
	}
	return n;
}

static struct inn_plan *finish(struct widen *w)
{
	uint32_t n_names = count_names(w->p);
	const char **names = malloc((n_names + 1u) * sizeof(*names));
	struct inn_param_data *params = malloc((w->p->n_params + 1u) * sizeof(*params));
	struct inn_block *b = blocks(w);
	struct inn_plan *p = malloc(sizeof(*p));

	if (!names || !params || !b || !p || w->failed) {
		if (!w->failed)
			inn_nomem(w->ctx);
		free(names);
		free(params);
		free(b);
		free(p);
		return NULL;
	}
	memcpy(names, w->p->names, n_names * sizeof(*names));
	for (uint32_t i = 0; i < w->p->n_params; i++)
		params[i] = (struct inn_param_data){ .op = w->at[w->p->params[i].op] - 1, .data = w->p->params[i].data };
	*p = *w->p;
	p->op_size = sizeof(*w->op);
	p->n_ops = w->n;
	p->ops = w->op;
	p->src = w->src;
	p->attr = w->attr;
	p->blocks = b;
	p->names = names;
	p->params = params;
	p->k = w->k > p->k ? w->k : p->k;
	w->op = NULL;
	w->src = w->attr = NULL;
	return p;
}

static bool prepare(struct widen *w)
{
	size_t n = (size_t)w->p->n_ops + 1;
	uint32_t n_attr = 0;

	for (uint32_t i = 0; i < w->p->n_ops; i++)
		if (inn_plan_op(w->p, i)->attr + inn_plan_op(w->p, i)->n_attr > n_attr)
			n_attr = inn_plan_op(w->p, i)->attr + inn_plan_op(w->p, i)->n_attr;
	w->depends = calloc(n, sizeof(*w->depends));
	w->repeat = calloc(n, sizeof(*w->repeat));
	w->at = calloc(n, sizeof(*w->at));
	w->form = calloc(n, sizeof(*w->form));
	w->start = calloc(n, sizeof(*w->start));
	if (!w->depends || !w->repeat || !w->at || !w->form || !w->start) {
		inn_nomem(w->ctx);
		return false;
	}
	if (!room(w, &w->attr, 0, n_attr + 1, &w->cap_attr, sizeof(*w->attr)))
		return false;
	if (n_attr)
		memcpy(w->attr, w->p->attr, n_attr * sizeof(*w->attr));
	w->n_attr = n_attr;
	return true;
}

/* NULL without an error if that loop has to run one by one. */
static struct inn_plan *widen(inn_ctx *ctx, const struct inn_plan *p, uint32_t block, uint32_t k)
{
	struct widen w = { .ctx = ctx, .p = p, .k = k, .block = block };
	struct inn_plan *r = NULL;

	if (prepare(&w) && inn__side_by_side(&w)) {
		emit(&w);
		r = finish(&w);
	}
	free(w.depends);
	free(w.repeat);
	free(w.at);
	free(w.form);
	free(w.start);
	free(w.op);
	free(w.src);
	free(w.attr);
	return r;
}

static bool overlap(const struct inn_block *a, const struct inn_block *b) { return within(a, b->first) || within(b, a->first); }

int inn__widen(inn_ctx *ctx, const struct inn_plan *p, uint32_t rows, struct inn_plan **out)
{
	bool *done = calloc(p->n_blocks + 1u, sizeof(*done));
	const struct inn_plan *now = p;

	*out = NULL;
	if (!done)
		return inn_nomem(ctx);
	for (uint32_t b = p->n_blocks; b-- > 2 && !inn_failed(ctx);) { /* inner loops come last */
		uint32_t k = rows / p->batch, count = p->blocks[b].count;
		bool free_to = p->blocks[b].n && inn_plan_op(p, p->blocks[b].index)->code == INN_OP_INDEX;
		struct inn_plan *next;

		for (uint32_t c = b + 1; c < p->n_blocks; c++)
			free_to &= !(done[c] && overlap(&p->blocks[b], &p->blocks[c]));
		k = k < count ? k : count;
		while (k > 1 && count % k)
			k--;
		if (!free_to || k < 2 || !(next = widen(ctx, now, b, k)))
			continue;
		done[b] = true;
		inn__plan_free(*out);
		now = *out = next;
	}
	free(done);
	if (!inn_failed(ctx))
		return INN_OK;
	inn__plan_free(*out);
	*out = NULL;
	return INN_ENOMEM;
}
