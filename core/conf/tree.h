/* Making and changing YAML trees. */
#ifndef INN_CONF_TREE_H
#define INN_CONF_TREE_H
#include "conf.h"

#define INN__YAML_DEPTH 64
#define INN__YAML_NODES 100000

struct inn__yaml *inn__yaml_new(inn_ctx *ctx, enum inn__ykind kind, struct inn_loc loc); /* NULL after recording */
/* Appends an item, in a map with its key. */
int inn__yaml_push(inn_ctx *ctx, struct inn__yaml *y, struct inn__yaml *key, struct inn__yaml *item) INN_MUST;
bool inn__yaml_null(const struct inn__yaml *y); /* a plain null, ~ or nothing */
#endif
