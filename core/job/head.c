/* What stands beside the arrays in files of fits: a text as one more array of bytes, so that nothing is pickled. */
#include "job.h"
#include <stdlib.h>
#include <string.h>

#define MEMBER "fit" /* its name in the archive */

static const struct inn_choice kinds[] = {
	{ "state", INN__STATE, "" }, { "sums", INN__SUMS, "" }, { "part", INN__PART, "" }, { 0 },
};
static const struct inn_param rows[] = {
	INN_ENUM(struct inn__head, kind, INN__STATE, kinds, "what the arrays are"),
	INN_STR(struct inn__head, fits, "", "what the state is called"),
	INN_STR(struct inn__head, configuration, "", "the analyzer with all its parameters"),
	INN_STR(struct inn__head, model, "", "path of the network"),
	INN_STR(struct inn__head, model_key, "", "hash of the network"),
	INN_STR(struct inn__head, key, "", "hash of all that sums must have in common"),
	INN_STR(struct inn__head, data, "", "hash of the files of the data set and of the backend"),
	INN_INT(struct inn__head, samples, 0, 0, 1e15, "samples in the data set"),
	INN_INT(struct inn__head, next, 0, 0, 1e15, "sample to go on with"),
	INN_INT(struct inn__head, shards, 1, 1, 1e6, "parts of the data set"),
	INN_INTS(struct inn__head, have, "[]", 1, 1e6, "those that were summed"),
	{ 0 },
};

static void text_of(const struct inn__head *h, struct inn__text *t)
{
	const struct { const char *key, *value; } s[] = {
		{ "fits", h->fits }, { "configuration", h->configuration }, { "model", h->model }, { "model_key", h->model_key }, { "key", h->key }, { "data", h->data },
	};

	inn__text_add(t, "{\"kind\": \"%s\"", kinds[h->kind].name);
	for (size_t i = 0; i < sizeof(s) / sizeof(*s); i++) {
		inn__text_add(t, ", \"%s\": ", s[i].key);
		inn__text_json(t, s[i].value);
	}
	inn__text_add(t, ", \"samples\": %lld, \"next\": %lld, \"shards\": %lld, \"have\": [", (long long)h->samples, (long long)h->next,
		      (long long)h->shards);
	for (size_t i = 0; i < h->have.n; i++)
		inn__text_add(t, "%s%lld", i ? ", " : "", (long long)h->have.v[i]);
	inn__text_add(t, "]}\n");
}

int inn__head_write(inn_job *job, const char *path, const struct inn__head *h, const struct inn_named *v, uint32_t n)
{
	struct inn_named *all = calloc((size_t)n + 1, sizeof(*all));
	struct inn__text t = { 0 };
	int status = INN_OK;

	text_of(h, &t);
	if (!all || t.failed) {
		status = inn_nomem(job->ctx);
	} else {
		memcpy(all, v, n * sizeof(*v));
		all[n].name = MEMBER;
		all[n].t = (struct inn_tensor){ .dtype = INN_U8, .shape = { 1, { (uint32_t)t.n } }, .data = t.s };
		status = inn__write_named(job, path, all, n + 1);
	}
	free(t.s);
	free(all);
	return status;
}

int inn__head_read(inn_job *job, const struct inn__archive *a, struct inn__head **out)
{
	const struct inn_tensor *t = inn__archive_find(a, MEMBER);
	struct inn__yaml *y;
	char *text;
	int status;

	*out = NULL;
	if (!t || t->dtype != INN_U8 || t->shape.rank != 1)
		return INN_OK;
	if (memchr(t->data, 0, t->shape.dim[0]))
		return inn_fail(job->ctx, INN_EDATA, NULL, "%s: %s is no text", a->path, MEMBER);
	if (!(text = inn_printf(job->ctx, "%.*s", (int)t->shape.dim[0], (const char *)t->data)) || !(*out = inn_alloc(job->ctx, 1, sizeof(**out))))
		return INN_ENOMEM;
	if ((status = inn__yaml_text(job->ctx, a->path, text, &y)) == INN_OK)
		status = inn__bind_params(job->ctx, job->finder, MEMBER, rows, sizeof(*rows), y, NULL, *out);
	return status < 0 ? inn_while(job->ctx, INN_EDATA, NULL, "%s is no file of a fit", a->path) : status;
}
