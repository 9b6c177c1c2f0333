/* Small files that ask for much. */
#ifndef HOSTILE_BOMBS_H
#define HOSTILE_BOMBS_H
#include "pack.h"

/* Each stores the bytes as `name`, frees them, and has the command read that file: it is refused with this text. The network refuses what
 * is read whole, with the size that came out. */
void bombs_picture(struct bytes *b, char *name, const char *text);
void bombs_array(struct bytes *b, char *name, const char *text);
void bombs_config(struct bytes *b, char *name, const char *text);

void bombs_png(void);
void bombs_jpeg(void);
#endif
