/* Models from a few words, right ones and wrong ones: the language of cases.txt. */
#ifndef HOSTILE_MODEL_H
#define HOSTILE_MODEL_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Statements, separated by `;`:
 *   in NAME TYPE DIMS              an input; a size may be a name (free) or any number
 *   const NAME TYPE DIMS [= V,V]   a weight in raw data, 0.5 everywhere or as given
 *   node OP IN.. -> OUT.. ATTR..   `_` is an absent tensor; attributes: a=1  a=[1,2]  a:0.5  a:[1,2]  a'text
 *   out NAME
 *   opset N | ir N | domain OP TEXT | name OP TEXT
 *   typed NAME N                   the weight's values in the field of its type, N of them
 *   dims NAME DIMS | type NAME N | raw NAME BYTES       what the weight says of itself, whatever its data
 *   external NAME KEY=VALUE..      the weight's data lie elsewhere
 *   subgraph OP ATTR | sparse | nograph | noname OP ATTR
 *   cut N | flip N | tail HEX      the file's bytes: the first N of them, one inverted, more of them
 * Gives the file in heap memory; NULL after printing why the text is none. */
uint8_t *model_bytes(const char *text, size_t *n);
#endif
