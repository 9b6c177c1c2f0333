#include "bounded.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#define MEMORY ((rlim_t)256 << 20)

static void limit(int what, rlim_t v) { setrlimit(what, &(struct rlimit){ v, v }); }

static void child(char *const argv[], unsigned most, int out)
{
#if !defined(INN_SANITIZED)
	limit(RLIMIT_AS, MEMORY);
	limit(RLIMIT_CPU, most);
#endif
	(void)most;
	limit(RLIMIT_CORE, 0);
	dup2(out, STDOUT_FILENO);
	dup2(out, STDERR_FILENO);
	execv(argv[0], argv);
	_exit(127);
}

static double seconds(struct timeval t) { return (double)t.tv_sec + 1e-6 * (double)t.tv_usec; }

struct said bounded_run(char *const argv[], unsigned most)
{
	struct said s = { .code = -1 };
	struct rusage used;
	int fd[2], status;
	char rest[512];
	size_t n = 0;
	ssize_t k;

	if (pipe(fd))
		abort();
	pid_t pid = fork();

	if (!pid)
		child(argv, most, fd[1]);
	close(fd[1]);
	while ((k = n < sizeof(s.text) - 1 ? read(fd[0], s.text + n, sizeof(s.text) - 1 - n) : read(fd[0], rest, sizeof(rest))) > 0)
		n += n < sizeof(s.text) - 1 ? (size_t)k : 0;
	close(fd[0]);
	if (pid < 0 || wait4(pid, &status, 0, &used) < 0)
		abort();
	s.code = WIFSIGNALED(status) ? 1000 + WTERMSIG(status) : WEXITSTATUS(status);
	s.kib = used.ru_maxrss;
	s.seconds = seconds(used.ru_utime) + seconds(used.ru_stime);
	return s;
}

bool bounded_as(const struct said *s, int code, const char *text, const char *what)
{
	if (s->code == code && strstr(s->text, text) && !strstr(s->text, "Sanitizer") && !strstr(s->text, "runtime error"))
		return true;
	printf("FAILED: exit %d, not %d or no \"%s\", %.2f s, %ld KiB: %s\n%.600s\n", s->code, code, text, s->seconds, s->kib, what, s->text);
	return false;
}
