/* Bad models, each with the exit code and a part of the message that `innvestigate check` must give, within 1 s of processor time and
 * 256 MiB. Usage: hostile_models <innvestigate> <cases.txt> [--show]. A line of the file: CODE | MESSAGE | MODEL (model.h). */
#include "model.h"
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#define MEMORY ((rlim_t)256 << 20)

/* What the models are made of lives until the end. */
int __lsan_is_turned_off(void);
int __lsan_is_turned_off(void) { return 1; }

struct said { int code; char text[4096]; long kib; };

static void limit(int what, rlim_t v) { setrlimit(what, &(struct rlimit){ v, v }); }

static void child(const char *exe, const char *file, int out)
{
#if !defined(INN_SANITIZED)
	limit(RLIMIT_AS, MEMORY);
	limit(RLIMIT_CPU, 1);
#endif
	limit(RLIMIT_CORE, 0);
	dup2(out, STDOUT_FILENO);
	dup2(out, STDERR_FILENO);
	execl(exe, exe, "check", "-m", file, "-a", "gradient", "-b", "reference", (char *)NULL);
	_exit(127);
}

/* Exit code, or 1000 and a signal's number. */
static struct said run(const char *exe, const char *file)
{
	struct said s = { .code = -1 };
	struct rusage used;
	int fd[2], status;
	size_t n = 0;
	ssize_t k;

	if (pipe(fd))
		abort();
	pid_t pid = fork();

	if (!pid)
		child(exe, file, fd[1]);
	close(fd[1]);
	while ((k = read(fd[0], s.text + n, sizeof(s.text) - 1 - n)) > 0)
		n += (size_t)k;
	close(fd[0]);
	if (pid < 0 || wait4(pid, &status, 0, &used) < 0)
		abort();
	s.code = WIFSIGNALED(status) ? 1000 + WTERMSIG(status) : WEXITSTATUS(status);
	s.kib = used.ru_maxrss;
	return s;
}

static void write_file(const char *path, const uint8_t *data, size_t n)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	if (fd < 0 || write(fd, data, n) != (ssize_t)n)
		abort();
	close(fd);
}

static bool one(const char *exe, const char *file, char *line, bool show)
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
	struct said s = run(exe, file);

	if (show)
		printf("%d | %s%s\n", s.code, s.text, model);
	if (s.code == atoi(line) && strstr(s.text, says) && !strstr(s.text, "Sanitizer") && !strstr(s.text, "runtime error"))
		return true;
	printf("FAILED: exit %d, not %s or no \"%s\":%s\n%.600s", s.code, line, says, model, s.text);
	return false;
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
