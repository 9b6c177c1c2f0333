/* A command within what a file below 1 MiB may cost. */
#ifndef HOSTILE_BOUNDED_H
#define HOSTILE_BOUNDED_H
#include <stdbool.h>

/* code: 1000 and the signal's number after a signal. Where no sanitizer is built in, memory above 256 MiB is refused and the command is
 * killed after so many seconds of processor time. */
struct said { int code; char text[4096]; long kib; double seconds; };
struct said bounded_run(char *const argv[], unsigned seconds);
/* Prints why unless it ended with this code, with this text among its messages and no word of a sanitizer. */
bool bounded_as(const struct said *s, int code, const char *text, const char *what);
#endif
