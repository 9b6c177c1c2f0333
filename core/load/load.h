/* The only dlopen: plugin files, checked as ELF before they are opened, and the registry of classes. */
#ifndef INN_LOAD_LOAD_H
#define INN_LOAD_LOAD_H
#include "../conf/conf.h"

struct inn__registry;
struct inn__registry *inn__registry_new(inn_ctx *ctx);    /* freed with ctx; NULL after recording */
int inn__registry_dir(struct inn__registry *r, const char *dir) INN_MUST; /* --plugin-dir: searched first, in order of calls */
const struct inn__finder *inn__registry_finder(struct inn__registry *r);
/* Looks for <dir>/<kind>/<name>.so along the search path. NULL: not found (no error) or refused (recorded, INN_EPLUGIN). */
const struct inn_class *inn__find(struct inn__registry *r, uint32_t kind, const char *name, const struct inn_loc *loc);
/* Opens one file and registers all it exports; for `check FILE.so`. */
int inn__load_file(struct inn__registry *r, const char *path, const struct inn_plugin **out) INN_MUST;
/* Opens everything of a kind on the path; broken files are warnings. Calls each class in order of name. */
void inn__each_class(struct inn__registry *r, uint32_t kind, void (*each)(void *, const struct inn_class *, const char *file), void *arg);
/* <data dir>/presets/NAME.yaml and <data dir>/NAME (defaults.yaml); NULL if none. Lives as long as the job. */
const char *inn__preset_path(struct inn__registry *r, const char *name);
const char *inn__data_path(struct inn__registry *r, const char *name);
/* The .yaml files of <data dir>/<folder>, by name without the suffix. */
void inn__each_config(struct inn__registry *r, const char *folder, void (*each)(void *, const char *name, const char *file), void *arg);
#endif
