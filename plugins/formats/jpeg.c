/* jpeg: pictures by libjpeg. Orientation tags are not applied. */
#include <innvestigate/plugin.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <jpeglib.h>
#include <jerror.h>

#define SIDE_MAX 16384u /* what one row may need, whatever the limits */
#define SCANS_MAX 256
#define WORK ((uint64_t)1 << 31) /* elements that all scans pass; or 2048 times the file's size */

struct job {
	struct jpeg_decompress_struct d;
	struct jpeg_error_mgr err;
	struct jpeg_progress_mgr progress;
	jmp_buf jump;
	inn_ctx *ctx;
	const struct inn_stream *s;
	struct inn_tensor *t;
	int status;
	char error[JMSG_LENGTH_MAX];
};

static void on_error(j_common_ptr d)
{
	struct job *j = d->client_data;

	if (!j->error[0])
		d->err->format_message(d, j->error);
	longjmp(j->jump, 1);
}

/* libjpeg only warns of damaged data and goes on with gray; that is an error here. */
static void on_message(j_common_ptr d, int level)
{
	int code = d->err->msg_code;

	if (level < 0 && code != JWRN_EXTRANEOUS_DATA && code != JWRN_ADOBE_XFORM && code != JWRN_JFIF_MAJOR)
		on_error(d);
}

static void refuse(struct job *j, const char *why)
{
	snprintf(j->error, sizeof(j->error), "%s", why);
	longjmp(j->jump, 1);
}

/* A progressive file may have thousands of scans over a large picture in a few bytes. */
static void on_progress(j_common_ptr common)
{
	j_decompress_ptr d = (j_decompress_ptr)common;
	struct job *j = d->client_data;
	uint64_t scans = (uint64_t)d->input_scan_number, elements = (uint64_t)d->image_width * d->image_height * (uint64_t)d->num_components;
	uint64_t most = (uint64_t)j->s->size << 11;

	if (scans > SCANS_MAX || (scans * elements > most && scans * elements > WORK))
		refuse(j, "too many scans");
}

/* False after an error. All that must survive the jump is in *j. */
static bool decode(struct job *j)
{
	const struct inn_loc loc = { .file = j->s->path };
	struct jpeg_decompress_struct *d = &j->d;

	if (setjmp(j->jump))
		return false;
	jpeg_create_decompress(d);
	d->progress = &j->progress;
	d->mem->max_memory_to_use = 1L << 30;
	jpeg_mem_src(d, j->s->data, (unsigned long)j->s->size);
	jpeg_read_header(d, TRUE);
	if (d->jpeg_color_space == JCS_CMYK || d->jpeg_color_space == JCS_YCCK)
		refuse(j, "it has the printing colours CMYK; convert it to RGB");
	if (d->arith_code)
		refuse(j, "it is packed by arithmetic coding; pack it as baseline or progressive");
	if (d->image_width > SIDE_MAX || d->image_height > SIDE_MAX)
		refuse(j, "it is wider or higher than 16384 pixels");
	uint64_t pixels = (uint64_t)d->image_width * d->image_height, bytes = pixels * (uint64_t)d->num_components;

	if (jpeg_has_multiple_scans(d)) /* all its coefficients wait in memory */
		bytes *= 1 + sizeof(JCOEF);
	if ((j->status = inn_within(j->ctx, INN_LIMIT_PIXELS, &loc, pixels, 0, "pixels of the picture")) < 0 ||
	    (j->status = inn_within(j->ctx, INN_LIMIT_UNPACKED, &loc, bytes, j->s->size, "bytes of the picture")) < 0)
		refuse(j, "");
	d->out_color_space = d->jpeg_color_space == JCS_GRAYSCALE ? JCS_GRAYSCALE : JCS_RGB;
	jpeg_start_decompress(d);
	*j->t = (struct inn_tensor){ .dtype = INN_U8,
				     .shape = { 3, { d->output_height, d->output_width, (uint32_t)d->output_components } } };
	j->status = inn_tensor_alloc(j->ctx, j->t);
	if (j->status < 0)
		refuse(j, "out of memory");
	while (d->output_scanline < d->output_height) {
		JSAMPROW row = (uint8_t *)j->t->data + (size_t)d->output_scanline * d->output_width * (size_t)d->output_components;

		jpeg_read_scanlines(d, &row, 1);
	}
	jpeg_finish_decompress(d);
	return true;
}

static int probe(const uint8_t *head, size_t n)
{
	return n >= 3 && !memcmp(head, "\xff\xd8\xff", 3) ? 100 : 0;
}

static int read_tensor(inn_ctx *ctx, struct inn_stream *s, const void *opts, struct inn_tensor *t)
{
	struct inn_loc loc = { .file = s->path };
	struct job *j = calloc(1, sizeof(*j));
	int status = INN_OK;

	(void)opts;
	t->data = NULL;
	if (!j)
		return inn_nomem(ctx);
	j->ctx = ctx;
	j->s = s;
	j->t = t;
	j->d.err = jpeg_std_error(&j->err);
	j->d.client_data = j;
	j->err.error_exit = on_error;
	j->err.emit_message = on_message;
	j->progress.progress_monitor = on_progress;
	if (!decode(j)) {
		inn_tensor_free(t);
		status = j->status < 0 ? j->status : inn_fail(ctx, INN_EDATA, &loc, "the JPEG picture cannot be read: %s", j->error);
	}
	jpeg_destroy_decompress(&j->d);
	free(j);
	return status;
}

static const char *const suffixes[] = { ".jpg", ".jpeg", NULL };
static const struct inn_format_ops jpeg = {
	.cls = INN_HEAD(struct inn_format_ops, INN_FORMAT, "jpeg", "JPEG picture", NULL, 0, NULL),
	.suffixes = suffixes,
	.probe = probe,
	.read_tensor = read_tensor,
};

INN_PLUGIN("jpeg", "1.0.0", "BSD-2-Clause", &jpeg.cls);
