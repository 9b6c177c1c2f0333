/* csv: a list of files, one a line: its path and, after a comma, the number of its class. Fields may stand in double quotes
 * (RFC 4180); a first line that begins with `path` names the columns. */
#include <innvestigate/plugin.h>
#include <limits.h>
#include <string.h>

struct text { const char *p, *end; };

/* One field without its quotes; false if it is longer than cap or never ends. */
static bool field(struct text *t, char *buf, size_t cap)
{
	bool quoted = t->p < t->end && *t->p == '"';
	size_t n = 0;

	t->p += quoted;
	while (t->p < t->end) {
		char c = *t->p;

		if (quoted && c == '"') {
			if (t->p + 1 == t->end || t->p[1] != '"')
				break;
			t->p++;
		} else if (!quoted && (c == ',' || c == '\n' || c == '\r')) {
			break;
		}
		if (!c || n + 1 >= cap)
			return false;
		buf[n++] = c;
		t->p++;
	}
	buf[n] = 0;
	if (quoted && (t->p == t->end || *t->p++ != '"'))
		return false;
	return t->p == t->end || *t->p == ',' || *t->p == '\n' || *t->p == '\r';
}

static void line_end(struct text *t)
{
	if (t->p < t->end && *t->p == '\r')
		t->p++;
	if (t->p < t->end && *t->p == '\n')
		t->p++;
}

/* A whole number below 2^31. */
static bool number(const char *s, int64_t *v)
{
	*v = 0;
	if (!*s)
		return false;
	for (; *s; s++) {
		if (*s < '0' || *s > '9' || (*v = *v * 10 + (*s - '0')) > INT32_MAX)
			return false;
	}
	return true;
}

/* A line's path and label; false if it is neither. An empty line has the path "". */
static bool line(struct text *t, char path[PATH_MAX], char label[24])
{
	label[0] = 0;
	if (!field(t, path, PATH_MAX))
		return false;
	if (t->p < t->end && *t->p == ',') {
		t->p++;
		if (!field(t, label, 24) || (t->p < t->end && *t->p == ','))
			return false;
	}
	line_end(t);
	return true;
}

static int read_list(inn_ctx *ctx, struct inn_stream *s, const void *opts, struct inn_listed **out, size_t *n)
{
	struct text t = { (const char *)s->data, (const char *)s->data + s->size };
	struct inn_loc loc = { .file = s->path };
	char path[PATH_MAX], label[24];
	size_t lines = 1;

	(void)opts;
	*n = 0;
	for (const char *p = t.p; p < t.end; p++)
		lines += *p == '\n' || *p == '\r';
	if (!(*out = inn_alloc(ctx, lines, sizeof(**out))))
		return INN_ENOMEM;
	for (loc.line = 1; t.p < t.end; loc.line++) {
		struct inn_listed *v = &(*out)[*n];

		if (!line(&t, path, label))
			return inn_fail(ctx, INN_EDATA, &loc, "a path, or a path, a comma and a number are expected");
		if (!*path || (loc.line == 1 && !strcmp(path, "path")))
			continue;
		v->label = INN_NO_INT;
		if (*label && !number(label, &v->label))
			return inn_fail(ctx, INN_EDATA, &loc, "%s is not the number of a class", label);
		if (!(v->path = inn_strdup(ctx, path)))
			return INN_ENOMEM;
		++*n;
	}
	return INN_OK;
}

static const char *const suffixes[] = { ".csv", NULL };
static const struct inn_format_ops csv = {
	.cls = INN_HEAD(struct inn_format_ops, INN_FORMAT, "csv", "list of files with samples", NULL, 0, NULL),
	.suffixes = suffixes,
	.read_list = read_list,
};

INN_PLUGIN("csv", "1.0.0", "BSD-2-Clause", &csv.cls);
