/* Layouts: a value is stored densely or in blocks of channels, and copied into the other layout, right after it is
 * made, if somebody reads that. The last block is filled with zeros, which all that work on blocks keep. */
#include "cpu.h"

#define LEAST_PIXELS 16u /* below, filling costs more than blocks save */

uint32_t cpu_channels(const struct inn_exec *e, const struct inn_shape *s)
{
	uint32_t lanes = e->dev->lanes;

	return s->dim[1] % lanes ? s->dim[1] / lanes * lanes + lanes : s->dim[1];
}

bool cpu_whole_blocks(const struct inn_exec *e, const struct inn_shape *s)
{
	return e->dev->lanes && s->rank >= 3 && s->rank <= 5 && s->dim[1] && s->dim[1] % e->dev->lanes == 0;
}

bool cpu_block_shape(const struct inn_exec *e, const struct inn_shape *s)
{
	uint64_t pixels = 1;

	if (cpu_whole_blocks(e, s) || !e->dev->lanes || s->rank < 3 || s->rank > 5 || s->dim[1] > INT32_MAX)
		return cpu_whole_blocks(e, s);
	for (uint32_t d = 2; d < s->rank && pixels < LEAST_PIXELS; d++)
		pixels *= s->dim[d];
	return pixels >= LEAST_PIXELS && s->dim[1] / 3 * 4 >= cpu_channels(e, s);
}

size_t cpu_floats(const struct inn_exec *e, uint32_t location)
{
	uint32_t i = location % e->n_ops;
	const struct inn_shape *s = &op_of(e, i)->shape;

	return e->blocked[i] == (location < e->n_ops) && cpu_block_shape(e, s) ? e->count[i] / s->dim[1] * cpu_channels(e, s) : e->count[i];
}

bool cpu_can_block(const struct inn_exec *e, uint32_t j, uint32_t k)
{
	uint32_t s = inn_plan_src(e->p, j, k);

	return e->root[s] == s && cpu_block_shape(e, &op_of(e, s)->shape);
}

bool cpu_is_block(const struct inn_exec *e, uint32_t j, uint32_t k)
{
	uint32_t s = inn_plan_src(e->p, j, k);

	return e->root[s] == s && e->blocked[s];
}

static uint32_t reads(struct inn_exec *e, uint32_t i, uint32_t r, bool twin)
{
	uint32_t at = twin ? e->n_ops + r : r;

	if (!cpu_room(e, &e->read, e->n_reads, &e->cap_reads, sizeof(*e->read)))
		return NONE;
	e->twin[r] |= twin;
	e->read[e->n_reads++] = (struct read){ i, at };
	return at;
}

uint32_t cpu_dense(struct inn_exec *e, uint32_t i, uint32_t j, uint32_t k)
{
	uint32_t r = root_of(e, j, k);

	return reads(e, i, r, e->blocked[r]);
}

uint32_t cpu_dense_once(struct inn_exec *e, uint32_t j, uint32_t k)
{
	uint32_t r = root_of(e, j, k);

	e->twin[r] |= e->blocked[r];
	return src_of(e, j, k);
}

uint32_t cpu_block(struct inn_exec *e, uint32_t i, uint32_t j, uint32_t k)
{
	uint32_t r = root_of(e, j, k);

	return reads(e, i, r, !e->blocked[r]);
}

int cpu_block_md(struct inn_exec *e, uint32_t i, const struct inn_shape *s, bool blocked, dnnl_memory_desc_t *md)
{
	static const dnnl_format_tag_t tag[3][3] = { { dnnl_abc, dnnl_abcd, dnnl_abcde },
						     { dnnl_aBc8b, dnnl_aBcd8b, dnnl_aBcde8b },
						     { dnnl_aBc16b, dnnl_aBcd16b, dnnl_aBcde16b } };
	dnnl_dims_t dim;

	for (uint32_t d = 0; d < s->rank; d++)
		dim[d] = s->dim[d];
	return cpu_dnnl(e, i, "a layout", dnnl_memory_desc_init_by_tag(md, (int)s->rank, dim, dnnl_f32, tag[blocked ? e->dev->lanes / 8 : 0][s->rank - 3]));
}

static int make_twin(struct inn_exec *e, uint32_t i)
{
	dnnl_memory_desc_t a, b;
	uint32_t from, to;
	const struct inn_shape *s = &op_of(e, i)->shape;
	struct product *q = cpu_alloc(e, 1, sizeof(*q));
	struct twin *t = cpu_alloc(e, 1, sizeof(*t));
	int r = q && t ? cpu_block_md(e, i, s, e->blocked[i], &a) : INN_ENOMEM;

	if (!r)
		r = cpu_block_md(e, i, s, !e->blocked[i], &b);
	if (!r)
		r = cpu_slot(e, i, &a, AT_VALUE, i, 0, &from);
	if (!r)
		r = cpu_slot(e, i, &b, AT_VALUE, e->n_ops + i, 0, &to);
	if (!r)
		r = cpu_reorder(e, i, q, &a, from, &b, to);
	if (r)
		return r;
	*t = (struct twin){ .op = i, .product = q, .next = e->after[cpu_step_of(e, i)].next };
	e->after[cpu_step_of(e, i)].next = t;
	return INN_OK;
}

int cpu_twins(struct inn_exec *e)
{
	int s = INN_OK;

	for (uint32_t i = 0; !s && i < e->n_ops; i++)
		if (e->twin[i])
			s = make_twin(e, i);
	return s;
}
