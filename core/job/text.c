/* A growing text, with JSON's way of quoting. */
#include "job.h"
#include <stdlib.h>
#include <string.h>

void inn__text_add(struct inn__text *t, const char *fmt, ...)
{
	va_list ap;
	char *s = NULL;
	int n;

	va_start(ap, fmt);
	n = vasprintf(&s, fmt, ap);
	va_end(ap);
	if (n < 0) {
		t->failed = true;
		return;
	}
	if (t->n + (size_t)n + 1 > t->cap) {
		size_t cap = (t->n + (size_t)n + 1) * 2;
		char *p = realloc(t->s, cap);

		if (!p) {
			t->failed = true;
			free(s);
			return;
		}
		t->s = p;
		t->cap = cap;
	}
	memcpy(t->s + t->n, s, (size_t)n + 1);
	t->n += (size_t)n;
	free(s);
}

void inn__text_json(struct inn__text *t, const char *s)
{
	inn__text_add(t, "\"");
	for (; s && *s; s++) {
		unsigned char c = (unsigned char)*s;

		if (c == '"' || c == '\\')
			inn__text_add(t, "\\%c", c);
		else if (c < 0x20)
			inn__text_add(t, "\\u%04x", c);
		else
			inn__text_add(t, "%c", c);
	}
	inn__text_add(t, "\"");
}
