/* What is said where a plan needs more memory than is allowed: which layers take it. */
#include "cpu.h"
#include <stdio.h>
#include <string.h>

#define NAMED 3

struct share { const char *of; uint64_t value, weights; };

static struct share *share_of(struct share *v, uint32_t *n, const char *of)
{
	for (uint32_t k = 0; k < *n; k++)
		if (!strcmp(v[k].of, of))
			return &v[k];
	v[*n] = (struct share){ .of = of };
	return &v[(*n)++];
}

/* Of each layer its weights, and its largest value: the others may share its memory. */
static uint32_t shares(const struct inn_exec *e, struct share *v)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < 2 * e->n_ops; i++)
		if (cpu_bytes(e, i)) {
			struct share *s = share_of(v, &n, op_of(e, i % e->n_ops)->from);

			s->value = cpu_bytes(e, i) > s->value ? cpu_bytes(e, i) : s->value;
		}
	for (uint32_t k = 0; k < e->n_weights; k++)
		share_of(v, &n, op_of(e, e->weight[k].op)->from)->weights += e->weight[k].bytes;
	return n;
}

int cpu_over(struct inn_exec *e, uint64_t total, uint64_t limit)
{
	struct share *v = cpu_alloc(e, 2 * (size_t)e->n_ops + e->n_weights + 1, sizeof(*v));
	uint32_t n = v ? shares(e, v) : 0;
	char text[512] = "";
	size_t at = 0;

	for (uint32_t k = 0; k < NAMED && k < n; k++) {
		for (uint32_t i = k + 1; i < n; i++)
			if (v[i].value + v[i].weights > v[k].value + v[k].weights) {
				struct share t = v[k];

				v[k] = v[i];
				v[i] = t;
			}
		at += (size_t)snprintf(text + at, sizeof(text) - at, "%s%.120s (%.1f MiB)", k ? ", " : "", *v[k].of ? v[k].of : "no layer",
				       (double)(v[k].value + v[k].weights) / 1048576);
	}
	return inn_fail(e->ctx, INN_ELIMIT, NULL, "cpu: needs %.1f MiB, above the limit of %.1f MiB; the most for %s", (double)total / 1048576,
			(double)limit / 1048576, text);
}
