/* random: Gaussian noise, the baseline that every method must beat. dialect innvestigate adds it to the input, as its
 * releases do. */
#include <innvestigate/plugin.h>

struct opts {
	double stddev;
	int64_t seed;
};

static const struct inn_param params[] = {
	INN_REAL(struct opts, stddev, 1, 0, 1e6, "standard deviation"),
	INN_INT(struct opts, seed, 0, 0, 1e15, "seed of the noise"),
	{ 0 },
};

static void build(inn_build *b, const struct inn_query *q, const void *opts, inn_val *r)
{
	const struct opts *o = opts;

	for (uint32_t i = 0; i < q->n_x; i++) {
		r[i] = inn_mulc(b, inn_normal(b, q->x[i], (uint64_t)o->seed, i), o->stddev);
		if (q->dialect == INN_INNVESTIGATE)
			r[i] = inn_add(b, q->x[i], r[i]);
	}
}

static const struct inn_analyzer_ops noise = {
	.cls = INN_HEAD(struct inn_analyzer_ops, INN_ANALYZER, "random", "Gaussian noise", params, sizeof(struct opts), NULL),
	.build = build,
};

INN_PLUGIN("random", "1.0.0", "BSD-2-Clause", &noise.cls);
