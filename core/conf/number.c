/* Numbers without the locale, and the nearest of some names. */
#include "conf.h"
#include <ctype.h>
#include <errno.h>
#include <locale.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

bool inn__parse_real(const char *s, double *v)
{
	const char *p = s;
	unsigned digits = 0;
	char *end;

	if (*p == '-' || *p == '+')
		p++;
	for (; isdigit((unsigned char)*p) || *p == '.'; p++)
		digits += *p != '.';
	if (!digits)
		return false;
	if (*p == 'e' || *p == 'E') {
		p++;
		if (*p == '-' || *p == '+')
			p++;
		if (!isdigit((unsigned char)*p))
			return false;
		while (isdigit((unsigned char)*p))
			p++;
	}
	if (*p || strlen(s) > 64)
		return false;
	locale_t c = newlocale(LC_NUMERIC_MASK, "C", (locale_t)0);

	if (!c)
		return false;
	*v = strtod_l(s, &end, c);
	freelocale(c);
	return !*end && isfinite(*v);
}

bool inn__parse_int(const char *s, int64_t *v)
{
	char *end;

	if (!isdigit((unsigned char)s[0]) && !((s[0] == '-' || s[0] == '+') && isdigit((unsigned char)s[1])))
		return false;
	errno = 0;
	*v = strtoll(s, &end, 10);
	return !*end && !errno && *v != INT64_MIN;
}

/* Edit distance, names of up to 63 letters. */
static unsigned distance(const char *a, const char *b)
{
	unsigned row[64], n = (unsigned)strnlen(b, 63);

	for (unsigned j = 0; j <= n; j++)
		row[j] = j;
	for (unsigned i = 1; a[i - 1]; i++) {
		unsigned diagonal = row[0];

		row[0] = i;
		for (unsigned j = 1; j <= n; j++) {
			unsigned best = diagonal + (a[i - 1] != b[j - 1]);

			diagonal = row[j];
			if (row[j] + 1 < best)
				best = row[j] + 1;
			if (row[j - 1] + 1 < best)
				best = row[j - 1] + 1;
			row[j] = best;
		}
	}
	return row[n];
}

void inn__nearest_offer(void *nearest, const char *name)
{
	struct inn__nearest *n = nearest;
	size_t len = strlen(n->want), other = strlen(name);
	size_t apart = len > other ? len - other : other - len; /* the distance is no smaller */

	if (apart > len / 3 + 1)
		return;
	unsigned d = distance(n->want, name);

	if (d <= len / 3 + 1 && d < len && (!n->best || d < n->distance)) {
		n->best = name;
		n->distance = d;
	}
}
