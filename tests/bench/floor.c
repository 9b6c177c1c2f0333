/* The floor of a method on this processor: every product of its plan by the fastest primitive that oneDNN has for it, alone, in the
 * layout that it prefers. Elementwise work, pooling, reordering and dispatch cost nothing here. A reference, not a bound.
 *
 *   floor -m MODEL [-a ANALYZER]... [--fit ANALYZER]... [--batch N] [--threads N] [--clock wall|cpu] [-o FILE]
 *
 * Of every analyzer (the gradient, if none is named) and every fit it prints the sums over forward products, backward products and
 * others: best, local, plain. A product backwards may also be a forward convolution with turned weights (stride 1). Plain is the
 * direct algorithm; local is the best of those that keep an exact zero, which Winograd's F(4,3) does not. FILE gets one line for each
 * product, for `innvestigate plan --profile --floor FILE`. */
#include "../../core/job/job.h"
#include "../../core/base/ctx.h"
#include <getopt.h>
#include <math.h>
#include <oneapi/dnnl/dnnl.h>
#include <omp.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define REPEAT 5
enum { BEST, LOCAL, PLAIN, TIMES };

static dnnl_engine_t engine;
static dnnl_stream_t stream;
static clockid_t ticks = CLOCK_MONOTONIC; /* or processor time, on a machine that does other work too */

static void must(dnnl_status_t s, const char *what)
{
	if (!s)
		return;
	fprintf(stderr, "floor: oneDNN: %s: status %d\n", what, (int)s);
	exit(1);
}

static double now(void)
{
	struct timespec t;

	clock_gettime(ticks, &t);
	return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static dnnl_memory_desc_t any(uint32_t rank, const dnnl_dim_t *dim)
{
	dnnl_memory_desc_t d;

	must(dnnl_memory_desc_init_by_tag(&d, (int)rank, dim, dnnl_f32, dnnl_format_tag_any), "a description");
	return d;
}

/* Memory of any layout with numbers in it. */
static dnnl_memory_t filled(const_dnnl_primitive_desc_t pd, dnnl_query_t what)
{
	const dnnl_memory_desc_t *md = dnnl_primitive_desc_query_md(pd, what, 0);
	dnnl_memory_t m;
	void *at;

	must(dnnl_memory_create(&m, md, engine, DNNL_MEMORY_ALLOCATE), "memory");
	must(dnnl_memory_get_data_handle(m, &at), "memory");
	for (size_t i = 0; i < dnnl_memory_desc_get_size(md) / sizeof(float); i++)
		((float *)at)[i] = (float)((i * 2654435761u >> 8) & 0xffff) / 65536 - 0.5f;
	return m;
}

struct part { dnnl_query_t query; int arg; };
#define MD(x) dnnl_query_##x##_md
static const struct part forward[3] = { { MD(src), DNNL_ARG_SRC }, { MD(weights), DNNL_ARG_WEIGHTS }, { MD(dst), DNNL_ARG_DST } };
static const struct part back_data[3] = { { MD(diff_dst), DNNL_ARG_DIFF_DST }, { MD(weights), DNNL_ARG_WEIGHTS }, { MD(diff_src), DNNL_ARG_DIFF_SRC } };
static const struct part back_weights[3] = { { MD(src), DNNL_ARG_SRC }, { MD(diff_dst), DNNL_ARG_DIFF_DST }, { MD(diff_weights), DNNL_ARG_DIFF_WEIGHTS } };

static double timed(const_dnnl_primitive_desc_t pd, const struct part *part)
{
	dnnl_exec_arg_t a[3];
	dnnl_primitive_t p;
	double best = INFINITY;

	must(dnnl_primitive_create(&p, pd), "a primitive");
	for (int k = 0; k < 3; k++)
		a[k] = (dnnl_exec_arg_t){ part[k].arg, filled(pd, part[k].query) };
	for (int r = 0; r <= REPEAT; r++) {
		double t = now();

		must(dnnl_primitive_execute(p, stream, 3, a), "computing");
		must(dnnl_stream_wait(stream), "computing");
		t = now() - t;
		best = r && t < best ? t : best;
	}
	for (int k = 0; k < 3; k++)
		dnnl_memory_destroy(a[k].memory);
	dnnl_primitive_destroy(p);
	return 1e3 * best;
}

/* Of the first implementation that oneDNN offers, or of the first of F(2,3): the least of that and *ms. */
static void offer(dnnl_status_t made, const void *desc, dnnl_primitive_desc_t hint, const struct part *part, bool f23, double *ms)
{
	dnnl_primitive_desc_iterator_t it;
	dnnl_status_t s = dnnl_success;

	if (made || dnnl_primitive_desc_iterator_create(&it, desc, NULL, engine, hint))
		return;
	for (; !s; s = dnnl_primitive_desc_iterator_next(it)) {
		dnnl_primitive_desc_t pd = dnnl_primitive_desc_iterator_fetch(it);
		const char *name = "";

		must(dnnl_primitive_desc_query(pd, dnnl_query_impl_info_str, 0, &name), "a name");
		if (!f23 || strstr(name, "2x3")) {
			*ms = fmin(*ms, timed(pd, part));
			s = dnnl_iterator_ends;
		}
		dnnl_primitive_desc_destroy(pd);
		if (s)
			break;
	}
	dnnl_primitive_desc_iterator_destroy(it);
}

struct conv { uint32_t n; bool grouped; dnnl_dims_t x, w, y, stride, dilation, before, after; };

static void conv_forward(const struct conv *c, dnnl_alg_kind_t alg, bool f23, double *ms)
{
	dnnl_memory_desc_t x = any(c->n + 2, c->x), w = any(c->n + 2 + c->grouped, c->w), y = any(c->n + 2, c->y);
	dnnl_convolution_desc_t d;

	offer(dnnl_dilated_convolution_forward_desc_init(&d, dnnl_forward_inference, alg, &x, &w, NULL, &y, c->stride, c->dilation, c->before,
							 c->after), &d, NULL, forward, f23, ms);
}

static void conv_back(const struct conv *c, bool weights, dnnl_alg_kind_t alg, double *ms)
{
	dnnl_memory_desc_t x = any(c->n + 2, c->x), w = any(c->n + 2 + c->grouped, c->w), y = any(c->n + 2, c->y);
	dnnl_convolution_desc_t d;
	dnnl_primitive_desc_t hint;
	dnnl_status_t s = dnnl_dilated_convolution_forward_desc_init(&d, dnnl_forward_training, dnnl_convolution_direct, &x, &w, NULL, &y, c->stride,
								     c->dilation, c->before, c->after);

	if (s || dnnl_primitive_desc_create(&hint, &d, NULL, engine, NULL))
		return;
	if (weights)
		s = dnnl_dilated_convolution_backward_weights_desc_init(&d, alg, &x, &w, NULL, &y, c->stride, c->dilation, c->before, c->after);
	else
		s = dnnl_dilated_convolution_backward_data_desc_init(&d, alg, &x, &w, &y, c->stride, c->dilation, c->before, c->after);
	offer(s, &d, hint, weights ? back_weights : back_data, false, ms);
	dnnl_primitive_desc_destroy(hint);
}

/* The forward convolution that is a backward one of stride 1; false where there is none. */
static bool turned(const struct conv *c, struct conv *t)
{
	*t = *c;
	memcpy(t->x, c->y, sizeof(t->x));
	memcpy(t->y, c->x, sizeof(t->y));
	t->w[c->grouped] = c->w[c->grouped + 1];
	t->w[c->grouped + 1] = c->w[c->grouped];
	for (uint32_t d = 0; d < c->n; d++) {
		dnnl_dim_t reach = (c->w[c->grouped + 2 + d] - 1) * (c->dilation[d] + 1);

		t->before[d] = reach - c->before[d];
		t->after[d] = reach - c->after[d];
		if (c->stride[d] != 1 || t->before[d] < 0 || t->after[d] < 0)
			return false;
	}
	return true;
}

static void time_conv(const struct inn_plan *p, uint32_t i, double *ms)
{
	const struct inn_op *o = inn_plan_op(p, i), *a = inn_plan_op(p, inn_plan_src(p, i, 0)), *b = inn_plan_op(p, inn_plan_src(p, i, 1));
	bool dx = o->code == INN_OP_CONV_DX, dw = o->code == INN_OP_CONV_DW;
	const struct inn_shape *x = dx ? &o->shape : &a->shape, *w = dw ? &o->shape : &b->shape, *y = dx ? &a->shape : dw ? &b->shape : &o->shape;
	struct inn_window win;
	struct conv c = { .n = x->rank - 2 }, t;

	inn_op_window(p, i, &win);
	c.grouped = win.groups > 1;
	for (uint32_t d = 0; d < x->rank; d++) {
		c.x[d] = x->dim[d];
		c.y[d] = y->dim[d];
		c.w[c.grouped + d] = w->dim[d];
	}
	if (c.grouped) {
		c.w[0] = win.groups;
		c.w[1] /= win.groups;
	}
	for (uint32_t d = 0; d < c.n; d++) {
		c.stride[d] = win.stride[d];
		c.dilation[d] = win.dilation[d] - 1;
		c.before[d] = win.before[d];
		c.after[d] = win.after[d];
	}
	if (dx || dw)
		conv_back(&c, dw, dnnl_convolution_direct, &ms[PLAIN]);
	else
		conv_forward(&c, dnnl_convolution_direct, false, &ms[PLAIN]);
	ms[BEST] = ms[LOCAL] = ms[PLAIN];
	if (dx || dw)
		conv_back(&c, dw, dnnl_convolution_winograd, &ms[BEST]);
	if (dw || (dx && !turned(&c, &t)))
		return;
	t = dx ? t : c;
	if (dx)
		conv_forward(&t, dnnl_convolution_direct, false, &ms[LOCAL]);
	conv_forward(&t, dnnl_convolution_winograd, true, &ms[LOCAL]);
	conv_forward(&t, dnnl_convolution_winograd, false, &ms[BEST]);
	ms[BEST] = fmin(ms[BEST], ms[LOCAL]);
}

/* The second operand may lie in any layout, as weights do. */
static void time_matmul(const struct inn_plan *p, uint32_t i, double *ms)
{
	const struct inn_op *o = inn_plan_op(p, i);
	const uint32_t *transposed = p->attr + o->attr;
	dnnl_dims_t dim[3];
	dnnl_memory_desc_t x, w, y;
	dnnl_matmul_desc_t d;
	dnnl_inner_product_desc_t inner;

	for (uint32_t k = 0; k < 3; k++) {
		const struct inn_shape *s = k < 2 ? &inn_plan_op(p, inn_plan_src(p, i, k))->shape : &o->shape;
		bool turn = k < 2 && transposed[k];

		for (uint32_t a = 0; a < s->rank; a++)
			dim[k][a] = s->dim[turn && a + 2 >= s->rank ? 2 * s->rank - 3 - a : a];
	}
	x = any(o->shape.rank, dim[0]), w = any(o->shape.rank, dim[1]), y = any(o->shape.rank, dim[2]);
	offer(dnnl_matmul_desc_init(&d, &x, &w, NULL, &y), &d, NULL, forward, false, &ms[PLAIN]);
	if (o->shape.rank == 2) {
		w = any(2, (dnnl_dims_t){ dim[1][1], dim[1][0] });
		offer(dnnl_inner_product_forward_desc_init(&inner, dnnl_forward_inference, &x, &w, NULL, &y), &inner, NULL, forward, false, &ms[PLAIN]);
	}
	ms[BEST] = ms[LOCAL] = ms[PLAIN];
}

static struct known { char *key; double ms[TIMES]; } *known; /* products measured already */
static size_t n_known;

static const double *times_of(const struct inn_plan *p, uint32_t i)
{
	struct inn__text key = { 0 };
	size_t k = 0;

	inn__product_key(p, i, &key);
	while (k < n_known && strcmp(known[k].key, key.s))
		k++;
	if (k < n_known) {
		free(key.s);
		return known[k].ms;
	}
	if (!(known = realloc(known, (n_known + 1) * sizeof(*known))))
		exit(1);
	known[n_known] = (struct known){ key.s, { INFINITY, INFINITY, INFINITY } };
	if (inn_plan_op(p, i)->code == INN_OP_MATMUL)
		time_matmul(p, i, known[n_known].ms);
	else
		time_conv(p, i, known[n_known].ms);
	return known[n_known++].ms;
}

/* Products that run for every batch, as often as they do. */
static void sums(const struct inn_plan *p, const char *label)
{
	static const char *const role[] = { [INN_ROLE_OTHER] = "other", [INN_ROLE_FORWARD] = "forward", [INN_ROLE_BACKWARD] = "backward" };
	double sum[3][TIMES] = { { 0 } };
	uint32_t n[3] = { 0 };

	for (uint32_t i = p->blocks[0].n; i < p->n_ops; i++) {
		const struct inn_op *o = inn_plan_op(p, i);
		double runs = 1;

		if (inn_op_class(o->code) != 'P')
			continue;
		for (uint32_t k = 2; k < p->n_blocks; k++)
			runs *= i >= p->blocks[k].first && i < p->blocks[k].first + p->blocks[k].n ? p->blocks[k].count : 1;
		const double *ms = times_of(p, i);

		n[o->role]++;
		for (int k = 0; k < TIMES; k++)
			sum[o->role][k] += runs * ms[k];
	}
	for (uint32_t r = INN_ROLE_OTHER; r <= INN_ROLE_BACKWARD; r++)
		if (n[r])
			printf("%-24s %-8s %5u products: best %9.3f local %9.3f plain %9.3f ms\n", label, role[r], n[r], sum[r][BEST], sum[r][LOCAL],
			       sum[r][PLAIN]);
}

static int plan_sums(inn_job *job, const char *model, const char *analyzer, bool fit, uint32_t batch)
{
	struct inn_inst a;
	struct inn_target target = { 0 };
	struct inn__what w = { .analyzer = &a, .n_analyzer = 1, .n_maps = 1, .target = &target, .batch = batch, .fit = fit };
	struct inn__exec *e = NULL;
	int status = inn__model_of(job, model, &w.model);

	if (status == INN_OK && (status = inn__bind_text(job, INN_ANALYZER, "-a", analyzer, &a)) == INN_OK &&
	    (status = inn__plan_make(job, &w, batch, &e)) == INN_OK)
		sums(e->plan, a.label);
	inn__exec_free(job, e);
	return status;
}

static int save(const char *path, int threads)
{
	FILE *f = fopen(path, "we");
	const dnnl_version_t *v = dnnl_version();

	if (!f)
		return perror(path), 1;
	fprintf(f, "# oneDNN %d.%d.%d; threads, best, local, plain in ms, product\n", v->major, v->minor, v->patch);
	for (size_t k = 0; k < n_known; k++)
		fprintf(f, "%d %.4f %.4f %.4f %s\n", threads, known[k].ms[BEST], known[k].ms[LOCAL], known[k].ms[PLAIN], known[k].key);
	return fclose(f) ? (perror(path), 1) : 0;
}

int main(int argc, char **argv)
{
	static const struct option longs[] = { { "batch", 1, 0, 'b' }, { "threads", 1, 0, 't' }, { "fit", 1, 0, 'f' }, { "clock", 1, 0, 'c' }, { 0 } };
	struct { const char *text; bool fit; } what[32] = { { "gradient", false } };
	const char *model = NULL, *path = NULL;
	int key, n = 0, batch = 1, threads = omp_get_num_procs(), status = INN_OK;

	while ((key = getopt_long(argc, argv, "m:a:o:", longs, NULL)) != -1)
		switch (key) {
		case 'm': model = optarg; break;
		case 'o': path = optarg; break;
		case 'b': batch = atoi(optarg); break;
		case 't': threads = atoi(optarg); break;
		case 'c': ticks = strcmp(optarg, "cpu") ? CLOCK_MONOTONIC : CLOCK_PROCESS_CPUTIME_ID; break;
		case 'a':
		case 'f':
			if (n == 32)
				return 2;
			what[n].fit = key == 'f';
			what[n++].text = optarg;
			break;
		default: return 2;
		}
	if (!model || batch < 1 || threads < 1 || optind < argc)
		return fprintf(stderr, "the head of tests/bench/floor.c says how it is called\n"), 2;
	inn_job *job = inn_job_new();

	omp_set_num_threads(threads);
	must(dnnl_engine_create(&engine, dnnl_cpu, 0), "opening the processor");
	must(dnnl_stream_create(&stream, engine, dnnl_stream_default_flags), "opening the processor");
	for (int i = 0; status == INN_OK && i < (n ? n : 1); i++)
		status = plan_sums(job, model, what[i].text, what[i].fit, (uint32_t)batch);
	for (uint32_t i = 0; i < inn_error_count(job); i++)
		fprintf(stderr, "%s\n", inn_error(job, i));
	inn_job_free(job);
	return status < 0 ? inn_exit_code(status) : path ? save(path, threads) : 0;
}
