/* The elementwise group behind one of our own products, computed in its step piece by piece while the results are near, which go nowhere
 * else. */
#include "map.h"
#include "product.h"

/* Groups are told apart by their last member; one that is taken already belongs to another product. */
static bool is_free(const struct inn_exec *e, uint32_t last, uint32_t i)
{
	return !e->behind[last] && cpu_block_of(e, last) == cpu_block_of(e, i) && cpu_map_blocks(e, last);
}

/* The only group that reads what product i stores at c->at, or NONE. */
static uint32_t group_behind(const struct inn_exec *e, const struct conv *c)
{
	uint32_t last = NONE;

	for (uint32_t j = 0; j < e->n_ops; j++)
		for (uint32_t k = 0; k < op_of(e, j)->n_src; k++) {
			if (inn_plan_src(e->p, j, k) != c->at || e->head[j] == c->i + 1)
				continue;
			if (!is_map(op_of(e, j)->code) || e->head[j] || !inn_shape_eq(&op_of(e, j)->shape, &op_of(e, c->at)->shape) ||
			    (last != NONE && e->last[j] != last))
				return NONE;
			last = e->last[j];
		}
	return last != NONE && is_free(e, last, c->i) ? last : NONE;
}

void cpu_find_after(struct inn_exec *e)
{
	for (uint32_t i = 0; i < e->n_ops; i++) {
		uint32_t code = op_of(e, i)->code, last;
		struct conv c;

		if ((code != INN_OP_CONV && code != INN_OP_CONV_DX) || !e->count[i] || !e->count[root_of(e, i, 0)] || !e->count[root_of(e, i, 1)])
			continue;
		cpu_conv(e, i, e->tail[i].at ? e->tail[i].at : i, &c);
		if (!cpu_can_go_on(e, &c) || (last = group_behind(e, &c)) == NONE)
			continue;
		e->behind[last] = i + 1;
		e->moved[c.at] = last + 1;
		e->need[c.at] = false;
	}
}

int cpu_after(struct inn_exec *e, const struct conv *c, struct map **m)
{
	*m = NULL;
	e->blocked[c->at] = true;
	return c->step == c->at ? INN_OK : cpu_map_of(e, c->step, true, m);
}
