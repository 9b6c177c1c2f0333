/* Errors as text, with the source line they point at. */
#include "ctx.h"
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#define SHOWN 160 /* longer source lines are not shown */

/* Line `line` of a regular text file without its end, or false. */
static bool source_line(const char *path, uint32_t line, char buf[SHOWN])
{
	FILE *f;
	struct stat st;
	bool found = false;
	uint32_t at = 1;
	size_t n = 0;
	int c;

	if (stat(path, &st) || !S_ISREG(st.st_mode) || st.st_size > (off_t)1 << 20)
		return false;
	f = fopen(path, "re");
	if (!f)
		return false;
	while (at < line && (c = getc(f)) != EOF)
		at += c == '\n';
	if (at == line) {
		while ((c = getc(f)) != EOF && c != '\n' && n < SHOWN - 1)
			buf[n++] = (unsigned)c < 0x20 && c != '\t' && c != '\r' ? '?' : (char)c;
		found = n && (c == EOF || c == '\n');
	}
	fclose(f);
	if (n && buf[n - 1] == '\r')
		n--;
	buf[n] = 0;
	return found && n;
}

/* Blanks up to column `col` (in characters), tabs kept, then the caret. */
static void caret(const char *line, uint32_t col, char out[SHOWN + 2])
{
	size_t n = 0;

	if (line[0] == '\xef' && line[1] == '\xbb' && line[2] == '\xbf')
		line += 3;
	for (uint32_t at = 1; at < col && *line && n < SHOWN; at++) {
		out[n++] = *line == '\t' ? '\t' : ' ';
		for (line++; ((unsigned char)*line & 0xc0) == 0x80; line++)
			;
	}
	out[n++] = '^';
	out[n] = 0;
}

const char *inn__error_text(inn_ctx *ctx, const struct inn__error *e)
{
	const char *label = e->context ? "note" : "error";
	char line[SHOWN], mark[SHOWN + 2];
	char *text;

	if (!e->loc.file)
		text = inn_printf(ctx, "%s: %s", label, e->text);
	else if (!e->loc.line)
		text = inn_printf(ctx, "%s: %s: %s", e->loc.file, label, e->text);
	else if (!source_line(e->loc.file, e->loc.line, line))
		text = inn_printf(ctx, "%s:%u:%u: %s: %s", e->loc.file, e->loc.line, e->loc.col, label, e->text);
	else {
		caret(line, e->loc.col, mark);
		text = inn_printf(ctx, "%s:%u:%u: %s: %s\n  %s\n  %s", e->loc.file, e->loc.line, e->loc.col, label, e->text,
				  line, mark);
	}
	return text ? text : e->text;
}
