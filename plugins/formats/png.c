/* png: libpng from and to memory. Alpha is composited on white; gamma is left alone, as image libraries of Python do. */
#include <innvestigate/plugin.h>
#include <png.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SIDE_MAX 16384u
#define DEFLATE_RATIO 1032u

struct opts {
	struct inn_strs text;
	int64_t compression;
};
static const struct inn_param params[] = {
	INN_STRS(struct opts, text, "[]", "written: texts `key=value` that tell where a picture comes from"),
	INN_INT(struct opts, compression, 6, 0, 9, "written: effort of the compression"),
	{ 0 },
};

struct job { /* what the callbacks and the two functions with setjmp share */
	inn_ctx *ctx;
	struct inn_stream *s;
	bool ended;
	png_structp png;
	png_infop info;
	uint32_t height, width, channels, depth;
	uint8_t *pixels;
	int status; /* of inn_stream_put */
	char error[96];
};

static void on_error(png_structp png, png_const_charp text)
{
	struct job *j = png_get_error_ptr(png);

	snprintf(j->error, sizeof(j->error), "%s", text);
	png_longjmp(png, 1);
}

static void on_warning(png_structp png, png_const_charp text)
{
	(void)png;
	(void)text;
}

static void on_write(png_structp png, png_bytep from, size_t n)
{
	struct job *j = png_get_io_ptr(png);

	j->status = inn_stream_put(j->ctx, j->s, from, n);
	if (j->status < 0)
		png_error(png, "writing failed");
}

static void on_flush(png_structp png)
{
	(void)png;
}

/* Everything as 8 or 16 bits of gray, gray and alpha, RGB or RGB and alpha. */
static void transforms(struct job *j)
{
	png_byte color = png_get_color_type(j->png, j->info), depth = png_get_bit_depth(j->png, j->info);

	if (color == PNG_COLOR_TYPE_PALETTE)
		png_set_palette_to_rgb(j->png);
	if (color == PNG_COLOR_TYPE_GRAY && depth < 8)
		png_set_expand_gray_1_2_4_to_8(j->png);
	if (png_get_valid(j->png, j->info, PNG_INFO_tRNS))
		png_set_tRNS_to_alpha(j->png);
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
	if (depth == 16)
		png_set_swap(j->png);
#endif
	png_set_interlace_handling(j->png);
	png_read_update_info(j->png, j->info);
}

/* The picture's head was read. */
static void on_head(png_structp png, png_infop info)
{
	struct job *j = png_get_progressive_ptr(png);
	const struct inn_loc loc = { .file = j->s->path };
	size_t row;

	transforms(j);
	j->height = png_get_image_height(png, info);
	j->width = png_get_image_width(png, info);
	j->channels = png_get_channels(png, info);
	j->depth = png_get_bit_depth(png, info) / 8u;
	row = png_get_rowbytes(png, info);
	if (row != (size_t)j->width * j->channels * j->depth || j->depth < 1 || j->depth > 2 || j->channels < 1 || j->channels > 4)
		png_error(png, "an unknown kind of pixel");
	/* Four channels of eight bits may come from one bit a pixel. */
	if ((uint64_t)row * j->height / 32 > (uint64_t)j->s->size * DEFLATE_RATIO)
		png_error(png, "the file is too short for its size in pixels");
	if ((j->status = inn_within(j->ctx, INN_LIMIT_PIXELS, &loc, (uint64_t)j->width * j->height, 0, "pixels of the picture")) < 0 ||
	    (j->status = inn_within(j->ctx, INN_LIMIT_UNPACKED, &loc, (uint64_t)row * j->height, j->s->size, "bytes of the picture")) < 0)
		png_error(png, "");
	if (!(j->pixels = calloc(j->height, row)))
		png_error(png, "out of memory");
}

static void on_row(png_structp png, png_bytep row, png_uint_32 at, int pass)
{
	struct job *j = png_get_progressive_ptr(png);

	(void)pass;
	png_progressive_combine_row(png, j->pixels + (size_t)at * j->width * j->channels * j->depth, row);
}

static void on_end(png_structp png, png_infop info)
{
	struct job *j = png_get_progressive_ptr(png);
	bool interlaced = png_get_interlace_type(png, info) != PNG_INTERLACE_NONE;

	if (interlaced ? png_get_current_pass_number(png) < PNG_INTERLACE_ADAM7_PASSES : png_get_current_row_number(png) < j->height)
		png_error(png, "pixels are missing");
	j->ended = true;
}

/* False after png_error. All that must survive the jump is in *j. The progressive reader leaves alone what follows the last pixel, where
 * the other one would unpack all of it. */
static bool decode(struct job *j)
{
	if (setjmp(png_jmpbuf(j->png)))
		return false;
	png_set_user_limits(j->png, SIDE_MAX, SIDE_MAX);
	png_set_keep_unknown_chunks(j->png, PNG_HANDLE_CHUNK_NEVER, NULL, -1); /* texts and profiles, which may be packed, too */
	png_set_progressive_read_fn(j->png, j, on_head, on_row, on_end);
	png_process_data(j->png, j->info, (png_bytep)(uintptr_t)j->s->data, j->s->size);
	if (!j->ended)
		png_error(j->png, "the file is cut off");
	return true;
}

static uint32_t sample(const struct job *j, size_t i)
{
	uint16_t v;

	if (j->depth == 1)
		return j->pixels[i];
	memcpy(&v, j->pixels + 2 * i, 2);
	return v;
}

/* In place: no pixel becomes longer. */
static void composite(struct job *j, struct inn_tensor *t)
{
	uint32_t c = j->channels, colors = c > 2 ? 3 : 1;
	uint64_t top = j->depth == 1 ? 255 : 65535;
	size_t n = (size_t)j->height * j->width;

	*t = (struct inn_tensor){ .dtype = j->depth == 1 ? INN_U8 : INN_U16, .shape = { 3, { j->height, j->width, colors } }, .data = j->pixels };
	for (size_t i = 0; c != colors && i < n; i++) {
		uint64_t a = sample(j, i * c + c - 1);

		for (uint32_t k = 0; k < colors; k++) {
			uint64_t v = (sample(j, i * c + k) * a + top * (top - a) + top / 2) / top;

			if (j->depth == 1)
				((uint8_t *)t->data)[i * colors + k] = (uint8_t)v;
			else
				((uint16_t *)t->data)[i * colors + k] = (uint16_t)v;
		}
	}
	j->pixels = NULL;
}

static int probe(const uint8_t *head, size_t n)
{
	return n >= 8 && !memcmp(head, "\x89PNG\r\n\x1a\n", 8) ? 100 : 0;
}

static int read_tensor(inn_ctx *ctx, struct inn_stream *s, const void *opts, struct inn_tensor *t)
{
	struct inn_loc loc = { .file = s->path };
	struct job j = { .ctx = ctx, .s = s };
	int status = INN_OK;

	(void)opts;
	t->data = NULL;
	j.png = png_create_read_struct(PNG_LIBPNG_VER_STRING, &j, on_error, on_warning);
	j.info = j.png ? png_create_info_struct(j.png) : NULL;
	if (!j.info)
		status = inn_nomem(ctx);
	else if (!decode(&j))
		status = j.status < 0 ? j.status : inn_fail(ctx, INN_EDATA, &loc, "the PNG picture cannot be read: %s", j.error);
	else
		composite(&j, t);
	png_destroy_read_struct(&j.png, &j.info, NULL);
	free(j.pixels);
	return status;
}

static bool encode(struct job *j, png_text *text, int n_text, int compression)
{
	if (setjmp(png_jmpbuf(j->png)))
		return false;
	png_set_write_fn(j->png, j, on_write, on_flush);
	png_set_user_limits(j->png, 1u << 20, 1u << 20);
	png_set_compression_level(j->png, compression);
	png_set_IHDR(j->png, j->info, j->width, j->height, 8, j->channels == 3 ? PNG_COLOR_TYPE_RGB : PNG_COLOR_TYPE_GRAY,
		     PNG_INTERLACE_NONE, PNG_COMPRESSION_TYPE_DEFAULT, PNG_FILTER_TYPE_DEFAULT);
	if (n_text)
		png_set_text(j->png, j->info, text, n_text);
	png_write_info(j->png, j->info);
	for (uint32_t i = 0; i < j->height; i++)
		png_write_row(j->png, j->pixels + (size_t)i * j->width * j->channels);
	png_write_end(j->png, NULL);
	return true;
}

/* Splits `key=value` texts. */
static int texts(inn_ctx *ctx, const struct inn_loc *loc, const struct opts *o, png_text **text)
{
	png_text *t = inn_alloc(ctx, o->text.n ? o->text.n : 1, sizeof(*t));

	for (size_t i = 0; t && i < o->text.n; i++) {
		char *key = inn_strdup(ctx, o->text.v[i]), *value = key ? strchr(key, '=') : NULL;

		if (!key)
			return INN_ENOMEM;
		if (!value || value == key || value - key > 79)
			return inn_fail(ctx, INN_ECONFIG, loc, "png.text: `%s` is not of the form key=value with a key of 1 to 79 bytes", key);
		*value++ = 0;
		t[i] = (png_text){ .compression = PNG_TEXT_COMPRESSION_NONE, .key = key, .text = value, .text_length = strlen(value) };
	}
	*text = t;
	return t ? INN_OK : INN_ENOMEM;
}

static int write_tensor(inn_ctx *ctx, struct inn_stream *s, const void *opts, const struct inn_tensor *t)
{
	struct inn_loc loc = { .file = s->path };
	const struct opts none = { .compression = 6 }, *o = opts ? opts : &none;
	struct job j = { .ctx = ctx, .s = s, .height = t->shape.dim[0], .width = t->shape.dim[1], .channels = t->shape.dim[2] };
	png_text *text = NULL;
	char buf[INN_SHAPE_STR];
	int status;

	if (t->dtype != INN_U8 || t->shape.rank != 3 || (j.channels != 1 && j.channels != 3) || !j.height || !j.width)
		return inn_fail(ctx, INN_EDATA, &loc, "%s of %s is no picture: uint8 [H,W,3] or [H,W,1] is expected",
				inn_shape_str(&t->shape, buf), inn_dtype_name(t->dtype));
	if ((status = texts(ctx, &loc, o, &text)) < 0)
		return status;
	j.pixels = t->data;
	j.png = png_create_write_struct(PNG_LIBPNG_VER_STRING, &j, on_error, on_warning);
	j.info = j.png ? png_create_info_struct(j.png) : NULL;
	if (!j.info)
		status = inn_nomem(ctx);
	else if (!encode(&j, text, (int)o->text.n, (int)o->compression))
		status = j.status < 0 ? j.status : inn_fail(ctx, INN_EIO, &loc, "the PNG picture cannot be written: %s", j.error);
	png_destroy_write_struct(&j.png, &j.info);
	return status;
}

static const char *const suffixes[] = { ".png", NULL };
static const struct inn_format_ops png = {
	.cls = INN_HEAD(struct inn_format_ops, INN_FORMAT, "png", "PNG picture", params, sizeof(struct opts), NULL),
	.suffixes = suffixes,
	.probe = probe,
	.read_tensor = read_tensor,
	.write_tensor = write_tensor,
};

INN_PLUGIN("png", "1.0.0", "BSD-2-Clause", &png.cls);
