/* YAML -> located tree -> bound options. Knows no plugin: classes come through the finder. */
#ifndef INN_CONF_CONF_H
#define INN_CONF_CONF_H
#include <innvestigate/plugin.h>

enum inn__ykind { INN__SCALAR, INN__SEQ, INN__MAP };
struct inn__yaml { /* lives as long as the job */
	enum inn__ykind kind;
	struct inn_loc loc;
	const char *text;   /* SCALAR */
	bool quoted;
	size_t n;           /* items, or pairs */
	struct inn__yaml **key, **item; /* key: MAP only */
};
const char *inn__kind_name(uint32_t kind); /* "layer" ...; NULL past the end */
struct inn__finder { /* how the binder finds classes and presets */
	void *user;
	const struct inn_class *(*find)(void *user, inn_ctx *ctx, uint32_t kind, const char *name,
					const struct inn_loc *loc); /* NULL without an error: no such class */
	const char *(*preset)(void *user, const char *name);        /* path of NAME.yaml or NULL */
	/* Calls `each` for every known class and preset name of the kind (did you mean). */
	void (*names)(void *user, uint32_t kind, void (*each)(void *, const char *), void *arg);
	/* By kind: further names {name: class}, and what two numbers in place of a class stand for [class, parameter, parameter].
	 * NULL: none. */
	const struct inn__yaml *words, *pairs;
};

#define INN__YAML_KEYS 4096 /* of one mapping: they are compared pairwise */
/* Limits: 1 MiB, depth 64, 100,000 nodes, no aliases to open nodes, duplicate keys and a second document refused. */
int inn__yaml_file(inn_ctx *ctx, const char *path, struct inn__yaml **out) INN_MUST;
/* `label` stands for the file in messages ("-a"); relative paths in it stay relative to the working directory. */
int inn__yaml_text(inn_ctx *ctx, const char *label, const char *text, struct inn__yaml **out) INN_MUST;
struct inn__yaml *inn__yaml_get(const struct inn__yaml *map, const char *key); /* NULL if absent or no map */
/* Sets "a.0.b" to a YAML flow text, creating maps on the way (`-s`). */
int inn__yaml_set(inn_ctx *ctx, struct inn__yaml *root, const char *assignment) INN_MUST;
/* A path as written in a file is relative to that file. */
const char *inn__yaml_path(inn_ctx *ctx, const struct inn__yaml *scalar);
/* Merges the files that `include:` of the mapping names below what it says itself, later ones above earlier ones, and
 * removes the key. Their paths stay relative to themselves. */
int inn__yaml_include(inn_ctx *ctx, struct inn__yaml *root) INN_MUST;
/* The locale-free number parser: false unless all of `s` is one finite number. */
bool inn__parse_real(const char *s, double *v);
bool inn__parse_int(const char *s, int64_t *v);
/* The shortest decimal that reads back as v; whole numbers read back as integers too. */
const char *inn__print_real(double v, char buf[32]);
/* The nearest of the names offered, or NULL. */
struct inn__nearest { const char *want; const char *best; unsigned distance; };
void inn__nearest_offer(void *nearest, const char *name);
/* Records INN_ECONFIG, with the nearest name behind the text, and returns it. */
int inn__suggest(inn_ctx *ctx, const struct inn_loc *loc, const struct inn__nearest *n, const char *fmt, ...) INN_PRINTF(4, 5);

/* Traits of layers by the names that rule lists use: 0, NULL if there is none. Of several traits one name. */
uint32_t inn__trait_of(const char *name);
const char *inn__trait_name(uint32_t traits);

/* Binds a bare name or a mapping with `type:`; a preset is taken where no class has the name. All findings are
 * recorded; returns the first status. `out->opts` lives as long as the job. */
int inn__bind_class(inn_ctx *ctx, const struct inn__finder *f, uint32_t kind, const struct inn__yaml *y, struct inn_inst *out) INN_MUST;
/* Binds a mapping (NULL: all defaults) to a table; `what` names it in messages ("family.method"). `skip`: NULL-ended keys
 * that somebody else reads. */
int inn__bind_params(inn_ctx *ctx, const struct inn__finder *f, const char *what, const struct inn_param *rows, size_t row_size,
		     const struct inn__yaml *y, const char *const *skip, void *opts) INN_MUST;
/* A class with all defaults by name. */
int inn__bind_name(inn_ctx *ctx, const struct inn__finder *f, uint32_t kind, const char *name, struct inn_inst *out) INN_MUST;
/* Writes the options back as YAML flow with every default (provenance); by inn_alloc. */
const char *inn__print_inst(inn_ctx *ctx, const struct inn_inst *inst);
#endif
