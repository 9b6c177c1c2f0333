/* Products of a few rows with a matrix, as fully connected layers are at small batches: bound by memory, so the matrix is
 * read once, as it stands, by rows in either direction. */
#include "cpu.h"
#include <string.h>

#define STRIP 4096u /* columns whose sums stay in the nearest cache */

typedef float v16 __attribute__((vector_size(64)));
typedef float v16_at __attribute__((vector_size(64), aligned(4), may_alias));
#define LOAD(x) (*(const v16_at *)(const void *)(x))

typedef void dot_fn(const float *x, const float *w, size_t k, float *y, size_t pitch);
typedef void add_fn(const float x[4], const float *w[4], size_t n, float *y);

#define V(name) base_##name
#define TARGET
#include "rows_isa.h"
#if defined(__x86_64__)
#define V(name) wide_##name
#define TARGET __attribute__((target("avx512f,avx512vl,avx512dq,avx512bw")))
#include "rows_isa.h"
#endif

struct rows { uint32_t x, w; size_t m, k, n; dot_fn *dot; add_fn *add; }; /* x, w: locations */

/* y = x w^T, w [n][k] */
static int run_dots(struct inn_exec *e, uint32_t i, void *arg)
{
	const struct rows *p = arg;
	const float *x = e->at[p->x], *w = e->at[p->w];

#pragma omp parallel for num_threads(threads_for(e, p->n * p->k)) schedule(static)
	for (size_t j = 0; j < p->n; j++)
		p->dot(x, w + j * p->k, p->k, e->at[i] + j, p->n);
	return INN_OK;
}

/* Columns [from, from + n) of y = x w, w [k][n]. Sums begin with +0 and so never become -0: a zero of x changes no bit, and
 * its row need not be read. Behind a rectifier most are zero. */
static void columns(const struct inn_exec *e, const struct rows *p, const float *x, size_t from, size_t n, float *y)
{
	const float *w = e->at[p->w] + from, *row[4] = { w, w, w, w };
	size_t at[4], r = 0;

	for (size_t m = 0; m < p->m; m++)
		memset(y + m * p->n + from, 0, n * sizeof(*y));
	for (size_t k = 0; k <= p->k; k++) {
		bool any = false;

		for (size_t m = 0; k < p->k && m < p->m; m++)
			any |= x[m * p->k + k] != 0;
		if (any) {
			at[r] = k;
			row[r++] = w + k * p->n;
		}
		if (r < 4 && k < p->k)
			continue;
		for (size_t m = 0; m < p->m; m++) {
			float f[4] = { 0 };

			for (size_t j = 0; j < r; j++)
				f[j] = x[m * p->k + at[j]];
			p->add(f, row, n, y + m * p->n + from);
		}
		r = 0;
	}
}

static int run_sums(struct inn_exec *e, uint32_t i, void *arg)
{
	const struct rows *p = arg;
	size_t threads = (size_t)threads_for(e, p->n * p->k), strips = (p->n + STRIP - 1) / STRIP;

	strips = (strips + threads - 1) / threads * threads;
	size_t n = ((p->n + strips - 1) / strips + 15) / 16 * 16;
#pragma omp parallel for num_threads((int)threads) schedule(static)
	for (size_t t = 0; t < strips; t++)
		if (t * n < p->n)
			columns(e, p, e->at[p->x], t * n, p->n - t * n < n ? p->n - t * n : n, e->at[i]);
	return INN_OK;
}

int cpu_rows(struct inn_exec *e, uint32_t i)
{
	struct rows *p = cpu_alloc(e, 1, sizeof(*p));
	bool dots = attr_of(e, i)[1];

	if (!p)
		return INN_ENOMEM;
	*p = (struct rows){ src_of(e, i, 0), src_of(e, i, 1), src_shape(e, i, 0)->dim[0], src_shape(e, i, 0)->dim[1], op_of(e, i)->shape.dim[1],
			    base_dot[src_shape(e, i, 0)->dim[0] - 1], base_add_rows };
#if defined(__x86_64__)
	if (e->dev->wide) {
		p->dot = wide_dot[p->m - 1];
		p->add = wide_add_rows;
	}
#endif
	e->step[i] = (struct step){ .fn = dots ? run_dots : run_sums, .arg = p, .op = i, .how = "rows" };
	return INN_OK;
}
