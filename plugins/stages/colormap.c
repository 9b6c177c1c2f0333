/* Node places: 00 ... 80 on [0, 1/2], 80 ... ff on [1/2, 1], so that zero is met exactly. */
#include "colormap.h"
#include <math.h>
#include <string.h>

static const struct { const char *name, *map; } named[] = {
	{ "gray", "000,fff" },
	{ "gray_r", "fff,000" },
	{ "seismic", "00004d,0000ff,80:ffffff,ff0000,800000" },
	{ "bwr", "00f,80:fff,f00" },
	{ "coldnhot", "0ff,00f,80:000,f00,ff0,fff" },
	{ "hot", "000,f00,ff0,fff" },
	{ "cold", "000,00f,0ff" },
	{ "wred", "fff,f00" },
	{ "wblue", "fff,00f" },
	{ "softseismic", "0000d0,80:d0d0d0,d00000" },
	{ "rdbu_r", "053061,2166ac,4393c3,92c5de,d1e5f0,80:f7f7f7,fddbc7,f4a582,d6604d,b2182b,67001f" },
	{ "jet", "000080,20:0000ff,60:00ffff,a0:ffff00,e0:ff0000,800000" },
	{ "viridis", "440154,482878,3e4989,31688e,26828e,1f9e89,35b779,6ece58,b5de2b,fde725" },
	{ "inferno", "000004,1b0c41,4a0c6b,781c6d,a52c60,cf4446,ed6925,fb9b06,f7d13d,fcffa4" },
};

static int hex(char c)
{
	return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* Hex digits at *p, their number in *n; moves past them. -1: too many. */
static long digits(const char **p, int *n)
{
	long v = 0;

	for (*n = 0; hex(**p) >= 0; (*p)++)
		if (++*n > 6)
			return -1;
		else
			v = v << 4 | hex(**p);
	return v;
}

static bool color(long v, int n, double rgb[3])
{
	for (int k = 0; k < 3; k++)
		rgb[k] = n == 3 ? (double)(v >> (8 - 4 * k) & 15) * 17 : (double)(v >> (16 - 8 * k) & 255);
	return n == 3 || n == 6;
}

/* Places that were not given lie evenly between those that were. */
static bool spread(struct colormap *m)
{
	size_t last = 0;

	if (m->node[0].at < 0)
		m->node[0].at = 0;
	if (m->node[m->n - 1].at < 0)
		m->node[m->n - 1].at = 1;
	for (size_t i = 1; i < m->n; i++) {
		if (m->node[i].at < 0)
			continue;
		if (m->node[i].at < m->node[last].at)
			return false;
		for (size_t k = last + 1; k < i; k++)
			m->node[k].at = m->node[last].at + (m->node[i].at - m->node[last].at) * (double)(k - last) / (double)(i - last);
		last = i;
	}
	return true;
}

bool colormap_parse(const char *text, struct colormap *m)
{
	const char *p = text;

	for (size_t i = 0; i < sizeof(named) / sizeof(*named); i++)
		if (!strcmp(named[i].name, text))
			p = named[i].map;
	for (m->n = 0; m->n < COLORMAP_NODES; p++) {
		int n;
		long v = digits(&p, &n);

		m->node[m->n].at = -1;
		if (*p == ':' && n >= 1 && n <= 2) {
			m->node[m->n].at = v <= 128 ? (double)v / 256 : 0.5 + (double)(v - 128) / 254;
			p++;
			v = digits(&p, &n);
		}
		if (v < 0 || !color(v, n, m->node[m->n++].rgb) || (*p && *p != ','))
			return false;
		if (!*p)
			return m->n >= 2 && spread(m);
	}
	return false;
}

void colormap_color(const struct colormap *m, double at, uint8_t rgb[3])
{
	size_t i = 1;

	while (i + 1 < m->n && at > m->node[i].at)
		i++;
	double from = m->node[i - 1].at, to = m->node[i].at;
	double f = to > from ? fmin(fmax((at - from) / (to - from), 0), 1) : at >= to;

	for (int k = 0; k < 3; k++)
		rgb[k] = (uint8_t)(m->node[i - 1].rgb[k] * (1 - f) + m->node[i].rgb[k] * f + 0.5);
}
