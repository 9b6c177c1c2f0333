/* Bad models, each with the exit code and a part of the message that `innvestigate check` must give, within 1 s of processor time and
 * 256 MiB. Usage: hostile_models <innvestigate> <cases.txt> [--show]. A line of the file: CODE | MESSAGE | MODEL (model.h). */
#include "bounded.h"
#include "model.h"
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* What the models are made of lives until the end. */
int __lsan_is_turned_off(void);
int __lsan_is_turned_off(void) { return 1; }

static void write_file(const char *path, const uint8_t *data, size_t n)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	if (fd < 0 || write(fd, data, n) != (ssize_t)n)
		abort();
	close(fd);
}

static bool one(char *exe, char *file, char *line, bool show)
{
	char *says = strchr(line, '|'), *model = says ? strchr(says + 1, '|') : NULL, *end;
	size_t n;

	if (!model)
		return printf("no case: %s\n", line), false;
	*model++ = 0;
	*says++ = 0;
	says += strspn(says, " ");
	for (end = says + strlen(says); end > says && end[-1] == ' '; end--)
		end[-1] = 0;
	uint8_t *bytes = model_bytes(model, &n);

	if (!bytes)
		return false;
	write_file(file, bytes, n);
	free(bytes);
	char *const argv[] = { exe, "check", "-m", file, "-a", "gradient", "-b", "reference", NULL };
	struct said s = bounded_run(argv, 1);

	if (show)
		printf("%d | %s%s\n", s.code, s.text, model);
	return bounded_as(&s, atoi(line), says, model);
}

int main(int argc, char **argv)
{
	FILE *f = argc > 2 ? fopen(argv[2], "r") : NULL;
	char folder[] = "/tmp/inn-hostile-XXXXXX", file[64], line[8192];
	unsigned count = 0, failed = 0;

	if (!f || !mkdtemp(folder))
		return fprintf(stderr, "usage: hostile_models <innvestigate> <cases.txt> [--show]\n"), 2;
	snprintf(file, sizeof(file), "%s/model.onnx", folder);
	while (fgets(line, sizeof(line), f)) {
		line[strcspn(line, "\n")] = 0;
		if (!line[0] || line[0] == '#')
			continue;
		count++;
		failed += !one(argv[1], file, line, argc > 3);
	}
	fclose(f);
	unlink(file);
	rmdir(folder);
	printf("%u models, %u failed\n", count, failed);
	return failed || !count;
}
