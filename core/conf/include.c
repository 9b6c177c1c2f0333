/* `include:` in a configuration's file: other files give what it does not say itself. */
#include "conf.h"
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#define MAX_FILES 8 /* within each other */
#define MAX_IN_ALL 16

const char *inn__yaml_path(inn_ctx *ctx, const struct inn__yaml *y)
{
	const char *slash = y->loc.file ? strrchr(y->loc.file, '/') : NULL;

	return y->text[0] == '/' || !slash ? y->text : inn_printf(ctx, "%.*s/%s", (int)(slash - y->loc.file), y->loc.file, y->text);
}

struct chain { const struct chain *up; const char *real; unsigned depth, *files; };

static int merge(inn_ctx *ctx, struct inn__yaml *to, const struct inn__yaml *from);

/* Adds what `from` has under a key that `to`, with room for it, lacks; mappings of both are merged, but one that names a class stands
 * whole. */
static int merge_key(inn_ctx *ctx, struct inn__yaml *to, struct inn__yaml *key, struct inn__yaml *item)
{
	struct inn__yaml *mine = inn__yaml_get(to, key->text);

	if (mine && mine->kind == INN__MAP && item->kind == INN__MAP && !inn__yaml_get(mine, "type"))
		return merge(ctx, mine, item);
	if (mine)
		return INN_OK;
	if (to->n >= INN__YAML_KEYS)
		return inn_fail(ctx, INN_ECONFIG, &key->loc, "more than %d keys with those of other files", INN__YAML_KEYS);
	to->key[to->n] = key;
	to->item[to->n++] = item;
	return INN_OK;
}

static int merge(inn_ctx *ctx, struct inn__yaml *to, const struct inn__yaml *from)
{
	struct inn__yaml **keys = inn_alloc(ctx, to->n + from->n, sizeof(*keys)), **items = inn_alloc(ctx, to->n + from->n, sizeof(*items));
	int status = INN_OK;

	if (!keys || !items)
		return INN_ENOMEM;
	if (to->n) {
		memcpy(keys, to->key, to->n * sizeof(*keys));
		memcpy(items, to->item, to->n * sizeof(*items));
	}
	to->key = keys;
	to->item = items;
	for (size_t i = 0; status == INN_OK && i < from->n; i++)
		status = merge_key(ctx, to, from->key[i], from->item[i]);
	return status;
}

static void drop(struct inn__yaml *map, const char *name)
{
	size_t n = 0;

	for (size_t i = 0; i < map->n; i++)
		if (strcmp(map->key[i]->text, name)) {
			map->key[n] = map->key[i];
			map->item[n++] = map->item[i];
		}
	map->n = n;
}

static int include(inn_ctx *ctx, struct inn__yaml *root, const struct chain *up);

static int include_file(inn_ctx *ctx, struct inn__yaml *root, const struct inn__yaml *y, const struct chain *up)
{
	struct inn__yaml *other;
	char real[PATH_MAX];

	if (y->kind != INN__SCALAR || !*y->text)
		return inn_fail(ctx, INN_ECONFIG, &y->loc, "include: the path of a file is expected");
	const char *path = inn__yaml_path(ctx, y);

	if (!path)
		return INN_ENOMEM;
	if (!realpath(path, real))
		return inn_fail(ctx, INN_ECONFIG, &y->loc, "include: %s cannot be opened", path);
	for (const struct chain *c = up; c; c = c->up)
		if (!strcmp(c->real, real))
			return inn_fail(ctx, INN_ECONFIG, &y->loc, "include: %s includes itself", path);
	if (up->depth == MAX_FILES)
		return inn_fail(ctx, INN_ECONFIG, &y->loc, "include: more than %d files within each other", MAX_FILES);
	if (++*up->files > MAX_IN_ALL)
		return inn_fail(ctx, INN_ECONFIG, &y->loc, "include: more than %d files in all", MAX_IN_ALL);
	int status = inn__yaml_file(ctx, path, &other);

	if (status == INN_OK && other->kind != INN__MAP)
		status = inn_fail(ctx, INN_ECONFIG, &other->loc, "an included file is a mapping");
	if (status == INN_OK)
		status = include(ctx, other, &(struct chain){ up, real, up->depth + 1, up->files });
	return status == INN_OK ? merge(ctx, root, other) : inn_while(ctx, status, &y->loc, "in include");
}

static int include(inn_ctx *ctx, struct inn__yaml *root, const struct chain *up)
{
	const struct inn__yaml *y = inn__yaml_get(root, "include");
	int status = INN_OK;

	if (!y)
		return INN_OK;
	if (y->kind == INN__SEQ) /* the last file counts before the first */
		for (size_t i = y->n; status == INN_OK && i-- > 0;)
			status = include_file(ctx, root, y->item[i], up);
	else
		status = include_file(ctx, root, y, up);
	drop(root, "include");
	return status;
}

int inn__yaml_include(inn_ctx *ctx, struct inn__yaml *root)
{
	char real[PATH_MAX];
	unsigned files = 0;

	if (!inn__yaml_get(root, "include"))
		return INN_OK;
	if (!root->loc.file || !realpath(root->loc.file, real))
		real[0] = 0;
	return include(ctx, root, &(struct chain){ NULL, real, 1, &files });
}
