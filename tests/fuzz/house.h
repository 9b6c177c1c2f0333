/* What the fuzz targets share: the plugins of the build tree, opened once; a context for each execution. */
#ifndef FUZZ_HOUSE_H
#define FUZZ_HOUSE_H
#include "../../core/base/ctx.h"
#include "../../core/load/load.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Of <folder of this program>/../plugins; the process ends where they are missing. */
const struct inn__finder *house_finder(void);
/* NULL: built without its library. */
const struct inn_format_ops *house_format(const char *name);
/* A quiet context for one execution; inn__ctx_free it. */
inn_ctx *house_ctx(void);
#endif
