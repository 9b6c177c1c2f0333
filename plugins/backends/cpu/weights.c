/* Kernels in the layouts that primitives ask for, made once per model. */
#include "product.h"

struct flip { uint32_t location, groups, k, c; size_t area, offset; };

/* [g][K][C][area] to [g][C][K][area reversed], into scratch. */
static int run_flip(struct inn_exec *e, uint32_t i, void *arg)
{
	const struct flip *f = arg;
	const float *w = e->at[f->location];
	float *to = (float *)(void *)(e->scratch + f->offset);

	(void)i;
#pragma omp parallel for num_threads(threads_for(e, f->groups * f->k * f->c * f->area)) schedule(static) collapse(2)
	for (size_t g = 0; g < f->groups; g++)
		for (size_t c = 0; c < f->c; c++)
			for (size_t k = 0; k < f->k; k++) {
				const float *a = w + ((g * f->k + k) * f->c + c) * f->area;
				float *b = to + ((g * f->c + c) * f->k + k) * f->area;

				for (size_t j = 0; j < f->area; j++)
					b[j] = a[f->area - 1 - j];
			}
	return INN_OK;
}

/* An adjoint keeps the taps of a kernel by where they fall among its strides. */
static uint32_t order_of(const struct conv *c)
{
	uint32_t order = 0;

	for (uint32_t d = 0; c->code == INN_OP_CONV_DX && d < c->n; d++) {
		dnnl_dim_t s = c->stride[d];

		order = order << 12 | (uint32_t)(s & 15) << 8 | (uint32_t)(c->before[d] % s & 15) << 4 | (uint32_t)((c->dilation[d] + 1) % s & 15);
	}
	return order;
}

int cpu_own_weight(struct inn_exec *e, const struct conv *c, enum way way, size_t bytes, size_t *offset, bool *fresh)
{
	uint32_t order = way == PANELS ? order_of(c) : 0;

	*fresh = false;
	for (uint32_t k = 0; k < e->n_weights; k++)
		if (e->weight[k].way == (int)way && e->weight[k].op == c->op[W] && e->weight[k].flipped == c->flipped &&
		    e->weight[k].order == order) {
			*offset = e->weight[k].offset;
			return INN_OK;
		}
	if (!cpu_room(e, &e->weight, e->n_weights, &e->cap_weights, sizeof(*e->weight)))
		return INN_ENOMEM;
	*offset = e->kept_size;
	*fresh = true;
	e->kept_size += round_up(bytes);
	e->weight[e->n_weights++] = (struct weight){ .way = way, .op = c->op[W], .slot = NONE, .flipped = c->flipped, .order = order,
						      .offset = *offset, .bytes = bytes };
	return INN_OK;
}

/* Weights that are the same for every batch are reordered once, and shared by all products that read them. */
int cpu_kept_weight(struct inn_exec *e, const struct conv *c, const dnnl_memory_desc_t *want, uint32_t *slot)
{
	struct product *q = cpu_alloc(e, 1, sizeof(*q));
	uint32_t from, location = cpu_dense_once(e, c->i, c->src[W]);
	size_t at = e->kept_size;
	int s;

	for (uint32_t k = 0; k < e->n_weights; k++) {
		const struct weight *w = &e->weight[k];

		if (w->way == DIRECT && w->op == c->op[W] && w->flipped == c->flipped && dnnl_memory_desc_equal(&w->md, want)) {
			*slot = w->slot;
			return INN_OK;
		}
	}
	if (!q || !cpu_room(e, &e->weight, e->n_weights, &e->cap_weights, sizeof(*e->weight)))
		return INN_ENOMEM;
	if (c->flipped) {
		struct flip *f = cpu_alloc(e, 1, sizeof(*f));
		const dnnl_dim_t *d = c->plain[W].dims + (c->groups > 1);

		if (!f)
			return INN_ENOMEM;
		*f = (struct flip){ location, c->groups, (uint32_t)d[1], (uint32_t)d[0], 1, cpu_take(e, q, dnnl_memory_desc_get_size(&c->plain[W])) };
		for (uint32_t k = 0; k < c->n; k++)
			f->area *= (size_t)d[2 + k];
		if ((s = cpu_once(e, run_flip, c->i, f, location)) || (s = cpu_slot(e, c->i, &c->plain[W], AT_SCRATCH, c->i, f->offset, &from)))
			return s;
	} else if ((s = cpu_slot(e, c->i, &c->plain[W], AT_VALUE, location, 0, &from))) {
		return s;
	}
	e->kept_size += round_up(dnnl_memory_desc_get_size(want));
	if ((s = cpu_slot(e, c->i, want, AT_KEPT, c->i, at, slot)) || (s = cpu_reorder(e, c->i, q, &c->plain[W], from, want, *slot)))
		return s;
	e->weight[e->n_weights++] = (struct weight){ .op = c->op[W], .slot = *slot, .flipped = c->flipped, .md = *want,
						      .bytes = dnnl_memory_desc_get_size(want) };
	return cpu_once(e, cpu_run_product, c->i, q, location);
}

bool cpu_can_give_up(const struct inn_exec *e, int lean)
{
	for (uint32_t k = 0; k < e->n_weights; k++)
		if (e->weight[k].way == TILES_4 || (e->weight[k].way == TILES_2 && lean == NO_TILES))
			return true;
	return false;
}
