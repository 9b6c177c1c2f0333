/* 3x3 convolutions by Winograd's F(2,3): every 2x2 tile of the result from a 4x4 tile of the operand, as 16 matrix products
 * over channels. It reads and writes blocks of 16 channels. Unlike larger tiles it keeps exact zeros exact, and its error is
 * that of the direct sum. Tiles are cut sample by sample, so that neighbours in a batch do not show in the bits. */
#include "cpu.h"
#include <omp.h>
#include <string.h>

#define LANES 16u
#if defined(__x86_64__)
#define WIDE __attribute__((target("avx512f,avx512vl,avx512dq,avx512bw")))
#else
#define WIDE
#endif

typedef float v16 __attribute__((vector_size(64)));
typedef int32_t v16i __attribute__((vector_size(64)));

struct winograd {
	uint32_t bias;                              /* location, or NONE */
	bool relu;
	uint32_t x, c, o, in[2], out[2], before[2]; /* x: location */
	uint32_t tiles_w, tiles, step, blocks;      /* of one sample; tiles per block */
	size_t samples, weights, pitch_c, pitch_o;  /* weights: bytes into what is kept */
};
struct transform { uint32_t w, c, o; bool flipped; size_t to; };

/* w [o][c][3][3] (flipped: [c][o] with the kernel turned) to [16][c][o]. */
static int run_transform(struct inn_exec *e, uint32_t i, void *arg)
{
	const struct transform *f = arg;
	const float *w = e->at[f->w];
	float *u = (float *)(void *)(e->kept + f->to);

	(void)i;
#pragma omp parallel for num_threads(e->dev->threads) schedule(static)
	for (uint32_t c = 0; c < f->c; c++)
		for (uint32_t o = 0; o < f->o; o++) {
			const float *g = w + (f->flipped ? (size_t)c * f->o + o : (size_t)o * f->c + c) * 9;
			float k[9], t[4][3];

			for (uint32_t j = 0; j < 9; j++)
				k[j] = g[f->flipped ? 8 - j : j];
			for (uint32_t j = 0; j < 3; j++) {
				t[0][j] = k[j];
				t[1][j] = 0.5f * (k[j] + k[3 + j] + k[6 + j]);
				t[2][j] = 0.5f * (k[j] - k[3 + j] + k[6 + j]);
				t[3][j] = k[6 + j];
			}
			for (uint32_t j = 0; j < 4; j++) {
				float *to = u + ((size_t)j * 4 * f->c + c) * f->o + o;
				size_t next = (size_t)f->c * f->o;

				to[0] = t[j][0];
				to[next] = 0.5f * (t[j][0] + t[j][1] + t[j][2]);
				to[2 * next] = 0.5f * (t[j][0] - t[j][1] + t[j][2]);
				to[3 * next] = t[j][2];
			}
		}
	return INN_OK;
}

/* 4x4 tile of 16 channels into row t of the 16 matrices. */
WIDE static inline void tile_in(const struct winograd *w, const float *x, int64_t h0, int64_t w0, float *to)
{
	v16 d[4][4], q[4][4];
	size_t next = (size_t)w->step * w->pitch_c;

	for (int i = 0; i < 4; i++)
		for (int j = 0; j < 4; j++) {
			int64_t a = h0 + i, b = w0 + j;

			if (a < 0 || b < 0 || a >= w->in[0] || b >= w->in[1])
				d[i][j] = (v16){ 0 };
			else
				memcpy(&d[i][j], x + (a * w->in[1] + b) * LANES, sizeof(v16));
		}
	for (int j = 0; j < 4; j++) {
		q[0][j] = d[0][j] - d[2][j];
		q[1][j] = d[1][j] + d[2][j];
		q[2][j] = d[2][j] - d[1][j];
		q[3][j] = d[1][j] - d[3][j];
	}
	for (int i = 0; i < 4; i++) {
		v16 r[4] = { q[i][0] - q[i][2], q[i][1] + q[i][2], q[i][2] - q[i][1], q[i][1] - q[i][3] };

		for (int j = 0; j < 4; j++)
			memcpy(to + (size_t)(4 * i + j) * next, &r[j], sizeof(v16));
	}
}

WIDE static inline void tile_out(const struct winograd *w, const float *m, v16 bias, uint32_t h0, uint32_t w0, float *y)
{
	v16 d[4][4], s[2][4], zero = { 0 };
	size_t next = (size_t)w->step * w->pitch_o;

	for (int k = 0; k < 16; k++)
		memcpy(&d[k / 4][k % 4], m + (size_t)k * next, sizeof(v16));
	for (int j = 0; j < 4; j++) {
		s[0][j] = d[0][j] + d[1][j] + d[2][j];
		s[1][j] = d[1][j] - d[2][j] - d[3][j];
	}
	for (uint32_t i = 0; i < 2 && h0 + i < w->out[0]; i++) {
		v16 r[2] = { s[i][0] + s[i][1] + s[i][2] + bias, s[i][1] - s[i][2] - s[i][3] + bias };

		for (uint32_t j = 0; w->relu && j < 2; j++)
			r[j] = (v16)((v16i)r[j] & (r[j] > zero));
		for (uint32_t j = 0; j < 2 && w0 + j < w->out[1]; j++)
			memcpy(y + ((size_t)(h0 + i) * w->out[1] + w0 + j) * LANES, &r[j], sizeof(v16));
	}
}

WIDE static dnnl_status_t block(const struct winograd *w, const float *x, const float *u, const float *bias, float *y, uint32_t b, float *v)
{
	uint32_t first = b * w->step, n = w->tiles - first < w->step ? w->tiles - first : w->step;
	float *m = v + 16 * (size_t)w->step * w->pitch_c;
	size_t plane_in = (size_t)w->in[0] * w->in[1], plane_out = (size_t)w->out[0] * w->out[1];
	dnnl_status_t s = dnnl_success;

	for (uint32_t t = 0; t < n; t++) {
		int64_t h0 = (int64_t)((first + t) / w->tiles_w) * 2 - w->before[0], w0 = (int64_t)((first + t) % w->tiles_w) * 2 - w->before[1];

		for (uint32_t c = 0; c < w->c; c += LANES)
			tile_in(w, x + c * plane_in, h0, w0, v + t * w->pitch_c + c);
	}
	for (uint32_t k = 0; !s && k < 16; k++)
		s = dnnl_sgemm('N', 'N', n, w->o, w->c, 1, v + k * (size_t)w->step * w->pitch_c, (dnnl_dim_t)w->pitch_c,
			       u + k * (size_t)w->c * w->o, w->o, 0, m + k * (size_t)w->step * w->pitch_o, (dnnl_dim_t)w->pitch_o);
	for (uint32_t t = 0; t < n; t++)
		for (uint32_t o = 0; o < w->o; o += LANES) {
			v16 c = { 0 };

			if (bias)
				memcpy(&c, bias + o, sizeof(c));
			tile_out(w, m + t * w->pitch_o + o, c, (first + t) / w->tiles_w * 2, (first + t) % w->tiles_w * 2, y + o * plane_out);
		}
	return s;
}

static size_t scratch_of(const struct winograd *w)
{
	return round_up(16 * (size_t)w->step * (w->pitch_c + w->pitch_o) * sizeof(float));
}

static int run_winograd(struct inn_exec *e, uint32_t i, void *arg)
{
	const struct winograd *w = arg;
	const float *x = e->at[w->x], *u = (const float *)(const void *)(e->kept + w->weights);
	size_t n_x = (size_t)w->c * w->in[0] * w->in[1], n_y = (size_t)w->o * w->out[0] * w->out[1];
	const float *bias = w->bias == NONE ? NULL : e->at[w->bias];
	float *y = e->at[i];
	int status = dnnl_success;

#pragma omp parallel for num_threads(e->dev->threads) schedule(dynamic) reduction(max : status)
	for (size_t k = 0; k < w->samples * w->blocks; k++) {
		size_t s = k / w->blocks;
		float *v = (float *)(void *)(e->scratch + scratch_of(w) * (size_t)omp_get_thread_num());
		dnnl_status_t r = block(w, x + s * n_x, u, bias, y + s * n_y, (uint32_t)(k % w->blocks), v);

		status = (int)r > status ? (int)r : status;
	}
	return cpu_dnnl(e, i, "a result", (dnnl_status_t)status);
}

static int weights(struct inn_exec *e, uint32_t i, uint32_t op, uint32_t location, bool flipped, struct winograd *w)
{
	struct transform *f;
	size_t at = e->kept_size;

	for (uint32_t k = 0; k < e->n_weights; k++)
		if (e->weight[k].slot == NONE && e->weight[k].op == op && e->weight[k].flipped == flipped) {
			w->weights = e->weight[k].offset;
			return INN_OK;
		}
	if (!(f = cpu_alloc(e, 1, sizeof(*f))) || !cpu_room(e, &e->weight, e->n_weights, &e->cap_weights, sizeof(*e->weight)))
		return INN_ENOMEM;
	*f = (struct transform){ .w = location, .c = w->c, .o = w->o, .flipped = flipped, .to = at };
	w->weights = at;
	e->kept_size += round_up(16 * (size_t)w->c * w->o * sizeof(float));
	e->weight[e->n_weights++] = (struct weight){ .op = op, .slot = NONE, .flipped = flipped, .offset = at };
	return cpu_once(e, run_transform, i, f, location);
}

int cpu_winograd(struct inn_exec *e, uint32_t i, uint32_t at, uint32_t k_x, uint32_t k_w, bool flipped, const uint32_t *before)
{
	struct winograd *w = cpu_alloc(e, 1, sizeof(*w));
	const struct inn_shape *x = src_shape(e, i, k_x), *y = &op_of(e, i)->shape;

	if (!w)
		return INN_ENOMEM;
	w->samples = x->dim[0];
	w->c = x->dim[1];
	w->o = y->dim[1];
	for (uint32_t d = 0; d < 2; d++) {
		w->in[d] = x->dim[2 + d];
		w->out[d] = y->dim[2 + d];
		w->before[d] = before[d];
	}
	w->tiles_w = (w->out[1] + 1) / 2;
	w->tiles = (w->out[0] + 1) / 2 * w->tiles_w;
	w->step = w->c + w->o <= 256 ? 64 : 32;
	if (w->step > w->tiles)
		w->step = w->tiles;
	w->blocks = (w->tiles + w->step - 1) / w->step;
	w->pitch_c = w->c + LANES; /* no power of two: rows of one column would share a cache set */
	w->pitch_o = w->o + LANES;
	cpu_scratch(e, scratch_of(w) * (size_t)e->dev->threads);
	w->x = cpu_block(e, at, i, k_x);
	w->bias = at != i ? cpu_dense(e, at, e->tail[i].add, e->tail[i].k) : NONE;
	w->relu = at != i && e->tail[i].relu;
	uint32_t kernel = cpu_dense_once(e, i, k_w);

	if (w->x == NONE || (at != i && w->bias == NONE))
		return INN_ENOMEM;
	e->blocked[at] = true;
	e->step[at] = (struct step){ .fn = run_winograd, .arg = w, .op = at };
	return weights(e, i, root_of(e, i, k_w), kernel, flipped, w);
}
