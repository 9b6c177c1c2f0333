/* Matrix products of our own: the first operand in panels of 12 rows, made once where it is the same for every batch. */
#include "opencl.h"
#include <string.h>

#define FEW 8u         /* rows up to which the second operand is read straight through, once */
#define FEW_COLUMNS 128u

static size_t tiles_of(size_t n, size_t tile) { return (n + tile - 1) / tile; }

/* Adds the kernel that packs to the step of `into`. */
static void pack_at(struct inn_exec *e, uint32_t into, uint32_t op, struct loc a, const struct packing *q, size_t z, struct loc to)
{
	uint32_t was = e->into;
	size_t per = 256;

	e->into = into;
	struct launch *l = ocl_launch(e, op, "pack");

	ocl_at(e, l, a);
	ocl_at(e, l, to);
	ocl_arg(e, l, q, sizeof(*q));
	ocl_int(e, l, per);
	ocl_grid(e, l, ((size_t)q->k + per - 1) / per, tiles_of((size_t)q->m, TILE_ROWS), z);
	e->into = was;
}

bool ocl_keep_for(struct inn_exec *e, struct loc a, const struct packing *as, size_t z, size_t count, struct loc *to)
{
	for (size_t i = 0; i < e->n_packed; i++) {
		const struct packed *p = &e->packed[i];

		if (p->root == a.op && p->from == a.at && p->z == z && !memcmp(&p->q, as, sizeof(*as))) {
			*to = p->to;
			return false;
		}
	}
	*to = ocl_keep(e, count);
	if (ocl_room(e, &e->packed, e->n_packed, 1, &e->cap_packed, sizeof(*e->packed)))
		e->packed[e->n_packed++] = (struct packed){ a.op, a.at, z, *as, *to };
	return true;
}

struct loc ocl_pack(struct inn_exec *e, uint32_t op, struct loc a, const struct packing *q, size_t z)
{
	size_t count = z * tiles_of((size_t)q->m, TILE_ROWS) * TILE_ROWS * (size_t)q->k;
	bool keep = a.place == AT_VALUE && !op_of(e, a.op)->home;

	struct loc to;

	if (!keep)
		to = ocl_scratch(e, count);
	else if (!ocl_keep_for(e, a, q, z, count, &to))
		return to;
	pack_at(e, keep ? e->last[a.op] : e->into, op, a, q, z, to);
	return to;
}

void ocl_tiles(struct inn_exec *e, struct launch *l, const struct product *p, size_t z)
{
	size_t m = tiles_of((size_t)p->m, TILE_ROWS), n = tiles_of((size_t)p->n, TILE_COLUMNS);

	ocl_arg(e, l, p, sizeof(*p));
	ocl_grid(e, l, p->by_n ? n : m, p->by_n ? m : n, z);
}

static struct product outline(const struct gemm_of *q)
{
	struct product p = { .m = (int)q->m, .n = (int)q->n, .k = (int)q->k, .n1 = (int)q->n1, .ldb = (int)q->b.rs, .taps = { 1, 1, 1 } };

	p.height = p.rows = 1;
	p.wide = p.width = (int)q->n;
	p.a_z0 = (int)q->a.s0;
	p.a_z1 = (int)q->a.s1;
	p.b_z0 = (int)q->b.s0;
	p.b_z1 = (int)q->b.s1;
	p.c_z0 = (int)q->c.s0;
	p.c_z1 = (int)q->c.s1;
	p.ldc = (int)q->c.rs;
	p.inner = (int)q->c.cs;
	p.b_n = 1;
	p.by_n = q->m > q->n;
	return p;
}

/* Few rows that lie along k. */
static void few(struct inn_exec *e, uint32_t op, const struct gemm_of *q)
{
	bool along = q->b.rs == 1 && (q->b.cs != 1 || q->k >= q->n);
	struct product p = outline(q);
	struct launch *l = ocl_launch(e, op, along ? "dots" : "rows");

	if (along)
		p.ldb = (int)q->b.cs;
	ocl_at(e, l, q->a.at);
	ocl_at(e, l, q->b.at);
	ocl_at(e, l, q->c.at);
	ocl_arg(e, l, &p, sizeof(p));
	ocl_int(e, l, q->a.rs);
	ocl_grid(e, l, along ? q->n : tiles_of(q->n, FEW_COLUMNS), 1, q->n0 * q->n1);
}

static struct matrix turned(struct matrix a)
{
	size_t rs = a.rs;

	a.rs = a.cs;
	a.cs = rs;
	return a;
}

/* b with its columns side by side. */
static struct matrix straight(struct inn_exec *e, uint32_t op, const struct gemm_of *q)
{
	struct matrix b = q->b;
	size_t n0 = b.s0 ? q->n0 : 1, n1 = b.s1 ? q->n1 : 1;
	struct move m = { 0 };

	if (b.cs == 1)
		return b;
	b.at = ocl_scratch(e, n0 * n1 * q->k * q->n);
	b.rs = q->n;
	b.cs = 1;
	b.s1 = n1 > 1 ? q->k * q->n : 0;
	b.s0 = n0 > 1 ? n1 * q->k * q->n : 0;
	ocl_axis(&m, n0, b.s0, q->b.s0);
	ocl_axis(&m, n1, b.s1, q->b.s1);
	ocl_axis(&m, q->k, b.rs, q->b.rs);
	ocl_axis(&m, q->n, 1, q->b.cs);
	ocl_strided(e, op, &m, q->b.at, b.at);
	return b;
}

static void tiles(struct inn_exec *e, uint32_t op, const struct gemm_of *q)
{
	struct launch *l = ocl_launch(e, op, "gemm");
	struct product p = outline(q);

	if (q->c_16) {
		p.c_16 = (int)q->c_16;
		p.ldb = (int)TILE_COLUMNS;
		p.b_n = p.k;
	}
	ocl_at(e, l, q->a.at);
	ocl_at(e, l, q->b.at);
	ocl_at(e, l, q->c.at);
	ocl_tiles(e, l, &p, q->n0 * q->n1);
}

static void own(struct inn_exec *e, uint32_t op, const struct gemm_of *q)
{
	size_t n0 = q->a.s0 ? q->n0 : 1, n1 = q->a.s1 ? q->n1 : 1, panel = tiles_of(q->m, TILE_ROWS) * TILE_ROWS * q->k;
	struct packing pack = { .m = (int)q->m, .k = (int)q->k, .rs = (int)q->a.rs, .run = 1, .cs = (int)q->a.cs, .n1 = (int)n1,
				.s0 = (int)q->a.s0, .s1 = (int)q->a.s1 };
	struct gemm_of r = *q;

	r.a.at = ocl_pack(e, op, q->a.at, &pack, n0 * n1);
	r.a.s1 = n1 > 1 ? panel : 0;
	r.a.s0 = n0 > 1 ? n1 * panel : 0;
	r.b = straight(e, op, q);
	tiles(e, op, &r);
}

void ocl_product(struct inn_exec *e, uint32_t op, const struct gemm_of *q)
{
	bool rows = q->m <= FEW && q->a.cs == 1 && (q->b.rs == 1 || q->b.cs == 1);
	bool columns = q->n <= FEW && q->b.rs == 1 && (q->a.rs == 1 || q->a.cs == 1);
	struct gemm_of t = *q;

	if (e->dev->clblast) {
		ocl_clblast(e, op, q);
	} else if (q->c_16) {
		tiles(e, op, q);
	} else if (rows) {
		few(e, op, q);
	} else if (columns) {
		t.m = q->n;
		t.n = q->m;
		t.a = turned(q->b);
		t.b = turned(q->a);
		t.c = turned(q->c);
		few(e, op, &t);
	} else {
		own(e, op, q);
	}
}

/* One leading axis of a product, with what it moves. */
struct lead { size_t n, s[3]; };

/* Leading axes, those that all three step through as one merged; innermost last. */
static uint32_t leading(struct inn_exec *e, uint32_t i, struct lead *lead)
{
	const struct inn_shape *y = &op_of(e, i)->shape;
	size_t s[3][INN_MAX_RANK];
	uint32_t n = 0;

	for (uint32_t k = 0; k < 3; k++) {
		struct inn_shape x = k < 2 ? *src_shape(e, i, k) : *y;
		struct inn_shape to = *y;
		uint32_t r = x.rank;

		for (uint32_t d = 1; d <= 2; d++) /* so that the matrices' own axes never broadcast */
			to.dim[to.rank - d] = x.dim[r - d];
		ocl_strides(&x, &to, s[k]);
	}
	for (uint32_t d = 0; d + 2 < y->rank; d++) {
		bool joins = n > 0;

		if (y->dim[d] == 1)
			continue;
		for (uint32_t k = 0; k < 3; k++)
			joins = joins && lead[n - 1].s[k] == s[k][d] * y->dim[d];
		n += !joins;
		lead[n - 1].n = joins ? lead[n - 1].n * y->dim[d] : y->dim[d];
		for (uint32_t k = 0; k < 3; k++)
			lead[n - 1].s[k] = s[k][d];
	}
	return n;
}

/* The two innermost leading axes go into one product; for the others there is one each. */
static void for_each(struct inn_exec *e, uint32_t i, const struct gemm_of *given, const struct lead *lead, uint32_t n)
{
	size_t times = 1;

	for (uint32_t d = 0; d + 2 < n; d++)
		times *= lead[d].n;
	for (size_t t = 0; t < times; t++) {
		struct gemm_of q = *given;
		struct matrix *of[3] = { &q.a, &q.b, &q.c };
		size_t rest = t;

		for (uint32_t d = n > 2 ? n - 2 : 0; d-- > 0; rest /= lead[d].n)
			for (uint32_t k = 0; k < 3; k++)
				of[k]->at.at += rest % lead[d].n * lead[d].s[k];
		q.n0 = n > 1 ? lead[n - 2].n : 1;
		q.n1 = n > 0 ? lead[n - 1].n : 1;
		for (uint32_t k = 0; k < 3; k++) {
			of[k]->s0 = n > 1 ? lead[n - 2].s[k] : 0;
			of[k]->s1 = n > 0 ? lead[n - 1].s[k] : 0;
		}
		ocl_product(e, i, &q);
	}
}

void ocl_matmul(struct inn_exec *e, uint32_t i)
{
	const struct inn_shape *a = src_shape(e, i, 0), *b = src_shape(e, i, 1), *y = &op_of(e, i)->shape;
	bool ta = attr_of(e, i)[0], tb = attr_of(e, i)[1];
	struct lead lead[INN_MAX_RANK];
	size_t la = a->dim[a->rank - 1], lb = b->dim[b->rank - 1];

	if (!e->count[i])
		return;
	if (!src_count(e, i, 0) || !src_count(e, i, 1)) {
		ocl_fill(e, i, value_of(i), e->count[i], 0);
		return;
	}
	struct gemm_of q = { .m = y->dim[y->rank - 2], .n = y->dim[y->rank - 1], .k = a->dim[a->rank - (ta ? 2 : 1)],
			     .a = { src_of(e, i, 0), ta ? 1 : la, ta ? la : 1, 0, 0 }, .b = { src_of(e, i, 1), tb ? 1 : lb, tb ? lb : 1, 0, 0 },
			     .c = { value_of(i), y->dim[y->rank - 1], 1, 0, 0 } };
	uint32_t n = leading(e, i, lead);

	/* The same matrix for all: their rows are one matrix's. */
	if (n && !ta && !lead[n - 1].s[1] && lead[n - 1].s[0] == q.m * q.k && lead[n - 1].s[2] == q.m * q.n)
		q.m *= lead[--n].n;
	for_each(e, i, &q, lead, n);
}
