/* A layer's map of other operands, its transpose and its derivatives. Derivatives are taken on placeholders, which
 * never merge: with real operands two of them may be one value. */
#include "state.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static inn_val weight_at(const struct inn_site *s, int row) { return row >= 0 && (uint32_t)row < s->n_w ? s->w[row] : (inn_val){ 0 }; }

/* The rows where an affine map's kernel and bias stand. A normalisation stripped of its mean and variance is the map
 * scale x + shift. */
static int kernel_row(const inn_node *n)
{
	int row = inn__weight_row(n, INN_W_KERNEL);

	return row >= 0 ? row : inn__weight_row(n, INN_W_SCALE);
}

static int bias_row(const inn_node *n)
{
	return inn__weight_row(n, inn__weight_row(n, INN_W_KERNEL) >= 0 ? INN_W_BIAS : INN_W_SHIFT);
}

inn_val inn_weight_of(const struct inn_site *s, uint32_t role)
{
	int row = inn__weight_row(s->node, role);

	int var = inn__weight_row(s->node, INN_W_VAR);

	if (row < 0 && var >= 0 && !weight_at(s, var).id)
		row = role == INN_W_KERNEL ? kernel_row(s->node) : role == INN_W_BIAS ? bias_row(s->node) : row;
	return weight_at(s, row);
}

uint32_t inn__data_position(const inn_node *n)
{
	for (uint32_t k = 0; k < n->n_in; k++)
		if (n->in[k] && inn__weight_at(n, k) < 0)
			return k;
	return 0;
}

struct operands { /* a copy of a site's operands to change */
	inn_val *x, w[INN_MAX_WEIGHTS];
};
static bool copy_operands(const struct inn_site *s, struct operands *o)
{
	memset(o, 0, sizeof(*o));
	if (!(o->x = malloc((s->n_x + 1) * sizeof(*o->x)))) {
		inn_nomem(s->node->g->ctx);
		return false;
	}
	memcpy(o->x, s->x, s->n_x * sizeof(*o->x));
	memcpy(o->w, s->w, s->n_w * sizeof(*o->w));
	return true;
}

/* Puts x, W and bias where the layer looks for them, and nothing into its other weights. */
static void substitute(const inn_node *n, struct operands *o, inn_val x, inn_val W, inn_val bias)
{
	int kernel = kernel_row(n), shift = bias_row(n);

	if (n->n_in)
		o->x[inn__data_position(n)] = x;
	for (uint32_t i = 0; i < n->n_rows; i++) {
		o->w[i] = (int)i == kernel ? W : (int)i == shift ? bias : (inn_val){ 0 };
		if ((int)i != kernel && n->ops->weights[i].input < n->n_in)
			o->x[n->ops->weights[i].input] = (inn_val){ 0 };
	}
}

inn_val inn_affine(inn_build *b, const struct inn_site *s, inn_val x, inn_val W, inn_val bias)
{
	struct operands o;
	inn_val y = { 0 };

	if (!copy_operands(s, &o))
		return y;
	substitute(s->node, &o, x, W, bias);
	uint32_t role = inn__build_role(b, INN_ROLE_FORWARD);

	y = s->node->ops->forward(b, s->node, o.x, o.w, s->out);
	inn__build_role(b, role);
	free(o.x);
	return y;
}

static struct inn_shape shape_or_absent(inn_build *b, inn_val v)
{
	return v.id ? *inn_shape_of(b, v) : (struct inn_shape){ .rank = UINT32_MAX };
}

static bool same(const struct inn_shape *a, const struct inn_shape *c)
{
	return a->rank == UINT32_MAX || c->rank == UINT32_MAX ? a->rank == c->rank : inn_shape_eq(a, c);
}

/* The placeholder's number i: operands, then weights, then the seed. */
static inn_val hold(struct template *t, uint32_t i)
{
	char name[24];

	if (t->shape[i].rank == UINT32_MAX)
		return (inn_val){ 0 };
	if (i == t->n_x + t->n_w)
		snprintf(name, sizeof(name), "@g");
	else
		snprintf(name, sizeof(name), "@%c%u", i < t->n_x ? 'x' : 'w', i < t->n_x ? i : i - t->n_x);
	return inn__placeholder(t->b, name, &t->shape[i]);
}

/* Records the layer on placeholders and its derivative in operand k. */
static bool derive(struct template *t, const inn_node *n)
{
	inn_val *x = calloc(t->n_x + 1, sizeof(*x)), w[INN_MAX_WEIGHTS] = { { 0 } };

	if (!x) {
		inn_nomem(n->g->ctx);
		return false;
	}
	inn__build_from(t->b, n->name);
	for (uint32_t i = 0; i < t->n_x; i++)
		x[i] = hold(t, i);
	for (uint32_t i = 0; i < t->n_w; i++)
		w[i] = hold(t, t->n_x + i);
	uint32_t role = inn__build_role(t->b, INN_ROLE_FORWARD);
	inn_val y = n->ops->forward(t->b, n, x, w, t->out);

	inn__build_role(t->b, role);
	if (y.id) {
		t->shape[t->n_x + t->n_w] = *inn_shape_of(t->b, y);
		t->result = inn_grad(t->b, y, t->k < t->n_x ? x[t->k] : w[t->k - t->n_x], hold(t, t->n_x + t->n_w), NULL, 0);
	}
	free(x);
	if (!t->result.id && !inn_failed(n->g->ctx))
		inn_fail(n->g->ctx, INN_EUNSUP, NULL, "%s: no derivative in input %u", n->label, t->k);
	return t->result.id;
}

static struct template *find(inn_build *b, const inn_node *n, const struct operands *o, uint32_t n_x, uint32_t n_w,
			     uint32_t out, uint32_t k, bool affine)
{
	for (struct template *t = n->templates; t; t = t->next) {
		bool eq = t->out == out && t->k == k && t->affine == affine && t->n_x == n_x && t->n_w == n_w;

		for (uint32_t i = 0; eq && i < n_x + n_w; i++) {
			struct inn_shape s = shape_or_absent(b, i < n_x ? o->x[i] : o->w[i - n_x]);

			eq = same(&s, &t->shape[i]);
		}
		if (eq)
			return t;
	}
	return NULL;
}

static struct template *make(inn_build *b, inn_node *n, const struct operands *o, uint32_t n_x, uint32_t n_w, uint32_t out,
			     uint32_t k, bool affine)
{
	struct template *t = calloc(1, sizeof(*t));
	bool ok = t && (t->shape = calloc(n_x + n_w + 1, sizeof(*t->shape)));

	if (!ok)
		inn_nomem(n->g->ctx);
	if (ok)
		ok = (t->b = inn__build_new(n->g->ctx, inn__build_batch(b))) != NULL;
	if (ok) {
		t->out = out;
		t->k = k;
		t->n_x = n_x;
		t->n_w = n_w;
		t->affine = affine;
		for (uint32_t i = 0; i < n_x + n_w; i++)
			t->shape[i] = shape_or_absent(b, i < n_x ? o->x[i] : o->w[i - n_x]);
		ok = derive(t, n);
	}
	if (ok) {
		t->next = n->templates;
		return n->templates = t;
	}
	if (t) {
		inn__build_free(t->b);
		free(t->shape);
		free(t);
	}
	return NULL;
}

/* The template with real operands in place of its placeholders. o->x[k] may stand for a shape only. */
static inn_val apply(inn_build *b, const inn_node *n, struct template *t, const struct operands *o, inn_val seed)
{
	uint32_t total = t->n_x + t->n_w, m = 0;
	inn_val *from = calloc(2 * ((size_t)total + 1), sizeof(*from)), *to = from + total + 1;
	inn_val r = { 0 };

	if (!from) {
		inn_nomem(n->g->ctx);
		return r;
	}
	for (uint32_t i = 0; i < total; i++) {
		inn_val with = i < t->n_x ? o->x[i] : o->w[i - t->n_x];

		if (!with.id)
			continue;
		from[m] = hold(t, i);
		to[m++] = with;
	}
	from[m] = hold(t, total);
	to[m++] = inn_expand(b, seed, &t->shape[total]);
	if (to[m - 1].id)
		r = inn__instantiate(b, t->b, t->result, from, to, m);
	free(from);
	return r;
}

inn_val inn_vjp(inn_build *b, const struct inn_site *s, uint32_t k, inn_val seed)
{
	struct operands o;
	inn_val r = { 0 };

	if (k >= s->n_x || !s->x[k].id || !seed.id || !copy_operands(s, &o))
		return r;
	struct template *t = find(b, s->node, &o, s->n_x, s->n_w, s->out, k, false);

	if (!t)
		t = make(b, (inn_node *)s->node, &o, s->n_x, s->n_w, s->out, k, false);
	if (t)
		r = apply(b, s->node, t, &o, seed);
	free(o.x);
	return r;
}

/* Derives with respect to operand `operand` of the layer, or, from n_x on, weight row operand - n_x. */
static inn_val adjoint(inn_build *b, const struct inn_site *s, struct operands *o, uint32_t operand, inn_val g)
{
	struct template *t = find(b, s->node, o, s->n_x, s->n_w, s->out, operand, true);

	if (!t)
		t = make(b, (inn_node *)s->node, o, s->n_x, s->n_w, s->out, operand, true);
	return t ? apply(b, s->node, t, o, g) : (inn_val){ 0 };
}

inn_val inn_affine_w(inn_build *b, const struct inn_site *s, inn_val x, inn_val g)
{
	int kernel = inn__weight_row(s->node, INN_W_KERNEL);
	struct operands o;

	if (kernel < 0 || (uint32_t)kernel >= s->n_w || !s->w[kernel].id || !x.id || !g.id || !copy_operands(s, &o))
		return (inn_val){ 0 };
	substitute(s->node, &o, x, s->w[kernel], (inn_val){ 0 });
	inn_val r = adjoint(b, s, &o, s->n_x + (uint32_t)kernel, g);

	free(o.x);
	return r;
}

inn_val inn_affine_t(inn_build *b, const struct inn_site *s, inn_val g, inn_val W)
{
	uint32_t k = inn__data_position(s->node);
	struct operands o;
	inn_val r = { 0 };

	if (k >= s->n_x || !s->x[k].id || !g.id || !copy_operands(s, &o))
		return r;
	/* Only the shape of x counts: axis 0 follows g. A zero stands for it, so nothing depends on the activations. */
	struct inn_shape shape = *inn_shape_of(b, s->x[k]);

	if (shape.rank)
		shape.dim[0] = inn_dim(b, g, 0);
	substitute(s->node, &o, inn_const(b, 0, &shape), W, (inn_val){ 0 });
	r = adjoint(b, s, &o, k, g);
	free(o.x);
	return r;
}

bool inn_window_of(inn_build *b, const struct inn_site *s, struct inn_window *win)
{
	if (s->node->ops->window)
		return s->node->ops->window(b, s->node, inn_shape_of(b, s->x[0]), win);
	if (!inn_failed(s->node->g->ctx))
		inn_fail(s->node->g->ctx, INN_EUNSUP, NULL, "%s slides no window", s->node->label);
	return false;
}
