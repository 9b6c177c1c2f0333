/* The published rules, written as shares of what each input gives to each output. */
#include "rules.h"
#include <math.h>
#include <stdlib.h>

static double term(const struct rule_case *r, int which, double x, double w, double low, double high)
{
	double v = x * w, pos = fmax(v, 0), neg = fmin(v, 0);

	switch (which) {
	case XW: return v;
	case XW_POS: return pos;
	case XW_NEG: return neg;
	case X_WPOS: return x * fmax(w, 0);
	case W_SQUARE: return w * w;
	case ONE: return 1;
	case BOX: return v - low * fmax(w, 0) - high * fmin(w, 0);
	case PLAIN: return x * (w + r->gamma * fmax(w, 0));
	case RAISED: return v + r->gamma * pos;
	case LOWERED: return v + r->gamma * neg;
	case POS_POS: return x > 0 && w > 0 ? v : 0;
	case NEG_NEG: return x < 0 && w < 0 ? v : 0;
	case POS_NEG: return x > 0 && w < 0 ? v : 0;
	case NEG_POS: return x < 0 && w > 0 ? v : 0;
	default: return NAN;
	}
}

static double bias_term(const struct rule_case *r, int which, double b)
{
	switch (which) {
	case B: return b;
	case B_POS: return fmax(b, 0);
	case B_NEG: return fmin(b, 0);
	case B_SQUARE: return b * b;
	case B_RAISED: return b + r->gamma * fmax(b, 0);
	case B_LOWERED: return b + r->gamma * fmin(b, 0);
	default: return 0;
	}
}

double stabilized(struct inn_stabilizer how, double z, double rms)
{
	double sign = z >= 0 ? 1 : -1;

	switch (how.guard) {
	case INN_GUARD_SIGN: return z + sign * how.eps;
	case INN_GUARD_CLIP: return sign * fmax(fabs(z), how.eps);
	case INN_GUARD_RMS: return z + sign * fmax(how.eps * rms, 1e-20);
	default: return z == 0 ? how.eps : z;
	}
}

static double bias_of(const struct map *m, size_t j) { return m->bias ? m->bias[j / m->inner % m->channels] : 0; }

static double edge_term(const struct map *m, const struct rule_case *r, int which, const struct edge *e, const double *x, size_t x_inner)
{
	size_t c = e->i / x_inner % 4;

	return term(r, which, x[e->i], m->W[e->w], r->low[c], r->high[c]);
}

static void add_part(const struct map *m, const struct rule_case *r, const struct part *p, const double *x, const double *R,
		     const double *plain, double *z, double *out, struct lost *lost)
{
	size_t each = m->n_out / m->samples, x_inner = m->n_in / m->samples / 4; /* lists of bounds: on inputs of four channels */

	x_inner = x_inner ? x_inner : 1;
	for (size_t j = 0; j < m->n_out; j++)
		z[j] = bias_term(r, p->bias, bias_of(m, j));
	for (size_t k = 0; k < m->n; k++)
		z[m->e[k].j] += edge_term(m, r, p->term, &m->e[k], x, x_inner);
	for (size_t s = 0; s < m->samples; s++) {
		double squares = 0;

		for (size_t j = s * each; j < (s + 1) * each; j++)
			squares += z[j] * z[j];
		for (size_t j = s * each; j < (s + 1) * each; j++) {
			bool other_side = (p->side > 0 && !(plain[j] > 0)) || (p->side < 0 && !(plain[j] < 0));
			double safe = stabilized(r->guard, z[j], sqrt(squares / (double)each)), c = other_side ? 0 : p->weight * R[j] / safe;

			if (lost) {
				lost[s].bias += c * bias_term(r, p->bias, bias_of(m, j));
				lost[s].stabilizer += c * (safe - z[j]);
			}
			z[j] = c;
		}
	}
	for (size_t k = 0; k < m->n; k++)
		out[m->e[k].i] += edge_term(m, r, p->term, &m->e[k], x, x_inner) * z[m->e[k].j];
}

void relevance(const struct map *m, const struct rule_case *r, const double *x, const double *R, double *out, struct lost *lost)
{
	double *plain = calloc(2 * m->n_out + 1, sizeof(*plain));

	for (size_t i = 0; i < m->n_in; i++)
		out[i] = plain ? 0 : NAN;
	for (size_t j = 0; plain && j < m->n_out; j++)
		plain[j] = bias_of(m, j);
	for (size_t k = 0; plain && k < m->n; k++)
		plain[m->e[k].j] += x[m->e[k].i] * m->W[m->e[k].w];
	for (const struct part *p = r->part; plain && p->term; p++)
		add_part(m, r, p, x, R, plain, plain + m->n_out, out, lost);
	free(plain);
}
