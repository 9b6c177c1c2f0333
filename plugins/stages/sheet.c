/* sheet: K pictures [K,H,W,3] side by side, each with its label above. */
#include "canvas.h"
#include <innvestigate/plugin.h>
#include <stdio.h>
#include <string.h>

#define GAP 14u
#define BAND (GLYPH_HEIGHT + 8u)

struct opts {
	int64_t columns;
	struct inn_strs labels;
};

static const struct inn_param params[] = {
	INN_INT(struct opts, columns, 4, 1, 1000, "pictures in a row"),
	INN_STRS(struct opts, labels, NULL, "one for each picture"),
	{ 0 },
};

/* A line centred over `width` pixels; what does not fit ends in dots. */
static void text(struct canvas *c, uint32_t y, uint32_t x, uint32_t width, const char *s)
{
	char line[256];
	size_t fit = width / GLYPH_WIDTH, n;

	snprintf(line, sizeof(line), "%s", s);
	n = strlen(line);
	if (n > fit) {
		n = fit;
		for (size_t i = 0; i < 2 && i < n; i++)
			line[n - 1 - i] = '.';
	}
	x += (width - (uint32_t)n * GLYPH_WIDTH) / 2;
	for (size_t i = 0; i < n; i++)
		glyph(c, (int)y, (int)(x + (uint32_t)i * GLYPH_WIDTH), (unsigned char)line[i]);
}

/* A thin frame, so that pale maps have an edge. */
static void frame(struct canvas *c, uint32_t y, uint32_t x, uint32_t h, uint32_t w)
{
	for (uint32_t i = 0; i < h + 2; i++)
		for (uint32_t k = 0; k < w + 2; k++)
			if (!i || !k || i == h + 1 || k == w + 1)
				memset(c->data + ((size_t)(y + i - 1) * c->w + x + k - 1) * 3, 200, 3);
}

static int apply(inn_ctx *ctx, const struct inn_tensor *in, struct inn_tensor *out, const void *opts)
{
	const struct opts *o = opts;
	uint32_t n = in->shape.dim[0], h = in->shape.dim[1], w = in->shape.dim[2], columns = (uint32_t)o->columns, rows;
	struct canvas c;
	int rc;

	if (in->dtype != INN_U8 || in->shape.rank != 4 || in->shape.dim[3] != 3 || !n)
		return inn_fail(ctx, INN_EDATA, NULL, "sheet: 8-bit pictures [K,H,W,3] are expected");
	columns = columns < n ? columns : n;
	rows = (n + columns - 1) / columns;
	if ((uint64_t)columns * (w + GAP) > 65000 || (uint64_t)rows * (h + BAND + GAP) > 65000)
		return inn_fail(ctx, INN_ELIMIT, NULL, "sheet: %u pictures of %u x %u are too many for one sheet", n, h, w);
	c.w = columns * (w + GAP) + GAP;
	c.h = rows * (h + BAND + GAP);
	*out = (struct inn_tensor){ .dtype = INN_U8, .shape = { .rank = 3, .dim = { c.h, c.w, 3 } } };
	if ((rc = inn_tensor_alloc(ctx, out)) < 0)
		return rc;
	c.data = out->data;
	memset(c.data, 255, (size_t)c.h * c.w * 3);
	for (uint32_t i = 0; i < n; i++) {
		uint32_t x = GAP + i % columns * (w + GAP), y = i / columns * (h + BAND + GAP) + BAND;

		if (i < o->labels.n)
			text(&c, y - BAND + 5, x, w, o->labels.v[i]);
		for (uint32_t k = 0; k < h; k++)
			memcpy(c.data + ((size_t)(y + k) * c.w + x) * 3, (const uint8_t *)in->data + ((size_t)i * h + k) * w * 3, (size_t)w * 3);
		frame(&c, y, x, h, w);
	}
	return INN_OK;
}

static const struct inn_stage_ops sheet = {
	.cls = INN_HEAD(struct inn_stage_ops, INN_STAGE, "sheet", "labelled pictures side by side", params, sizeof(struct opts), NULL),
	.apply = apply,
};

INN_PLUGIN("sheet", "1.0.0", "BSD-2-Clause", &sheet.cls);
