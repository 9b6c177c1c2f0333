/* Arithmetic inside ${...} of presets: + - * / ( ) over numbers and parameters. */
#include "bind.h"
#include <math.h>
#include <stdio.h>
#include <string.h>

struct scan {
	inn_ctx *ctx;
	const struct inn__scope *scope;
	const struct inn_loc *loc;
	const char *p;
	unsigned depth;
	int status;
};

static double sum(struct scan *s);

static double fault(struct scan *s, const char *text)
{
	if (!s->status)
		s->status = inn_fail(s->ctx, INN_ECONFIG, s->loc, "%s at '%.40s' in ${...}", text, s->p);
	return 0;
}

static void blanks(struct scan *s)
{
	while (*s->p == ' ')
		s->p++;
}

static double number(struct scan *s)
{
	const char *from = s->p;
	char text[64];
	size_t n;
	double v;

	s->p += strspn(s->p, "0123456789.");
	if (*s->p == 'e' || *s->p == 'E') {
		s->p++;
		s->p += *s->p == '-' || *s->p == '+';
		s->p += strspn(s->p, "0123456789");
	}
	n = (size_t)(s->p - from);
	if (n >= sizeof(text))
		return fault(s, "too long a number");
	memcpy(text, from, n);
	text[n] = 0;
	return inn__parse_real(text, &v) ? v : fault(s, "no number");
}

static double name(struct scan *s)
{
	size_t n = strspn(s->p, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_");
	double v;

	for (size_t i = 0; n && i < s->scope->n; i++) {
		const struct inn__binding *b = &s->scope->v[i];

		if (strlen(b->name) != n || memcmp(b->name, s->p, n))
			continue;
		if (!b->value || b->value->kind != INN__SCALAR || b->value->quoted || !inn__parse_real(b->value->text, &v))
			return fault(s, "a parameter that is no number");
		s->p += n;
		return v;
	}
	return fault(s, n ? "no parameter of this preset" : "a number or a parameter is missing");
}

static double factor(struct scan *s)
{
	double v;

	blanks(s);
	if (s->status || s->depth > 64)
		return fault(s, "nested too deep");
	if (*s->p == '-') {
		s->p++;
		s->depth++;
		v = -factor(s);
		s->depth--;
		return v;
	}
	if (*s->p != '(')
		return (*s->p >= '0' && *s->p <= '9') || *s->p == '.' ? number(s) : name(s);
	s->p++;
	s->depth++;
	v = sum(s);
	s->depth--;
	blanks(s);
	if (*s->p != ')')
		return fault(s, "a ) is missing");
	s->p++;
	return v;
}

static double product(struct scan *s)
{
	double v = factor(s);

	for (blanks(s); !s->status && (*s->p == '*' || *s->p == '/'); blanks(s)) {
		char op = *s->p++;
		double w = factor(s);

		v = op == '*' ? v * w : v / w;
	}
	return v;
}

static double sum(struct scan *s)
{
	double v = product(s);

	for (blanks(s); !s->status && (*s->p == '+' || *s->p == '-'); blanks(s)) {
		char op = *s->p++;
		double w = product(s);

		v = op == '+' ? v + w : v - w;
	}
	return v;
}

int inn__expr(inn_ctx *ctx, const struct inn__scope *scope, const struct inn_loc *loc, const char *text, double *v)
{
	struct scan s = { .ctx = ctx, .scope = scope, .loc = loc, .p = text };

	*v = sum(&s);
	if (!s.status && *s.p)
		fault(&s, "something too much");
	if (!s.status && !isfinite(*v))
		return inn_fail(ctx, INN_ECONFIG, loc, "${%.60s} is not finite", text);
	return s.status;
}
