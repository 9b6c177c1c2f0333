/* A picture to write on, with glyphs. */
#ifndef STAGES_CANVAS_H
#define STAGES_CANVAS_H
#include "font.h"
#include <stddef.h>
#include <string.h>

#define INK 40

struct canvas { uint8_t *data; uint32_t h, w; };

/* A character with its upper left corner at (y, x); what lies outside is cut. */
static void glyph(struct canvas *c, int y, int x, unsigned char ch)
{
	const uint16_t *rows = font[ch < 32 || ch > 126 ? '?' - 32 : ch - 32];

	for (int i = 0; i < (int)GLYPH_HEIGHT; i++)
		for (int k = 0; k < (int)GLYPH_WIDTH; k++)
			if (rows[i] >> ((int)GLYPH_WIDTH - 1 - k) & 1 && y + i >= 0 && x + k >= 0 && y + i < (int)c->h && x + k < (int)c->w)
				memset(c->data + ((size_t)(y + i) * c->w + (size_t)(x + k)) * 3, INK, 3);
}

#endif
