/* The device: oneDNN's engine and stream, the number of threads, and the class. */
#include "cpu.h"
#include <omp.h>
#include <stdio.h>
#include <stdlib.h>
#if defined(__x86_64__)
#include <cpuid.h>
#endif

static int score(inn_ctx *ctx, const void *opts)
{
	(void)ctx;
	(void)opts;
	return dnnl_engine_get_count(dnnl_cpu) ? 10 : 0;
}

/* Blocks are what oneDNN's own convolutions prefer on this processor, by the instructions that it is allowed to use. */
static uint32_t lanes_of(unsigned isa)
{
#if defined(__x86_64__)
	if (isa & 0x20)
		return 16;
	unsigned a, b, c, d;

	if ((isa & dnnl_cpu_isa_avx2) == dnnl_cpu_isa_avx2 && __get_cpuid(1, &a, &b, &c, &d) && c & bit_FMA)
		return 8;
#endif
	(void)isa;
	return 0;
}

static const char *isa_name(dnnl_cpu_isa_t isa)
{
	switch (isa) {
	case dnnl_cpu_isa_sse41: return "SSE4.1";
	case dnnl_cpu_isa_avx: return "AVX";
	case dnnl_cpu_isa_avx2: return "AVX2";
	case dnnl_cpu_isa_avx2_vnni: return "AVX2 VNNI";
	case dnnl_cpu_isa_all: return "unknown ISA";
	default: return isa & 0x20 ? "AVX-512" : "x86-64";
	}
}

static void close_dev(inn_dev *d)
{
	if (!d)
		return;
	if (d->stream)
		dnnl_stream_destroy(d->stream);
	if (d->engine)
		dnnl_engine_destroy(d->engine);
	free(d);
}

static int open_dev(inn_ctx *ctx, const void *opts, uint32_t threads, inn_dev **dev)
{
	inn_dev *d = calloc(1, sizeof(*d));
	const dnnl_version_t *v = dnnl_version();
	const char *isa = isa_name(dnnl_get_effective_cpu_isa());
	int all = omp_get_num_procs();

	(void)opts;
	if (!d)
		return inn_nomem(ctx);
	d->threads = threads && threads < 1024 ? (int)threads : all;
	d->lanes = lanes_of((unsigned)dnnl_get_effective_cpu_isa());
	d->wide = d->lanes == 16;
	if (dnnl_engine_create(&d->engine, dnnl_cpu, 0) != dnnl_success ||
	    dnnl_stream_create(&d->stream, d->engine, dnnl_stream_default_flags) != dnnl_success) {
		close_dev(d);
		return inn_fail(ctx, INN_EDEVICE, NULL, "cpu: oneDNN cannot open the processor");
	}
	snprintf(d->text, sizeof(d->text), "oneDNN %d.%d.%d, %s, %d thread%s", v->major, v->minor, v->patch, isa, d->threads,
		 d->threads == 1 ? "" : "s");
	*dev = d;
	return INN_OK;
}

/* Multiplications of a product; *few: it reads a weight for each of them, since it has a row for each sample only. */
static double multiplications(const struct inn_plan *p, uint32_t i, bool *few)
{
	const struct inn_op *o = inn_plan_op(p, i);
	size_t n = 1, x = 1;

	*few = false;
	if (inn_op_class(o->code) != 'P' || !inn_shape_count(&o->shape, &n) || !o->shape.rank)
		return 0;
	const struct inn_shape *a = &inn_plan_op(p, inn_plan_src(p, i, 0))->shape, *w = &inn_plan_op(p, inn_plan_src(p, i, 1))->shape;

	if (o->code == INN_OP_MATMUL) {
		*few = o->shape.rank == 2 && o->shape.dim[0] <= p->batch;
		return (double)n * a->dim[a->rank - (p->attr[o->attr] ? 2 : 1)];
	}
	/* each element of the operand on the output's side meets the kernel's channels of the other side and its window */
	return inn_shape_count(w, &x) && w->dim[0] && inn_shape_count(o->code == INN_OP_CONV_DX ? a : &o->shape, &n) ? (double)n * (double)(x / w->dim[0]) : 0;
}

/* Products of few rows are bound by reading their weights: for 4 rows these are read once. Without such products batches only
 * leave the caches. Fully connected layers count from a two-hundredth of the multiplications on. */
static uint32_t rows(const inn_dev *d, const struct inn_plan *p)
{
	double all = 0, reading = 0;

	(void)d;
	for (uint32_t k = 2; k < p->n_blocks; k++)
		for (uint32_t i = p->blocks[k].first; i < p->blocks[k].first + p->blocks[k].n; i++) {
			bool few;
			double n = multiplications(p, i, &few);

			all += n;
			reading += few ? n : 0;
		}
	return reading > 0 && reading * 200 >= all ? 4 : 1;
}

static const char *describe(const inn_dev *d) { return d->text; }

static const struct inn_backend_ops cpu = {
	.cls = INN_HEAD(struct inn_backend_ops, INN_BACKEND, "cpu", "Vectorised, multi-threaded computation by oneDNN", NULL, 0, NULL),
	.score = score,
	.open = open_dev,
	.close = close_dev,
	.compile = cpu_compile,
	.release = cpu_release,
	.write = cpu_write,
	.run = cpu_run,
	.read = cpu_read,
	.share = cpu_share,
	.profile = cpu_profile,
	.describe = describe,
	.rows = rows,
};

INN_PLUGIN("cpu", "1.0.0", "BSD-2-Clause", &cpu.cls);
