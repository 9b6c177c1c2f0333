/* The context: arena, error stack, log, stop flag. */
#include "ctx.h"
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ERRORS 64
#if defined(INN_SANITIZED)
#define BLOCK ((size_t)0) /* each on its own, so that the sanitizer sees where it ends */
#else
#define BLOCK ((size_t)64 << 10)
#endif
#define TEXT 256
#define NAME 128

struct block {
	struct block *next;
	size_t used, size;
	max_align_t data[];
};

struct owned {
	struct owned *next;
	void *heap;
	void (*release)(void *);
};

/* The buffers make recording independent of the heap: what does not fit is truncated only when memory is out. */
struct slot {
	struct inn__error e;
	char text[TEXT], file[NAME];
};

struct inn_ctx {
	struct block *blocks;
	struct owned *owned;
	enum inn__level level;
	atomic_bool stop;
	struct inn__binding binding;
	uint32_t n;     /* slots in use */
	uint64_t total; /* recorded ever, the dropped ones included */
	uint64_t limit[INN_LIMITS];
	uint64_t left;  /* bytes that may still be taken */
	const char *spender;
	struct slot slot[ERRORS];
};

#define INN_X(kind, key, most, text) { #key, most },
static const struct { const char *key; uint64_t most; } limits[INN_LIMITS] = { INN_LIMIT_MAP(INN_X) };
#undef INN_X

inn_ctx *inn__ctx_new(void)
{
	inn_ctx *ctx = calloc(1, sizeof(*ctx));

	if (ctx) {
		ctx->level = INN__NORMAL;
		atomic_init(&ctx->stop, false);
		for (int i = 0; i < INN_LIMITS; i++)
			ctx->limit[i] = limits[i].most;
		ctx->left = UINT64_MAX;
	}
	return ctx;
}

void inn__ctx_free(inn_ctx *ctx)
{
	if (!ctx)
		return;
	for (struct owned *o = ctx->owned; o; o = o->next)
		o->release(o->heap);
	for (struct block *b = ctx->blocks, *next; b; b = next) {
		next = b->next;
		free(b);
	}
	free(ctx);
}

/* ---- arena */

static void *take(inn_ctx *ctx, size_t n, size_t size)
{
	const size_t align = sizeof(max_align_t);
	struct block *b = ctx->blocks;
	size_t bytes, room;

	if (__builtin_mul_overflow(n, size, &bytes) || bytes > PTRDIFF_MAX / 2)
		return NULL;
	bytes = bytes ? (bytes + align - 1) / align * align : align;
	if (bytes > ctx->left)
		return NULL;
	if (!b || b->size - b->used < bytes) {
		room = bytes > BLOCK / 4 ? bytes : BLOCK;
		b = calloc(1, sizeof(*b) + room);
		if (!b)
			return NULL;
		b->size = room;
		if (room == BLOCK || !ctx->blocks) {
			b->next = ctx->blocks;
			ctx->blocks = b;
		} else { /* a block of its own goes behind the one that still has room */
			b->next = ctx->blocks->next;
			ctx->blocks->next = b;
		}
	}
	b->used += bytes;
	ctx->left -= ctx->left == UINT64_MAX ? 0 : bytes;
	return (char *)b->data + b->used - bytes;
}

void *inn_alloc(inn_ctx *ctx, size_t n, size_t size)
{
	void *p = take(ctx, n, size);

	if (!p && ctx->spender && ctx->left != UINT64_MAX && n * size + sizeof(max_align_t) > ctx->left)
		inn_fail(ctx, INN_ELIMIT, NULL, "%s", ctx->spender);
	else if (!p)
		inn_nomem(ctx);
	return p;
}

uint64_t inn__ctx_budget(inn_ctx *ctx, uint64_t bytes, const char *spender)
{
	uint64_t left = ctx->left;

	ctx->left = bytes;
	ctx->spender = spender;
	return left;
}

char *inn_strdup(inn_ctx *ctx, const char *s)
{
	size_t n = strlen(s) + 1;
	char *copy = inn_alloc(ctx, n, 1);

	return copy ? memcpy(copy, s, n) : NULL;
}

char *inn_printf(inn_ctx *ctx, const char *fmt, ...)
{
	va_list ap;
	char *text = NULL;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(NULL, 0, fmt, ap);
	va_end(ap);
	if (n >= 0)
		text = inn_alloc(ctx, (size_t)n + 1, 1);
	else
		inn_nomem(ctx);
	if (text) {
		va_start(ap, fmt);
		vsnprintf(text, (size_t)n + 1, fmt, ap);
		va_end(ap);
	}
	return text;
}

int inn__ctx_own(inn_ctx *ctx, void *heap, void (*release)(void *))
{
	struct owned *o = inn_alloc(ctx, 1, sizeof(*o));

	if (!o) {
		release(heap);
		return INN_ENOMEM;
	}
	*o = (struct owned){ ctx->owned, heap, release };
	ctx->owned = o;
	return INN_OK;
}

/* ---- errors */

/* Control characters of foreign files must not reach a terminal. */
static void plain(char *s)
{
	for (; *s; s++)
		if ((unsigned char)*s < 0x20 || *s == 0x7f)
			*s = '?';
}

static const char *keep_file(inn_ctx *ctx, struct slot *s, const char *file)
{
	size_t n;
	char *copy;

	if (!file)
		return NULL;
	if (s > ctx->slot && s[-1].e.loc.file && !strcmp(s[-1].e.loc.file, file))
		return s[-1].e.loc.file;
	n = strlen(file) + 1;
	copy = n <= sizeof(s->file) ? s->file : take(ctx, n, 1);
	if (!copy) { /* the end of a path says more than its beginning */
		file += n - sizeof(s->file);
		n = sizeof(s->file);
		copy = s->file;
	}
	return memcpy(copy, file, n);
}

/* One finding told twice, as by a class that is bound in two places. */
static bool repeats(const struct inn__error *a, const struct inn__error *b)
{
	return a->status == b->status && a->context == b->context && a->loc.line && a->loc.line == b->loc.line && a->loc.col == b->loc.col &&
	       !strcmp(a->loc.file, b->loc.file) && !strcmp(a->text, b->text);
}

INN_PRINTF(5, 0)
static int record(inn_ctx *ctx, int status, bool context, const struct inn_loc *loc, const char *fmt, va_list ap)
{
	struct slot *s = &ctx->slot[ctx->n];
	va_list again;
	char *text = s->text;
	int n;

	ctx->total++;
	if (ctx->n == ERRORS)
		return status;
	va_copy(again, ap);
	n = vsnprintf(s->text, sizeof(s->text), fmt, ap);
	if (n >= (int)sizeof(s->text)) {
		char *longer = take(ctx, (size_t)n + 1, 1);

		if (longer) {
			vsnprintf(longer, (size_t)n + 1, fmt, again);
			text = longer;
		}
	}
	va_end(again);
	plain(text);
	s->e = (struct inn__error){ .status = status, .text = text, .context = context };
	if (loc) {
		s->e.loc = *loc;
		s->e.loc.file = keep_file(ctx, s, loc->file);
	}
	if (!ctx->n || !repeats(&s[-1].e, &s->e))
		ctx->n++;
	return status;
}

int inn_fail(inn_ctx *ctx, int status, const struct inn_loc *loc, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	record(ctx, status, false, loc, fmt, ap);
	va_end(ap);
	return status;
}

int inn_while(inn_ctx *ctx, int status, const struct inn_loc *loc, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	record(ctx, status, ctx->n > 0, loc, fmt, ap);
	va_end(ap);
	return status;
}

int inn_nomem(inn_ctx *ctx)
{
	ctx->total++;
	if (ctx->n < ERRORS)
		ctx->slot[ctx->n++].e = (struct inn__error){ .status = INN_ENOMEM, .text = "out of memory" };
	return INN_ENOMEM;
}

bool inn_failed(const inn_ctx *ctx)
{
	return ctx->n > 0;
}

uint32_t inn__errors(const inn_ctx *ctx)
{
	return ctx->n;
}

struct inn__binding *inn__ctx_binding(inn_ctx *ctx)
{
	return &ctx->binding;
}

uint64_t inn__errors_total(const inn_ctx *ctx)
{
	return ctx->total;
}

const struct inn__error *inn__error(const inn_ctx *ctx, uint32_t i)
{
	return i < ctx->n ? &ctx->slot[i].e : NULL;
}

void inn__errors_clear(inn_ctx *ctx)
{
	ctx->n = 0;
}

INN_PRINTF(5, 6)
static void append(inn_ctx *to, int status, bool context, const struct inn_loc *loc, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	record(to, status, context, loc, fmt, ap);
	va_end(ap);
}

void inn__errors_move(inn_ctx *to, inn_ctx *from)
{
	for (uint32_t i = 0; i < from->n; i++) {
		const struct inn__error *e = &from->slot[i].e;

		append(to, e->status, e->context, &e->loc, "%s", e->text);
	}
	from->n = 0;
}

/* ---- limits */

uint64_t inn_limit(const inn_ctx *ctx, int kind) { return ctx->limit[kind]; }
void inn__ctx_limit(inn_ctx *ctx, int kind, uint64_t most) { ctx->limit[kind] = most; }

inn_ctx *inn__ctx_helper(const inn_ctx *of)
{
	inn_ctx *ctx = inn__ctx_new();

	if (ctx)
		memcpy(ctx->limit, of->limit, sizeof(of->limit));
	return ctx;
}

int inn_within(inn_ctx *ctx, int kind, const struct inn_loc *loc, uint64_t n, uint64_t from, const char *what)
{
	if (n <= ctx->limit[kind] || (from && n / 100 <= from))
		return INN_OK;
	return inn_fail(ctx, INN_ELIMIT, loc, "%s: %llu; limits.%s allows %llu%s", what, (unsigned long long)n, limits[kind].key,
			(unsigned long long)ctx->limit[kind], from ? ", or a hundred times what the file holds" : "");
}

/* ---- stop flag and log */

bool inn_cancelled(const inn_ctx *ctx)
{
	return atomic_load_explicit(&ctx->stop, memory_order_relaxed);
}

void inn__ctx_stop(inn_ctx *ctx)
{
	atomic_store_explicit(&ctx->stop, true, memory_order_relaxed);
}

void inn__ctx_level(inn_ctx *ctx, enum inn__level level)
{
	ctx->level = level;
}

INN_PRINTF(3, 0)
static void print(const struct inn_loc *loc, const char *label, const char *fmt, va_list ap)
{
	char text[1024];

	vsnprintf(text, sizeof(text), fmt, ap);
	plain(text);
	if (loc && loc->file && loc->line)
		fprintf(stderr, "%s:%u:%u: %s%s\n", loc->file, loc->line, loc->col, label, text);
	else if (loc && loc->file)
		fprintf(stderr, "%s: %s%s\n", loc->file, label, text);
	else
		fprintf(stderr, "%s%s\n", label, text);
}

void inn_warn(inn_ctx *ctx, const struct inn_loc *loc, const char *fmt, ...)
{
	va_list ap;

	if (ctx->level < INN__NORMAL)
		return;
	va_start(ap, fmt);
	print(loc, "warning: ", fmt, ap);
	va_end(ap);
}

void inn_info(inn_ctx *ctx, const char *fmt, ...)
{
	va_list ap;

	if (ctx->level < INN__VERBOSE)
		return;
	va_start(ap, fmt);
	print(NULL, "", fmt, ap);
	va_end(ap);
}
