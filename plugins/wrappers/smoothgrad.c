/* smoothgrad: the mean of an analyzer over noisy copies of the input (Smilkov et al. 2017); of the gradient by default, of
 * any analyzer on request. Releases 2.x of iNNvestigate ignore noise_scale; so does dialect innvestigate. */
#include "../gradient/postprocess.h"

struct opts {
	struct inn_inst analyzer;
	int64_t augment_by_n, seed;
	double noise_scale;
	int postprocess;
};

static const struct inn_param params[] = {
	INN_CLASS(struct opts, analyzer, INN_ANALYZER, "gradient", "what is smoothed"),
	INN_INT(struct opts, augment_by_n, 64, 1, 1e6, "noisy copies"),
	INN_REAL(struct opts, noise_scale, 1, 0, 1e6, "standard deviation of the noise, in the input's units"),
	INN_INT(struct opts, seed, 0, 0, 1e15, "seed of the noise"),
	INN_ENUM(struct opts, postprocess, KEEP, postprocess_choices, "applied to every copy before the mean"),
	{ 0 },
};

static void build(inn_build *b, const struct inn_query *q, const void *opts, inn_val *r)
{
	const struct opts *o = opts;
	double scale = q->dialect == INN_INNVESTIGATE ? 1 : o->noise_scale;
	inn_val *x = inn_alloc(inn_build_ctx(b), q->n_x, sizeof(*x));
	inn_val i = inn_loop_begin(b, (uint32_t)o->augment_by_n);
	struct inn_query noisy = *q;

	noisy.x = x;
	for (uint32_t k = 0; x && k < q->n_x; k++)
		x[k] = inn_add(b, q->x[k], inn_mulc(b, inn_normal(b, q->x[k], (uint64_t)o->seed, k), scale));
	if (x)
		inn_nested(b, &o->analyzer, &noisy, r);
	for (uint32_t k = 0; x && k < q->n_x; k++) {
		inn_val sum = inn_loop_sum(b, postprocess(b, r[k], o->postprocess), i);

		r[k] = inn_divc(b, sum, (double)o->augment_by_n);
	}
	inn_loop_end(b);
}

static const struct inn_analyzer_ops smoothgrad = {
	.cls = INN_HEAD(struct inn_analyzer_ops, INN_ANALYZER, "smoothgrad", "mean over noisy inputs", params, sizeof(struct opts), NULL),
	.head = INN_PASS_HEAD,
	.build = build,
};

INN_PLUGIN("smoothgrad", "1.0.0", "BSD-2-Clause", &smoothgrad.cls);
