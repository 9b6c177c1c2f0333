/* From recorded values to a closed plan: rebuilt from the outputs until the rewrites have done their work; templates
 * instantiated by the same copying. */
#include "value.h"
#include <stdlib.h>
#include <string.h>

void inn__live(const inn_build *b, const uint32_t *roots, uint32_t n, bool *live)
{
	for (uint32_t i = 0; i < n; i++)
		live[roots[i]] = true;
	for (bool again = true; again;) {
		again = false;
		for (uint32_t v = b->n - 1; v > 0; v--)
			for (uint32_t k = 0; live[v] && k < val(b, v)->op.n_src; k++)
				live[src_of(b, v, k)] = true;
		for (uint32_t v = 1; v < b->n; v++) /* a state needs what becomes of it */
			if (!live[v] && val(b, v)->op.code == INN_OP_LOOP_LAST && live[src_of(b, v, 1)])
				live[v] = again = true;
	}
}

/* Records value `id` of builder `from` in b; map: its sources there. */
static uint32_t copy(inn_build *b, const inn_build *from, uint32_t id, const uint32_t *map)
{
	const struct inn_op *o = &val(from, id)->op;
	uint32_t attr[MAX_ATTR], few[64], *src = o->n_src > 64 ? malloc(o->n_src * sizeof(*src)) : few;
	const char *old = inn__build_from(b, o->from);
	uint32_t role = inn__build_role(b, o->role);
	inn_val r = { 0 };

	if (!src) {
		inn_nomem(b->ctx);
		b->failed = true;
		return 0;
	}
	if (o->n_attr)
		memcpy(attr, from->attr + o->attr, o->n_attr * sizeof(*attr));
	for (uint32_t k = 0; k < o->n_src; k++)
		src[k] = map[src_of(from, id, k)];
	switch (o->code) {
	case INN_OP_INDEX:
		r = inn__index(b, attr[0], attr[1]);
		break;
	case INN_OP_CONST:
		r = inn__const(b, val(from, id)->c, &o->shape);
		break;
	case INN_OP_INPUT: case INN_OP_PARAM: case INN_OP_OUTPUT: case INN_OP_ACCUMULATE: {
		uint32_t name = inn__name(b, from->name[attr[0]]);

		if (name == UINT32_MAX)
			break;
		if (o->code == INN_OP_PARAM)
			b->data[name] = from->data[attr[0]];
		attr[0] = name;
	}
	/* fallthrough */
	default:
		r = inn__record(b, o->code, src, o->n_src, attr, o->n_attr, &o->shape);
	}
	if (src != few)
		free(src);
	inn__build_from(b, old);
	inn__build_role(b, role);
	return r.id;
}

bool inn__depends(inn_build *b, inn_val v, inn_val on)
{
	bool *live = calloc(b->n, sizeof(*live)), r;

	if (!live || !v.id) {
		free(live);
		return false;
	}
	inn__live(b, &v.id, 1, live);
	r = live[on.id];
	free(live);
	return r;
}

inn_val inn__instantiate(inn_build *b, inn_build *t, inn_val v, const inn_val *placeholder, const inn_val *with, uint32_t n)
{
	uint32_t *map;
	bool *live;
	inn_val r = { 0 };

	if (b->failed || !v.id)
		return r;
	map = calloc(t->n, sizeof(*map));
	live = calloc(t->n, sizeof(*live));
	if (!map || !live) {
		inn_nomem(b->ctx);
		b->failed = true;
	} else {
		for (uint32_t i = 0; i < n; i++)
			map[placeholder[i].id] = with[i].id;
		inn__live(t, &v.id, 1, live);
		for (uint32_t i = 1; i <= v.id && !b->failed; i++)
			if (live[i] && !map[i])
				map[i] = copy(b, t, i, map);
		r.id = b->failed ? 0 : map[v.id];
	}
	free(map);
	free(live);
	return r;
}

struct parts { uint32_t n, id[4]; }; /* of one product: n 0 if it stays whole */

static uint32_t part(const inn_build *b, uint32_t code, uint32_t x)
{
	struct inn_shape scalar = { 0 };
	uint32_t word[2] = { 0, 0 };
	struct args zero = { .code = INN_OP_CONST, .n_attr = 2, .attr = word, .shape = scalar };
	uint32_t s[2] = { x, inn__lookup(b, &zero) };
	struct args a = { .code = code, .n = 2, .src = s, .shape = val(b, x)->op.shape };

	return s[1] ? inn__lookup(b, &a) : 0;
}

/* G4: f(x,W) is the sum of its parts by sign, where all of them live. */
static void parts_of(const inn_build *b, const bool *live, uint32_t v, struct parts *p)
{
	const struct inn_op *o = &val(b, v)->op;

	p->n = 0;
	if ((o->code != INN_OP_CONV && o->code != INN_OP_MATMUL) || !(o->home & BATCH))
		return;
	uint32_t x = src_of(b, v, 0), w = src_of(b, v, 1), ws[2], xs[2] = { x, 0 };

	if (val(b, w)->op.home || val(b, w)->uniform || val(b, w)->op.sign)
		return;
	ws[0] = part(b, INN_OP_MAX, w);
	ws[1] = part(b, INN_OP_MIN, w);
	if (!nonneg(b, x)) {
		xs[0] = part(b, INN_OP_MAX, x);
		xs[1] = part(b, INN_OP_MIN, x);
		if (!xs[1])
			return;
	}
	for (uint32_t i = 0; i < 2 && xs[i]; i++)
		for (uint32_t j = 0; j < 2; j++) {
			uint32_t s[2] = { xs[i], ws[j] };
			struct args a = { .code = o->code, .n = 2, .src = s, .n_attr = o->n_attr, .attr = b->attr + o->attr, .shape = o->shape };
			uint32_t f = xs[i] && ws[j] ? inn__lookup(b, &a) : 0;

			if (!f || !live[f]) {
				p->n = 0;
				return;
			}
			p->id[p->n++] = f;
		}
}

static uint32_t deep(inn_build *b, const inn_build *from, uint32_t id, uint32_t *map)
{
	for (uint32_t k = 0; !map[id] && k < val(from, id)->op.n_src; k++)
		if (!map[src_of(from, id, k)] && !deep(b, from, src_of(from, id, k), map))
			return 0;
	return map[id] ? map[id] : (map[id] = copy(b, from, id, map));
}

static uint32_t sum_of_parts(inn_build *b, const inn_build *from, const struct parts *p, uint32_t *map)
{
	uint32_t r = 0;

	for (uint32_t i = 0; i < p->n; i++) {
		uint32_t t = deep(b, from, p->id[i], map);

		r = r ? inn_add(b, (inn_val){ r }, (inn_val){ t }).id : t;
	}
	return r;
}

static void rebuild_into(inn_build *b, const inn_build *from, const bool *live, bool split, uint32_t *map)
{
	for (uint32_t v = 1; v < from->n && !b->failed; v++) {
		struct parts p = { 0 };

		if (!live[v] || map[v])
			continue;
		if (split)
			parts_of(from, live, v, &p);
		map[v] = p.n ? sum_of_parts(b, from, &p, map) : copy(b, from, v, map);
	}
}

/* Statistics first, those that need least before the others: so what a layer's sums read is there when it is fresh, and not
 * all activations live until the end. */
static void statistics_first(inn_build *b, const inn_build *from, const uint32_t *outputs, uint32_t n, uint32_t *map)
{
	uint32_t *size = calloc(n + 1u, sizeof(*size));
	bool *live = malloc(from->n * sizeof(*live));

	for (uint32_t i = 0; size && live && i < n; i++) {
		if (val(from, outputs[i])->op.code != INN_OP_ACCUMULATE)
			continue;
		memset(live, 0, from->n * sizeof(*live));
		inn__live(from, &outputs[i], 1, live);
		for (uint32_t v = 1; v < from->n; v++)
			size[i] += live[v];
	}
	for (uint32_t least = 1; size && live && least && !b->failed;) {
		least = 0;
		for (uint32_t i = 0; i < n; i++)
			if (size[i] && (!least || size[i] < size[least - 1]))
				least = i + 1;
		if (least) {
			deep(b, from, outputs[least - 1], map);
			size[least - 1] = 0;
		}
	}
	free(size);
	free(live);
}

/* A new builder with what the outputs need; outputs are replaced by their ids there. */
static inn_build *rebuild(const inn_build *from, uint32_t *outputs, uint32_t n, bool split)
{
	inn_build *b = inn__build_new(from->ctx, from->batch);
	bool *live = calloc(from->n, sizeof(*live));
	uint32_t *map = calloc(from->n, sizeof(*map));

	if (!b || !live || !map) {
		inn_nomem(from->ctx);
	} else {
		b->final = true;
		inn__live(from, outputs, n, live);
		if (!split)
			statistics_first(b, from, outputs, n, map);
		rebuild_into(b, from, live, split, map);
		for (uint32_t i = 0; i < n; i++)
			outputs[i] = map[outputs[i]];
	}
	free(live);
	free(map);
	if (b && (b->failed || inn_failed(b->ctx))) {
		inn__build_free(b);
		b = NULL;
	}
	return b;
}

/* Their number; with `out` their ids. */
static uint32_t sinks(const inn_build *b, uint32_t *out)
{
	uint32_t n = 0;

	for (uint32_t v = 1; v < b->n; v++)
		if (val(b, v)->op.code == INN_OP_OUTPUT || val(b, v)->op.code == INN_OP_ACCUMULATE) {
			if (out)
				out[n] = v;
			n++;
		}
	return n;
}

uint32_t inn__sinks(const inn_build *b) { return sinks(b, NULL); }

static struct inn_plan *close_for(inn_build *b, uint32_t *out, uint32_t n, bool strict)
{
	inn_build *now = b, *next;
	struct inn_plan *p = NULL;

	for (int pass = 0; now && pass < (strict ? 2 : 3); pass++) {
		next = rebuild(now, out, n, pass == 2);
		if (now != b)
			inn__build_free(now);
		now = next;
	}
	if (now) {
		p = inn__schedule(now, out, n, strict);
		inn__build_free(now);
	}
	return p;
}

/* `only` of the outputs, or with UINT32_MAX all of them. */
static struct inn_plan *close_some(inn_build *b, uint32_t only, bool strict)
{
	uint32_t *out, n;
	struct inn_plan *p = NULL;

	if (b->failed || inn_failed(b->ctx))
		return NULL;
	out = calloc(b->n, sizeof(*out));
	if (!out) {
		inn_nomem(b->ctx);
		return NULL;
	}
	n = sinks(b, out);
	if (only == UINT32_MAX)
		p = close_for(b, out, n, strict);
	else if (only < n)
		p = close_for(b, out + only, 1, strict);
	free(out);
	return p;
}

struct inn_plan *inn__close(inn_build *b, bool strict) { return close_some(b, UINT32_MAX, strict); }
struct inn_plan *inn__close_sink(inn_build *b, uint32_t i) { return close_some(b, i, true); }
