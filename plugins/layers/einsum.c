/* Einsum: operands are multiplied pairwise, from the left, as matrix products over the labels that vanish; a label that stands twice
 * in an operand takes its diagonal, one that nobody else has is summed. */
#include "layer.h"
#include <ctype.h>

#define ELLIPSIS 128 /* labels from here on are the axes that "..." stands for, counted from the right */
#define MAX_TERMS 16

struct opts {
	const char *equation;
};

static const struct inn_param params[] = { INN_STR(struct opts, equation, "", "labels of the operands' axes, \"->\", those of the result"), { 0 } };
static const struct inn_weight weights[] = { { "kernel", INN_W_KERNEL, 1 }, { 0 } };

struct term {
	inn_val v;
	uint32_t rank;
	unsigned char label[32];
};

static int find(const struct term *t, unsigned char label)
{
	for (uint32_t d = 0; d < t->rank; d++)
		if (t->label[d] == label)
			return (int)d;
	return -1;
}

/* One comma-separated part up to `end`; `dots`: axes that its ellipsis stands for. */
static bool parse(const char *s, const char *end, uint32_t dots, struct term *t)
{
	for (t->rank = 0; s < end; s++) {
		if (*s == ' ')
			continue;
		if (!strncmp(s, "...", 3)) {
			for (uint32_t k = dots; k-- > 0 && t->rank < 31;)
				t->label[t->rank++] = (unsigned char)(ELLIPSIS + k);
			s += 2;
		} else if (isalpha((unsigned char)*s) && t->rank < 31) {
			t->label[t->rank++] = (unsigned char)*s;
		} else {
			return false;
		}
	}
	return true;
}

/* Axes in the order of `to`, all of which t has. */
static void arrange(inn_build *b, struct term *t, const struct term *to)
{
	uint32_t order[32];

	for (uint32_t d = 0; d < to->rank; d++)
		order[d] = (uint32_t)find(t, to->label[d]);
	t->v = inn_permute(b, t->v, order);
	memcpy(t->label, to->label, sizeof(t->label));
}

static void sum_axis(inn_build *b, struct term *t, uint32_t d)
{
	struct inn_shape s;

	t->v = inn_sum(b, t->v, 1u << d);
	s = without(inn_shape_of(b, t->v), 1u << d);
	t->v = inn_reshape(b, t->v, &s);
	memmove(t->label + d, t->label + d + 1, --t->rank - d);
}

/* A repeated label: both axes to the end as one of n * n, of which every (n+1)-th element stays. */
static bool diagonal(inn_build *b, struct term *t)
{
	for (uint32_t d = 0; d < t->rank; d++) {
		uint32_t e = d + 1, order[INN_MAX_RANK], k = 0, n = inn_dim(b, t->v, d);

		while (e < t->rank && t->label[e] != t->label[d])
			e++;
		if (e == t->rank)
			continue;
		if (n != inn_dim(b, t->v, e))
			return false;
		unsigned char label = t->label[d];

		for (uint32_t i = 0; i < t->rank; i++)
			if (i != d && i != e) {
				t->label[k] = t->label[i];
				order[k++] = i;
			}
		order[k] = d;
		order[k + 1] = e;
		t->label[k] = label;
		t->rank--;
		struct inn_shape s = *inn_shape_of(b, t->v = inn_permute(b, t->v, order));

		s.rank = t->rank;
		s.dim[k] = n * n;
		t->v = inn_slice(b, inn_reshape(b, t->v, &s), k, 0, n * n, n + 1);
		d = UINT32_MAX; /* again from the first axis */
	}
	return true;
}

/* `later`: labels that are asked for after this product. */
static void drop_lonely(inn_build *b, struct term *t, const struct term *other, const struct term *later, uint32_t n_later)
{
	for (uint32_t d = t->rank; d-- > 0;) {
		bool wanted = find(other, t->label[d]) >= 0;

		for (uint32_t k = 0; !wanted && k < n_later; k++)
			wanted = find(&later[k], t->label[d]) >= 0;
		if (!wanted)
			sum_axis(b, t, d);
	}
}

struct parts { struct term batch, p, q, inner; }; /* labels of: both and later, p alone, q alone, both and not later */

static struct parts sort(const struct term *p, const struct term *q, const struct term *later, uint32_t n_later)
{
	struct parts r = { 0 };

	for (uint32_t d = 0; d < p->rank; d++) {
		bool shared = find(q, p->label[d]) >= 0, wanted = false;

		for (uint32_t k = 0; k < n_later; k++)
			wanted |= find(&later[k], p->label[d]) >= 0;
		struct term *to = !shared ? &r.p : wanted ? &r.batch : &r.inner;

		to->label[to->rank++] = p->label[d];
	}
	for (uint32_t d = 0; d < q->rank; d++)
		if (find(p, q->label[d]) < 0)
			r.q.label[r.q.rank++] = q->label[d];
	return r;
}

static void append(struct term *t, const struct term *more)
{
	memcpy(t->label + t->rank, more->label, more->rank);
	t->rank += more->rank;
}

/* t as [batch axes..., rows, columns], whose labels are batch, then `rows`, then `columns`. */
static inn_val as_matrix(inn_build *b, struct term *t, const struct term *batch, const struct term *rows, const struct term *columns)
{
	struct term to = *batch;

	append(&to, rows);
	append(&to, columns);
	arrange(b, t, &to);
	struct inn_shape s = *inn_shape_of(b, t->v), m = { .rank = batch->rank + 2 };

	for (uint32_t d = 0; d < m.rank; d++)
		m.dim[d] = d < batch->rank ? s.dim[d] : 1;
	for (uint32_t d = batch->rank; d < s.rank; d++)
		m.dim[d < batch->rank + rows->rank ? batch->rank : batch->rank + 1] *= s.dim[d];
	return inn_reshape(b, t->v, &m);
}

static bool multiply(inn_build *b, struct term *p, struct term *q, const struct term *later, uint32_t n_later)
{
	drop_lonely(b, p, q, later, n_later);
	drop_lonely(b, q, p, later, n_later);
	struct parts r = sort(p, q, later, n_later);
	struct term to = r.batch;

	append(&to, &r.p);
	append(&to, &r.q);
	if (r.batch.rank + 2 > INN_MAX_RANK || to.rank > INN_MAX_RANK)
		return false;
	inn_val left = as_matrix(b, p, &r.batch, &r.p, &r.inner), right = as_matrix(b, q, &r.batch, &r.q, &r.inner);
	inn_val y = inn_matmul(b, left, right, false, true);
	struct inn_shape s = *inn_shape_of(b, y);

	s.rank = to.rank;
	for (uint32_t d = 0; d < r.p.rank; d++)
		s.dim[r.batch.rank + d] = inn_dim(b, p->v, r.batch.rank + d);
	for (uint32_t d = 0; d < r.q.rank; d++)
		s.dim[r.batch.rank + r.p.rank + d] = inn_dim(b, q->v, r.batch.rank + d);
	to.v = inn_reshape(b, y, &s);
	*p = to;
	return true;
}

/* Without "->": the ellipsis, then the labels that stand once, in alphabetical order. */
static void implicit(const struct term *t, uint32_t n, uint32_t dots, struct term *result)
{
	result->rank = 0;
	for (uint32_t k = dots; k-- > 0;)
		result->label[result->rank++] = (unsigned char)(ELLIPSIS + k);
	for (unsigned char c = 'A'; c <= 'z'; c++) {
		uint32_t times = 0;

		for (uint32_t k = 0; k < n; k++)
			for (uint32_t d = 0; d < t[k].rank; d++)
				times += t[k].label[d] == c;
		if (times == 1 && result->rank < 31)
			result->label[result->rank++] = c;
	}
}

/* Operands and result from the equation; t[n] is the result. */
static bool read_terms(inn_build *b, const inn_node *n, const inn_val *x, const inn_val *w, struct term *t, uint32_t count)
{
	const struct opts *o = inn_node_opts(n);
	const char *arrow = strstr(o->equation, "->"), *s = o->equation, *end = arrow ? arrow : s + strlen(s);
	uint32_t most = 0;

	for (uint32_t k = 0; k < count; k++) {
		const char *comma = memchr(s, ',', (size_t)(end - s)), *stop = comma ? comma : end;
		uint32_t rank;

		t[k].v = k == 1 ? weight(n, x, w, 0, 1) : arg(n, x, k);
		rank = inn_shape_of(b, t[k].v)->rank;
		if (!t[k].v.id || (k + 1 < count) != (comma != NULL) || !parse(s, stop, 0, &t[k]) || t[k].rank > rank)
			return false;
		uint32_t dots = rank - t[k].rank;

		most = dots > most ? dots : most;
		if (!parse(s, stop, dots, &t[k]) || t[k].rank != rank)
			return false;
		s = stop + 1;
	}
	if (!arrow)
		implicit(t, count, most, &t[count]);
	return !arrow || parse(arrow + 2, arrow + strlen(arrow), most, &t[count]);
}

static inn_val forward(FORWARD)
{
	struct term t[MAX_TERMS + 1];
	uint32_t count = inn_node_n_in(n);

	(void)out;
	if (!count || count > MAX_TERMS || !read_terms(b, n, x, w, t, count))
		return misfit(b, n, "the equation does not fit the operands");
	for (uint32_t k = 0; k < count; k++)
		if (!diagonal(b, &t[k]))
			return misfit(b, n, "a label stands for different lengths");
	for (uint32_t k = 1; k < count; k++)
		if (!multiply(b, &t[0], &t[k], &t[k + 1], count - k))
			return unsupported(b, n, "the product has more than 8 axes");
	drop_lonely(b, &t[0], &t[count], &t[count], 0);
	for (uint32_t d = 0; d < t[count].rank; d++)
		if (find(&t[0], t[count].label[d]) < 0)
			return misfit(b, n, "the result has a label that no operand has, or one twice");
	if (t[0].rank != t[count].rank)
		return misfit(b, n, "the result has a label twice");
	arrange(b, &t[0], &t[count]);
	return t[0].v;
}

LAYER(einsum, "sum of products by labels", params, sizeof(struct opts), .traits = INN_T_AFFINE, .weights = weights);
