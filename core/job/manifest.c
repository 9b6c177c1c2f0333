/* The manifest: what was computed, from what, by what. */
#include "config.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

static uint64_t add(uint64_t h, uint64_t v) { return ((h ^ v) * 0x9e3779b97f4a7c15u) ^ (h >> 31); }

static uint64_t add_text(uint64_t h, const char *s)
{
	while (s && *s)
		h = add(h, (unsigned char)*s++);
	return h;
}

static uint32_t side_by_side(const struct inn__exec *e) { return e->plan->k ? e->plan->k : 1; }

/* Of everything that the files depend on. */
static uint64_t key_of(inn_job *job, const struct inn__run *r, struct inn_model *m, const struct inn__samples *s, const struct inn__exec *e)
{
	uint64_t h = add(inn__model_hash(m), e->plan->hash);
	char limit[32];

	h = add(add(add(add(add(h, s->key), s->n), e->batch), side_by_side(e)), (uint64_t)r->target.kind);
	for (size_t i = 0; i < r->target.n_index; i++)
		h = add(h, (uint64_t)r->target.index[i]);
	for (size_t i = 0; i < r->analyzers.n; i++)
		h = add_text(add_text(h, r->analyzers.v[i].label), inn__print_inst(job->ctx, &r->analyzers.v[i]));
	for (size_t i = 0; i < r->metrics.n; i++)
		h = add_text(add_text(h, r->metrics.v[i].label), inn__print_inst(job->ctx, &r->metrics.v[i]));
	for (size_t i = 0; i < r->pre.n; i++)
		h = add_text(h, inn__print_inst(job->ctx, &r->pre.stage[i]));
	for (const struct inn__archive *a = job->archives; a; a = a->next)
		h = add(h, a->hash);
	if (job->backend.cls)
		h = add_text(h, inn__print_inst(job->ctx, &job->backend));
	h = add(add_text(add_text(h, r->output.maps), r->metrics.n ? r->output.plots : ""), job->strict);
	h = add_text(add(h, r->audit), isnan(r->audit_limit) ? "" : inn__print_real(r->audit_limit, limit));
	return add_text(h, r->output.sheet);
}

static void quoted(struct inn__text *t, const char *key, const char *value)
{
	inn__text_add(t, "  \"%s\": ", key);
	inn__text_json(t, value ? value : "");
	inn__text_add(t, ",\n");
}

static const char *target_text(inn_job *job, const struct inn_target *t)
{
	static const char *const word[] = { "max", "index", "all", "all-separately" };

	return t->kind == INN_TARGET_INDEX && t->n_index == 1 ? inn_printf(job->ctx, "%lld", (long long)t->index[0]) : word[t->kind];
}

static void classes(inn_job *job, struct inn__text *t, const char *key, const struct inn_insts *v)
{
	inn__text_add(t, ",\n  \"%s\": [", key);
	for (size_t i = 0; i < v->n; i++) {
		inn__text_add(t, "%s\n    {\"label\": ", i ? "," : "");
		inn__text_json(t, v->v[i].label);
		inn__text_add(t, ", \"configuration\": ");
		inn__text_json(t, inn__print_inst(job->ctx, &v->v[i]));
		inn__text_add(t, "}");
	}
	inn__text_add(t, v->n ? "\n  ]" : "]");
}

void inn__manifest(inn_job *job, const struct inn__run *r, struct inn_model *m, const struct inn__samples *s, const struct inn__exec *e,
		   struct inn__text *t)
{
	inn__text_add(t, "{\n  \"schema\": 1,\n  \"key\": \"%016llx\",\n", (unsigned long long)key_of(job, r, m, s, e));
	inn__text_add(t, "  \"version\": \"%d.%d.%d\",\n", INN_VERSION_MAJOR, INN_VERSION_MINOR, INN_VERSION_PATCH);
	quoted(t, "configuration", r->path);
	quoted(t, "model", m->path);
	inn__text_add(t, "  \"model_bytes\": %zu,\n  \"model_hash\": \"%016llx\",\n", m->file.size, (unsigned long long)inn__model_hash(m));
	inn__text_add(t, "  \"samples\": %zu,\n  \"input\": [", s->n);
	for (size_t i = 0; i < r->n_input; i++) {
		inn__text_add(t, i ? ", " : "");
		inn__text_json(t, r->input[i]);
	}
	inn__text_add(t, "],\n");
	quoted(t, "preprocess", r->pre.name);
	quoted(t, "target", target_text(job, &r->target));
	quoted(t, "backend", job->backend.cls ? inn__print_inst(job->ctx, &job->backend) : "");
	quoted(t, "device", job->dev && job->ops->describe ? job->ops->describe(job->dev) : "");
	inn__text_add(t, "  \"batch\": %u,\n  \"side_by_side\": %u,\n  \"strict\": %s,\n  \"plan_hash\": \"%016llx\"", e->batch, side_by_side(e),
		      job->strict ? "true" : "false", (unsigned long long)e->plan->hash);
	classes(job, t, "analyzers", &r->analyzers);
	classes(job, t, "metrics", &r->metrics);
	inn__text_add(t, "\n}\n");
}

uint64_t inn__manifest_hash(const struct inn__text *t) { return add_text(t->n, t->s); }

/* The value behind "key" in a manifest's text. */
static bool find_key(const char *s, size_t n, char key[17])
{
	static const char mark[] = "\"key\": \"";
	const char *p = memmem(s, n, mark, sizeof(mark) - 1);

	if (!p || (size_t)(s + n - p) < sizeof(mark) - 1 + 16)
		return false;
	memcpy(key, p + sizeof(mark) - 1, 16);
	key[16] = 0;
	return true;
}

enum inn__found inn__manifest_compare(const char *path, const struct inn__text *now)
{
	FILE *f = fopen(path, "rbe");
	char text[4096], old[17], new[17];
	size_t n;

	if (!f)
		return INN__NONE;
	n = fread(text, 1, sizeof(text), f);
	fclose(f);
	if (!find_key(text, n, old) || !find_key(now->s, now->n, new))
		return INN__OTHER;
	return strcmp(old, new) ? INN__OTHER : INN__SAME;
}
