/* The n-th allocation, read, write ... of a command fails, for n = 0, 1, 2 ... until the command ends without a failure. Each time: the
 * documented exit code with a message, or 0 with the right results; no signal, no leak, no part of a file, nothing temporary.
 * Usage: faults <innvestigate> <fault.so> <source folder> [STEP [COMMAND [KIND]]]: every STEP-th allocation (but of the first 100
 * all, where no driver takes long); commands that begin so. */
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

static const char *const kinds[] = { "alloc", "open", "read", "write", "fsync", "close", "rename", "mkdir", "fstat", "mmap", "thread", "short" };
#define N_KINDS (sizeof(kinds) / sizeof(*kinds))
#define MAX_ARGS 20
#define MAX_FILES 32
#define FIRST 100

struct command {
	const char *name, *argv[MAX_ARGS];
	const char *clean;    /* folders that are emptied before */
	bool opencl;          /* its driver does what it likes: only our own calls fail */
};
struct said { int code; bool injected; unsigned kept; char text[4096]; }; /* kept: blocks of memory */
struct file { char name[64]; unsigned long sum; };
struct files { struct file v[MAX_FILES]; unsigned n; };

static const char *exe, *shim;
static char tmp[] = "/tmp/inn-faults-XXXXXX";
static unsigned failed, runs;
/* Of the command where nothing fails: what it writes, and blocks that it keeps for the next file. */
static struct files want;
static unsigned usual;

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
	if (c->opencl) {
		setenv("FAULT_OURS", "1", 1);
		setenv("FAULT_CL", "1", 1);
	}
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

/* What may be left by a pass that did not end. */
static bool unfinished(const char *name) { return !strcmp(name, "unfinished.journal") || strstr(name, ".part."); }

static unsigned long sum_of(const char *path)
{
	FILE *f = fopen(path, "rb");
	unsigned long h = 5381;
	int c;

	while (f && (c = fgetc(f)) != EOF)
		h = h * 33 + (unsigned)c;
	if (f)
		fclose(f);
	return h;
}

static void look(struct files *l)
{
	DIR *d = opendir("out");
	struct dirent *e;

	l->n = 0;
	while (d && (e = readdir(d))) {
		char path[300];

		if (!strcmp(e->d_name, ".") || !strcmp(e->d_name, "..") || l->n == MAX_FILES)
			continue;
		snprintf(path, sizeof(path), "out/%s", e->d_name);
		snprintf(l->v[l->n].name, sizeof(l->v->name), "%.63s", e->d_name);
		l->v[l->n++].sum = sum_of(path);
	}
	if (d)
		closedir(d);
}

static const struct file *find(const struct files *l, const char *name)
{
	for (unsigned i = 0; i < l->n; i++)
		if (!strcmp(l->v[i].name, name))
			return &l->v[i];
	return NULL;
}

/* Why the files in the output folder are not what they should be; NULL: they are. */
static const char *wrong(bool done)
{
	struct files have;

	look(&have);
	for (unsigned i = 0; i < have.n; i++) {
		const struct file *w = find(&want, have.v[i].name);

		if (!strncmp(have.v[i].name, ".innvestigate-", 14))
			return "a temporary file was left";
		if (!w && (done || !unfinished(have.v[i].name)))
			return "a file that should not be there";
		if (w && w->sum != have.v[i].sum)
			return "part of a file, or another one";
	}
	return done && have.n != want.n ? "results are missing" : NULL;
}

/* The cache of kernels holds whole files alone. */
static bool cache_is_clean(void)
{
	DIR *d = opendir("cache");
	struct dirent *e;
	bool clean = true;

	while (d && (e = readdir(d))) {
		const char *end = strstr(e->d_name, ".cl.bin");

		clean &= e->d_name[0] == '.' || (end && !end[7]);
	}
	if (d)
		closedir(d);
	return clean;
}

static void empty(const struct command *c)
{
	char line[256];

	snprintf(line, sizeof(line), "rm -rf %s && mkdir out", c->clean);
	if (system(line))
		abort();
}

static void complain(const struct command *c, const char *fault, const char *what, const struct said *s)
{
	if (++failed <= 20)
		printf("FAILED: %s with %s: %s: exit %d, %u blocks kept\n%.400s", c->name, fault, what, s->code, s->kept, s->text);
}

static bool one(const struct command *c, const char *fault)
{
	empty(c);
	struct said s = run(c, fault);
	const char *files = wrong(!s.code);

	if (s.code >= 1000 || strstr(s.text, "Sanitizer"))
		complain(c, fault, "crash", &s);
	else if (s.code < 0 || s.code > 3 || (s.code && !strstr(s.text, "error: ")))
		complain(c, fault, "no message", &s);
	else if (s.code && !strncmp(fault, "short", 5))
		complain(c, fault, "it does not go on with the rest", &s);
	else if (files)
		complain(c, fault, files, &s);
	else if (!cache_is_clean())
		complain(c, fault, "something was left in the cache", &s);
	else if (s.kept > usual)
		complain(c, fault, "leak", &s);
	return s.injected;
}

/* Whatever was left by a failure, the same command then ends well. */
static void recovers(const struct command *c)
{
	struct said s = run(c, "none:0");

	if (s.code || wrong(true))
		complain(c, "nothing", "it does not recover", &s);
}

static void all(const struct command *c, long step, const char *only)
{
	empty(c);
	struct said whole = run(c, "none:0");

	look(&want);
	usual = whole.kept;
	if (whole.code || usual > 8 || !want.n)
		complain(c, "nothing", "it fails by itself", &whole);
	for (size_t k = 0; k < N_KINDS; k++) {
		long n = 0, tried = 0, first = c->opencl ? 0 : FIRST;
		char fault[64];

		if (only && strcmp(only, kinds[k]))
			continue;
		for (;; n += !strcmp(kinds[k], "alloc") && n >= first ? step : 1, tried++) {
			snprintf(fault, sizeof(fault), "%s:%ld%s", kinds[k], n, n % 2 ? "+" : "");
			if (!one(c, fault))
				break;
			if (n % 16 == 0)
				recovers(c);
		}
		printf("%s: %s: %ld failures, to the %ldth\n", c->name, kinds[k], tried, n);
		fflush(stdout);
	}
}

static void write_text(const char *path, const char *text)
{
	FILE *f = fopen(path, "w");

	if (!f || fputs(text, f) < 0 || fclose(f))
		abort();
}

/* Whether a device is here; its driver then has compiled all kernels, and keeps them itself. */
static bool have_device(const struct command *c)
{
	setenv("INNVESTIGATE_CACHE", "cache", 1);
	setenv("POCL_CACHE_DIR", "driver", 1);
	if (mkdir("driver", 0700))
		abort();
	empty(c);
	struct said s = run(c, "none:0");

	return s.code == 0;
}

int main(int argc, char **argv)
{
	static char net[512], x[512], text[2048];
	char *src = argc < 4 ? NULL : realpath(argv[3], NULL);

	if (!src || !(exe = realpath(argv[1], NULL)) || !(shim = realpath(argv[2], NULL)) || !mkdtemp(tmp) || chdir(tmp))
		return fprintf(stderr, "usage: faults <innvestigate> <fault.so> <source folder> [STEP [COMMAND [KIND]]]\n"), 2;
	snprintf(net, sizeof(net), "%s/tests/golden/nets/mlp.onnx", src);
	snprintf(x, sizeof(x), "%s/tests/golden/nets/mlp.x.npy", src);
	snprintf(text, sizeof(text), "model: %s\ninput: %s\nbackend: reference\nanalyzers: [gradient, lrp.epsilon]\noutput: {dir: out}\n", net, x);
	write_text("run.yaml", text);
	snprintf(text, sizeof(text), "model: %s\ninput: %s\nbackend: reference\nanalyzers: [pattern.net, gradient]\noutput: {dir: out}\n"
		 "fit: {input: %s}\n", net, x, x);
	write_text("fit.yaml", text);
	/* --checkpoint: one, after the first of two batches */
	const struct command commands[] = {
		{ "analyze", { exe, "analyze", "-m", net, "-i", x, "-a", "gradient", "-b", "reference", "-o", "out/map.npy" }, "out", false },
		{ "run", { exe, "run", "run.yaml" }, "out", false },
		{ "fit", { exe, "fit", "-m", net, "-i", x, "-a", "pattern.net", "-b", "reference", "--batch", "1", "--checkpoint", "1e-6", "-o",
			   "out/state.npz" }, "out", false },
		{ "run.fit", { exe, "run", "fit.yaml" }, "out", false },
		{ "opencl.first", { exe, "analyze", "-m", net, "-i", x, "-a", "gradient", "-b", "opencl", "-o", "out/map.npy" }, "out cache", true },
		{ "opencl.again", { exe, "analyze", "-m", net, "-i", x, "-a", "gradient", "-b", "opencl", "-o", "out/map.npy" }, "out", true },
	};
	const char *only = argc > 5 ? argv[5] : "", *kind = argc > 6 ? argv[6] : NULL;
	bool device = !strncmp(only, "opencl", strnlen(only, 6)) && have_device(&commands[4]);

	for (size_t i = 0; i < sizeof(commands) / sizeof(*commands); i++)
		if (!strncmp(commands[i].name, only, strlen(only)) && (device || !commands[i].opencl))
			all(&commands[i], argc > 4 ? atol(argv[4]) : 1, kind);
	snprintf(text, sizeof(text), "rm -rf %s", tmp);
	if (chdir("/") || system(text))
		return 1;
	if (!device && !strncmp(only, "opencl", 6))
		return puts("skipped: no OpenCL device"), 77;
	printf("%u runs, %u failed\n", runs, failed);
	return failed || !runs;
}
