/* What a plugin file says about itself before it is opened. */
#ifndef INN_LOAD_ELF_H
#define INN_LOAD_ELF_H
#include <innvestigate/class.h>

struct inn__elf { uint32_t magic, abi, size; size_t init_array; };
/* Reads the file as ELF; INN_EPLUGIN with a sentence that names the file if it is no plugin of this machine. */
int inn__elf_read(inn_ctx *ctx, const char *path, struct inn__elf *out) INN_MUST;
#endif
