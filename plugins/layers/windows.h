/* Attributes that convolutions and pools share, and the window they make of an input's shape. */
#ifndef LAYERS_WINDOWS_H
#define LAYERS_WINDOWS_H
#include "layer.h"

struct window_opts {
	struct inn_ints kernel_shape, strides, pads, dilations;
	const char *auto_pad;
};
#define WINDOW_PARAMS(T)                                                                                        \
	INN_INTS(T, kernel_shape, NULL, 1, 65535, "sizes of the window"),                                       \
	INN_INTS(T, strides, NULL, 1, 65535, "steps; default 1"),                                               \
	INN_INTS(T, pads, NULL, 0, 65535, "cells before every axis, then after every axis; default 0"),         \
	INN_INTS(T, dilations, NULL, 1, 65535, "distance of the window's cells; default 1"),                    \
	INN_STR(T, auto_pad, "NOTSET", "NOTSET, VALID, SAME_UPPER or SAME_LOWER")

static inline bool window_same(const struct window_opts *o) { return !strncmp(o->auto_pad, "SAME_", 5); }

static inline uint64_t window_reach(const struct inn_window *w, uint32_t i) { return (uint64_t)w->dilation[i] * (w->size[i] - 1) + 1; }

/* Shares `total` cells of padding; an odd one goes behind with SAME_UPPER, else before. */
static inline void window_share(const struct window_opts *o, struct inn_window *w, uint32_t i, uint64_t total)
{
	uint64_t before = !strcmp(o->auto_pad, "SAME_UPPER") ? total / 2 : total - total / 2;

	w->before[i] = (uint32_t)before;
	w->after[i] = (uint32_t)(total - before);
}

/* Everything but automatic padding. `size`: the kernel's spatial sizes, or NULL: kernel_shape. */
static inline bool window_base(inn_build *b, const inn_node *n, const struct window_opts *o, const struct inn_shape *s, const uint32_t *size,
			       struct inn_window *w)
{
	uint32_t k = s->rank - 2;

	*w = (struct inn_window){ .n = k, .groups = 1 };
	if (strcmp(o->auto_pad, "NOTSET") && strcmp(o->auto_pad, "VALID") && strcmp(o->auto_pad, "SAME_UPPER") && strcmp(o->auto_pad, "SAME_LOWER"))
		return misfit(b, n, "auto_pad is none of NOTSET, VALID, SAME_UPPER and SAME_LOWER").id;
	if (s->rank < 3 || s->rank > 5 || (o->dilations.n && o->dilations.n != k) || (o->strides.n && o->strides.n != k) ||
	    (o->pads.n && o->pads.n != 2 * k) || (o->kernel_shape.n ? o->kernel_shape.n != k : !size))
		return misfit(b, n, "kernel_shape, strides, pads or dilations do not fit 1 to 3 spatial axes").id;
	for (uint32_t i = 0; i < k; i++) {
		w->size[i] = size ? size[i] : (uint32_t)o->kernel_shape.v[i];
		w->stride[i] = o->strides.n ? (uint32_t)o->strides.v[i] : 1;
		w->dilation[i] = o->dilations.n ? (uint32_t)o->dilations.v[i] : 1;
		if (o->pads.n && strcmp(o->auto_pad, "VALID") && !window_same(o)) {
			w->before[i] = (uint32_t)o->pads.v[i];
			w->after[i] = (uint32_t)o->pads.v[k + i];
		}
		if (!w->size[i] || (o->kernel_shape.n && o->kernel_shape.v[i] != w->size[i]))
			return misfit(b, n, "kernel_shape is not the kernel's").id;
	}
	return true;
}

/* `ceil_mode`: extra[i] cells behind `after` make room for a last window that leaves the image. */
static inline bool window_of(inn_build *b, const inn_node *n, const struct window_opts *o, const struct inn_shape *s, const uint32_t *size,
			     bool ceil_mode, struct inn_window *w, uint32_t extra[3])
{
	if (!window_base(b, n, o, s, size, w))
		return false;
	for (uint32_t i = 0; i < w->n; i++) {
		uint64_t in = s->dim[2 + i], reach = window_reach(w, i), stride = w->stride[i], len;

		extra[i] = 0;
		if (window_same(o)) {
			uint64_t need = in ? (in - 1) / stride * stride + reach : 0;

			window_share(o, w, i, need > in ? need - in : 0);
		}
		len = in + w->before[i] + w->after[i];
		if (len < reach)
			return misfit(b, n, "the window is larger than the padded input").id;
		uint64_t steps = (len - reach + stride - 1) / stride; /* windows after the first */

		if (steps * stride >= in + w->before[i]) /* it would begin in the padding behind the image */
			steps--;
		if (ceil_mode && steps * stride + reach > len)
			extra[i] = (uint32_t)(steps * stride + reach - len);
	}
	return true;
}
#endif
