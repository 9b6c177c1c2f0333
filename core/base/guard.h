/* Memory that is a mapped file: what happens if the file is cut off, and pages that may go. */
#ifndef INN_BASE_GUARD_H
#define INN_BASE_GUARD_H
#include <innvestigate/base.h>

/* From now on reading [from, from+size) never raises SIGBUS: what the file has lost reads as zeros. NULL: out of memory. The
 * process keeps a handler for SIGBUS, which passes on what is not under a guard. [any] */
struct inn__guard *inn__guard_new(const void *from, size_t size);
bool inn__guard_lost(const struct inn__guard *g); /* something was read that the file had lost */
void inn__guard_end(struct inn__guard *g);        /* before the memory is unmapped */
/* The tensor's pages may go until they are read again, if they are those of a guarded file. [any] */
void inn__cool(const struct inn_tensor *t);
#endif
