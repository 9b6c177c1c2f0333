/* Reductions in an order that depends on shapes alone. */
#include "cpu.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define CHUNK 32768u /* elements of a contiguous run that one thread adds up */
#define COLS 256u    /* kept inner elements that one thread holds */

struct reduce {
	bool max, inner;      /* inner: the innermost merged axis is reduced */
	uint32_t n_kept, n_red; /* merged axes except the innermost one */
	size_t kept[INN_MAX_RANK], ks[INN_MAX_RANK], red[INN_MAX_RANK], rs[INN_MAX_RANK];
	size_t n, outs, rows;  /* innermost length; products of kept and red */
	size_t chunks;         /* pieces of a run; partial results stand in scratch if > 1 */
};

static size_t offset_of(const size_t *dim, const size_t *stride, uint32_t nd, size_t at)
{
	size_t off = 0;

	for (uint32_t d = nd; d-- > 0;) {
		off += at % dim[d] * stride[d];
		at /= dim[d];
	}
	return off;
}

static double sum_run(const float *x, size_t n)
{
	double s = 0;

	while (n) {
		float lane[16] = { 0 };
		size_t m = n < 1024 ? n : 1024, j = 0;

		for (; j + 16 <= m; j += 16)
			for (int k = 0; k < 16; k++)
				lane[k] += x[j + k];
		for (int k = 0; j < m; j++, k++)
			lane[k] += x[j];
		for (int k = 0; k < 16; k++)
			s += lane[k];
		x += m;
		n -= m;
	}
	return s;
}

static double max_run(const float *x, size_t n)
{
	float m = -INFINITY;

	for (size_t j = 0; j < n; j++)
		m = x[j] > m ? x[j] : m;
	return m;
}

static void inner_run(struct inn_exec *e, const struct reduce *r, const float *x, float *y)
{
	double *part = (double *)(void *)e->scratch;
	size_t jobs = r->outs * r->chunks, step = (r->n + r->chunks - 1) / r->chunks;

#pragma omp parallel for num_threads(threads_for(e, r->outs * r->rows * r->n)) schedule(static)
	for (size_t j = 0; j < jobs; j++) {
		const float *from = x + offset_of(r->kept, r->ks, r->n_kept, j / r->chunks) + j % r->chunks * step;
		size_t n = (j % r->chunks + 1) * step > r->n ? r->n - j % r->chunks * step : step;
		double acc = r->max ? -INFINITY : 0;

		for (size_t k = 0; k < r->rows; k++) {
			const float *p = from + offset_of(r->red, r->rs, r->n_red, k);
			double v = r->max ? max_run(p, n) : sum_run(p, n);

			acc = r->max ? (v > acc ? v : acc) : acc + v;
		}
		if (r->chunks == 1)
			y[j] = (float)acc;
		else
			part[j] = acc;
	}
	for (size_t o = 0; r->chunks > 1 && o < r->outs; o++) {
		double acc = part[o * r->chunks];

		for (size_t c = 1; c < r->chunks; c++) {
			double v = part[o * r->chunks + c];

			acc = r->max ? (v > acc ? v : acc) : acc + v;
		}
		y[o] = (float)acc;
	}
}

static void outer_run(struct inn_exec *e, const struct reduce *r, const float *x, float *y)
{
	size_t cols = (r->n + COLS - 1) / COLS;

#pragma omp parallel for num_threads(threads_for(e, r->outs * r->rows * r->n)) schedule(static)
	for (size_t j = 0; j < r->outs * cols; j++) {
		size_t c0 = j % cols * COLS, n = r->n - c0 < COLS ? r->n - c0 : COLS;
		const float *from = x + offset_of(r->kept, r->ks, r->n_kept, j / cols) + c0;
		double acc[COLS];

		for (size_t c = 0; c < n; c++)
			acc[c] = r->max ? -INFINITY : 0;
		for (size_t k = 0; k < r->rows; k++) {
			const float *p = from + offset_of(r->red, r->rs, r->n_red, k);

			if (r->max)
				for (size_t c = 0; c < n; c++)
					acc[c] = p[c] > acc[c] ? p[c] : acc[c];
			else
				for (size_t c = 0; c < n; c++)
					acc[c] += p[c];
		}
		for (size_t c = 0; c < n; c++)
			y[j / cols * r->n + c0 + c] = (float)acc[c];
	}
}

static int run_reduce(struct inn_exec *e, uint32_t i, void *arg)
{
	const struct reduce *r = arg;

	(r->inner ? inner_run : outer_run)(e, r, e->at[src_of(e, i, 0)], e->at[i]);
	return INN_OK;
}

static int reduce(struct inn_exec *e, uint32_t i)
{
	struct reduce *r = cpu_alloc(e, 1, sizeof(*r));
	const struct inn_shape *x = src_shape(e, i, 0);
	uint32_t mask = attr_of(e, i)[0], nd = 0;
	size_t dim[INN_MAX_RANK], stride[INN_MAX_RANK], s = 1;
	bool red[INN_MAX_RANK];

	if (!r)
		return INN_ENOMEM;
	for (uint32_t d = x->rank; d-- > 0;) { /* merged, innermost first */
		bool m = mask >> d & 1;

		if (x->dim[d] != 1) {
			if (nd && red[nd - 1] == m) {
				dim[nd - 1] *= x->dim[d];
			} else {
				dim[nd] = x->dim[d];
				red[nd] = m;
				stride[nd++] = s;
			}
		}
		s *= x->dim[d];
	}
	r->max = op_of(e, i)->code == INN_OP_RMAX;
	r->n = nd ? dim[0] : 1;
	r->inner = nd && red[0];
	r->outs = r->rows = r->chunks = 1;
	for (uint32_t d = nd; d-- > 1;) {
		if (red[d]) {
			r->red[r->n_red] = dim[d];
			r->rs[r->n_red++] = stride[d];
			r->rows *= dim[d];
		} else {
			r->kept[r->n_kept] = dim[d];
			r->ks[r->n_kept++] = stride[d];
			r->outs *= dim[d];
		}
	}
	if (r->inner && r->n > CHUNK) {
		r->chunks = (r->n + CHUNK - 1) / CHUNK;
		cpu_scratch(e, r->outs * r->chunks * sizeof(double));
	}
	if (e->count[i])
		e->step[i] = (struct step){ .fn = run_reduce, .arg = r, .op = i };
	return INN_OK;
}

struct axis { size_t outer, n, inner; };

static int run_argmax(struct inn_exec *e, uint32_t i, void *arg)
{
	const struct axis *a = arg;
	const float *x = e->at[src_of(e, i, 0)];
	float *y = e->at[i];

#pragma omp parallel for num_threads(threads_for(e, a->outer * a->n * a->inner)) schedule(static)
	for (size_t j = 0; j < a->outer * a->inner; j++) {
		const float *p = x + j / a->inner * a->n * a->inner + j % a->inner;
		size_t best = 0;

		for (size_t k = 1; k < a->n; k++)
			if (p[k * a->inner] > p[best * a->inner])
				best = k;
		y[j] = (float)best;
	}
	return INN_OK;
}

struct item { float v; uint32_t at; };

static int descending(const void *a, const void *b)
{
	const struct item *p = a, *q = b;

	if (p->v > q->v || (p->v == p->v && q->v != q->v))
		return -1;
	if (p->v < q->v || (p->v != p->v && q->v == q->v))
		return 1;
	return p->at < q->at ? -1 : p->at > q->at;
}

static int run_rank(struct inn_exec *e, uint32_t i, void *arg)
{
	const struct axis *a = arg;
	const float *x = e->at[src_of(e, i, 0)];
	float *y = e->at[i];
	struct item *t = (struct item *)(void *)e->scratch;

	for (size_t r = 0; r < a->outer; r++) {
		for (size_t k = 0; k < a->n; k++)
			t[k] = (struct item){ x[r * a->n + k], (uint32_t)k };
		qsort(t, a->n, sizeof(*t), descending);
		for (size_t k = 0; k < a->n; k++)
			y[r * a->n + t[k].at] = (float)k;
	}
	return INN_OK;
}

int cpu_reduce(struct inn_exec *e, uint32_t i)
{
	const struct inn_shape *x = src_shape(e, i, 0);
	uint32_t code = op_of(e, i)->code, axis;
	struct axis *a;

	if (code == INN_OP_SUM || code == INN_OP_RMAX)
		return reduce(e, i);
	if (!(a = cpu_alloc(e, 1, sizeof(*a))))
		return INN_ENOMEM;
	axis = code == INN_OP_ARGMAX ? attr_of(e, i)[0] : x->rank - 1;
	*a = (struct axis){ 1, x->dim[axis], 1 };
	for (uint32_t d = 0; d < axis; d++)
		a->outer *= x->dim[d];
	for (uint32_t d = axis + 1; d < x->rank; d++)
		a->inner *= x->dim[d];
	if (code == INN_OP_RANK)
		cpu_scratch(e, a->n * sizeof(struct item));
	if (e->count[i])
		e->step[i] = (struct step){ .fn = code == INN_OP_RANK ? run_rank : run_argmax, .arg = a, .op = i };
	return INN_OK;
}
