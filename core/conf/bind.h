/* Shared by the binder's files. */
#ifndef INN_CONF_BIND_H
#define INN_CONF_BIND_H
#include "conf.h"
#define MAX_ROWS 256
/* preset.c: the body of a preset with its parameters put in; `given`: what the user wrote besides type (NULL ok). A preset built on
 * another one takes that one's parameters too, and passes them on. */
int inn__preset_expand(inn_ctx *ctx, const struct inn__finder *f, const char *path, const struct inn__yaml *given, struct inn__yaml **body);
/* rules.c */
int inn__bind_rules(inn_ctx *ctx, const struct inn__finder *f, const struct inn__yaml *y, struct inn_rules **out);
/* class.c: counts what a short text can ask for often and what takes long: reading a preset, a walk over all names of a kind. */
int inn__search(inn_ctx *ctx, const struct inn_loc *loc) INN_MUST;
bool inn__is_null(const struct inn__yaml *y);
#endif
