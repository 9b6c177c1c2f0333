/* One class of a plugin, checked once, copied into the vtable that this core knows. */
#ifndef INN_LOAD_REGISTER_H
#define INN_LOAD_REGISTER_H
#include "load.h"

int inn__register(inn_ctx *ctx, const struct inn_loc *file, const struct inn_class *given, const struct inn_class **out) INN_MUST;
void inn__each_name(void *registry, uint32_t kind, void (*each)(void *, const char *), void *arg);
#endif
