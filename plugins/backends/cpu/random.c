/* Counter-based noise: Philox4x32-10. */
#include "cpu.h"
#include <math.h>

struct noise { uint32_t key[2], n_index, index[2]; size_t rows, ids, n; bool normal; };

/* The iteration that row r belongs to: the loop's own, or one a row. */
static uint32_t iteration(const struct inn_exec *e, const struct noise *z, uint32_t k, size_t r)
{
	uint32_t i = z->index[k];

	return k >= z->n_index ? 0 : op_of(e, i)->code == INN_OP_INDEX ? e->iter[i] : (uint32_t)e->at[i][r];
}

static inline void philox(const uint32_t key[2], uint32_t c[4])
{
	uint32_t k0 = key[0], k1 = key[1];

	for (int r = 0; r < 10; r++) {
		uint64_t p = (uint64_t)0xD2511F53u * c[0], q = (uint64_t)0xCD9E8D57u * c[2];
		uint32_t n0 = (uint32_t)(q >> 32) ^ c[1] ^ k0, n2 = (uint32_t)(p >> 32) ^ c[3] ^ k1;

		c[1] = (uint32_t)q;
		c[3] = (uint32_t)p;
		c[0] = n0;
		c[2] = n2;
		k0 += 0x9E3779B9u;
		k1 += 0xBB67AE85u;
	}
}

static inline float draw(const struct noise *z, uint32_t id, size_t element, uint32_t outer, uint32_t inner)
{
	uint32_t c[4] = { id, (uint32_t)element, outer, inner };

	philox(z->key, c);
	if (!z->normal)
		return (float)(c[0] >> 8) * 0x1p-24f;
	double u1 = ((double)(c[0] >> 8) + 1) * 0x1p-24, u2 = (double)(c[1] >> 8) * 0x1p-24;

	return (float)(sqrt(-2 * log(u1)) * cos(6.283185307179586476925 * u2));
}

static int run_noise(struct inn_exec *e, uint32_t i, void *arg)
{
	const struct noise *z = arg;
	const uint32_t *ids = (const uint32_t *)(const void *)e->at[src_of(e, i, 0)];
	float *y = e->at[i];

	for (size_t r = 0; r < z->rows; r++) {
		uint32_t outer = iteration(e, z, 0, r), inner = iteration(e, z, 1, r);
		float *to = y + r * z->n;

#pragma omp parallel for num_threads(threads_for(e, z->n * 8)) schedule(static)
		for (size_t j = 0; j < z->n; j++)
			to[j] = draw(z, ids[r % z->ids], j, outer, inner);
	}
	return INN_OK;
}

int cpu_random(struct inn_exec *e, uint32_t i)
{
	struct noise *z = cpu_alloc(e, 1, sizeof(*z));
	const struct inn_op *o = op_of(e, i);
	const uint32_t *a = attr_of(e, i);

	if (!z)
		return INN_ENOMEM;
	if (o->n_src < 1 || o->n_src > 3 || !o->shape.rank || !e->count[src_of(e, i, 0)] || o->shape.dim[0] % e->count[src_of(e, i, 0)])
		return inn_fail(e->ctx, INN_EUNSUP, NULL, "cpu: %s (%s) wants one sample id per row of an iteration and at most two open loops",
				inn_op_name(o->code), o->from);
	*z = (struct noise){ .key = { a[0], a[2] ^ a[1] }, .n_index = o->n_src - 1, .normal = o->code == INN_OP_NORMAL };
	for (uint32_t k = 0; k < z->n_index; k++)
		z->index[k] = src_of(e, i, k + 1);
	z->rows = o->shape.dim[0];
	z->ids = e->count[src_of(e, i, 0)];
	z->n = z->rows ? e->count[i] / z->rows : 0;
	e->step[i] = (struct step){ .fn = run_noise, .arg = z, .op = i };
	return INN_OK;
}
