/* The derivative table, one line per operation: g is the adjoint of y, the result is that of operand k. */
#include "value.h"
#include <stdlib.h>
#include <string.h>

static inn_val unbroadcast(inn_build *b, inn_val d, struct inn_shape to)
{
	struct inn_shape s = *inn_shape_of(b, d);
	uint32_t lead, axes = 0;

	if (!d.id || inn_shape_eq(&s, &to))
		return d;
	lead = s.rank > to.rank ? s.rank - to.rank : 0;
	for (uint32_t i = 0; i < s.rank; i++)
		if (i < lead || (to.dim[i - lead] == 1 && s.dim[i] != 1))
			axes |= 1u << i;
	if (axes)
		d = inn_sum(b, d, axes);
	return lead ? inn_reshape(b, d, &to) : inn_expand(b, d, &to);
}

static inn_val rivals(inn_build *b, inn_val x, inn_val o, bool max, inn_val g)
{
	inn_val w = max ? inn_gt(b, x, o) : inn_gt(b, o, x);

	if (isnan(inn_known(b, o))) /* a tie is shared, unless the rival is a constant */
		w = inn_add(b, w, inn_mulc(b, inn_eq(b, x, o), 0.5));
	return inn_mul(b, g, w);
}

static inn_val d_unary(inn_build *b, uint32_t code, inn_val x, inn_val y, inn_val g)
{
	switch (code) {
	case INN_OP_ABS: return inn_mul(b, g, inn_sub(b, inn_gtc(b, x, 0), inn_gt(b, inn_scalar(b, 0), x)));
	case INN_OP_EXP: return inn_mul(b, g, y);
	case INN_OP_LOG: return inn_div(b, g, x);
	case INN_OP_SQRT: return inn_div(b, inn_mulc(b, g, 0.5), y);
	case INN_OP_TANH: return inn_mul(b, g, inn_sub(b, inn_scalar(b, 1), inn_mul(b, y, y)));
	case INN_OP_SIGMOID: return inn_mul(b, g, inn_mul(b, y, inn_sub(b, inn_scalar(b, 1), y)));
	case INN_OP_ERF: return inn_mul(b, inn_mulc(b, g, 1.1283791670955126), inn_exp(b, inn_neg(b, inn_mul(b, x, x))));
	default: return (inn_val){ 0 }; /* floor */
	}
}

static inn_val d_elements(inn_build *b, uint32_t code, const inn_val *s, uint32_t k, inn_val y, inn_val g)
{
	inn_val zero = inn_scalar(b, 0);

	switch (code) {
	case INN_OP_ADD: return g;
	case INN_OP_SUB: return k ? inn_neg(b, g) : g;
	case INN_OP_MUL: return inn_mul(b, g, s[1 - k]);
	case INN_OP_DIV: return k ? inn_neg(b, inn_div(b, inn_mul(b, g, y), s[1])) : inn_div(b, g, s[1]);
	case INN_OP_MAX: case INN_OP_MIN: return rivals(b, s[k], s[1 - k], code == INN_OP_MAX, g);
	case INN_OP_POW:
		if (k)
			return inn_mul(b, inn_mul(b, g, y), inn_log(b, s[0]));
		return inn_mul(b, inn_mul(b, g, s[1]), inn_pow(b, s[0], inn_subc(b, s[1], 1)));
	case INN_OP_SELECT:
		return !k ? (inn_val){ 0 } : k == 1 ? inn_select(b, s[0], g, zero) : inn_select(b, s[0], zero, g);
	default: return (inn_val){ 0 }; /* gt ge eq */
	}
}

static inn_val d_rmax(inn_build *b, inn_val x, uint32_t axes, inn_val g)
{
	uint32_t axis = 0, order[INN_MAX_RANK], rank = inn_shape_of(b, x)->rank;

	if (!axes)
		return g;
	while (!(axes >> axis & 1))
		axis++;
	if (axes != 1u << axis)
		return inn__fail_op(b, INN_EUNSUP, "rmax: derivative over several axes");
	inn_val hot = inn_onehot(b, inn_argmax(b, x, axis), inn_dim(b, x, axis));

	for (uint32_t i = 0; i < rank; i++)
		order[i] = i < axis ? i : i == axis ? rank - 1 : i - 1;
	return inn_mul(b, g, inn_permute(b, hot, order));
}

static inn_val d_slices(inn_build *b, uint32_t code, const uint32_t *a, inn_val x, inn_val y, inn_val g)
{
	uint32_t attr[3 * INN_MAX_RANK], rank = inn_shape_of(b, x)->rank;

	for (uint32_t d = 0; d < rank; d++) {
		const uint32_t *t = a + 3 * d;
		uint32_t n = inn_dim(b, code == INN_OP_SLICE ? y : x, d), step = t[2];
		uint32_t reach = n ? (n - 1) * step + 1 : 0;

		attr[3 * d] = t[0];
		attr[3 * d + 1] = code == INN_OP_SLICE ? inn_dim(b, x, d) - t[0] - reach : t[0] + reach;
		attr[3 * d + 2] = step;
	}
	return inn__record(b, code == INN_OP_SLICE ? INN_OP_PAD : INN_OP_SLICE, &g.id, 1, attr, 3 * rank, NULL);
}

static inn_val d_moves(inn_build *b, const struct inn_op *o, const uint32_t *a, const inn_val *s, uint32_t k, inn_val y, inn_val g)
{
	uint32_t order[INN_MAX_RANK], at = 0;

	switch (o->code) {
	case INN_OP_RESHAPE: return inn_reshape(b, g, inn_shape_of(b, s[0]));
	case INN_OP_EXPAND: return g;
	case INN_OP_PERMUTE:
		for (uint32_t i = 0; i < o->n_attr; i++)
			order[a[i]] = i;
		return inn_permute(b, g, order);
	case INN_OP_SLICE: case INN_OP_PAD: return d_slices(b, o->code, a, s[0], y, g);
	case INN_OP_CONCAT:
		for (uint32_t i = 0; i < k; i++)
			at += inn_dim(b, s[i], a[0]);
		return inn_slice(b, g, a[0], at, at + inn_dim(b, s[k], a[0]), 1);
	case INN_OP_GATHER: return k ? (inn_val){ 0 } : inn_scatter(b, g, s[1], a[0], inn_dim(b, s[0], a[0]));
	default: return k ? (inn_val){ 0 } : inn_gather(b, g, s[1], a[0]); /* scatter */
	}
}

static inn_val d_products(inn_build *b, const struct inn_op *o, const uint32_t *a, const inn_val *s, uint32_t k, inn_val g)
{
	struct inn_window w;
	const uint32_t *other = inn_shape_of(b, s[k])->dim + 2;

	if (o->code == INN_OP_MATMUL) {
		bool ta = a[0], tb = a[1];

		if (!k)
			return ta ? inn_matmul(b, s[1], g, tb, true) : inn_matmul(b, g, s[1], false, !tb);
		return tb ? inn_matmul(b, g, s[0], true, ta) : inn_matmul(b, s[0], g, !ta, false);
	}
	uint32_t spatial[3] = { other[0], other[1], other[2] };

	inn__window_of(a, o->code, o->shape.rank - 2, &w);
	switch (o->code) {
	case INN_OP_CONV: return k ? inn_conv_dw(b, s[0], g, &w, spatial) : inn_conv_dx(b, g, s[1], &w, spatial);
	case INN_OP_CONV_DX: return k ? inn_conv_dw(b, g, s[0], &w, spatial) : inn_conv(b, g, s[1], &w);
	default: return k ? inn_conv(b, s[0], g, &w) : inn_conv_dx(b, s[1], g, &w, spatial); /* conv_dw */
	}
}

static inn_val d_pools(inn_build *b, const struct inn_op *o, const uint32_t *a, const inn_val *s, uint32_t k, inn_val g)
{
	struct inn_window w;
	const uint32_t *dim = inn_shape_of(b, s[0])->dim + 2;
	uint32_t spatial[3] = { dim[0], dim[1], dim[2] };

	if (k)
		return (inn_val){ 0 };
	inn__window_of(a, o->code, o->shape.rank - 2, &w);
	switch (o->code) {
	case INN_OP_POOL_MAX: return inn_pool_max_dx(b, g, s[1], &w);
	case INN_OP_POOL_MAX_DX: return inn_pool_max(b, g, s[1], &w);
	case INN_OP_POOL_AVG: return inn_pool_avg_dx(b, g, &w, spatial);
	default: return inn_pool_avg(b, g, &w);
	}
}

/* Adjoint of operand k of value y; id 0: none. */
static inn_val derive(inn_build *b, uint32_t y, uint32_t k, inn_val g)
{
	struct inn_op o = val(b, y)->op; /* copies: recording moves the arrays */
	uint32_t attr[MAX_ATTR];
	inn_val s[3] = { { 0 } }, d = { 0 };
	inn_val many[256];

	memcpy(attr, attr_of(b, y), o.n_attr * sizeof(*attr));
	for (uint32_t i = 0; i < o.n_src && i < 256; i++)
		many[i].id = src_of(b, y, i);
	memcpy(s, many, (o.n_src < 3 ? o.n_src : 3) * sizeof(*s));
	switch (inn_op_class(o.code)) {
	case 'U': d = d_unary(b, o.code, s[0], (inn_val){ y }, g); break;
	case 'E': d = d_elements(b, o.code, s, k, (inn_val){ y }, g); break;
	case 'R':
		if (o.code == INN_OP_SUM)
			d = inn_expand(b, g, inn_shape_of(b, s[0]));
		else if (o.code == INN_OP_RMAX)
			d = d_rmax(b, s[0], attr[0], g);
		break;
	case 'M': d = k < 256 ? d_moves(b, &o, attr, many, k, (inn_val){ y }, g) : inn__fail_op(b, INN_ELIMIT, "concat of more than 256"); break;
	case 'P': d = d_products(b, &o, attr, s, k, g); break;
	case 'W': d = d_pools(b, &o, attr, s, k, g); break;
	case 'O':
		if (o.code == INN_OP_LOOP_SUM)
			return k ? d : g;
		return inn__fail_op(b, INN_EUNSUP, "%s has no derivative", inn_op_name(o.code));
	default: break;
	}
	return d.id ? unbroadcast(b, d, val(b, src_of(b, y, k))->op.shape) : d;
}

/* loop_sum over the closed loops that y depends on and its operand s does not. */
static inn_val across_loops(inn_build *b, uint32_t y, uint32_t s, inn_val d)
{
	uint64_t crossed = val(b, y)->op.home & ~val(b, s)->op.home & ~(uint64_t)BATCH;

	for (uint32_t l = b->n_loops; l-- > 0;) {
		bool open = false;

		for (uint32_t i = 0; i < b->n_open; i++)
			open |= b->open[i] == b->loop[l];
		if (crossed >> (l + 1) & 1 && !open)
			d = inn_loop_sum(b, d, (inn_val){ b->loop[l] });
	}
	return d;
}

static inn_val sweep(inn_build *b, uint32_t y, uint32_t x, inn_val seed, const bool *need, uint32_t *adjoint)
{
	adjoint[y] = seed.id;
	for (uint32_t v = y; v > x && !b->failed; v--) {
		if (!adjoint[v] || !need[v])
			continue;
		for (uint32_t k = 0; k < val(b, v)->op.n_src; k++) {
			uint32_t s = src_of(b, v, k);

			if (!need[s])
				continue;
			inn_val d = derive(b, v, k, (inn_val){ adjoint[v] });

			if (!d.id)
				continue;
			d = across_loops(b, v, s, d);
			adjoint[s] = adjoint[s] ? inn_add(b, (inn_val){ adjoint[s] }, d).id : d.id;
		}
	}
	return b->failed ? (inn_val){ 0 } : adjoint[x] ? (inn_val){ adjoint[x] } : inn_const(b, 0, inn_shape_of(b, (inn_val){ x }));
}

inn_val inn_grad(inn_build *b, inn_val y, inn_val x, inn_val seed, const inn_val *cut, uint32_t n)
{
	if (b->failed || !y.id || !x.id || !seed.id)
		return inn__fail_op(b, INN_EBUG, "grad: an operand is absent");
	if (val(b, x.id)->uniform)
		return inn__fail_op(b, INN_EBUG, "grad: with respect to a constant");
	bool *need = calloc(b->n, sizeof(*need));
	uint32_t *adjoint = calloc(b->n, sizeof(*adjoint));
	inn_val r = { 0 };
	uint32_t role = inn__build_role(b, INN_ROLE_BACKWARD);

	if (!need || !adjoint) {
		inn_nomem(b->ctx);
		b->failed = true;
		goto done;
	}
	need[x.id] = true;
	for (uint32_t v = x.id + 1; v <= y.id; v++) {
		bool stop = false;

		for (uint32_t i = 0; i < n; i++)
			stop |= cut[i].id == v;
		for (uint32_t k = 0; !stop && k < val(b, v)->op.n_src; k++)
			need[v] |= need[src_of(b, v, k)];
	}
	r = y.id >= x.id && need[y.id] ? sweep(b, y.id, x.id, seed, need, adjoint) : inn_const(b, 0, inn_shape_of(b, x));
done:
	free(need);
	free(adjoint);
	inn__build_role(b, role);
	return r;
}
