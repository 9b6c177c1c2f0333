/* What is known of a value: home, sign, constant, support, rows. Definitions: docs/plan.md. */
#include "value.h"
#include <string.h>

static void home(inn_build *b, uint32_t id)
{
	struct inn_op *o = &val(b, id)->op;

	o->home = o->code == INN_OP_INPUT ? BATCH : 0;
	for (uint32_t k = 0; k < o->n_src; k++)
		o->home |= val(b, src_of(b, id, k))->op.home;
	if (o->code == INN_OP_INDEX)
		for (uint32_t l = 0; l < b->n_loops; l++)
			if (b->loop[l] == id)
				o->home |= (uint64_t)2 << l;
	if (reduces_loop(o->code))
		o->home &= ~val(b, src_of(b, id, o->n_src - 1))->op.home;
}

static uint8_t product_sign(uint8_t p, uint8_t q)
{
	uint8_t s = 0;

	if ((p & q & INN_NONNEG) || (p & q & INN_NONPOS))
		s |= INN_NONNEG;
	if (((p & INN_NONNEG) && (q & INN_NONPOS)) || ((p & INN_NONPOS) && (q & INN_NONNEG)))
		s |= INN_NONPOS;
	return s;
}

static uint8_t swap_sign(uint8_t s) { return (uint8_t)((s & INN_NONNEG ? INN_NONPOS : 0) | (s & INN_NONPOS ? INN_NONNEG : 0)); }

static uint8_t sign_of(const inn_build *b, uint32_t id)
{
	const struct inn_op *o = &val(b, id)->op;
	uint8_t s[3] = { 0 }, all = INN_NONNEG | INN_NONPOS;

	for (uint32_t k = 0; k < o->n_src; k++) {
		uint8_t t = val(b, src_of(b, id, k))->op.sign;

		all &= t;
		if (k < 3)
			s[k] = t;
	}
	switch (o->code) {
	case INN_OP_EXP: case INN_OP_SIGMOID: case INN_OP_SQRT: case INN_OP_GT: case INN_OP_GE: case INN_OP_EQ: case INN_OP_ABS:
	case INN_OP_IOTA: case INN_OP_INDEX: case INN_OP_ARGMAX: case INN_OP_RANK: case INN_OP_UNIFORM:
		return INN_NONNEG;
	case INN_OP_MUL:
		if (src_of(b, id, 0) == src_of(b, id, 1))
			return product_sign(s[0], s[1]) | INN_NONNEG;
		return product_sign(s[0], s[1]);
	case INN_OP_DIV: case INN_OP_CONV: case INN_OP_CONV_DX: case INN_OP_CONV_DW: case INN_OP_MATMUL:
		return product_sign(s[0], s[1]);
	case INN_OP_ADD: case INN_OP_CONCAT:
		return all;
	case INN_OP_SUB:
		return s[0] & swap_sign(s[1]);
	case INN_OP_MAX:
		return (uint8_t)(((s[0] | s[1]) & INN_NONNEG) | (s[0] & s[1] & INN_NONPOS));
	case INN_OP_MIN:
		return (uint8_t)(((s[0] | s[1]) & INN_NONPOS) | (s[0] & s[1] & INN_NONNEG));
	case INN_OP_SELECT:
		return s[1] & s[2];
	case INN_OP_INPUT:
		return (uint8_t)attr_of(b, id)[2];
	case INN_OP_TANH: case INN_OP_ERF: case INN_OP_SUM: case INN_OP_RMAX: case INN_OP_RESHAPE: case INN_OP_PERMUTE:
	case INN_OP_EXPAND: case INN_OP_SLICE: case INN_OP_PAD: case INN_OP_GATHER: case INN_OP_SCATTER: case INN_OP_POOL_MAX:
	case INN_OP_POOL_MAX_DX: case INN_OP_POOL_AVG: case INN_OP_POOL_AVG_DX: case INN_OP_LOOP_SUM: case INN_OP_LOOP_STACK:
	case INN_OP_LOOP_LAST: case INN_OP_OUTPUT: case INN_OP_ACCUMULATE:
		return s[0];
	default:
		return 0;
	}
}

/* Adds x and what x is supported by, where shapes agree; `both`: keeps only what stands in `out` already. */
struct set { uint32_t n, id[2 * MAX_SUPPORT + 2]; };

static bool in_set(const struct set *s, uint32_t id)
{
	for (uint32_t i = 0; i < s->n; i++)
		if (s->id[i] == id)
			return true;
	return false;
}

static void put(struct set *s, uint32_t id)
{
	if (s->n < sizeof(s->id) / sizeof(*s->id) && !in_set(s, id))
		s->id[s->n++] = id;
}

static void own(const inn_build *b, uint32_t x, const struct inn_shape *shape, struct set *out)
{
	const struct value *v = val(b, x);

	if (!inn_shape_eq(&v->op.shape, shape) || v->uniform)
		return;
	put(out, x);
	for (uint32_t i = 0; i < v->n_support; i++)
		put(out, v->support[i]);
}

/* Members of the source's set seen through reshape, the max-pool adjoint and slices of a concatenation. */
static void images(const inn_build *b, uint32_t id, struct set *out)
{
	const struct value *v = val(b, id);
	struct set in = { 0 };
	uint32_t x = src_of(b, id, 0);

	own(b, x, &val(b, x)->op.shape, &in);
	for (uint32_t i = 0; i < in.n; i++) {
		const struct inn_op *u = &val(b, in.id[i])->op;

		if (v->op.code == INN_OP_RESHAPE) {
			struct args a = { .code = INN_OP_RESHAPE, .n = 1, .src = &in.id[i], .shape = v->op.shape };
			uint32_t w = inn__lookup(b, &a);

			if (u->code == INN_OP_RESHAPE && inn_shape_eq(&val(b, b->src[u->src])->op.shape, &v->op.shape))
				put(out, b->src[u->src]);
			if (w && w != id)
				put(out, w);
		} else if (v->op.code == INN_OP_POOL_MAX_DX) {
			uint32_t by = src_of(b, id, 1);

			if (u->code == INN_OP_POOL_MAX && b->src[u->src] == by && b->src[u->src + 1] == by &&
			    u->n_attr == v->op.n_attr && !memcmp(b->attr + u->attr, b->attr + v->op.attr, u->n_attr * 4))
				put(out, by);
		} else if (v->op.code == INN_OP_SLICE && u->code == INN_OP_CONCAT) {
			uint32_t axis = b->attr[u->attr], at = 0;

			for (uint32_t k = 0; k < u->n_src; k++) {
				uint32_t part = b->src[u->src + k];

				if (attr_of(b, id)[3 * axis] == at && inn_shape_eq(&val(b, part)->op.shape, &v->op.shape))
					put(out, part);
				at += val(b, part)->op.shape.dim[axis];
			}
		}
	}
}

static void support(inn_build *b, uint32_t id)
{
	struct value *v = val(b, id);
	const struct inn_shape *sh = &v->op.shape;
	struct set out = { 0 }, other = { 0 };
	uint32_t s0 = v->op.n_src ? src_of(b, id, 0) : 0, s1 = v->op.n_src > 1 ? src_of(b, id, 1) : 0;

	switch (v->op.code) {
	case INN_OP_MUL:
		own(b, s0, sh, &out);
		own(b, s1, sh, &out);
		break;
	case INN_OP_DIV: case INN_OP_OUTPUT: case INN_OP_EXPAND:
		own(b, s0, sh, &out);
		break;
	case INN_OP_ADD: case INN_OP_SUB:
		own(b, s0, sh, &out);
		own(b, s1, sh, &other);
		for (uint32_t i = 0; i < out.n;)
			if (in_set(&other, out.id[i]))
				i++;
			else
				out.id[i] = out.id[--out.n];
		break;
	case INN_OP_MAX: case INN_OP_MIN: case INN_OP_GT:
		if (val(b, s1)->uniform && (v->op.code == INN_OP_MAX ? nonpos(b, s1) : nonneg(b, s1)))
			own(b, s0, sh, &out);
		break;
	case INN_OP_SELECT:
		if (is_uniform(b, src_of(b, id, 2), 0)) {
			own(b, s1, sh, &out);
			own(b, s0, sh, &out);
		}
		break;
	case INN_OP_RESHAPE: case INN_OP_POOL_MAX_DX: case INN_OP_SLICE:
		images(b, id, &out);
		break;
	default:
		break;
	}
	v->n_support = out.n < MAX_SUPPORT ? out.n : MAX_SUPPORT; /* dropping a member is safe */
	memcpy(v->support, out.id, v->n_support * sizeof(*out.id));
}

void inn__facts(inn_build *b, uint32_t id)
{
	struct value *v = val(b, id);

	home(b, id);
	inn__rows(b, id);
	if (v->op.code == INN_OP_CONST) {
		memcpy(&v->c, attr_of(b, id), sizeof(v->c));
		v->uniform = true;
		v->op.sign = (uint8_t)((v->c >= 0 ? INN_NONNEG : 0) | (v->c <= 0 ? INN_NONPOS : 0));
		return;
	}
	v->op.sign = sign_of(b, id);
	if (v->op.code == INN_OP_MIN && val(b, src_of(b, id, 1))->uniform && inn_shape_eq(&val(b, src_of(b, id, 0))->op.shape, &v->op.shape))
		val(b, src_of(b, id, 0))->clipped = id;
	support(b, id);
}
