/* The n-th allocation, read, write ... of a command fails, for n = 0, 1, 2 ... until the command ends without a failure. Each time: the
 * documented exit code with a message, or 0 with the right results; no signal, no leak, no part of a file, nothing temporary.
 * Usage: faults <innvestigate> <fault.so> <source folder> [STEP]: every STEP-th allocation beyond the first 300. */
#include <dirent.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static const char *const kinds[] = { "alloc", "open", "read", "write", "fsync", "close", "rename", "mkdir", "fstat", "mmap", "thread" };
#define N_KINDS (sizeof(kinds) / sizeof(*kinds))
#define MAX_ARGS 16

struct command { const char *name, *argv[MAX_ARGS]; };
struct said { int code; bool injected; unsigned kept; char text[4096]; }; /* kept: blocks of memory */

static const char *exe, *shim;
static char tmp[] = "/tmp/inn-faults-XXXXXX";
static unsigned failed, runs, usual; /* usual: blocks that are kept for the next file, where nothing fails */

static size_t drain(int fd, char *to, size_t room)
{
	char rest[512];
	size_t n = 0;
	ssize_t k;

	while ((k = n < room ? read(fd, to + n, room - n) : read(fd, rest, sizeof(rest))) > 0)
		n += n < room ? (size_t)k : 0;
	close(fd);
	return n;
}

static void child(const struct command *c, const char *fault, const int *out, const int *tell)
{
	char fd[16];

	snprintf(fd, sizeof(fd), "%d", tell[1]);
	setenv("FAULT", fault, 1);
	setenv("FAULT_FD", fd, 1);
	setenv("LD_PRELOAD", shim, 1);
	dup2(out[1], STDOUT_FILENO);
	dup2(out[1], STDERR_FILENO);
	execv(exe, (char *const *)(uintptr_t)c->argv);
	_exit(127);
}

static struct said run(const struct command *c, const char *fault)
{
	struct said s = { .code = -1 };
	char told[512] = "";
	int out[2], tell[2], status;

	if (pipe(out) || pipe2(tell, 0))
		abort();
	fcntl(out[0], F_SETFD, FD_CLOEXEC);
	fcntl(tell[0], F_SETFD, FD_CLOEXEC);
	pid_t pid = fork();

	if (!pid)
		child(c, fault, out, tell);
	close(out[1]);
	close(tell[1]);
	drain(out[0], s.text, sizeof(s.text) - 1);
	drain(tell[0], told, sizeof(told) - 1);
	if (pid < 0 || waitpid(pid, &status, 0) < 0)
		abort();
	runs++;
	s.code = WIFSIGNALED(status) ? 1000 + WTERMSIG(status) : WEXITSTATUS(status);
	s.injected = told[0] == 'x';
	s.kept = strchr(told, 'l') ? (unsigned)atoi(strchr(told, 'l') + 1) : 0;
	return s;
}

/* Of all files in the output folder, by name; an unfinished pass's journal may stay. */
static unsigned long contents(unsigned *files, unsigned *temporary)
{
	DIR *d = opendir("out");
	unsigned long sum = 0;
	struct dirent *e;

	*files = *temporary = 0;
	while (d && (e = readdir(d))) {
		char path[512];
		unsigned long h = 5381;
		FILE *f;
		int c;

		if (!strcmp(e->d_name, ".") || !strcmp(e->d_name, "..") || !strcmp(e->d_name, "unfinished.journal"))
			continue;
		*temporary += !strncmp(e->d_name, ".innvestigate-", 14);
		snprintf(path, sizeof(path), "out/%s", e->d_name);
		for (const char *p = e->d_name; *p; p++)
			h = h * 33 + (unsigned char)*p;
		for (f = fopen(path, "rb"); f && (c = fgetc(f)) != EOF;)
			h = h * 33 + (unsigned)c;
		if (f)
			fclose(f);
		sum += h;
		++*files;
	}
	if (d)
		closedir(d);
	return sum;
}

static void empty(void)
{
	if (system("rm -rf out && mkdir out"))
		abort();
}

static void complain(const struct command *c, const char *fault, const char *what, const struct said *s)
{
	if (++failed <= 20)
		printf("FAILED: %s with %s: %s: exit %d, %u blocks kept\n%.400s", c->name, fault, what, s->code, s->kept, s->text);
}

static bool one(const struct command *c, const char *fault, unsigned long want, unsigned n_want)
{
	unsigned files, temporary;

	empty();
	struct said s = run(c, fault);
	unsigned long have = contents(&files, &temporary);

	if (s.code >= 1000 || strstr(s.text, "Sanitizer"))
		complain(c, fault, "crash", &s);
	else if (s.code == 0 && (have != want || files != n_want))
		complain(c, fault, "other results", &s);
	else if (s.code < 0 || s.code > 3 || (s.code && !strstr(s.text, "error: ")))
		complain(c, fault, "no message", &s);
	else if (temporary)
		complain(c, fault, "a temporary file was left", &s);
	else if (s.kept > usual)
		complain(c, fault, "leak", &s);
	return s.injected;
}

/* Whatever was left by a failure, the same command then ends well. */
static void recovers(const struct command *c, unsigned long want, unsigned n_want)
{
	unsigned files, temporary;
	struct said s = run(c, "none:0");

	if (s.code || contents(&files, &temporary) != want || files != n_want)
		complain(c, "nothing", "it does not recover", &s);
}

static void all(const struct command *c, long step)
{
	unsigned n_want, temporary;

	empty();
	struct said whole = run(c, "none:0");
	unsigned long want = contents(&n_want, &temporary);

	usual = whole.kept;
	if (whole.code || usual > 8 || !n_want)
		complain(c, "nothing", "it fails by itself", &whole);
	for (size_t k = 0; k < N_KINDS; k++) {
		long n = 0, tried = 0;
		char fault[64];

		for (;; n += !strcmp(kinds[k], "alloc") && n >= 300 ? step : 1, tried++) {
			snprintf(fault, sizeof(fault), "%s:%ld%s", kinds[k], n, n % 2 ? "+" : "");
			if (!one(c, fault, want, n_want))
				break;
			if (n % 16 == 0)
				recovers(c, want, n_want);
		}
		printf("%s: %s: %ld failures, to the %ldth\n", c->name, kinds[k], tried, n);
		fflush(stdout);
	}
}

int main(int argc, char **argv)
{
	static char net[512], x[512], config[2048];

	if (argc < 4 || !mkdtemp(tmp))
		return fprintf(stderr, "usage: faults <innvestigate> <fault.so> <source folder> [STEP]\n"), 2;
	exe = realpath(argv[1], NULL);
	shim = realpath(argv[2], NULL);
	snprintf(net, sizeof(net), "%s/tests/golden/nets/mlp.onnx", argv[3]);
	snprintf(x, sizeof(x), "%s/tests/golden/nets/mlp.x.npy", argv[3]);
	if (!exe || !shim || chdir(tmp))
		return 2;
	FILE *f = fopen("run.yaml", "w");

	snprintf(config, sizeof(config), "model: %s\ninput: %s\nbackend: reference\nanalyzers: [gradient, lrp.epsilon]\noutput: {dir: out}\n", net, x);
	if (!f || fputs(config, f) < 0 || fclose(f))
		return 2;
	const struct command analyze = { "analyze", { exe, "analyze", "-m", net, "-i", x, "-a", "gradient", "-b", "reference", "-o", "out/map.npy" } };
	const struct command job = { "run", { exe, "run", "run.yaml" } };
	long step = argc > 4 ? atol(argv[4]) : 1;

	all(&analyze, step);
	all(&job, step);
	snprintf(config, sizeof(config), "rm -rf %s", tmp);
	printf("%u runs, %u failed\n", runs, failed);
	return chdir("/") || system(config) || failed;
}
