/* What stands between convolutions, the first of them depthwise or not, whose channels fill no whole blocks: a backend that fills the last one up must not let what it computes
 * there be seen. */
#include "conform.h"
#include <stdlib.h>

#define HEIGHT 9u
#define WIDTH 12u

enum middle { LOG, CHANNEL, PLANE, SAMPLE, WHOLE, MAX_POOL, MEAN_POOL, SUM, JOINED, CUT, GATE, QUOTIENT, MASK, MIDDLES };
struct filled { struct inn_tensor in, out, channel, whole; enum middle middle; uint32_t channels; };

static inn_val between(inn_build *b, const struct filled *u, inn_val v, const inn_val *x)
{
	const struct inn_window pool = { .n = 2, .size = { 3, 3 }, .stride = { 1, 1 }, .before = { 1, 1 }, .after = { 1, 1 }, .dilation = { 1, 1 } };

	switch (u->middle) {
	case LOG: return inn_log(b, inn_abs(b, v));
	case CHANNEL: return inn_exp(b, inn_mul(b, v, inn_channel(b, inn_param_of(b, "channel", &u->channel), 4)));
	case PLANE: return inn_exp(b, inn_mul(b, v, x[1]));
	case SAMPLE: return inn_exp(b, inn_mul(b, v, x[2]));
	case WHOLE: return inn_exp(b, inn_mul(b, v, inn_param_of(b, "whole", &u->whole)));
	case MAX_POOL: return inn_pool_max(b, inn_exp(b, v), inn_exp(b, v), &pool);
	case MEAN_POOL: return inn_pool_avg(b, inn_exp(b, v), &pool);
	case SUM: return inn_mul(b, inn_exp(b, v), inn_sum(b, inn_exp(b, v), 2));
	case JOINED: return inn_concat(b, (inn_val[]){ inn_exp(b, v), v }, 2, 1);
	case CUT: return inn_slice(b, inn_exp(b, v), 1, 8, u->channels, 1);
	case GATE: return inn_mul(b, v, inn_exp(b, inn_mulc(b, inn_sum(b, v, 4 | 8), 0.01)));
	case QUOTIENT: return inn_div(b, inn_mul(b, v, inn_param_of(b, "whole", &u->whole)), inn_add(b, inn_exp(b, v), inn_scalar(b, 0.25)));
	default: return inn_mul(b, inn_mul(b, v, inn_gt(b, inn_scalar(b, 0.5), v)), inn_gtc(b, inn_exp(b, v), 0));
	}
}

static inn_val make(inn_build *b, const inn_val *x, const struct spec *s)
{
	const struct filled *u = s->user;
	const struct inn_window w = { .n = 2, .stride = { 1, 1 }, .dilation = { 1, 1 }, .groups = 1 };
	const struct inn_window deep = { .n = 2, .stride = { 1, 1 }, .before = { 1, 1 }, .after = { 1, 1 }, .dilation = { 1, 1 }, .groups = u->channels };
	inn_val v = between(b, u, inn_conv(b, x[0], inn_param_of(b, "in", &u->in), s->a[1] ? &deep : &w), x);

	return s->a[0] ? v : inn_conv(b, v, inn_param_of(b, "out", &u->out), &w);
}

static void one(struct bench *t, enum middle middle, bool last, uint32_t channels, uint32_t batch, bool deep)
{
	uint32_t c = middle == JOINED ? 2 * channels : middle == CUT ? channels - 8 : channels;
	struct filled u = { .middle = middle, .channels = channels,
			    .in = { .shape = { 4, { channels, deep ? 1 : 16, deep ? 3 : 1, deep ? 3 : 1 } }, .dtype = INN_F64 },
			    .out = { .shape = SHAPE(40, c, 1, 1), .dtype = INN_F64 },
			    .channel = { .shape = SHAPE(channels), .dtype = INN_F64 },
			    .whole = { .shape = SHAPE(1, channels, HEIGHT, WIDTH), .dtype = INN_F64 } };
	struct spec s = { .name = "channels that fill no whole blocks, between", .make = make, .n_in = 3, .user = &u, .batch = batch, .fast = true,
			  .alone = batch == 2, .a = { last, deep },
			  .in = { SHAPE(batch, deep ? channels : 16, HEIGHT, WIDTH), SHAPE(batch, 1, HEIGHT, WIDTH), SHAPE(batch, channels, 1, 1) } };
	struct inn_tensor *of[] = { &u.in, &u.out, &u.channel, &u.whole };
	bool there = true;

	for (uint32_t j = 0; j < 4; j++)
		there &= (of[j]->data = numbers(count_of(&of[j]->shape), SMOOTH, 20 + j)) != NULL;
	if (there)
		conform(t, &s);
	for (uint32_t j = 0; j < 4; j++)
		free(of[j]->data);
}

void conform_filled(struct bench *t)
{
	for (int middle = 0; middle < MIDDLES; middle++)
		for (uint32_t k = 0; k < 16; k++)
			one(t, (enum middle)middle, k & 1, k & 2 ? 24 : 13, k & 4 ? 2 : 1, k & 8);
}
