/* Values: hash-consing, interned names, the life of a builder. */
#include "value.h"
#include <innvestigate/data.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

inn_build *inn__build_new(inn_ctx *ctx, uint32_t batch)
{
	inn_build *b = calloc(1, sizeof(*b));

	if (!b || !(b->bucket = calloc(1024, sizeof(*b->bucket)))) {
		inn_nomem(ctx);
		free(b);
		return NULL;
	}
	b->ctx = ctx;
	b->batch = batch;
	b->from = "";
	b->n_buckets = 1024;
	b->n = 1;
	return b;
}

void inn__build_free(inn_build *b)
{
	if (!b)
		return;
	for (uint32_t i = 0; i < b->n_retired; i++)
		free(b->retired[i]);
	free(b->v);
	free(b->src);
	free(b->attr);
	free(b->bucket);
	free(b->name);
	free(b->named);
	free(b->data);
	free(b);
}

uint32_t inn__build_batch(const inn_build *b) { return b->batch; }
uint32_t inn__build_open(const inn_build *b) { return b->n_open; }
bool inn__build_untracked(const inn_build *b) { return b->untracked; }
bool inn__build_mixes(const inn_build *b) { return b->mixes; }
void inn__build_set_net(inn_build *b, void *net) { b->net = net; }
void *inn__build_net(const inn_build *b) { return b->net; }
inn_ctx *inn_build_ctx(inn_build *b) { return b->ctx; }

void inn__build_set_loader(inn_build *b, int (*load)(inn_ctx *, void *, const char *, struct inn_tensor *), void *user)
{
	b->load = load;
	b->load_user = user;
}

void inn__build_set_measure(inn_build *b, void (*measure)(void *, const char *, inn_val, const double *, uint32_t), void *user)
{
	b->measure = measure;
	b->measure_user = user;
}

void inn_measure(inn_build *b, const char *name, inn_val v, const double *at, uint32_t n_at)
{
	if (b->failed)
		return;
	if (b->measure)
		b->measure(b->measure_user, name, v, at, n_at);
	else
		inn__fail_op(b, INN_EBUG, "%s is measured outside of a metric", name);
}

const char *inn__build_from(inn_build *b, const char *from)
{
	const char *old = b->from;

	b->from = from ? from : "";
	return old;
}

uint32_t inn__build_role(inn_build *b, uint32_t role)
{
	uint32_t old = b->role;

	b->role = role;
	return old;
}

inn_val inn__fail_op(inn_build *b, int status, const char *fmt, ...)
{
	char text[512];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	if (!b->failed && !inn_failed(b->ctx))
		inn_fail(b->ctx, status, NULL, "%s%s%s", b->from, *b->from ? ": " : "", text);
	b->failed = true;
	return (inn_val){ 0 };
}

/* Makes room for `more` elements; false after marking the builder. */
static bool grow(inn_build *b, void *array, uint32_t n, uint32_t more, uint32_t *cap, size_t size)
{
	void **p = array;

	if (n + more <= *cap)
		return true;
	uint32_t to = (n + more) * 2 + 64;
	void *q = realloc(*p, (size_t)to * size);

	if (!q) {
		inn_nomem(b->ctx);
		b->failed = true;
		return false;
	}
	*p = q;
	*cap = to;
	return true;
}

/* The same for values; arrays that became too small live on, so that what inn_shape_of gave stays readable. */
static bool grow_values(inn_build *b)
{
	uint32_t to = (b->n + 1) * 2 + 254;

	if (b->n < b->cap)
		return true;
	struct value *v = b->n_retired < MAX_RETIRED ? malloc(to * sizeof(*v)) : NULL;

	if (!v) {
		inn_nomem(b->ctx);
		b->failed = true;
		return false;
	}
	if (b->v) {
		memcpy(v, b->v, b->n * sizeof(*v));
		b->retired[b->n_retired++] = b->v;
	}
	b->v = v;
	b->cap = to;
	return true;
}

/* Where a name stands in the table, or would stand. */
static uint32_t *name_slot(const inn_build *b, const char *name)
{
	uint64_t h = 0xcbf29ce484222325u; /* FNV-1a */

	for (const char *c = name; *c; c++)
		h = (h ^ (uint8_t)*c) * 0x100000001b3u;
	for (uint64_t i = h ^ h >> 32;; i++) {
		uint32_t *at = &b->named[i & (b->n_named - 1)];

		if (!*at || !strcmp(b->name[*at - 1], name))
			return at;
	}
}

static bool name_room(inn_build *b)
{
	uint32_t *old = b->named, n = b->n_named ? b->n_named * 2 : 64;

	if (b->n_names * 2 < b->n_named)
		return true;
	if (!(b->named = calloc(n, sizeof(*b->named)))) {
		b->named = old;
		inn_nomem(b->ctx);
		b->failed = true;
		return false;
	}
	free(old);
	b->n_named = n;
	for (uint32_t i = 0; i < b->n_names; i++)
		*name_slot(b, b->name[i]) = i + 1;
	return true;
}

uint32_t inn__name(inn_build *b, const char *name)
{
	if (!name_room(b))
		return UINT32_MAX;
	uint32_t *at = name_slot(b, name), cap = b->cap_names;

	if (*at)
		return *at - 1;
	if (!grow(b, &b->name, b->n_names, 1, &cap, sizeof(*b->name)) ||
	    !grow(b, &b->data, b->n_names, 1, &b->cap_names, sizeof(*b->data)))
		return UINT32_MAX;
	b->name[b->n_names] = inn_strdup(b->ctx, name);
	b->data[b->n_names] = NULL;
	if (!b->name[b->n_names]) {
		b->failed = true;
		return UINT32_MAX;
	}
	*at = b->n_names + 1;
	return b->n_names++;
}

static uint64_t mix(uint64_t h, uint64_t x)
{
	h = (h ^ x) * 0x9e3779b97f4a7c15u;
	return h ^ h >> 29;
}

static uint64_t hash_args(const struct args *a)
{
	uint64_t h = mix(a->code, (uint64_t)a->n << 32 | a->shape.rank);

	for (uint32_t i = 0; i < a->n; i++)
		h = mix(h, a->src[i]);
	for (uint32_t i = 0; i < a->n_attr; i++)
		h = mix(h, a->attr[i]);
	for (uint32_t i = 0; i < a->shape.rank; i++)
		h = mix(h, a->shape.dim[i]);
	return h;
}

static bool same(const inn_build *b, uint32_t id, const struct args *a)
{
	const struct inn_op *o = &b->v[id].op;

	return o->code == a->code && o->n_src == a->n && o->n_attr == a->n_attr && inn_shape_eq(&o->shape, &a->shape) &&
	       (!a->n || !memcmp(b->src + o->src, a->src, a->n * sizeof(*a->src))) &&
	       (!a->n_attr || !memcmp(b->attr + o->attr, a->attr, a->n_attr * sizeof(*a->attr)));
}

/* A constant stands second; operands of commuting operations are ordered by id. */
static void canonical(const inn_build *b, const struct args *a, uint32_t pair[2])
{
	bool sorts = a->code == INN_OP_ADD || a->code == INN_OP_MUL || a->code == INN_OP_EQ;
	bool c0 = b->v[a->src[0]].uniform, c1 = b->v[a->src[1]].uniform;

	pair[0] = a->src[0];
	pair[1] = a->src[1];
	if ((c0 && !c1) || (sorts && c0 == c1 && pair[0] > pair[1])) {
		pair[0] = a->src[1];
		pair[1] = a->src[0];
	}
}

static bool commutes(uint32_t code)
{
	return code == INN_OP_ADD || code == INN_OP_MUL || code == INN_OP_EQ || code == INN_OP_MAX || code == INN_OP_MIN;
}

uint32_t inn__lookup(const inn_build *b, const struct args *given)
{
	struct args a = *given;
	uint32_t pair[2];

	if (commutes(a.code)) {
		canonical(b, &a, pair);
		a.src = pair;
	}
	for (uint32_t i = b->bucket[hash_args(&a) % b->n_buckets]; i; i = b->v[i].next)
		if (same(b, i, &a))
			return i;
	return 0;
}

static bool rehash(inn_build *b)
{
	uint32_t n = b->n_buckets * 4;
	uint32_t *t = calloc(n, sizeof(*t));

	if (!t) {
		inn_nomem(b->ctx);
		b->failed = true;
		return false;
	}
	for (uint32_t i = 1; i < b->n; i++) {
		const struct inn_op *o = &b->v[i].op;
		struct args a = { .code = o->code, .n = o->n_src, .src = b->src + o->src, .n_attr = o->n_attr,
				  .attr = b->attr + o->attr, .shape = o->shape };
		uint32_t *at = &t[hash_args(&a) % n];

		b->v[i].next = *at;
		*at = i;
	}
	free(b->bucket);
	b->bucket = t;
	b->n_buckets = n;
	return true;
}

inn_val inn__raw(inn_build *b, const struct args *given)
{
	struct args a = *given;
	uint32_t pair[2];

	if (commutes(a.code)) {
		canonical(b, &a, pair);
		a.src = pair;
	}
	uint32_t found = a.code == INN_OP_CARRY ? 0 : inn__lookup(b, &a);

	if (found)
		return (inn_val){ found };
	if (b->n > b->n_buckets && !rehash(b))
		return (inn_val){ 0 };
	if (b->n >= 1u << 24)
		return inn__fail_op(b, INN_ELIMIT, "more than 16 million operations");
	if (!grow_values(b) || !grow(b, &b->src, b->n_src, a.n, &b->cap_src, sizeof(*b->src)) ||
	    !grow(b, &b->attr, b->n_attr, a.n_attr, &b->cap_attr, sizeof(*b->attr)))
		return (inn_val){ 0 };
	struct value *v = &b->v[b->n];

	memset(v, 0, sizeof(*v));
	v->op = (struct inn_op){ .code = (uint16_t)a.code, .role = (uint16_t)b->role, .src = b->n_src, .n_src = a.n,
				 .attr = b->n_attr, .n_attr = a.n_attr, .shape = a.shape, .from = b->from };
	if (a.n)
		memcpy(b->src + b->n_src, a.src, a.n * sizeof(*a.src));
	if (a.n_attr)
		memcpy(b->attr + b->n_attr, a.attr, a.n_attr * sizeof(*a.attr));
	b->n_src += a.n;
	b->n_attr += a.n_attr;
	uint32_t *at = &b->bucket[hash_args(&a) % b->n_buckets];

	v->next = *at;
	*at = b->n;
	inn__facts(b, b->n);
	return (inn_val){ b->n++ };
}

inn_val inn__record(inn_build *b, uint32_t code, const uint32_t *src, uint32_t n, const uint32_t *attr, uint32_t n_attr,
		    const struct inn_shape *shape)
{
	struct args a = { .code = code, .n = n, .n_attr = n_attr, .src = src, .attr = attr };

	if (b->failed)
		return (inn_val){ 0 };
	for (uint32_t i = 0; i < n; i++)
		if (!src[i] || src[i] >= b->n)
			return inn__fail_op(b, INN_EBUG, "%s: operand %u is absent", inn_op_name(code), i);
	if (shape)
		a.shape = *shape;
	if (!inn__infer(b, &a))
		return (inn_val){ 0 };
	inn_val r = inn__simplify(b, &a);

	if (!r.id && b->final && !b->failed)
		r = inn__simplify_final(b, &a);
	return r.id || b->failed ? r : inn__raw(b, &a);
}

inn_val inn__const(inn_build *b, double v, const struct inn_shape *shape)
{
	uint32_t word[2];

	memcpy(word, &v, sizeof(word));
	return inn__raw(b, &(struct args){ .code = INN_OP_CONST, .n_attr = 2, .attr = word, .shape = *shape });
}
