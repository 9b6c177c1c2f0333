/* Affine layers for the rules: as a node of a graph, and as a list of every pair of input and output. */
#include "rules.h"
#include <stdlib.h>
#include <string.h>

const struct layer_case layer_cases[] = {
	{ "gemm", "gemm", SHAPE(3, 6), SHAPE(4, 6), .bias = true, .transB = true },
	{ "conv 2-D", "conv", SHAPE(2, 4, 6, 5), SHAPE(5, 4, 3, 3), .w = { .n = 2 }, .bias = true },
	{ "gemm, coarse", "gemm", SHAPE(3, 4), SHAPE(4, 5), .bias = true, .fill = COARSE },
	{ "conv, coarse", "conv", SHAPE(2, 4, 4, 4), SHAPE(3, 4, 3, 3), .w = { .n = 2, .before = { 1, 1 }, .after = { 1, 1 } }, .fill = COARSE },
	{ "gemm of one size", "gemm", SHAPE(4, 4), SHAPE(4, 4), .bias = true },
	{ "gemm, scaled", "gemm", SHAPE(2, 6), SHAPE(6, 4), .bias = true, .alpha = 0.5 },
	{ "mat_mul", "mat_mul", SHAPE(2, 6), SHAPE(6, 4), .bias = false },
	{ "mat_mul of rank 3", "mat_mul", SHAPE(2, 3, 4), SHAPE(4, 5), .bias = true },
	{ "conv 1-D", "conv", SHAPE(2, 4, 9), SHAPE(6, 4, 3), .w = { .n = 1, .before = { 1 } }, .bias = true },
	{ "conv, padded", "conv", SHAPE(2, 4, 5, 6), SHAPE(3, 4, 3, 2), .w = { .n = 2, .before = { 1, 0 }, .after = { 2, 1 } }, .bias = true },
	{ "conv, strided", "conv", SHAPE(2, 4, 7, 6), SHAPE(6, 4, 3, 3), .w = { .n = 2, .before = { 1, 1 }, .stride = { 2, 3 } }, .bias = true },
	{ "conv, dilated", "conv", SHAPE(2, 4, 7, 6), SHAPE(3, 4, 3, 2), .w = { .n = 2, .dilation = { 2, 3 } }, .bias = true },
	{ "conv, grouped", "conv", SHAPE(2, 4, 5, 5), SHAPE(6, 2, 3, 3), .w = { .n = 2, .groups = 2, .after = { 1, 1 } }, .bias = true },
	{ "conv, depthwise", "conv", SHAPE(2, 4, 5, 5), SHAPE(4, 1, 3, 3), .w = { .n = 2, .groups = 4, .before = { 1, 1 }, .after = { 1, 1 } }, .bias = true },
	{ "conv, 1x1", "conv", SHAPE(4, 4, 3, 3), SHAPE(4, 4, 1, 1), .w = { .n = 2 } },
	{ "conv 3-D", "conv", SHAPE(2, 4, 4, 4, 3), SHAPE(3, 4, 2, 3, 2), .w = { .n = 3, .before = { 1, 0, 1 }, .stride = { 2, 1, 1 } }, .bias = true },
	{ "conv_transpose", "conv_transpose", SHAPE(2, 4, 3, 4), SHAPE(4, 3, 3, 3), .w = { .n = 2, .before = { 1, 1 }, .after = { 1, 0 }, .stride = { 2, 1 } }, .bias = true },
	{ "conv_transpose, grouped", "conv_transpose", SHAPE(2, 4, 5), SHAPE(4, 3, 3), .w = { .n = 1, .groups = 2, .stride = { 2 } }, .bias = true },
	{ .name = NULL },
};

bool push_edge(struct map *m, size_t i, size_t j, size_t w)
{
	if (m->n == m->cap) {
		size_t cap = m->cap ? 2 * m->cap : 256;
		struct edge *e = realloc(m->e, cap * sizeof(*e));

		if (!e)
			return false;
		m->e = e;
		m->cap = cap;
	}
	m->e[m->n++] = (struct edge){ i, j, w };
	return true;
}

static void conv_edge(const struct tap *at, void *map) { push_edge(map, at->in, at->out, at->ker); }
static void transposed_edge(const struct tap *at, void *map) { push_edge(map, at->out, at->in, at->ker); }

static void convolution(struct subject *s, bool transposed)
{
	const struct layer_case *l = s->layer;
	struct inn_window *w = &s->w;

	*w = l->w;
	w->groups += !w->groups;
	for (uint32_t d = 0; d < w->n; d++) {
		w->stride[d] += !w->stride[d];
		w->dilation[d] += !w->dilation[d];
	}
	s->y = l->x;
	s->y.dim[1] = transposed ? l->W.dim[1] * w->groups : l->W.dim[0];
	for (uint32_t d = 0; d < w->n; d++)
		s->y.dim[2 + d] = transposed ? w->stride[d] * (l->x.dim[2 + d] - 1) + l->W.dim[2 + d] - w->before[d] - w->after[d] :
					       steps(l->x.dim[2 + d], l->W.dim[2 + d], w, d);
	if (transposed)
		taps(w, &s->y, &l->x, l->W.dim + 2, true, transposed_edge, &s->map);
	else
		taps(w, &l->x, &s->y, l->W.dim + 2, true, conv_edge, &s->map);
	s->map.channels = s->y.dim[1];
	s->map.inner = count_of(&s->y) / s->y.dim[0] / s->y.dim[1];
}

static void product(struct subject *s)
{
	const struct layer_case *l = s->layer;
	size_t n_in = l->W.dim[l->transB], n_out = l->W.dim[!l->transB], rows = count_of(&l->x) / n_in;

	s->y = l->x;
	s->y.dim[l->x.rank - 1] = (uint32_t)n_out;
	for (size_t r = 0; r < rows; r++)
		for (size_t j = 0; j < n_out; j++)
			for (size_t i = 0; i < n_in; i++)
				push_edge(&s->map, r * n_in + i, r * n_out + j, l->transB ? j * n_in + i : i * n_out + j);
	s->map.channels = n_out;
	s->map.inner = 1;
}

bool hold(struct subject *s, int k, const double *v, const struct inn_shape *shape, double factor)
{
	size_t n = count_of(shape);

	s->held[k] = malloc((n + 1) * sizeof(float));
	for (size_t i = 0; s->held[k] && i < n; i++)
		s->held[k][i] = (float)(v[i] / factor);
	s->t[k] = (struct inn_tensor){ .dtype = INN_F32, .shape = *shape, .data = s->held[k] };
	return s->held[k];
}

/* Every fifth weight is zero, and all of those of output channel 0. */
static void clear_some(struct map *m, size_t n)
{
	for (size_t w = 0; w < n; w += 5)
		m->W[w] = 0;
	for (size_t k = 0; k < m->n; k++)
		if (m->e[k].j / m->inner % m->channels == 0)
			m->W[m->e[k].w] = 0;
	if (m->bias)
		m->bias[0] = 0;
}

static int gemm_attributes(const struct subject *s, inn_node *n)
{
	int rc = s->layer->transB ? inn_node_set_int(n, "transB", 1) : INN_OK;

	if (s->layer->alpha != 0)
		rc |= inn_node_set_real(n, "alpha", s->layer->alpha) | inn_node_set_real(n, "beta", 2 * s->layer->alpha);
	return rc;
}

int window_attributes(const struct subject *s, inn_node *n)
{
	const struct inn_window *w = &s->w;
	int64_t stride[3], dilation[3], pads[6];

	for (uint32_t d = 0; d < w->n; d++) {
		stride[d] = w->stride[d];
		dilation[d] = w->dilation[d];
		pads[d] = w->before[d];
		pads[w->n + d] = w->after[d];
	}
	return inn_node_set_ints(n, "strides", stride, w->n) | inn_node_set_ints(n, "dilations", dilation, w->n) |
	       inn_node_set_ints(n, "pads", pads, 2 * (size_t)w->n);
}

static int conv_attributes(const struct subject *s, inn_node *n) { return window_attributes(s, n) | inn_node_set_int(n, "group", s->w.groups); }

bool layer_subject(struct subject *s, const struct layer_case *l, bool dead)
{
	struct map *m = &s->map;
	double alpha = l->alpha != 0 ? l->alpha : 1;

	s->layer = l;
	s->kind = l->kind;
	s->x[0] = l->x;
	s->n_data = 1;
	s->in[0] = "x0";
	s->in[1] = "w0";
	s->in[2] = l->bias ? "w1" : NULL;
	s->attributes = l->w.n ? conv_attributes : l->alpha != 0 || l->transB ? gemm_attributes : NULL;
	if (l->w.n)
		convolution(s, !strcmp(l->kind, "conv_transpose"));
	else
		product(s);
	struct inn_shape bias = { .rank = 1, .dim = { (uint32_t)m->channels } };

	m->n_in = count_of(&l->x);
	m->n_out = count_of(&s->y);
	m->samples = l->x.dim[0];
	m->W = numbers(count_of(&l->W), l->fill, 101);
	m->bias = l->bias ? numbers(m->channels, l->fill, 202) : NULL;
	if (!m->W || (l->bias && !m->bias) || !m->n)
		return false;
	if (dead)
		clear_some(m, count_of(&l->W));
	return hold(s, 0, m->W, &l->W, alpha) && (!l->bias || hold(s, 1, m->bias, &bias, l->alpha != 0 ? 2 * alpha : 1));
}

void subject_free(void *subject)
{
	struct subject *s = subject;

	inn__graph_free(s->g);
	for (int k = 0; k < 4; k++)
		free(s->held[k]);
	free(s->map.e);
	free(s->map.W);
	free(s->map.bias);
}
