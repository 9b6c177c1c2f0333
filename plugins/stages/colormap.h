/* Colour maps by name or in Zennit's language: colours rgb or rrggbb in hex, separated by commas, each optionally after
 * `xx:`, its place 00 to ff; the others are spread evenly. Place 80 is the exact middle. */
#ifndef COLORMAP_H
#define COLORMAP_H

#include <innvestigate/plugin.h>

#define COLORMAP_NODES 64
struct colormap {
	size_t n;
	struct { double at, rgb[3]; } node[COLORMAP_NODES]; /* at: 0 ... 1, ascending */
};
/* False if `text` is neither a name nor such a list. */
bool colormap_parse(const char *text, struct colormap *map);
void colormap_color(const struct colormap *map, double at, uint8_t rgb[3]);

#endif
