/* Memory that is a mapped file: what happens if the file is cut off. */
#ifndef INN_BASE_GUARD_H
#define INN_BASE_GUARD_H
#include <innvestigate/base.h>

/* From now on reading [from, from+size) never raises SIGBUS: what the file has lost reads as zeros. NULL: out of memory. The
 * process keeps a handler for SIGBUS, which passes on what is not under a guard. [any] */
struct inn__guard *inn__guard_new(const void *from, size_t size);
bool inn__guard_lost(const struct inn__guard *g); /* something was read that the file had lost */
void inn__guard_end(struct inn__guard *g);        /* before the memory is unmapped */
void inn__tensor_done(const struct inn_tensor *t); /* inn_done for all of it */
#endif
