/* Where values stand, and the buffers: inputs together and outputs together, so that each is one transfer; a buffer for
 * each param; what is kept for the model; scratch; the rest in one arena by lifetime. */
#include "opencl.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#define LARGE_PAGE ((size_t)2 << 20)

static size_t bytes_of(const struct inn_exec *e, uint32_t i)
{
	return e->need[i] && e->root[i] == i ? round_up(e->count[i] * sizeof(float), ALIGN * sizeof(float)) : 0;
}

static size_t in_arena(void *user, uint32_t i)
{
	const struct inn_exec *e = user;
	uint32_t code = op_of(e, i)->code;

	return code == INN_OP_INPUT || code == INN_OP_PARAM || code == INN_OP_OUTPUT ? 0 : bytes_of(e, i);
}

struct mem ocl_mem(const struct inn_exec *e, struct loc l)
{
	switch (l.place) {
	case AT_VALUE: return (struct mem){ e->value[l.op].mem, e->value[l.op].at + l.at };
	case AT_SCRATCH: return (struct mem){ e->scratch, l.at };
	case AT_KEPT: return (struct mem){ e->kept, l.at };
	case AT_TABLE: return (struct mem){ e->constants, 0 };
	default: return (struct mem){ e->out, e->out_size - ALIGN }; /* AT_FLAG: comes back with the outputs */
	}
}

static int over(struct inn_exec *e, uint64_t total, uint64_t limit, const char *what)
{
	uint32_t big[2] = { NONE, NONE };
	char shape[2][INN_SHAPE_STR], text[2][200] = { "", "" };

	for (uint32_t i = 0; i < e->n_ops; i++) {
		if (big[0] == NONE || bytes_of(e, i) > bytes_of(e, big[0])) {
			big[1] = big[0];
			big[0] = i;
		} else if (big[1] == NONE || bytes_of(e, i) > bytes_of(e, big[1])) {
			big[1] = i;
		}
	}
	for (uint32_t k = 0; k < 2 && big[k] != NONE; k++) {
		const struct inn_op *o = op_of(e, big[k]);

		snprintf(text[k], sizeof(text[k]), "%s%s %s%s%.60s", k ? " and " : "", inn_op_name(o->code), inn_shape_str(&o->shape, shape[k]),
			 *o->from ? " of " : "", o->from);
	}
	return inn_fail(e->ctx, INN_ELIMIT, NULL, "opencl: needs %.1f MiB, above %s of %.1f MiB; the largest values are %s%s",
			(double)total / 1048576, what, (double)limit / 1048576, text[0], text[1]);
}

/* A processor's buffers are the host's memory: large ones in large pages, for fewer faults where they are first written. */
static int large_pages(struct inn_exec *e, cl_mem mem, size_t bytes, const char *what)
{
	cl_int code;
	char *p = clEnqueueMapBuffer(e->dev->queue, mem, CL_TRUE, CL_MAP_WRITE_INVALIDATE_REGION, 0, bytes, 0, NULL, NULL, &code), *from;

	if (code)
		return ocl_check(e->ctx, NULL, NONE, what, code);
	from = (char *)round_up((uintptr_t)p, LARGE_PAGE);
	if (from < p + bytes)
		(void)madvise(from, (size_t)(p + bytes - from) / LARGE_PAGE * LARGE_PAGE, MADV_HUGEPAGE); /* a hint */
	return ocl_check(e->ctx, NULL, NONE, what, clEnqueueUnmapMemObject(e->dev->queue, mem, p, 0, NULL, NULL));
}

static int buffer(struct inn_exec *e, size_t count, const char *what, cl_mem *mem)
{
	size_t bytes = (count ? count : 1) * sizeof(float); /* none is empty */
	cl_int code;

	if (bytes > e->dev->max_alloc)
		return over(e, bytes, e->dev->max_alloc, "the device's largest buffer");
	*mem = clCreateBuffer(e->dev->context, CL_MEM_READ_WRITE, bytes, NULL, &code);
	int s = ocl_check(e->ctx, NULL, NONE, what, code);

	return s || !e->dev->processor || bytes < 2 * LARGE_PAGE ? s : large_pages(e, *mem, bytes, what);
}

int ocl_place(struct inn_exec *e)
{
	size_t *offset = ocl_alloc(e, (size_t)e->n_ops + 1, sizeof(*offset)), bytes = 0;
	int s = offset ? inn_place(e->ctx, &e->plan, in_arena, e, ALIGN * sizeof(float), offset, &bytes) : INN_ENOMEM;

	if (s)
		return s;
	e->arena_size = bytes / sizeof(float);
	for (uint32_t i = 0; i < e->n_ops; i++) {
		size_t n = bytes_of(e, i) / sizeof(float);

		switch (op_of(e, i)->code) {
		case INN_OP_INPUT:
			e->value[i].at = e->in_size;
			e->in_size += n;
			break;
		case INN_OP_OUTPUT:
			e->value[i].at = e->out_size;
			e->out_size += n;
			break;
		case INN_OP_PARAM: e->param_size += n; break;
		default: e->value[i].at = offset[i] / sizeof(float); break;
		}
	}
	e->out_size += ALIGN; /* the flag */
	return INN_OK;
}

static int buffers(struct inn_exec *e)
{
	int s = buffer(e, e->arena_size, "taking memory for values", &e->arena);

	if (!s)
		s = buffer(e, e->scratch_size, "taking scratch memory", &e->scratch);
	if (!s)
		s = buffer(e, e->kept_size, "taking memory for packed weights", &e->kept);
	if (!s)
		s = buffer(e, e->in_size, "taking memory for inputs", &e->in);
	if (!s)
		s = buffer(e, e->out_size, "taking memory for outputs", &e->out);
	if (!s && (!(e->in_host = calloc(e->in_size + 1, sizeof(float))) || !(e->out_host = calloc(e->out_size, sizeof(float)))))
		s = inn_nomem(e->ctx);
	for (uint32_t i = 0; !s && i < e->n_ops; i++) {
		uint32_t code = op_of(e, i)->code;

		if (code == INN_OP_PARAM)
			s = buffer(e, e->count[i], "taking memory for weights", &e->param[i]);
		e->value[i].mem = code == INN_OP_PARAM ? e->param[i] : code == INN_OP_INPUT ? e->in : code == INN_OP_OUTPUT ? e->out : e->arena;
	}
	return s;
}

/* Sums that live across batches start at 0. */
static int clear_states(struct inn_exec *e)
{
	const float zero = 0;
	int s = INN_OK;

	for (uint32_t i = 0; !s && i < e->n_ops; i++) {
		struct mem m = ocl_mem(e, e->state[i]);

		if (op_of(e, i)->code == INN_OP_ACCUMULATE && e->count[i])
			s = ocl_check(e->ctx, e, i, "clearing a sum",
				      clEnqueueFillBuffer(e->dev->queue, m.mem, &zero, sizeof(zero), m.at * sizeof(float),
							  (e->count[i] + round_up(e->count[i], ALIGN)) * sizeof(float), 0, NULL, NULL));
	}
	return s;
}

/* Offsets and strides of generated kernels, now that places are known. */
static int constants(struct inn_exec *e)
{
	cl_int code;

	if (!e->n_table)
		return INN_OK;
	for (size_t k = 0; k < e->n_fix; k++)
		e->table[e->fix[k].at] = ocl_mem(e, e->fix[k].loc).at;
	e->constants = clCreateBuffer(e->dev->context, CL_MEM_READ_ONLY | CL_MEM_COPY_HOST_PTR, e->n_table * sizeof(*e->table), e->table, &code);
	return ocl_check(e->ctx, NULL, NONE, "taking memory for strides", code);
}

uint64_t ocl_total(const struct inn_exec *e)
{
	return sizeof(float) * ((uint64_t)e->arena_size + e->scratch_size + e->kept_size + e->in_size + e->out_size + e->param_size);
}

bool ocl_fits(const struct inn_exec *e, uint64_t limit)
{
	return (!limit || ocl_total(e) <= limit) && e->kept_size * sizeof(float) <= e->dev->max_alloc;
}

int ocl_take(struct inn_exec *e, uint64_t limit)
{
	if (limit && ocl_total(e) > limit)
		return over(e, ocl_total(e), limit, "the limit");
	int s = buffers(e);

	if (!s)
		s = clear_states(e);
	return s ? s : constants(e);
}
