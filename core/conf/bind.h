/* One binding: what its parts share. */
#ifndef INN_CONF_BIND_H
#define INN_CONF_BIND_H
#include "tree.h"

#define INN__BIND_DEPTH 16       /* classes within classes, presets within presets */
#define INN__BIND_WORK 1000000   /* values bound: presets can multiply what a file says */

struct inn__bind {
	inn_ctx *ctx;
	const struct inn__finder *f;
	unsigned depth;
	size_t work;
};

/* Keeps the first status of several. */
static inline void inn__first(int *status, int next)
{
	if (!*status)
		*status = next;
}
int inn__bind_inst(struct inn__bind *b, uint32_t kind, const struct inn__yaml *y, struct inn_inst *out) INN_MUST;
int inn__bind_rows(struct inn__bind *b, const char *what, const struct inn_param *rows, size_t row_size, const struct inn__yaml *y,
		   const char *const *skip, void *opts) INN_MUST;
/* One row's value at `at`; y NULL: its default. */
int inn__bind_value(struct inn__bind *b, const char *what, const struct inn_param *row, const struct inn__yaml *y, void *at) INN_MUST;
int inn__bind_list(struct inn__bind *b, const char *what, const struct inn_param *row, const struct inn__yaml *y, void *at) INN_MUST;
int inn__bind_rules(struct inn__bind *b, const struct inn__yaml *y, struct inn_rules **out) INN_MUST;
int inn__bind_work(struct inn__bind *b, size_t n, const struct inn_loc *loc) INN_MUST;
/* Row i of a table whose rows may be shorter than ours; false at its end. */
bool inn__row(const struct inn_param *rows, size_t row_size, size_t i, struct inn_param *row);
/* One of choices by name. */
int inn__bind_choice(struct inn__bind *b, const char *what, const struct inn_choice *choices, const struct inn__yaml *y, int *v) INN_MUST;
/* ", did you mean 'x'?" or "". */
const char *inn__hint(inn_ctx *ctx, const struct inn__nearest *near);
/* The keys that stand in any analyzer: NULL-ended, with `type`. */
const char *const *inn__common_keys(uint32_t kind);
/* The body of preset file `path` with its parameters put in; y: what the user wrote. */
int inn__preset_expand(struct inn__bind *b, const char *path, const char *name, uint32_t kind, const struct inn__yaml *y,
		       struct inn__yaml **body) INN_MUST;

struct inn__binding { const char *name; const struct inn__yaml *value; }; /* value NULL: absent or null */
struct inn__scope { size_t n; struct inn__binding *v; };
/* The number that an arithmetic text over parameters stands for. */
int inn__expr(inn_ctx *ctx, const struct inn__scope *s, const struct inn_loc *loc, const char *text, double *v) INN_MUST;

extern const struct inn_choice inn__heads[], inn__dialects[];
#endif
