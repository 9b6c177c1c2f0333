/* resize: pictures by a separable triangle filter whose support grows with the reduction (Pillow's bilinear), rounding to 8
 * bits after each direction, or by the nearest pixel. */
#include <innvestigate/plugin.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { BILINEAR, NEAREST };

struct opts {
	int64_t short_side;
	struct inn_ints size;
	int filter;
	bool antialias;
};

static const struct inn_choice filters[] = {
	{ "bilinear", BILINEAR, "triangle filter" },
	{ "nearest", NEAREST, "nearest pixel" },
	{ 0 },
};

static const struct inn_param params[] = {
	INN_INT(struct opts, short_side, 0, 0, 16384, "length of the shorter side, proportions kept; 0: size counts"),
	INN_INTS(struct opts, size, NULL, 1, 16384, "[height, width]"),
	INN_ENUM(struct opts, filter, BILINEAR, filters, "how pixels are weighted"),
	INN_BOOL(struct opts, antialias, true, "widen the filter when reducing"),
	{ 0 },
};

static int check(inn_ctx *ctx, const struct inn_loc *loc, const void *opts)
{
	const struct opts *o = opts;

	if ((o->short_side > 0) == (o->size.n == 2))
		return inn_fail(ctx, INN_ECONFIG, loc, "resize needs either short_side or size: [height, width]");
	return INN_OK;
}

struct taps { uint32_t first, n; };

/* Weights of output i of `to` over `from` input cells; room for `most` of them. */
static struct taps weigh(const struct opts *o, uint32_t from, uint32_t to, uint32_t i, double *w, uint32_t most)
{
	double scale = (double)from / to, widen = o->antialias && scale > 1 ? scale : 1, centre = (i + 0.5) * scale, sum = 0;
	struct taps t;

	if (o->filter == NEAREST) {
		w[0] = 1;
		return (struct taps){ (uint32_t)fmin(centre, from - 1.0), 1 };
	}
	int64_t lo = (int64_t)(centre - widen + 0.5), hi = (int64_t)(centre + widen + 0.5);

	lo = lo < 0 ? 0 : lo;
	hi = hi > from ? from : hi;
	t = (struct taps){ (uint32_t)lo, (uint32_t)(hi - lo) < most ? (uint32_t)(hi - lo) : most };
	for (uint32_t k = 0; k < t.n; k++) {
		double d = fabs((t.first + k - centre + 0.5) / widen);

		w[k] = d < 1 ? 1 - d : 0;
		sum += w[k];
	}
	for (uint32_t k = 0; k < t.n && sum > 0; k++)
		w[k] /= sum;
	return t;
}

/* One direction: `lines` independent lines of `from` cells, `step` apart, become lines of `to` cells. */
static int pass(inn_ctx *ctx, const struct opts *o, const uint8_t *in, uint8_t *out, uint32_t from, uint32_t to, size_t outer, size_t inner)
{
	uint32_t most = (uint32_t)(2 * ceil(from > to ? (double)from / to : 1) + 2);
	double *w = malloc(most * sizeof(*w));

	if (!w)
		return inn_nomem(ctx);
	for (uint32_t i = 0; i < to; i++) {
		struct taps t = weigh(o, from, to, i, w, most);

		for (size_t y = 0; y < outer; y++)
			for (size_t x = 0; x < inner; x++) {
				double v = 0;

				for (uint32_t k = 0; k < t.n; k++)
					v += w[k] * in[(y * from + t.first + k) * inner + x];
				out[(y * to + i) * inner + x] = (uint8_t)(v + 0.5);
			}
	}
	free(w);
	return INN_OK;
}

static void target(const struct opts *o, uint32_t h, uint32_t w, uint32_t *to_h, uint32_t *to_w)
{
	if (o->size.n == 2) {
		*to_h = (uint32_t)o->size.v[0];
		*to_w = (uint32_t)o->size.v[1];
		return;
	}
	uint32_t s = (uint32_t)o->short_side;

	*to_h = h <= w ? s : (uint32_t)((double)s * h / w);
	*to_w = w <= h ? s : (uint32_t)((double)s * w / h);
}

static int apply(inn_ctx *ctx, const struct inn_tensor *in, struct inn_tensor *out, const void *opts)
{
	const struct opts *o = opts;
	uint32_t h = in->shape.dim[0], w = in->shape.dim[1], c = in->shape.dim[2], to_h, to_w;
	struct inn_tensor wide = { .dtype = INN_U8 };
	int rc;

	if (in->shape.rank != 3 || in->dtype != INN_U8 || !h || !w || !c)
		return inn_fail(ctx, INN_EDATA, NULL, "resize: an 8-bit picture [H,W,C] is expected");
	target(o, h, w, &to_h, &to_w);
	if (to_h < 1 || to_w < 1 || to_h > 16384 || to_w > 16384)
		return inn_fail(ctx, INN_EDATA, NULL, "resize: %u x %u cannot become %u x %u", h, w, to_h, to_w);
	wide.shape = (struct inn_shape){ .rank = 3, .dim = { h, to_w, c } };
	*out = (struct inn_tensor){ .dtype = INN_U8, .shape = { .rank = 3, .dim = { to_h, to_w, c } } };
	if ((rc = inn_tensor_alloc(ctx, &wide)) < 0)
		return rc;
	rc = inn_tensor_alloc(ctx, out);
	if (rc >= 0)
		rc = pass(ctx, o, in->data, wide.data, w, to_w, h, c);
	if (rc >= 0)
		rc = pass(ctx, o, wide.data, out->data, h, to_h, 1, (size_t)to_w * c);
	inn_tensor_free(&wide);
	return rc;
}

static const struct inn_stage_ops resize = {
	.cls = INN_HEAD(struct inn_stage_ops, INN_STAGE, "resize", "resizes a picture", params, sizeof(struct opts), check),
	.apply = apply,
};

INN_PLUGIN("resize", "1.0.0", "BSD-2-Clause", &resize.cls);
