/* Class names and the most probable classes. */
#include "job.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int inn__labels_load(inn_job *job, const char *path, const struct inn_model *m, struct inn__labels *l)
{
	struct inn_stream f;
	const char *slash = strrchr(m->path, '/');
	size_t n = 1, k = 0;
	int status;

	*l = (struct inn__labels){ 0 };
	if (!path) {
		path = inn_printf(job->ctx, "%.*s%s", slash ? (int)(slash + 1 - m->path) : 0, m->path, job->def.labels);
		if (!path)
			return INN_ENOMEM;
		if (access(path, R_OK))
			return INN_OK;
	}
	if ((status = inn__file_map(job->ctx, path, INN_EDATA, &f)) < 0)
		return status;
	char *text = inn_alloc(job->ctx, f.size + 1, 1);

	if (!text) {
		inn__file_unmap(&f);
		return INN_ENOMEM;
	}
	memcpy(text, f.data, f.size);
	for (size_t i = 0; i < f.size; i++)
		n += text[i] == '\n';
	const char **v = inn_alloc(job->ctx, n, sizeof(*v));

	for (char *p = text; v && *p;) {
		char *end = p + strcspn(p, "\r\n"), *next = end + (*end == '\r' && end[1] == '\n') + (*end != 0);

		*end = 0;
		if (k < n)
			v[k++] = p;
		p = next;
	}
	inn__file_unmap(&f);
	l->n = v ? k : 0;
	l->v = v;
	return v ? INN_OK : INN_ENOMEM;
}

/* Probabilities of one row: as they are if they are some already, else normalised exponentials. */
static void probabilities(double *v, size_t n)
{
	double sum = 0, max = v[0];
	bool are = true;

	for (size_t i = 0; i < n; i++) {
		are &= v[i] >= 0 && v[i] <= 1;
		sum += v[i];
		max = v[i] > max ? v[i] : max;
	}
	if (are && fabs(sum - 1) < 1e-3)
		return;
	sum = 0;
	for (size_t i = 0; i < n; i++)
		sum += v[i] = exp(v[i] - max);
	for (size_t i = 0; i < n; i++)
		v[i] /= sum;
}

/* One of the k largest that is not taken yet. */
static size_t next_best(const double *v, size_t n, const bool *taken)
{
	size_t best = SIZE_MAX;

	for (size_t i = 0; i < n; i++)
		if (!taken[i] && (best == SIZE_MAX || v[i] > v[best]))
			best = i;
	return best;
}

static void print_sample(const struct inn__labels *l, const double *v, bool *taken, size_t n, uint32_t k, struct inn__text *t, bool json)
{
	for (uint32_t i = 0; i < k && i < n; i++) {
		size_t c = next_best(v, n, taken);

		taken[c] = true;
		if (json) {
			inn__text_add(t, "%s{\"class\": %zu, \"p\": %.6g", i ? ", " : "", c, v[c]);
			if (c < l->n) {
				inn__text_add(t, ", \"name\": ");
				inn__text_json(t, l->v[c]);
			}
			inn__text_add(t, "}");
		} else {
			inn__text_add(t, "  %.4f  %4zu  %s\n", v[c], c, c < l->n ? l->v[c] : "");
		}
	}
}

void inn__print_top(inn_job *job, const struct inn_tensor *y, const struct inn__samples *s, const struct inn__labels *l, uint32_t k,
		    bool json, FILE *out)
{
	struct inn__text t = { 0 };
	size_t count = 1, rows = y->shape.rank ? y->shape.dim[0] : 1;
	double *v;
	bool *taken;

	inn_shape_count(&y->shape, &count);
	size_t n = rows ? count / rows : 0;

	v = calloc(n + 1, sizeof(*v));
	taken = calloc(n + 1, sizeof(*taken));
	for (size_t r = 0; n && v && taken && r < rows; r++) {
		char name[INN__SAMPLE_NAME];

		for (size_t i = 0; i < n; i++)
			v[i] = inn_tensor_real(y, r * n + i);
		memset(taken, 0, n * sizeof(*taken));
		probabilities(v, n);
		if (json) {
			inn__text_add(&t, "%s{\"sample\": ", r ? ", " : "");
			inn__text_json(&t, s->path ? s->path[r] : inn__sample_name(s, r, name));
			inn__text_add(&t, ", \"top\": [");
		} else {
			inn__text_add(&t, "%s\n", inn__sample_name(s, r, name));
		}
		print_sample(l, v, taken, n, k, &t, json);
		inn__text_add(&t, json ? "]}" : "");
	}
	if (!v || !taken || t.failed)
		inn_nomem(job->ctx);
	else if (t.s)
		fputs(t.s, out);
	free(t.s);
	free(v);
	free(taken);
}
