/* Upsample, the older Resize: scales are an attribute before opset 9, then input 1; at opset 1 two attributes. */
#include "resize.h"

static const struct inn_choice modes[] = {
	{ "nearest", NEAREST, "one element" }, { "linear", LINEAR, "two" }, { "bilinear", LINEAR, "two, at opset 1" }, { 0 },
};

struct opts {
	int mode;
	struct inn_reals scales;
	double height_scale, width_scale;
};

static const struct inn_param params[] = {
	INN_ENUM(struct opts, mode, NEAREST, modes, "interpolation"),
	INN_REALS(struct opts, scales, NULL, 0, 1e6, "for every axis"),
	INN_REAL(struct opts, height_scale, 0, 0, 1e6, "at opset 1"),
	INN_REAL(struct opts, width_scale, 0, 0, 1e6, "at opset 1"),
	{ 0 },
};

static bool scale_of(const inn_node *n, const struct inn_shape *s, uint32_t d, double *scale)
{
	const struct opts *o = inn_node_opts(n);
	const struct inn_tensor *t = inn_node_const(n, 1);

	if (inn_node_in(n, 1)) {
		if (!t || !t->data || t->shape.rank != 1 || t->shape.dim[0] != s->rank)
			return false;
		*scale = inn_tensor_real(t, d);
	} else if (o->scales.n) {
		if (o->scales.n != s->rank)
			return false;
		*scale = o->scales.v[d];
	} else if (inn_node_opset(n) > 1) {
		return false;
	} else {
		*scale = d + 2 == s->rank ? o->height_scale : d + 1 == s->rank ? o->width_scale : 1;
	}
	return *scale > 0 && resize_length(s->dim[d], *scale) >= 1 && *scale * s->dim[d] < 1 << 20;
}

static inn_val forward(FORWARD)
{
	const struct opts *o = inn_node_opts(n);
	inn_val v = arg(n, x, 0);
	struct inn_shape s = *inn_shape_of(b, v);

	(void)w;
	(void)out;
	for (uint32_t d = 0; v.id && d < s.rank; d++) {
		struct resample r = { .in = s.dim[d], .mode = o->mode, .coordinate = ASYMMETRIC, .rounding = SIMPLE };

		if (!scale_of(n, &s, d, &r.scale))
			return unsupported(b, n, "one positive constant scale for every axis is expected");
		r.out = (uint32_t)resize_length(r.in, r.scale);
		if (r.scale != 1)
			v = resize_axis(b, n, v, d, &r, 0);
	}
	return v;
}

LAYER(upsample, "resample the axes", params, sizeof(struct opts), .traits = INN_T_POOL | INN_T_SUM_POOL, .known = 2);
