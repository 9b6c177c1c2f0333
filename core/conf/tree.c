/* Looking into YAML trees and changing them from the command line. */
#include "tree.h"
#include <string.h>

static const char *const kinds[INN_KINDS] = {
	[INN_LAYER] = "layer", [INN_RULE] = "rule", [INN_ANALYZER] = "analyzer", [INN_PASS] = "pass", [INN_STAGE] = "stage",
	[INN_FILL] = "fill", [INN_BACKEND] = "backend", [INN_FORMAT] = "format", [INN_METRIC] = "metric",
};

const char *inn__kind_name(uint32_t kind)
{
	return kind < INN_KINDS ? kinds[kind] : NULL;
}

struct inn__yaml *inn__yaml_get(const struct inn__yaml *map, const char *key)
{
	if (!map || map->kind != INN__MAP)
		return NULL;
	for (size_t i = 0; i < map->n; i++)
		if (!strcmp(map->key[i]->text, key))
			return map->item[i];
	return NULL;
}

bool inn__yaml_null(const struct inn__yaml *y)
{
	return y->kind == INN__SCALAR && !y->quoted &&
	       (!*y->text || !strcmp(y->text, "~") || !strcmp(y->text, "null") || !strcmp(y->text, "Null") || !strcmp(y->text, "NULL"));
}

/* A scalar on the way becomes a map: a bare class name keeps its meaning as `type:`. */
static int into_map(inn_ctx *ctx, struct inn__yaml *y)
{
	struct inn__yaml *key, *name;

	if (y->kind != INN__SCALAR)
		return INN_OK;
	if (inn__yaml_null(y)) {
		y->kind = INN__MAP;
		return INN_OK;
	}
	key = inn__yaml_new(ctx, INN__SCALAR, y->loc);
	name = inn__yaml_new(ctx, INN__SCALAR, y->loc);
	if (!key || !name)
		return INN_ENOMEM;
	key->text = "type";
	name->text = y->text;
	name->quoted = y->quoted;
	y->kind = INN__MAP;
	y->text = "";
	return inn__yaml_push(ctx, y, key, name);
}

/* The place in `y` that `part` names, made if it is not there. */
static int step(inn_ctx *ctx, struct inn__yaml *y, char *part, struct inn_loc loc, struct inn__yaml ***place)
{
	struct inn__yaml *key, *item;
	int64_t i;
	int status;

	if (y->kind == INN__SEQ) {
		if (!inn__parse_int(part, &i) || i < 0 || (uint64_t)i > y->n)
			return inn_fail(ctx, INN_ECONFIG, &loc, "'%s' is no position in a list of %zu (counted from 0)", part, y->n);
		if ((uint64_t)i < y->n) {
			*place = &y->item[i];
			return INN_OK;
		}
	} else {
		status = into_map(ctx, y);
		if (status)
			return status;
		for (size_t k = 0; k < y->n; k++) {
			if (strcmp(y->key[k]->text, part))
				continue;
			*place = &y->item[k];
			return INN_OK;
		}
	}
	key = inn__yaml_new(ctx, INN__SCALAR, loc);
	item = inn__yaml_new(ctx, INN__SCALAR, loc);
	if (!key || !item)
		return INN_ENOMEM;
	key->text = part;
	status = inn__yaml_push(ctx, y, key, item);
	if (!status)
		*place = &y->item[y->n - 1];
	return status;
}

int inn__yaml_set(inn_ctx *ctx, struct inn__yaml *root, const char *assignment)
{
	struct inn_loc loc = { "-s", 1, 1 };
	const char *equals = strchr(assignment, '=');
	struct inn__yaml *value, **place = &root;
	char *path = inn_strdup(ctx, assignment), *part;
	unsigned depth = 0;
	int status;

	if (!path)
		return INN_ENOMEM;
	if (!equals || equals == assignment)
		return inn_fail(ctx, INN_ECONFIG, &loc, "'%s' is not KEY=VALUE", assignment);
	status = inn__yaml_text(ctx, "-s", equals[1] ? equals + 1 : "null", &value);
	if (status)
		return status;
	path[equals - assignment] = 0;
	for (part = path; part; depth++) {
		char *dot = strchr(part, '.');

		if (dot)
			*dot++ = 0;
		if (!*part || depth >= INN__YAML_DEPTH / 2)
			return inn_fail(ctx, INN_ECONFIG, &loc, "'%s' is no path of keys and positions", assignment);
		status = step(ctx, *place, part, loc, &place);
		if (status)
			return status;
		part = dot;
	}
	*place = value;
	return INN_OK;
}
