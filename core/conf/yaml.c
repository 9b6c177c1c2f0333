/* YAML text to a located tree, by events: size, depth, aliases and duplicates are bounded here. */
#include "../base/ctx.h"
#include "conf.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <yaml.h>

#define MAX_BYTES ((size_t)1 << 20)
#define MAX_DEPTH 64
#define MAX_NODES 100000
#define MAX_ANCHORS 1024

struct anchor { const char *name; struct inn__yaml *node; };
struct reader {
	inn_ctx *ctx;
	const char *file;
	yaml_parser_t p;
	struct anchor anchor[MAX_ANCHORS];
	size_t n_anchors, nodes;
};

static struct inn_loc at(const struct reader *r, yaml_mark_t m)
{
	return (struct inn_loc){ r->file, (uint32_t)m.line + 1, (uint32_t)m.column + 1 };
}

static int bad(struct reader *r, yaml_mark_t m, const char *what)
{
	struct inn_loc loc = at(r, m);

	return inn_fail(r->ctx, INN_ECONFIG, &loc, "%s", what);
}

static int next(struct reader *r, yaml_event_t *e)
{
	if (yaml_parser_parse(&r->p, e))
		return INN_OK;
	struct inn_loc loc = at(r, r->p.problem_mark);

	return inn_fail(r->ctx, INN_ECONFIG, &loc, "%s", r->p.problem ? r->p.problem : "not YAML");
}

static struct inn__yaml *new_node(struct reader *r, enum inn__ykind kind, yaml_mark_t m)
{
	struct inn__yaml *y;

	if (++r->nodes > MAX_NODES) {
		bad(r, m, "more than 100000 nodes");
		return NULL;
	}
	y = inn_alloc(r->ctx, 1, sizeof(*y));
	if (y) {
		y->kind = kind;
		y->loc = at(r, m);
	}
	return y;
}

static int anchored(struct reader *r, const yaml_char_t *name, struct inn__yaml *y, yaml_mark_t m)
{
	if (!name)
		return INN_OK;
	if (r->n_anchors == MAX_ANCHORS)
		return bad(r, m, "more than 1024 anchors");
	r->anchor[r->n_anchors++] = (struct anchor){ inn_strdup(r->ctx, (const char *)name), y };
	return r->anchor[r->n_anchors - 1].name ? INN_OK : INN_ENOMEM;
}

/* Counts a subtree again where an alias repeats it. */
static int count(struct reader *r, const struct inn__yaml *y, unsigned depth, yaml_mark_t m)
{
	if (depth > MAX_DEPTH)
		return bad(r, m, "nested deeper than 64 by aliases");
	if (++r->nodes > MAX_NODES)
		return bad(r, m, "aliases expand to more than 100000 nodes");
	for (size_t i = 0; i < y->n; i++) {
		int rc = count(r, y->item[i], depth + 1, m);

		if (rc < 0)
			return rc;
	}
	return INN_OK;
}

static int parse(struct reader *r, yaml_event_t *e, unsigned depth, struct inn__yaml **out);

static int push(struct reader *r, struct inn__yaml *y, size_t *cap, struct inn__yaml *key, struct inn__yaml *item)
{
	if (y->n == *cap) {
		size_t to = *cap ? *cap * 2 : 8;
		struct inn__yaml **k = inn_alloc(r->ctx, to, sizeof(*k)), **i = inn_alloc(r->ctx, to, sizeof(*i));

		if (!k || !i)
			return INN_ENOMEM;
		if (y->n) {
			memcpy(k, y->key, y->n * sizeof(*k));
			memcpy(i, y->item, y->n * sizeof(*i));
		}
		y->key = k;
		y->item = i;
		*cap = to;
	}
	y->key[y->n] = key;
	y->item[y->n++] = item;
	return INN_OK;
}

static int check_key(struct reader *r, const struct inn__yaml *map, const struct inn__yaml *key)
{
	if (key->kind != INN__SCALAR)
		return inn_fail(r->ctx, INN_ECONFIG, &key->loc, "a key must be a word");
	if (!key->quoted && !strcmp(key->text, "<<"))
		return inn_fail(r->ctx, INN_ECONFIG, &key->loc, "merge keys are not supported");
	if (map->n == INN__YAML_KEYS)
		return inn_fail(r->ctx, INN_ECONFIG, &key->loc, "more than %d keys", INN__YAML_KEYS);
	for (size_t i = 0; i < map->n; i++)
		if (!strcmp(map->key[i]->text, key->text))
			return inn_fail(r->ctx, INN_ECONFIG, &key->loc, "duplicate key %s", key->text);
	return INN_OK;
}

static int collection(struct reader *r, struct inn__yaml *y, unsigned depth)
{
	yaml_event_type_t end = y->kind == INN__MAP ? YAML_MAPPING_END_EVENT : YAML_SEQUENCE_END_EVENT;
	size_t cap = 0;

	for (;;) {
		struct inn__yaml *key = NULL, *item = NULL;
		yaml_event_t e;
		int rc = next(r, &e);

		if (rc < 0)
			return rc;
		if (e.type == end) {
			yaml_event_delete(&e);
			return INN_OK;
		}
		if (y->kind == INN__MAP) {
			if ((rc = parse(r, &e, depth + 1, &key)) < 0 || (rc = check_key(r, y, key)) < 0 || (rc = next(r, &e)) < 0)
				return rc;
		}
		if ((rc = parse(r, &e, depth + 1, &item)) < 0 || (rc = push(r, y, &cap, key, item)) < 0)
			return rc;
	}
}

static int alias(struct reader *r, const yaml_event_t *e, unsigned depth, struct inn__yaml **out)
{
	const char *name = (const char *)e->data.alias.anchor;

	for (size_t i = r->n_anchors; i-- > 0;)
		if (!strcmp(r->anchor[i].name, name)) {
			if (!r->anchor[i].node)
				return bad(r, e->start_mark, "an alias inside of what it names");
			*out = r->anchor[i].node;
			return count(r, *out, depth, e->start_mark);
		}
	return bad(r, e->start_mark, "an alias to nothing");
}

/* Takes the event. */
static int parse(struct reader *r, yaml_event_t *e, unsigned depth, struct inn__yaml **out)
{
	struct inn__yaml *y = NULL;
	size_t slot = r->n_anchors;
	int rc = INN_OK;

	if (depth > MAX_DEPTH)
		rc = bad(r, e->start_mark, "nested deeper than 64");
	else if (e->type == YAML_ALIAS_EVENT)
		rc = alias(r, e, depth, out);
	else if (e->type == YAML_SCALAR_EVENT) {
		y = new_node(r, INN__SCALAR, e->start_mark);
		if (!y || !(y->text = inn_strdup(r->ctx, (const char *)e->data.scalar.value)))
			rc = INN_ECONFIG;
		else if (strlen(y->text) != e->data.scalar.length)
			rc = bad(r, e->start_mark, "a zero byte in a text");
		else {
			y->quoted = e->data.scalar.style != YAML_PLAIN_SCALAR_STYLE;
			rc = anchored(r, e->data.scalar.anchor, y, e->start_mark);
		}
		*out = y;
	} else if (e->type == YAML_SEQUENCE_START_EVENT || e->type == YAML_MAPPING_START_EVENT) {
		bool map = e->type == YAML_MAPPING_START_EVENT;
		const yaml_char_t *name = map ? e->data.mapping_start.anchor : e->data.sequence_start.anchor;

		y = new_node(r, map ? INN__MAP : INN__SEQ, e->start_mark);
		rc = y ? anchored(r, name, NULL, e->start_mark) : INN_ECONFIG;
		if (rc >= 0)
			rc = collection(r, y, depth);
		if (rc >= 0 && name)
			r->anchor[slot].node = y;
		*out = y;
	} else
		rc = bad(r, e->start_mark, "unexpected end");
	yaml_event_delete(e);
	return rc;
}

static int expect(struct reader *r, yaml_event_type_t type, const char *else_say)
{
	yaml_event_t e;
	int rc = next(r, &e);

	if (rc >= 0 && e.type != type)
		rc = bad(r, e.start_mark, else_say);
	if (rc >= 0 || e.type)
		yaml_event_delete(&e);
	return rc;
}

static int document(struct reader *r, struct inn__yaml **out)
{
	yaml_event_t e;
	int rc;

	if ((rc = expect(r, YAML_STREAM_START_EVENT, "not YAML")) < 0 || (rc = expect(r, YAML_DOCUMENT_START_EVENT, "empty")) < 0 ||
	    (rc = next(r, &e)) < 0 || (rc = parse(r, &e, 0, out)) < 0 || (rc = expect(r, YAML_DOCUMENT_END_EVENT, "more than one document")) < 0)
		return rc;
	return expect(r, YAML_STREAM_END_EVENT, "more than one document");
}

static int read_text(inn_ctx *ctx, const char *label, const char *text, size_t n, struct inn__yaml **out)
{
	struct reader *r = calloc(1, sizeof(*r));
	int rc;

	*out = NULL;
	if (!r)
		return inn_nomem(ctx);
	r->ctx = ctx;
	r->file = inn_strdup(ctx, label);
	if (!r->file || !yaml_parser_initialize(&r->p)) {
		free(r);
		return inn_nomem(ctx);
	}
	yaml_parser_set_input_string(&r->p, (const unsigned char *)text, n);
	rc = document(r, out);
	yaml_parser_delete(&r->p);
	free(r);
	return rc;
}

int inn__yaml_text(inn_ctx *ctx, const char *label, const char *text, struct inn__yaml **out)
{
	if (strlen(text) > MAX_BYTES)
		return inn_fail(ctx, INN_ECONFIG, NULL, "%s: larger than 1 MiB", label);
	return read_text(ctx, label, text, strlen(text), out);
}

/* All of a file, of which only MAX_BYTES + 1 are of interest; free it. NULL: no memory. */
static char *slurp(FILE *f, size_t *n)
{
	size_t room = 4096;
	char *text = malloc(room), *more;

	for (*n = 0; text; text = more) {
		*n += fread(text + *n, 1, room - *n, f);
		if (*n < room || *n > MAX_BYTES)
			return text;
		room *= 2;
		if (!(more = realloc(text, room)))
			free(text);
	}
	return NULL;
}

int inn__yaml_file(inn_ctx *ctx, const char *path, struct inn__yaml **out)
{
	struct inn_loc loc = { .file = path };
	FILE *f = fopen(path, "rb");
	size_t n = 0;
	char *text = f ? slurp(f, &n) : NULL;
	int rc;

	if (!f)
		rc = inn_fail(ctx, INN_ECONFIG, &loc, "cannot be opened: %s", strerror(errno));
	else if (!text)
		rc = inn_nomem(ctx);
	else if (ferror(f))
		rc = inn_fail(ctx, INN_ECONFIG, &loc, "cannot be read: %s", strerror(errno));
	else if (n > MAX_BYTES)
		rc = inn_fail(ctx, INN_ECONFIG, &loc, "larger than 1 MiB");
	else
		rc = read_text(ctx, path, text, n, out);
	free(text);
	if (f)
		fclose(f);
	return rc;
}

struct inn__yaml *inn__yaml_get(const struct inn__yaml *map, const char *key)
{
	for (size_t i = 0; map && map->kind == INN__MAP && i < map->n; i++)
		if (!strcmp(map->key[i]->text, key))
			return map->item[i];
	return NULL;
}

/* The child `key` of y: an item of a list by number, else of a map, made if absent. */
static int child(inn_ctx *ctx, struct inn__yaml *y, char *key, struct inn__yaml ***slot)
{
	int64_t i;

	if (y->kind == INN__SEQ) {
		if (!inn__parse_int(key, &i) || i < 0 || (uint64_t)i >= y->n)
			return inn_fail(ctx, INN_ECONFIG, &y->loc, "no item %s in a list of %zu", key, y->n);
		*slot = &y->item[i];
		return INN_OK;
	}
	if (y->kind == INN__SCALAR) { /* a bare name takes parameters */
		struct inn__yaml *name = inn_alloc(ctx, 1, sizeof(*name)), *type = inn_alloc(ctx, 1, sizeof(*type));

		if (!name || !type)
			return INN_ENOMEM;
		*name = *y;
		*type = (struct inn__yaml){ .kind = INN__SCALAR, .loc = y->loc, .text = "type" };
		*y = (struct inn__yaml){ .kind = INN__MAP, .loc = y->loc, .n = 1, .key = inn_alloc(ctx, 1, sizeof(void *)),
					 .item = inn_alloc(ctx, 1, sizeof(void *)) };
		if (!y->key || !y->item)
			return INN_ENOMEM;
		y->key[0] = type;
		y->item[0] = name;
	}
	for (size_t k = 0; k < y->n; k++)
		if (!strcmp(y->key[k]->text, key)) {
			*slot = &y->item[k];
			return INN_OK;
		}
	struct inn__yaml **keys = inn_alloc(ctx, y->n + 1, sizeof(*keys)), **items = inn_alloc(ctx, y->n + 1, sizeof(*items));
	struct inn__yaml *name = inn_alloc(ctx, 1, sizeof(*name)), *value = inn_alloc(ctx, 1, sizeof(*value));

	if (!keys || !items || !name || !value)
		return INN_ENOMEM;
	if (y->n) {
		memcpy(keys, y->key, y->n * sizeof(*keys));
		memcpy(items, y->item, y->n * sizeof(*items));
	}
	*name = (struct inn__yaml){ .kind = INN__SCALAR, .loc = y->loc, .text = key };
	*value = (struct inn__yaml){ .kind = INN__MAP, .loc = y->loc };
	keys[y->n] = name;
	items[y->n] = value;
	y->key = keys;
	y->item = items;
	*slot = &items[y->n++];
	return INN_OK;
}

int inn__yaml_set(inn_ctx *ctx, struct inn__yaml *root, const char *assignment)
{
	char *path = inn_strdup(ctx, assignment), *eq, *key, *rest = NULL;
	struct inn__yaml *value, **slot = NULL, *y = root;
	int rc;

	if (!path)
		return INN_ENOMEM;
	if (!(eq = strchr(path, '=')) || eq == path)
		return inn_fail(ctx, INN_ECONFIG, NULL, "-s %s: KEY.PATH=VALUE is expected", assignment);
	*eq = 0;
	if ((rc = inn__yaml_text(ctx, "-s", eq[1] ? eq + 1 : "''", &value)) < 0)
		return rc;
	for (key = strtok_r(path, ".", &rest); key; key = strtok_r(NULL, ".", &rest)) {
		if ((rc = child(ctx, y, key, &slot)) < 0)
			return rc;
		y = *slot;
	}
	if (!slot)
		return inn_fail(ctx, INN_ECONFIG, NULL, "-s %s: a key is missing", assignment);
	*slot = value;
	return INN_OK;
}
