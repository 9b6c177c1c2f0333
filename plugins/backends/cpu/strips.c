/* 1x1 convolutions together with the elementwise groups in front of and behind them, strip of pixels by strip: what stands between is
 * still near when it is read, and goes to memory only if somebody else reads it. Each strip is one thread's; the product is oneDNN's,
 * made for one thread, on an image of one row. */
#include "map.h"
#include "product.h"
#include <omp.h>
#include <string.h>

#define NEAR ((size_t)1 << 17) /* elements of a strip of operand and result together */
#define LEAST 16u              /* pixels of a strip */

struct size { dnnl_primitive_t prim; dnnl_memory_desc_t x, w, y, bias, pad; }; /* of a strip */
struct args { int n; dnnl_exec_arg_t arg[5]; };
struct strips {
	uint32_t i, at, head, tail;        /* the product; what holds its result; the groups' last members, or NONE */
	uint32_t x, y;                     /* operation and location of what is read and made by the product */
	struct conv c;
	size_t samples, plane, n;          /* pixels of an image; strips that it is cut into */
	struct size size[2];               /* of plane / n pixels, and of one more */
	struct map *before, *after;
	size_t room, before_at, after_at, x_at, y_at, pad_at; /* bytes: of a thread in scratch memory; of its parts in that */
	struct args *args;                 /* by thread and size */
};

static void copy(float *to, size_t to_pitch, const float *from, size_t from_pitch, size_t rows, size_t n)
{
	for (size_t k = 0; k < rows; k++)
		memcpy(to + k * to_pitch, from + k * from_pitch, n * sizeof(*to));
}

static dnnl_status_t one(const struct inn_exec *e, const struct strips *s, size_t thread, size_t j)
{
	size_t lanes = e->dev->lanes, sample = j / s->n, k = j % s->n, plane = s->plane * lanes;
	size_t from = s->plane * k / s->n * lanes, to = s->plane * (k + 1) / s->n * lanes, n = to - from;
	size_t in = cpu_channels(e, &s->c.shape[X]) / lanes, out = cpu_channels(e, &s->c.shape[Y]) / lanes;
	char *room = e->scratch + s->room * thread;
	struct strip x = { s->x, (float *)(void *)(room + s->x_at), n, from }, y = { s->y, (float *)(void *)(room + s->y_at), n, from };
	bool more = n / lanes > s->plane / s->n;
	const struct args *a = &s->args[2 * thread + more];

	if (s->before)
		cpu_map_strip(e, s->before, room + s->before_at, sample, from, to, &x);
	else
		copy(x.x, n, e->at[s->x] + sample * in * plane + from, plane, in, n);
	dnnl_status_t status = dnnl_primitive_execute(s->size[more].prim, e->dev->stream, a->n, a->arg);

	if (s->after)
		cpu_map_strip(e, s->after, room + s->after_at, sample, from, to, &y);
	else
		copy(e->at[s->y] + sample * out * plane + from, plane, y.x, n, out, n);
	return status;
}

static int run_strips(struct inn_exec *e, uint32_t op, void *arg)
{
	const struct strips *s = arg;
	int failed = dnnl_success;

#pragma omp parallel num_threads(e->dev->threads)
	{
		size_t thread = (size_t)omp_get_thread_num();
		char *room = e->scratch + s->room * thread;

		if (s->before)
			cpu_map_begin(e, s->before, room + s->before_at);
		if (s->after)
			cpu_map_begin(e, s->after, room + s->after_at);
#pragma omp for schedule(static)
		for (size_t j = 0; j < s->samples * s->n; j++) {
			dnnl_status_t status = one(e, s, thread, j);

			if (status) {
#pragma omp atomic write
				failed = (int)status;
			}
		}
	}
	return cpu_dnnl(e, op, "a result", (dnnl_status_t)failed);
}

/* The step at which a group may be computed instead of its own: there all that read it, or `i` itself, still come. */
static bool can_wait(const struct inn_exec *e, uint32_t last, uint32_t i, uint32_t step)
{
	for (uint32_t j = 0; j < e->n_ops; j++)
		for (uint32_t k = 0; k < op_of(e, j)->n_src; k++) {
			uint32_t s = inn_plan_src(e->p, j, k);

			if (e->last[s] == last && is_map(op_of(e, s)->code) && e->last[j] != last && j != i && j < step && e->last[j] != step)
				return false;
		}
	return true;
}

/* Groups are told apart by their last member; those that are taken already belong to somebody else's strips. */
static bool is_free(const struct inn_exec *e, uint32_t last, uint32_t i)
{
	return !e->moved[last] && !e->strips[last] && cpu_block_of(e, last) == cpu_block_of(e, i) && cpu_map_blocks(e, last);
}

/* The only group that reads the result of s, or NONE. */
static uint32_t tail_of(const struct inn_exec *e, const struct strips *s)
{
	uint32_t last = NONE;

	for (uint32_t j = 0; j < e->n_ops; j++)
		for (uint32_t k = 0; k < op_of(e, j)->n_src; k++) {
			if (inn_plan_src(e->p, j, k) != s->at || e->head[j] == s->i + 1)
				continue;
			if (!is_map(op_of(e, j)->code) || e->head[j] || !inn_shape_eq(&op_of(e, j)->shape, &s->c.shape[Y]) ||
			    (last != NONE && e->last[j] != last))
				return NONE;
			last = e->last[j];
		}
	return last != NONE && is_free(e, last, s->i) ? last : NONE;
}

static bool read_by_others(const struct inn_exec *e, uint32_t x, uint32_t last, uint32_t i)
{
	for (uint32_t j = 0; j < e->n_ops; j++)
		for (uint32_t k = 0; k < op_of(e, j)->n_src; k++)
			if (inn_plan_src(e->p, j, k) == x && e->last[j] != last && j != i && !(is_map(op_of(e, j)->code) && cpu_makes(e, e->last[j], x)))
				return true;
	return false;
}

/* The group that makes the operand of s, for it alone, and can wait for it, or NONE. */
static uint32_t head_of(const struct inn_exec *e, const struct strips *s, uint32_t step)
{
	uint32_t x = s->c.op[X], last = e->last[x];

	return is_map(op_of(e, x)->code) && !e->head[x] && last < s->i && is_free(e, last, s->i) && can_wait(e, last, s->i, step) &&
			       !read_by_others(e, x, last, s->i) ? last : NONE;
}

/* Strips whose operand and result stay near, as many for each thread. */
static void divide(struct strips *s, size_t threads)
{
	size_t pixels = NEAR / (s->c.shape[X].dim[1] + s->c.shape[Y].dim[1]), share = s->samples < threads ? threads : 1;

	share = share > s->plane / LEAST ? s->plane / LEAST : share;
	pixels = pixels < LEAST ? LEAST : pixels;
	s->n = (s->plane + pixels - 1) / pixels;
	if (share > 1)
		s->n = (s->n + share - 1) / share * share;
}

/* The primitive for strips of `pixels`; NULL: there is none. */
static int make_size(struct inn_exec *e, struct strips *s, uint32_t pixels, struct size *z)
{
	struct conv c = s->c;
	dnnl_primitive_desc_t pd = NULL;

	c.shape[X] = (struct inn_shape){ 4, { 1, s->c.shape[X].dim[1], 1, pixels } };
	c.shape[Y] = (struct inn_shape){ 4, { 1, s->c.shape[Y].dim[1], 1, pixels } };
	c.fixed = true;
	if (!cpu_room(e, &e->prim, e->n_prims, &e->cap_prims, sizeof(*e->prim)))
		return INN_ENOMEM;
	omp_set_num_threads(1);
	int r = cpu_forward(e, &c, &pd);

	if (!r && pd)
		r = cpu_dnnl(e, s->i, "a primitive", dnnl_primitive_create(&z->prim, pd));
	omp_set_num_threads(e->dev->threads);
	if (!r && pd) {
		e->prim[e->n_prims++] = z->prim;
		s->c.plain[W] = c.plain[W];
		z->x = *dnnl_primitive_desc_query_md(pd, dnnl_query_src_md, 0);
		z->w = *dnnl_primitive_desc_query_md(pd, dnnl_query_weights_md, 0);
		z->y = *dnnl_primitive_desc_query_md(pd, dnnl_query_dst_md, 0);
		z->bias = *dnnl_primitive_desc_query_md(pd, dnnl_query_weights_md, 1);
		z->pad = *dnnl_primitive_desc_query_md(pd, dnnl_query_scratchpad_md, 0);
	}
	if (pd)
		dnnl_primitive_desc_destroy(pd);
	return r;
}

static int consider(struct inn_exec *e, uint32_t i)
{
	struct strips t = { .i = i, .at = e->tail[i].at ? e->tail[i].at : i };

	cpu_conv(e, i, t.at, &t.c);
	if (!cpu_by_strips(e, &t.c))
		return INN_OK;
	t.samples = t.c.shape[X].dim[0];
	t.plane = (size_t)t.c.shape[X].dim[2] * t.c.shape[X].dim[3];
	t.tail = tail_of(e, &t);
	uint32_t step = t.tail == NONE ? t.at : t.tail, in = t.c.shape[X].dim[1], out = t.c.shape[Y].dim[1];

	t.head = head_of(e, &t, step);
	/* what is not computed in strips is copied */
	if ((t.head == NONE ? 0 : in) + (t.tail == NONE ? 0 : out) < (t.head == NONE ? in : 0) + (t.tail == NONE ? out : 0) ||
	    e->strips[step])
		return INN_OK;
	divide(&t, (size_t)e->dev->threads);

	struct strips *s = cpu_alloc(e, 1, sizeof(*s));
	int r = s ? make_size(e, &t, (uint32_t)(t.plane / t.n), &t.size[0]) : INN_ENOMEM;

	if (!r && t.size[0].prim && t.plane % t.n)
		r = make_size(e, &t, (uint32_t)(t.plane / t.n + 1), &t.size[1]);
	if (r || !t.size[0].prim || (t.plane % t.n && !t.size[1].prim))
		return r;
	*s = t;
	e->strips[step] = s;
	if (t.tail != NONE) {
		e->moved[t.at] = step + 1;
		e->need[t.at] = false;
	}
	if (t.head != NONE) {
		e->moved[t.head] = step + 1;
		e->need[t.c.op[X]] = false;
	}
	return INN_OK;
}

int cpu_find_strips(struct inn_exec *e)
{
	int r = INN_OK;

	for (uint32_t i = 0; !r && i < e->n_ops; i++)
		if ((op_of(e, i)->code == INN_OP_CONV || op_of(e, i)->code == INN_OP_CONV_DX) && e->count[i])
			r = consider(e, i);
	return r;
}

/* Where everything of a thread stands in scratch memory. */
static void rooms(struct inn_exec *e, struct strips *s)
{
	size_t pixels = s->plane / s->n + 1, pad[2] = { dnnl_memory_desc_get_size(&s->size[0].pad), 0 };

	if (s->size[1].prim)
		pad[1] = dnnl_memory_desc_get_size(&s->size[1].pad);
	s->after_at = s->before ? cpu_map_scratch(s->before) : 0;
	s->x_at = s->after_at + (s->after ? cpu_map_scratch(s->after) : 0);
	s->y_at = s->x_at + round_up(pixels * cpu_channels(e, &s->c.shape[X]) * sizeof(float));
	s->pad_at = s->y_at + round_up(pixels * cpu_channels(e, &s->c.shape[Y]) * sizeof(float));
	s->room = s->pad_at + round_up(pad[pad[1] > pad[0]]);
	cpu_scratch(e, s->room * (size_t)e->dev->threads);
}

/* What the primitive is called with by one thread for one size. */
static int arguments(struct inn_exec *e, const struct strips *s, size_t thread, const struct size *z, uint32_t bias, struct args *a)
{
	static const int kind[] = { DNNL_ARG_SRC, DNNL_ARG_WEIGHTS, DNNL_ARG_DST, DNNL_ARG_SCRATCHPAD, DNNL_ARG_BIAS };
	size_t room = s->room * thread;
	uint32_t slot[5];
	int r = cpu_slot(e, s->i, &z->x, AT_SCRATCH, s->i, room + s->x_at, &slot[0]);

	if (!r)
		r = cpu_kept_weight(e, &s->c, &z->w, &slot[1]);
	if (!r)
		r = cpu_slot(e, s->i, &z->y, AT_SCRATCH, s->i, room + s->y_at, &slot[2]);
	if (!r)
		r = cpu_slot(e, s->i, &z->pad, AT_SCRATCH, s->i, room + s->pad_at, &slot[3]);
	a->n = bias == NONE ? 4 : 5;
	if (!r && bias != NONE)
		r = cpu_slot(e, s->i, &z->bias, AT_VALUE, bias, 0, &slot[4]);
	for (int k = 0; !r && k < a->n; k++)
		a->arg[k] = (dnnl_exec_arg_t){ .arg = kind[k], .memory = e->slot[slot[k]].memory };
	return r;
}

int cpu_strips(struct inn_exec *e, uint32_t step)
{
	struct strips *s = e->strips[step];
	uint32_t bias = NONE;

	s->x = s->c.op[X];
	s->y = s->at;
	e->blocked[s->at] = true;
	if (s->head == NONE ? (s->x = cpu_block(e, step, s->i, s->c.src[X])) == NONE : cpu_map_of(e, s->head, step, true, s->x, &s->before))
		return INN_ENOMEM;
	if (s->c.tail && s->c.tail->add != NONE && (bias = cpu_dense(e, step, s->c.tail->add, s->c.tail->k)) == NONE)
		return INN_ENOMEM;
	if (s->tail != NONE && cpu_map_of(e, s->tail, step, true, NONE, &s->after))
		return INN_ENOMEM;
	rooms(e, s);
	if (!(s->args = cpu_alloc(e, 2 * (size_t)e->dev->threads, sizeof(*s->args))))
		return INN_ENOMEM;
	for (size_t k = 0; k < 2 * (size_t)e->dev->threads; k++) {
		int r = s->size[k % 2].prim ? arguments(e, s, k / 2, &s->size[k % 2], bias, &s->args[k]) : INN_OK;

		if (r)
			return r;
	}
	e->step[step] = (struct step){ .fn = run_strips, .arg = s, .op = step, .how = "in strips" };
	return INN_OK;
}
