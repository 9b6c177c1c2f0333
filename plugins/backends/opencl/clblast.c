/* Products by CLBlast. Its cache is the process's own and its calls are not safe in threads: one at a time. */
#include "opencl.h"
#include <clblast_c.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

static pthread_mutex_t one_at_a_time = PTHREAD_MUTEX_INITIALIZER;

/* CLBlast's own codes stand beside OpenCL's. */
static int refused(struct inn_exec *e, uint32_t op, CLBlastStatusCode code)
{
	return code > -1000 ? ocl_check(e->ctx, e, op, "a CLBlast product", (cl_int)code) :
	       inn_fail(e->ctx, INN_EDEVICE, NULL, "opencl: CLBlast refuses the product of %s (%s): its code is %d", inn_op_name(op_of(e, op)->code),
			op_of(e, op)->from, (int)code);
}

static CLBlastStatusCode call(struct inn_exec *e, const struct gemm_of *q, cl_event *event)
{
	bool by_row_a = q->a.cs == 1 && q->a.rs >= q->k, by_row_b = q->b.cs == 1 && q->b.rs >= q->n;
	CLBlastTranspose ta = by_row_a ? CLBlastTransposeNo : CLBlastTransposeYes, tb = by_row_b ? CLBlastTransposeNo : CLBlastTransposeYes;
	size_t lda = by_row_a ? q->a.rs : q->a.cs, ldb = by_row_b ? q->b.rs : q->b.cs;
	struct mem a = ocl_mem(e, q->a.at), b = ocl_mem(e, q->b.at), c = ocl_mem(e, q->c.at);

	if (q->n1 == 1)
		return CLBlastSgemm(CLBlastLayoutRowMajor, ta, tb, q->m, q->n, q->k, 1, a.mem, a.at, lda, b.mem, b.at, ldb, 0, c.mem, c.at,
				    q->c.rs, &e->dev->queue, event);
	return CLBlastSgemmStridedBatched(CLBlastLayoutRowMajor, ta, tb, q->m, q->n, q->k, 1, a.mem, a.at, lda, q->a.s1, b.mem, b.at, ldb, q->b.s1,
					  0, c.mem, c.at, q->c.rs, q->c.s1, q->n1, &e->dev->queue, event);
}

static int run_product(struct inn_exec *e, struct launch *l)
{
	struct gemm_of q = *(const struct gemm_of *)l->user;
	size_t n0 = q.n0;
	int s = INN_OK;

	if (q.n1 == 1) { /* the outer axis alone can be the batch */
		q.n1 = n0;
		q.a.s1 = q.a.s0;
		q.b.s1 = q.b.s0;
		q.c.s1 = q.c.s0;
		n0 = 1;
	}
	for (size_t z = 0; !s && z < n0; z++) {
		cl_event event = NULL;

		pthread_mutex_lock(&one_at_a_time);
		CLBlastStatusCode code = call(e, &q, e->dev->profile ? &event : NULL);

		pthread_mutex_unlock(&one_at_a_time);
		s = code ? refused(e, l->op, code) : event ? ocl_note(e, "CLBlast", event) : INN_OK;
		q.a.at.at += q.a.s0;
		q.b.at.at += q.b.s0;
		q.c.at.at += q.c.s0;
	}
	return s;
}

void ocl_clblast(struct inn_exec *e, uint32_t op, const struct gemm_of *q)
{
	struct gemm_of *copy = ocl_alloc(e, 1, sizeof(*copy));
	struct launch *l = ocl_launch(e, op, NULL);

	if (!copy)
		return;
	*copy = *q;
	l->run = run_product;
	l->user = copy;
	e->dev->used_clblast = true;
}

/* One line: NAME KEY=VALUE ... */
static int override(inn_ctx *ctx, cl_device_id id, const char *path, char *line)
{
	char *more, *kernel = strtok_r(line, " ", &more), *word;
	const char *name[64];
	size_t value[64], n = 0;

	if (!kernel)
		return INN_OK;
	while (n < 64 && (word = strtok_r(NULL, " ", &more))) {
		char *eq = strchr(word, '=');

		if (!eq)
			return inn_fail(ctx, INN_EDEVICE, NULL, "opencl: %s: no KEY=VALUE: %s", path, word);
		*eq = 0;
		name[n] = word;
		value[n++] = strtoul(eq + 1, NULL, 10);
	}
	pthread_mutex_lock(&one_at_a_time);
	CLBlastStatusCode code = CLBlastOverrideParameters(id, kernel, CLBlastPrecisionSingle, n, name, value);

	pthread_mutex_unlock(&one_at_a_time);
	return code ? inn_fail(ctx, INN_EDEVICE, NULL, "opencl: %s: CLBlast refuses the parameters of %s%s (%d); `innvestigate tune -b opencl` "
			       "measures them anew", path, kernel, code == CLBlastMissingOverrideParameter ? ", which are incomplete" : "", (int)code) :
	       INN_OK;
}

int ocl_clblast_open(inn_ctx *ctx, const inn_dev *d, const struct device_info *info)
{
	char path[PATH_MAX], *more;
	size_t n;
	char *text = ocl_tuned_path(info, path) ? ocl_load(path, &n) : NULL;
	int s = INN_OK;

	for (char *line = text ? strtok_r(text, "\n", &more) : NULL; !s && line; line = strtok_r(NULL, "\n", &more))
		s = override(ctx, d->id, path, line);
	free(text);
	return s;
}

/* Its cache holds programs of the context, which would live on. */
void ocl_clblast_close(inn_dev *d)
{
	if (!d->used_clblast)
		return;
	pthread_mutex_lock(&one_at_a_time);
	CLBlastClearCache();
	pthread_mutex_unlock(&one_at_a_time);
}
