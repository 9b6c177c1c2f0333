/* Circular functions by power series, accurate to 1e-13. */
#ifndef LAYERS_CIRCLE_H
#define LAYERS_CIRCLE_H
#include "host.h"

#define PI 3.14159265358979323846
#define HALF_PI 1.57079632679489661923

/* t (c0 + t^2 (c1 + t^2 (...))) with the coefficients of c[0] to c[n-1]. */
static inline inn_val odd_series(inn_build *b, inn_val t, const double *c, uint32_t n)
{
	inn_val square = inn_mul(b, t, t), y = inn_scalar(b, c[n - 1]);

	for (uint32_t i = n - 1; i-- > 0;)
		y = inn_addc(b, inn_mul(b, y, square), c[i]);
	return inn_mul(b, t, y);
}

/* Whole turns are taken off; what is left is mirrored into [-pi/2, pi/2]. */
static inline inn_val sine(inn_build *b, inn_val v)
{
	double c[10] = { 1 };
	inn_val turns = inn_floor(b, inn_addc(b, inn_mulc(b, v, 1 / (2 * PI)), 0.5)), r = inn_sub(b, v, inn_mulc(b, turns, 2 * PI));

	for (uint32_t i = 1; i < 10; i++)
		c[i] = -c[i - 1] / (2 * i * (2 * i + 1));
	r = inn_select(b, inn_gtc(b, r, HALF_PI), inn_sub(b, inn_scalar(b, PI), r), r);
	r = inn_select(b, inn_gt(b, inn_scalar(b, -HALF_PI), r), inn_sub(b, inn_scalar(b, -PI), r), r);
	return odd_series(b, r, c, 10);
}

/* Of the magnitude: above 1 by the reciprocal, then turned by pi/6 so that the series is short. */
static inline inn_val arc_tangent(inn_build *b, inn_val v)
{
	double c[11], root = sqrt(3);
	inn_val a = inn_abs(b, v), large = inn_gtc(b, a, 1), t = inn_select(b, large, inn_div(b, inn_scalar(b, 1), inn_maxc(b, a, 1)), a);
	inn_val turned = inn_gtc(b, t, tan(PI / 12)), y;

	for (uint32_t i = 0; i < 11; i++)
		c[i] = (i % 2 ? -1.0 : 1.0) / (2 * i + 1);
	t = inn_select(b, turned, inn_div(b, inn_subc(b, inn_mulc(b, t, root), 1), inn_addc(b, t, root)), t);
	y = inn_add(b, odd_series(b, t, c, 11), inn_mulc(b, turned, PI / 6));
	y = inn_select(b, large, inn_sub(b, inn_scalar(b, HALF_PI), y), y);
	return inn_select(b, inn_gec(b, v, 0), y, inn_neg(b, y));
}
#endif
