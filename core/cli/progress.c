/* A bar on a terminal, with the time that is left. */
#include "cli.h"

static bool shown;

void progress_show(void *user, size_t done, size_t total, double seconds)
{
	enum { WIDTH = 30 };
	size_t full = total ? done * WIDTH / total : 0;

	(void)user;
	if (total < 2)
		return;
	fprintf(stderr, "\r[");
	for (size_t i = 0; i < WIDTH; i++)
		fputc(i < full ? '#' : '.', stderr);
	fprintf(stderr, "] %zu/%zu", done, total);
	if (done && done < total)
		fprintf(stderr, "  %.0f s left ", seconds / (double)done * (double)(total - done));
	else
		fprintf(stderr, "  %.1f s      ", seconds);
	fflush(stderr);
	shown = true;
}

void progress_end(void)
{
	if (shown)
		fprintf(stderr, "\n");
	shown = false;
}
