/* memory CLI SOURCES: what the command takes at its peak, and what it does with a limit. */
#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define MEASURABLE false /* shadow memory, and freed memory that is kept */
#else
#define MEASURABLE true
#endif
#define CODE 64.0 /* MiB: the program, its libraries and their code made at run time, the input and its results */

extern char **environ;
static const char *cli, *sources;
static char dir[] = "/tmp/innvestigate-memory-XXXXXX";
static int failures;

struct result { int code; double peak, needs; char text[65536]; }; /* MiB: of the process; of its largest plan, as the backend says */

static void expect(bool ok, const char *fmt, ...)
{
	va_list ap;

	if (ok)
		return;
	failures++;
	va_start(ap, fmt);
	vprintf(fmt, ap);
	va_end(ap);
	printf("\n");
}

static void look(struct result *r)
{
	char path[256];

	snprintf(path, sizeof(path), "%s/text", dir);
	FILE *f = fopen(path, "r");
	size_t n = f ? fread(r->text, 1, sizeof(r->text) - 1, f) : 0;

	r->text[n] = 0;
	if (f)
		fclose(f);
	for (const char *s = r->text; (s = strstr(s, "cpu: ")); s++) {
		double needs;
		char colon;

		if (sscanf(s, "cpu: %lf MiB%c values", &needs, &colon) == 2 && colon == ':' && needs > r->needs)
			r->needs = needs;
	}
}

/* Runs `command ... --verbose --threads 1`; what it says comes with the result. */
static struct result run(const char *const *argv)
{
	static struct result r;
	const char *all[32] = { cli };
	posix_spawn_file_actions_t to;
	struct rusage usage;
	char path[256];
	int n = 1, status;
	pid_t pid;

	while (*argv)
		all[n++] = *argv++;
	all[n++] = "--verbose";
	all[n++] = "--threads";
	all[n] = "1";
	r = (struct result){ .code = -1 };
	snprintf(path, sizeof(path), "%s/text", dir);
	posix_spawn_file_actions_init(&to);
	posix_spawn_file_actions_addopen(&to, 1, path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
	posix_spawn_file_actions_adddup2(&to, 1, 2);
	if (posix_spawn(&pid, cli, &to, NULL, (char **)(void *)all, environ) || wait4(pid, &status, 0, &usage) < 0)
		expect(false, "%s does not start", cli);
	else if (WIFEXITED(status)) {
		r.code = WEXITSTATUS(status);
		r.peak = (double)usage.ru_maxrss / 1024;
		look(&r);
	}
	posix_spawn_file_actions_destroy(&to);
	return r;
}

static const char *text(const char *fmt, ...)
{
	static char all[16][1024];
	static int next;
	va_list ap;

	next = (next + 1) % 16;
	va_start(ap, fmt);
	vsnprintf(all[next], sizeof(all[next]), fmt, ap);
	va_end(ap);
	return all[next];
}

/* The memory that a loop takes does not grow with its iterations. */
static void loops(void)
{
	double peak[2];

	for (int k = 0; k < 2; k++) {
		struct result r = run((const char *[]){ "analyze", "-m", text("%s/tests/golden/nets/cnn.onnx", sources), "-i",
							text("%s/tests/golden/nets/cnn.x.npy", sources), "-b", "cpu", "-a",
							text("{type: smoothgrad, augment_by_n: %d}", k ? 500 : 50), "-o", text("%s/map.npy", dir), NULL });

		expect(r.code == 0, "smoothgrad: exit code %d: %s", r.code, r.text);
		peak[k] = r.peak;
	}
	expect(!MEASURABLE || peak[1] < peak[0] + 1, "smoothgrad of 50 samples takes %.1f MiB, of 500 %.1f MiB", peak[0], peak[1]);
}

/* A run over one photograph, or over the same one 8 times; settings: further arguments. */
static struct result analyze(bool eight, const char *const *settings)
{
	const char *argv[24] = { "run", text("%s/run.yaml", dir), "--force" };
	FILE *f = fopen(argv[1], "w");
	int k = 3;

	if (f) {
		fprintf(f, "model: %s/models/efficientnet_lite0/efficientnet_lite0.onnx\nbackend: cpu\nanalyzers: [gradient]\n"
			   "output: {dir: %s/out}\ninput: {path: %s/in%s, preprocess: efficientnet_lite}\n", sources, dir, dir, eight ? "" : "/0.png");
		fclose(f);
	}
	for (; *settings; settings++) {
		argv[k++] = "-s";
		argv[k++] = *settings;
	}
	argv[k] = NULL;
	return run(argv);
}

static bool is_there(const char *name) { return !access(text("%s/out/%s", dir, name), F_OK); }

static void clear(void)
{
	for (const char *const *name = (const char *const[]){ "manifest.json", "gradient.npy", "samples.csv", NULL }; *name; name++)
		unlink(text("%s/out/%s", dir, *name));
}

static void limits(void)
{
	struct result whole = analyze(false, (const char *[]){ NULL }), r;

	expect(whole.code == 0 && whole.needs > 1, "without a limit: exit code %d, %.1f MiB: %s", whole.code, whole.needs, whole.text);
	clear();
	r = analyze(false, (const char *[]){ text("memory=%.1fMiB", whole.needs + 0.2), NULL });
	expect(r.code == 0 && is_there("manifest.json"), "with what it needs: exit code %d: %s", r.code, r.text);
	expect(!MEASURABLE || r.peak <= whole.needs + CODE, "limited to %.1f MiB, the process takes %.1f MiB", whole.needs, r.peak);
	clear();
	r = analyze(false, (const char *[]){ text("memory=%.1fMiB", whole.needs / 3), NULL });
	expect(r.code == 1 && strstr(r.text, "above the limit of") && strstr(r.text, "the most for /"), "with a third: exit code %d: %s", r.code, r.text);
	expect(!is_there("manifest.json") && !is_there("gradient.npy"), "a refused run left files");
}

/* Less memory, smaller batches. */
static void batches(void)
{
	double needs[2];

	for (int k = 0; k < 2; k++) {
		struct result r = analyze(true, (const char *[]){ k ? "batch=8" : "batch=4", NULL });

		expect(r.code == 0, "batches: exit code %d: %s", r.code, r.text);
		needs[k] = r.needs;
	}
	struct result r = analyze(true, (const char *[]){ text("memory=%.1fMiB", (needs[0] + needs[1]) / 2), NULL });
	char manifest[4096] = "";
	FILE *f = fopen(text("%s/out/manifest.json", dir), "r");

	if (f) {
		manifest[fread(manifest, 1, sizeof(manifest) - 1, f)] = 0;
		fclose(f);
	}
	expect(r.code == 0 && r.needs == needs[0] && strstr(manifest, "\"batch\": 4,"), "8 samples in %.1f MiB: exit code %d, %.1f MiB: %s",
	       (needs[0] + needs[1]) / 2, r.code, r.needs, r.text);
}

int main(int argc, char **argv)
{
	if (argc != 3 || !mkdtemp(dir) || mkdir(text("%s/in", dir), 0700))
		return 1;
	cli = argv[1];
	sources = argv[2];
	for (int i = 0; i < 8; i++)
		expect(!symlink(text("%s/data/chelsea.png", sources), text("%s/in/%d.png", dir, i)), "no link: %s", strerror(errno));
	loops();
	limits();
	batches();
	clear();
	for (const char *const *name = (const char *const[]){ "text", "map.npy", "run.yaml", NULL }; *name; name++)
		unlink(text("%s/%s", dir, *name));
	for (int i = 0; i < 8; i++)
		unlink(text("%s/in/%d.png", dir, i));
	if (rmdir(text("%s/in", dir)) || rmdir(text("%s/out", dir)) || rmdir(dir))
		printf("%s is left: %s\n", dir, strerror(errno));
	return failures != 0;
}
