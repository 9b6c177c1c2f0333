/* What a plugin file exports, and the parameter tables from which options, help, documentation and schema
 * are made. */
#ifndef INNVESTIGATE_CLASS_H
#define INNVESTIGATE_CLASS_H

#include <innvestigate/base.h>

enum inn_kind {
	INN_LAYER = 1, INN_RULE, INN_ANALYZER, INN_PASS, INN_STAGE, INN_FILL, INN_BACKEND,
	INN_FORMAT, INN_METRIC, INN_KINDS,
};

struct inn_class { /* head of every vtable; core copies min(size) bytes of the whole vtable */
	uint32_t size;       /* sizeof the vtable where the plugin was compiled             */
	uint16_t kind;       /* enum inn_kind                                               */
	uint16_t param_size; /* sizeof(struct inn_param) there                              */
	const char *name;    /* [a-z][A-Za-z0-9_+]*(\.[A-Za-z0-9_+]+)*, unique per kind      */
	const char *brief;   /* one line, no full stop                                      */
	const char *doc;     /* NULL or paragraphs                                          */
	const struct inn_param *params; /* NULL or ends with { 0 }                          */
	size_t opts_size;               /* core allocates it zeroed, fills it, frees it     */
	/* Relations between options only (alpha - beta = 1), never ranges. Optional. [job] */
	int (*check)(inn_ctx *ctx, const struct inn_loc *loc, const void *opts);
};

struct inn_inst { /* a bound plugin: a class and its options. cls NULL: absent */
	const struct inn_class *cls;
	const void *opts;
	struct inn_loc loc;
	const char *label;  /* `as:`, else the name it was asked by; owned by the job */
	int head, dialect;  /* analyzers: enum inn_head_kind, enum inn_dialect; -1 if not given */
	const char *state;  /* analyzers that are fitted: the file of their state, or NULL */
};
struct inn_insts { size_t n; const struct inn_inst *v; };
struct inn_ints { size_t n; const int64_t *v; };
struct inn_reals { size_t n; const double *v; };
struct inn_strs { size_t n; const char *const *v; };
struct inn_source { /* a number for every element, or an array file (.npy) */
	double value;
	const char *path; /* NULL: the number counts */
};
struct inn_rules; /* a list of (match, rule): rule.h */

enum inn_ptype {
	INN_P_BOOL = 1, /* bool                          true | false                            */
	INN_P_INT,      /* int64_t; absent NULLABLE: INN_NO_INT                                  */
	INN_P_REAL,     /* double; absent NULLABLE: NaN                                          */
	INN_P_STR,      /* const char *; absent: sdef                                            */
	INN_P_PATH,     /* const char *, made absolute relative to the file it stands in         */
	INN_P_ENUM,     /* int, one of choices                                                   */
	INN_P_INTS, INN_P_REALS, INN_P_STRS, /* list; one scalar is a list of one                */
	INN_P_CLASS,    /* struct inn_inst of `kind`; default sdef                               */
	INN_P_CLASSES,  /* struct inn_insts                                                      */
	INN_P_RULES,    /* struct inn_rules *                                                    */
	INN_P_SOURCE,   /* struct inn_source; default def                                        */
};
#define INN_NO_INT INT64_MIN
enum inn_pflag { INN_REQUIRED = 1, INN_NULLABLE = 2, INN_DEPRECATED = 4 };

struct inn_choice { /* table ends with { 0 } */
	const char *name;
	int value;
	const char *help;
};
struct inn_param {
	const char *name, *help, *unit;
	uint32_t offset, flags;
	uint32_t type, kind; /* enum inn_ptype; enum inn_kind of a nested class */
	double def, min, max; /* inclusive range of INT, REAL and every element of INTS, REALS    */
	const char *sdef;    /* default of STR, PATH, CLASS (a name), lists (YAML flow, "[1, 2]") */
	const struct inn_choice *choices;
};

#define INN_AT(T, f, ct) (uint32_t)_Generic(((T *)0)->f, ct: offsetof(T, f))
#define INN_REAL(T, f, d, lo, hi, h) { .name = #f, .help = h, .offset = INN_AT(T, f, double), .type = INN_P_REAL, .def = d, .min = lo, .max = hi }
#define INN_INT(T, f, d, lo, hi, h) { .name = #f, .help = h, .offset = INN_AT(T, f, int64_t), .type = INN_P_INT, .def = (double)(d), .min = (double)(lo), .max = (double)(hi) }
#define INN_BOOL(T, f, d, h) { .name = #f, .help = h, .offset = INN_AT(T, f, bool), .type = INN_P_BOOL, .def = d }
#define INN_STR(T, f, d, h) { .name = #f, .help = h, .offset = INN_AT(T, f, const char *), .type = INN_P_STR, .sdef = d }
#define INN_PATH(T, f, d, h) { .name = #f, .help = h, .offset = INN_AT(T, f, const char *), .type = INN_P_PATH, .flags = INN_NULLABLE, .sdef = d }
#define INN_ENUM(T, f, d, c, h) { .name = #f, .help = h, .offset = INN_AT(T, f, int), .type = INN_P_ENUM, .def = d, .choices = c }
#define INN_INTS(T, f, d, lo, hi, h) { .name = #f, .help = h, .offset = INN_AT(T, f, struct inn_ints), .type = INN_P_INTS, .sdef = d, .min = (double)(lo), .max = (double)(hi) }
#define INN_REALS(T, f, d, lo, hi, h) { .name = #f, .help = h, .offset = INN_AT(T, f, struct inn_reals), .type = INN_P_REALS, .sdef = d, .min = lo, .max = hi }
#define INN_STRS(T, f, d, h) { .name = #f, .help = h, .offset = INN_AT(T, f, struct inn_strs), .type = INN_P_STRS, .sdef = d }
#define INN_CLASS(T, f, k, d, h) { .name = #f, .help = h, .offset = INN_AT(T, f, struct inn_inst), .type = INN_P_CLASS, .kind = k, .flags = INN_NULLABLE, .sdef = d }
#define INN_CLASSES(T, f, k, h) { .name = #f, .help = h, .offset = INN_AT(T, f, struct inn_insts), .type = INN_P_CLASSES, .kind = k }
#define INN_RULES(T, f, h) { .name = #f, .help = h, .offset = INN_AT(T, f, struct inn_rules *), .type = INN_P_RULES }
#define INN_SOURCE(T, f, d, h) { .name = #f, .help = h, .offset = INN_AT(T, f, struct inn_source), .type = INN_P_SOURCE, .def = d }

#define INN_HEAD(T, k, n, b, p, s, c) { .size = sizeof(T), .kind = k, .param_size = sizeof(struct inn_param), .name = n, .brief = b, .params = p, .opts_size = s, .check = c }

#define INN_MAGIC 0x314e4e49u /* "INN1" */
struct inn_plugin {           /* `inn_plugin_1`: the only symbol a plugin exports, const data */
	uint32_t magic, abi, size, reserved;
	const char *name, *version, *license, *author;
	const struct inn_class *const *classes; /* ends with NULL */
};
#define INN_PLUGIN(n, v, l, ...)                                                                   \
	static const struct inn_class *const inn_classes[] = { __VA_ARGS__, NULL };                \
	INN_API const struct inn_plugin inn_plugin_1;                                              \
	const struct inn_plugin inn_plugin_1 = { .magic = INN_MAGIC, .abi = INN_ABI,               \
		.size = sizeof(struct inn_plugin), .name = n, .version = v, .license = l,          \
		.classes = inn_classes }

#endif
