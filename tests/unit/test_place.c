/* Placement: random plans with loops are walked as a backend would run them, every byte marked with the value that stands in it; what
 * is read must still be whole. */
#include "../../core/base/ctx.h"
#include "../../core/plan/value.h"
#include "unit.h"
#include <stdlib.h>
#include <string.h>

#define ALIGN 32u
#define PLANS 60

static uint64_t state;

static uint32_t draw(uint32_t n)
{
	state = state * 6364136223846793005u + 1442695040888963407u;
	return (uint32_t)(state >> 33) % n;
}

/* ---- random plans */

#define POOL 24
static inn_val pool[POOL];
static uint32_t n_pool;

static void keep(inn_val v) { pool[n_pool < POOL ? n_pool++ : draw(POOL)] = v; }
static inn_val any(void) { return pool[draw(n_pool)]; }

static inn_val like(inn_build *b, inn_val v, inn_val as)
{
	return inn_shape_eq(inn_shape_of(b, v), inn_shape_of(b, as)) ? v : inn_tanh(b, as);
}

static void one(inn_build *b, inn_val w)
{
	inn_val x = any(), y = like(b, any(), x);

	switch (draw(6)) {
	case 0: keep(inn_add(b, x, y)); break;
	case 1: keep(inn_mul(b, inn_exp(b, x), y)); break;
	case 2: keep(inn_concat(b, (inn_val[]){ x, y }, 2, 1)); break;
	case 3: keep(inn_slice(b, x, 1, 0, 4, 1)); break;
	case 4: keep(inn_matmul(b, inn_slice(b, x, 1, 0, 4, 1), draw(2) ? w : inn_pos_part(b, w), false, false)); break;
	default: keep(inn_sub(b, inn_max(b, x, y), inn_sum(b, x, 2))); break;
	}
}

static void some(inn_build *b, inn_val w, uint32_t n, uint32_t depth);

/* A loop whose body begins with values from outside, and with a state now and then; it leaves one value. */
static void loop(inn_build *b, inn_val w, uint32_t depth)
{
	inn_val before[POOL], i = inn_loop_begin(b, 2 + draw(3)), from = any(), carry = { 0 }, r;
	uint32_t n_before = n_pool;

	memcpy(before, pool, sizeof(pool));
	if (draw(3) == 0)
		keep(carry = inn_carry(b, from, i));
	keep(inn_mul(b, any(), i));
	some(b, w, 3 + draw(6), depth + 1);
	r = inn_mul(b, any(), i);
	r = carry.id ? inn_add(b, inn_loop_last(b, inn_tanh(b, inn_add(b, carry, i)), carry, i), from) : draw(2) ? inn_loop_sum(b, r, i) :
		       inn_sum(b, inn_loop_stack(b, r, i), 2);
	inn_loop_end(b);
	memcpy(pool, before, sizeof(pool));
	n_pool = n_before;
	keep(inn_shape_of(b, r)->rank == 2 ? r : inn_flatten(b, r, 1));
}

static void some(inn_build *b, inn_val w, uint32_t n, uint32_t depth)
{
	for (uint32_t k = 0; k < n; k++)
		if (depth < 2 && draw(5) == 0)
			loop(b, w, depth);
		else
			one(b, w);
}

static struct inn_plan *random_plan(inn_build *b)
{
	inn_val w = inn__placeholder(b, "w", &(struct inn_shape){ .rank = 2, .dim = { 4, 4 } });

	n_pool = 0;
	keep(inn__input(b, "x", &(struct inn_shape){ .rank = 2, .dim = { 2, 4 } }, 0, 0));
	keep(inn__input(b, "y", &(struct inn_shape){ .rank = 2, .dim = { 2, 8 } }, 0, 0));
	some(b, w, 8 + draw(25), 0);
	inn__output(b, "a", any());
	inn__output(b, "b", any());
	inn__output(b, "c", pool[n_pool - 1]);
	return inn__close(b, true);
}

/* ---- walking them */

struct walk {
	const struct inn_plan *p;
	size_t *offset;
	uint32_t *mark, *group, *last, *iter, seed; /* mark: by unit of ALIGN bytes, the operation + 1 that stands there */
	bool fused; /* groups run at their last member */
};

static size_t bytes(void *user, uint32_t i)
{
	const struct walk *w = user;

	return (i * 2654435761u ^ w->seed * 40503u) >> 7 & 7 ? ((i * 40503u ^ w->seed) % 9 + 1) * 20 : 0;
}

static void write_op(struct walk *w, uint32_t i)
{
	for (size_t k = 0; k < (bytes(w, i) + ALIGN - 1) / ALIGN; k++)
		w->mark[w->offset[i] / ALIGN + k] = i + 1;
}

static void read_op(const struct walk *w, uint32_t i, uint32_t by)
{
	ck_assert_uint_eq(w->offset[i] % ALIGN, 0);
	for (size_t k = 0; k < (bytes((void *)w, i) + ALIGN - 1) / ALIGN; k++)
		ck_assert_msg(w->mark[w->offset[i] / ALIGN + k] == i + 1, "operation %u (%s), read by %u (%s), is overwritten by %u", i,
			      inn_op_name(inn_plan_op(w->p, i)->code), by, inn_op_name(inn_plan_op(w->p, by)->code),
			      w->mark[w->offset[i] / ALIGN + k] - 1);
}

static void read_sources(const struct walk *w, uint32_t i, uint32_t it)
{
	const struct inn_op *o = inn_plan_op(w->p, i);

	for (uint32_t k = 0; k < o->n_src; k++) {
		uint32_t s = inn_plan_src(w->p, i, k);

		if ((o->code == INN_OP_CARRY && !k && it) || (o->code == INN_OP_LOOP_LAST && k == 1) ||
		    (w->fused && w->group[i] && w->group[s] == w->group[i]))
			continue;
		read_op(w, s, i);
	}
	if (o->code == INN_OP_CARRY && it)
		for (uint32_t l = 0; l < w->p->n_ops; l++)
			if (inn_plan_op(w->p, l)->code == INN_OP_LOOP_LAST && inn_plan_src(w->p, l, 1) == i)
				read_op(w, inn_plan_src(w->p, l, 0), i);
	if ((o->code == INN_OP_LOOP_SUM || o->code == INN_OP_LOOP_STACK) && it)
		read_op(w, i, i);
}

static void run_op(struct walk *w, uint32_t i, uint32_t it)
{
	uint32_t code = inn_plan_op(w->p, i)->code, g = w->fused ? w->group[i] : 0;

	if (code == INN_OP_INPUT || code == INN_OP_PARAM || code == INN_OP_INDEX || (g && w->last[g] != i))
		return;
	for (uint32_t after = 0; after < 2; after++) { /* what is written overwrites nothing that is read in the same pass */
		for (uint32_t j = g ? 0 : i; j <= i; j++)
			if (j == i || w->group[j] == g)
				read_sources(w, j, after && !g ? 0 : it);
		for (uint32_t j = g ? 0 : i; j <= i && !after; j++)
			if (j == i || w->group[j] == g)
				write_op(w, j);
		if (code == INN_OP_CARRY)
			break; /* it takes the place of what it read */
	}
}

static void run_block(struct walk *w, uint32_t b)
{
	const struct inn_block *k = w->p->blocks;

	for (uint32_t it = 0; it < (b < 2 ? 1 : k[b].count); it++) {
		uint32_t child = b < 2 ? 2 : b + 1;

		if (b >= 2)
			write_op(w, k[b].index);
		for (uint32_t i = k[b].first; i < k[b].first + k[b].n;) {
			while (child < w->p->n_blocks && (k[child].first < i || !k[child].n))
				child++;
			if (child < w->p->n_blocks && k[child].first == i) {
				run_block(w, child);
				i += k[child++].n;
			} else {
				run_op(w, i++, it);
			}
		}
	}
}

static void walk(struct walk *w)
{
	for (uint32_t i = 0; i < w->p->n_ops; i++)
		if (inn_plan_op(w->p, i)->code == INN_OP_INPUT || inn_plan_op(w->p, i)->code == INN_OP_PARAM)
			write_op(w, i);
	run_block(w, 0);
	for (int batch = 0; batch < 3; batch++) {
		run_block(w, 1);
		for (uint32_t i = 0; i < w->p->n_ops; i++)
			if (inn_plan_op(w->p, i)->code == INN_OP_OUTPUT)
				read_op(w, i, i);
	}
}

START_TEST(live_values_never_overlap)
{
	inn_ctx *ctx = inn__ctx_new();

	state = (uint64_t)_i * 7919 + 1;
	inn_build *b = inn__build_new(ctx, 2);
	struct inn_plan *plan = random_plan(b), *wide = NULL;

	ck_assert_msg(plan, "%s", inn__errors(ctx) ? inn__error(ctx, 0)->text : "");
	ck_assert_int_eq(inn__widen(ctx, plan, 4, &wide), INN_OK);
	for (const struct inn_plan *p = plan; p; p = p == plan ? wide : NULL) {
		size_t n = p->n_ops, total, sum = 0, most = 0;
		struct walk w = { .p = p, .offset = calloc(n, sizeof(size_t)), .group = calloc(2 * n + 2, sizeof(uint32_t)), .seed = (uint32_t)_i };

		ck_assert_int_eq(inn_place(ctx, p, bytes, &w, ALIGN, w.offset, &total), INN_OK);
		ck_assert_int_eq(inn_groups(ctx, p, w.group, &(uint32_t){ 0 }), INN_OK);
		w.last = w.group + n + 1;
		for (uint32_t i = 0; i < n; i++) {
			w.last[w.group[i]] = i;
			sum += (bytes(&w, i) + ALIGN - 1) / ALIGN * ALIGN;
			most = bytes(&w, i) > most ? bytes(&w, i) : most;
		}
		ck_assert(total <= sum && total >= most);
		w.mark = calloc(total / ALIGN + 1, sizeof(*w.mark));
		for (int fused = 0; fused < 2; fused++) {
			w.fused = fused;
			walk(&w);
		}
		free(w.mark);
		free(w.offset);
		free(w.group);
	}
	inn__plan_free(wide);
	inn__plan_free(plan);
	inn__build_free(b);
	inn__ctx_free(ctx);
}
END_TEST

/* A chain needs what two of its values need, however long it is. */
START_TEST(memory_is_used_again)
{
	inn_ctx *ctx = inn__ctx_new();
	inn_build *b = inn__build_new(ctx, 1);
	inn_val v = inn__input(b, "x", &(struct inn_shape){ .rank = 2, .dim = { 1, 4 } }, 0, 0);

	for (int i = 0; i < 40; i++)
		v = inn_sum(b, inn_concat(b, (inn_val[]){ v, v, v, v }, 4, 1), 0), v = inn_slice(b, inn_permute(b, v, (uint32_t[]){ 0, 1 }), 1, i % 3, i % 3 + 4, 1);
	inn__output(b, "y", v);
	struct inn_plan *p = inn__close(b, true);
	struct walk w = { .p = p, .seed = 1 };
	size_t total, sum = 0;

	ck_assert(p);
	w.offset = calloc(p->n_ops, sizeof(*w.offset));
	ck_assert_int_eq(inn_place(ctx, p, bytes, &w, ALIGN, w.offset, &total), INN_OK);
	for (uint32_t i = 0; i < p->n_ops; i++)
		sum += (bytes(&w, i) + ALIGN - 1) / ALIGN * ALIGN;
	ck_assert_uint_gt(p->n_ops, 60);
	ck_assert_uint_lt(total * 8, sum);
	free(w.offset);
	inn__plan_free(p);
	inn__build_free(b);
	inn__ctx_free(ctx);
}
END_TEST

int main(void)
{
	TCase *t = tcase_create("place");

	tcase_add_loop_test(t, live_values_never_overlap, 0, PLANS);
	tcase_add_test(t, memory_is_used_again);
	return run_case(t);
}
