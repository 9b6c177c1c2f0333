/* Which outputs are explained: max, all, all-separately, indices. */
#include "job.h"
#include <stdlib.h>
#include <string.h>

/* Numbers separated by commas or white space. */
static int numbers(inn_job *job, const char *s, const char *what, struct inn_target *t)
{
	size_t cap = 1;

	for (const char *p = s; *p; p++)
		cap += strchr(", \t\r\n", *p) != NULL;
	int64_t *v = inn_alloc(job->ctx, cap, sizeof(*v));
	size_t n = 0;

	if (!v)
		return INN_ENOMEM;
	while (*s) {
		size_t k = strcspn(s, ", \t\r\n");
		char word[24];

		if (!k) {
			s++;
			continue;
		}
		if (k < sizeof(word)) {
			memcpy(word, s, k);
			word[k] = 0;
		}
		if (k >= sizeof(word) || !inn__parse_int(word, &v[n]) || v[n] < 0)
			return inn_fail(job->ctx, INN_ECONFIG, NULL, "target %s: %.*s is not max, all, all-separately, an index, a list of "
					"indices or @FILE", what, (int)(k < 40 ? k : 40), s);
		n++;
		s += k;
	}
	if (!n)
		return inn_fail(job->ctx, INN_ECONFIG, NULL, "target %s: no index is given", what);
	t->kind = INN_TARGET_INDEX;
	t->index = v;
	t->n_index = n;
	return INN_OK;
}

int inn__target_parse(inn_job *job, const char *text, struct inn_target *t)
{
	struct inn_stream f;
	int status;

	*t = (struct inn_target){ .kind = INN_TARGET_MAX };
	if (!text || !strcmp(text, "max"))
		return INN_OK;
	if (!strcmp(text, "all") || !strcmp(text, "all-separately")) {
		t->kind = text[3] ? INN_TARGET_EACH : INN_TARGET_ALL;
		return INN_OK;
	}
	if (text[0] != '@')
		return numbers(job, text, text, t);
	if ((status = inn__file_map(job->ctx, text + 1, INN_ECONFIG, &f)) < 0)
		return status;
	char *copy = memchr(f.data, 0, f.size) ? NULL : strndup((const char *)f.data, f.size);

	status = copy ? numbers(job, copy, text, t) : inn_fail(job->ctx, INN_ECONFIG, NULL, "target %s: not a text file", text);
	free(copy);
	return inn__file_close(job->ctx, &f, status);
}

int inn__target_check(inn_ctx *ctx, const struct inn_target *t, size_t n_samples, uint32_t n_classes)
{
	if (t->kind != INN_TARGET_INDEX)
		return INN_OK;
	if (t->n_index != 1 && t->n_index != n_samples)
		return inn_fail(ctx, INN_ECONFIG, NULL, "the target lists %zu indices for %zu samples", t->n_index, n_samples);
	for (size_t i = 0; i < t->n_index; i++)
		if (t->index[i] < 0 || t->index[i] >= n_classes)
			return inn_fail(ctx, INN_ECONFIG, NULL, "target %lld: the network has outputs 0 to %u", (long long)t->index[i], n_classes - 1);
	return INN_OK;
}
