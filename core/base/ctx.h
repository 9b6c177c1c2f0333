/* Behind inn_ctx: what job and cli need of it. */
#ifndef INN_BASE_CTX_H
#define INN_BASE_CTX_H
#include <innvestigate/base.h>

struct inn__error { int status; struct inn_loc loc; const char *text; bool context; };
enum inn__level { INN__QUIET, INN__NORMAL, INN__VERBOSE };

inn_ctx *inn__ctx_new(void);
void inn__ctx_free(inn_ctx *ctx);                       /* NULL ok */
uint32_t inn__errors(const inn_ctx *ctx);               /* at most 64 */
/* Of configurations: classes being bound within each other; searches for names since the count was last set to 0. */
struct inn__binding { unsigned nesting, searches; };
struct inn__binding *inn__ctx_binding(inn_ctx *ctx);
uint64_t inn__errors_total(const inn_ctx *ctx);           /* ever recorded, those past 64 and cleared ones included */
const struct inn__error *inn__error(const inn_ctx *ctx, uint32_t i); /* NULL past the end */
void inn__errors_clear(inn_ctx *ctx);
/* Appends another context's errors (reader threads). */
void inn__errors_move(inn_ctx *to, inn_ctx *from);
/* From now on inn_alloc gives no more than that; else its error says `spender`. UINT64_MAX: no limit. Gives what was left before. */
uint64_t inn__ctx_budget(inn_ctx *ctx, uint64_t bytes, const char *spender);
void inn__ctx_limit(inn_ctx *ctx, int kind, uint64_t most);
inn_ctx *inn__ctx_helper(const inn_ctx *of);            /* a context for another thread, with the same limits; NULL: no memory */
void inn__ctx_level(inn_ctx *ctx, enum inn__level level);
void inn__ctx_stop(inn_ctx *ctx);                       /* async-signal-safe */
/* "file:line:col: error: text", the source line and a caret if the file is readable; by inn_alloc. */
const char *inn__error_text(inn_ctx *ctx, const struct inn__error *e);
/* Frees a heap pointer with the context. */
int inn__ctx_own(inn_ctx *ctx, void *heap, void (*release)(void *));
#endif
