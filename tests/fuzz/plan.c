/* Bytes as calls of the builder, right ones and wrong ones, in any order; the gradient of what came of it; the plan closed both ways
 * and, where it is small, run by the reference backend, which checks the signs that the plan claims. */
#include "../../core/plan/plan.h"
#include "house.h"
#include <stdlib.h>
#include <string.h>

#define VALUES 64
#define MAX_ELEMENTS 20000 /* of all results of a plan that is run */
#define MAX_RUNS 256       /* of a loop's body */

struct feed { const uint8_t *p, *end; };
struct state {
	struct feed f;
	inn_ctx *ctx;
	inn_build *b;
	inn_val v[VALUES], index[8];
	uint32_t n, n_open, names;
};

static const struct inn_backend_ops *reference;
static struct inn_inst backend;
static inn_dev *dev;
static inn_ctx *forever;

static void prepare(void)
{
	struct inn__yaml *y;

	forever = house_ctx();
	if (inn__yaml_text(forever, "-b", "{type: reference, check: true}", &y) < 0 ||
	    inn__bind_class(forever, house_finder(), INN_BACKEND, y, &backend) < 0)
		abort();
	reference = (const struct inn_backend_ops *)(const void *)backend.cls;
	if (reference->open(forever, backend.opts, 1, &dev) < 0)
		abort();
}

static uint32_t byte(struct feed *f) { return f->p < f->end ? *f->p++ : 0; }

/* Mostly small numbers, sometimes any. */
static uint32_t number(struct feed *f)
{
	uint32_t a = byte(f);

	return a < 240 ? a % 8 : a < 250 ? 1u << a % 32 : a < 253 ? byte(f) << 24 | byte(f) << 8 : UINT32_MAX - a % 4;
}

static struct inn_shape shape(struct feed *f)
{
	struct inn_shape s = { .rank = byte(f) % 6 };

	for (uint32_t d = 0; d < s.rank; d++)
		s.dim[d] = d || byte(f) % 8 == 0 ? number(f) : 2;
	return s;
}

static inn_val any(struct state *s) { return s->n ? s->v[byte(&s->f) % s->n] : (inn_val){ 0 }; }

static void keep(struct state *s, inn_val v)
{
	if (v.id)
		s->v[s->n < VALUES ? s->n++ : byte(&s->f) % VALUES] = v;
}

static struct inn_window window(struct state *s)
{
	struct inn_window w = { .n = byte(&s->f) % 8 ? 2 : byte(&s->f) % 5, .groups = byte(&s->f) % 8 ? 1 : number(&s->f), .count_pad = byte(&s->f) & 1 };

	for (uint32_t i = 0; i < 3; i++) {
		w.size[i] = number(&s->f);
		w.stride[i] = byte(&s->f) % 2 ? 1 : number(&s->f);
		w.before[i] = number(&s->f);
		w.after[i] = number(&s->f);
		w.dilation[i] = byte(&s->f) % 4 ? 1 : number(&s->f);
	}
	return w;
}

static inn_val windowed(struct state *s, uint32_t which)
{
	struct inn_window w = window(s);
	inn_val x = any(s), y = any(s);
	uint32_t spatial[3] = { number(&s->f), number(&s->f), number(&s->f) };

	switch (which) {
	case 0: return inn_conv(s->b, x, y, &w);
	case 1: return inn_conv_dx(s->b, x, y, &w, spatial);
	case 2: return inn_conv_dw(s->b, x, y, &w, spatial);
	case 3: return inn_pool_max(s->b, x, byte(&s->f) % 2 ? x : y, &w);
	case 4: return inn_pool_max_dx(s->b, x, y, &w);
	case 5: return inn_pool_avg(s->b, x, &w);
	default: return inn_pool_avg_dx(s->b, x, &w, spatial);
	}
}

static inn_val leaf(struct state *s, uint32_t which)
{
	static const double values[] = { 0, 1, -1, 0.5, 2, 1e30, -1e-30, 3 };
	struct inn_shape sh = shape(&s->f);
	char name[16] = { 'x', (char)('a' + s->names++ % 26), (char)('a' + s->names / 26 % 26), 0 };

	switch (which) {
	case 0: return inn_const(s->b, values[byte(&s->f) % 8], &sh);
	case 1: return inn_iota(s->b, number(&s->f));
	case 2: return inn__input(s->b, name, &sh, byte(&s->f) % 8 ? 0 : INN_NONNEG, 0);
	case 3: return inn_valid(s->b);
	case 4: return inn_uniform(s->b, any(s), byte(&s->f), byte(&s->f));
	default: return inn_normal(s->b, any(s), byte(&s->f), byte(&s->f));
	}
}

static inn_val moved(struct state *s, uint32_t which)
{
	inn_val x = any(s), list[3] = { x, any(s), any(s) };
	struct inn_shape sh = shape(&s->f);
	uint32_t order[INN_MAX_RANK], a = byte(&s->f) % 10;

	for (uint32_t d = 0; d < INN_MAX_RANK; d++)
		order[d] = byte(&s->f) % 2 ? (d + a) % (inn_shape_of(s->b, x)->rank + 1) : byte(&s->f) % 9;
	switch (which) {
	case 0: return inn_reshape(s->b, x, &sh);
	case 1: return inn_permute(s->b, x, order);
	case 2: return inn_expand(s->b, x, &sh);
	case 3: return inn_slice(s->b, x, a, number(&s->f), number(&s->f), number(&s->f));
	case 4: return inn_pad(s->b, x, a, number(&s->f), number(&s->f), number(&s->f));
	case 5: return inn_concat(s->b, list, byte(&s->f) % 4, a);
	case 6: return inn_gather(s->b, x, list[1], a);
	case 7: return inn_scatter(s->b, x, list[1], a, number(&s->f));
	case 8: return inn_flatten(s->b, x, a);
	case 9: return inn_repeat(s->b, x, a, number(&s->f));
	case 10: return inn_channel(s->b, x, a);
	default: return inn_onehot(s->b, x, number(&s->f));
	}
}

static inn_val reduced(struct state *s, uint32_t which)
{
	inn_val x = any(s), y = any(s);
	uint32_t a = byte(&s->f);

	switch (which) {
	case 0: return inn_sum(s->b, x, a);
	case 1: return inn_rmax(s->b, x, a);
	case 2: return inn_argmax(s->b, x, a % 10);
	case 3: return inn_rank(s->b, x);
	case 4: return inn_mean_axes(s->b, x, a);
	case 5: return inn_softmax(s->b, x, a % 10);
	case 6: return inn_matmul(s->b, x, y, a & 1, a & 2);
	default: return inn_stab(s->b, x, 1e-6);
	}
}

static inn_val looped(struct state *s, uint32_t which)
{
	inn_val i = s->n_open ? s->index[byte(&s->f) % s->n_open] : any(s), v = any(s);

	switch (which) {
	case 0:
		if (s->n_open < 8)
			s->index[s->n_open] = inn_loop_begin(s->b, number(&s->f));
		return s->n_open < 8 ? s->index[s->n_open++] : v;
	case 1:
		if (s->n_open) {
			s->n_open--;
			inn_loop_end(s->b);
		}
		return v;
	case 2: return inn_loop_sum(s->b, v, i);
	case 3: return inn_loop_stack(s->b, v, i);
	case 4: return inn_carry(s->b, v, i);
	default: return inn_loop_last(s->b, v, any(s), i);
	}
}

static inn_val gradient(struct state *s)
{
	inn_val y = any(s), x = any(s), cut[2] = { any(s), any(s) };

	return inn_grad(s->b, y, x, byte(&s->f) % 4 ? y : any(s), cut, byte(&s->f) % 3);
}

static void step(struct state *s)
{
	uint32_t what = byte(&s->f) % 16, code = byte(&s->f);

	switch (what) {
	case 0: case 1: keep(s, leaf(s, code % 6)); break;
	case 2: case 3: keep(s, windowed(s, code % 7)); break;
	case 4: case 5: case 6: keep(s, moved(s, code % 12)); break;
	case 7: case 8: keep(s, reduced(s, code % 8)); break;
	case 9: keep(s, looped(s, code % 6)); break;
	case 10: keep(s, gradient(s)); break;
	case 11: keep(s, inn_select(s->b, any(s), any(s), any(s))); break;
	case 12: keep(s, inn_op1(s->b, INN_OP_ABS + code % (INN_OP_FLOOR - INN_OP_ABS + 1), any(s))); break;
	default: keep(s, inn_op2(s->b, INN_OP_ADD + code % (INN_OP_EQ - INN_OP_ADD + 1), any(s), any(s)));
	}
}

static bool small(const struct inn_plan *p)
{
	size_t total = 0, n;

	for (uint32_t i = 0; i < p->n_ops; i++) {
		if (!inn_shape_count(&inn_plan_op(p, i)->shape, &n) || n > MAX_ELEMENTS)
			return false;
		total += n;
		if (inn_op_class(inn_plan_op(p, i)->code) == 'P' && n > MAX_ELEMENTS / 16)
			return false;
	}
	for (uint32_t k = 2; k < p->n_blocks; k++) {
		size_t runs = 1;

		for (uint32_t at = k; at >= 2; at = p->blocks[at].parent)
			runs *= p->blocks[at].count;
		if (runs > MAX_RUNS)
			return false;
	}
	return total <= MAX_ELEMENTS;
}

/* All inputs 0.5; an index that lies outside is the caller's error and may be refused, never followed. */
static void run(inn_ctx *ctx, const struct inn_plan *p)
{
	inn_exec *e = NULL;
	bool ok = reference->compile(ctx, dev, p, (uint64_t)64 << 20, &e) == INN_OK;

	for (uint32_t i = 0; ok && i < p->n_ops; i++) {
		struct inn_tensor t = { .shape = inn_plan_op(p, i)->shape, .dtype = INN_F32 };
		size_t n;

		if (inn_plan_op(p, i)->code != INN_OP_INPUT)
			continue;
		ok = inn_tensor_alloc(ctx, &t) == INN_OK && inn_shape_count(&t.shape, &n);
		for (size_t k = 0; ok && k < n; k++)
			((float *)t.data)[k] = 0.5f;
		ok = ok && reference->write(ctx, e, i, &t) == INN_OK;
		inn_tensor_free(&t);
	}
	if (ok)
		(void)!reference->run(ctx, e);
	reference->release(e);
}

static void settle(struct state *s, bool strict)
{
	struct inn_plan *p = inn__close(s->b, strict);

	if (!p && !inn_failed(s->ctx))
		abort();
	if (p && small(p))
		run(s->ctx, p);
	inn__plan_free(p);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct state s = { .f = { data, data + size } };

	if (!reference)
		prepare();
	s.ctx = house_ctx();
	s.b = inn__build_new(s.ctx, 2);
	if (!s.b)
		abort();
	keep(&s, inn__input(s.b, "x", &(struct inn_shape){ .rank = 4, .dim = { 2, 3, 5, 5 } }, 0, 0));
	keep(&s, inn__input(s.b, "y", &(struct inn_shape){ .rank = 2, .dim = { 2, 6 } }, INN_NONNEG, 0));
	keep(&s, inn_const(s.b, 0.5, &(struct inn_shape){ .rank = 4, .dim = { 4, 3, 3, 3 } }));
	bool strict = byte(&s.f) & 1;

	while (s.f.p < s.f.end && !inn_failed(s.ctx))
		step(&s);
	for (; s.n_open; s.n_open--)
		inn_loop_end(s.b);
	if (!inn_failed(s.ctx)) {
		inn__output(s.b, "first", s.v[s.n - 1]);
		inn__output(s.b, "second", inn_grad(s.b, s.v[s.n - 1], s.v[0], s.v[s.n - 1], NULL, 0));
		settle(&s, strict);
	}
	inn__build_free(s.b);
	inn__ctx_free(s.ctx);
	return 0;
}
