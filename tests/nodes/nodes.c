/* node_tests EXE DATA [-v] [part of a name]: every test of ONNX's that has tensors for inputs, through `EXE predict -i NAME=PATH`.
 * A test agrees, or is refused with a sentence; wrong numbers, other exits and silence are failures. */
#include "arrays.h"
#include <dirent.h>
#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define TOLERANCE 1e-4
#define LEAST 724 /* tests with floating-point results that have to agree */
enum verdict { AGREES, REFUSED, NO_TENSORS, FAILED, VERDICTS };

struct bench {
	const char *exe;
	char dir[64];  /* for files */
	bool verbose;
	unsigned count[2][VERDICTS]; /* [1]: with floating-point results */
};

struct test {
	const char *path;  /* of its folder */
	Onnx__ModelProto *m;
	char text[512];    /* the message of the command, or what is wrong */
};

static bool is_initializer(const Onnx__GraphProto *g, const char *name)
{
	for (size_t i = 0; i < g->n_initializer; i++)
		if (!strcmp(g->initializer[i]->name, name))
			return true;
	return false;
}

static int type_of(const Onnx__ValueInfoProto *v)
{
	bool tensor = v->type && v->type->value_case == ONNX__TYPE_PROTO__VALUE_TENSOR_TYPE;

	return tensor ? v->type->tensor_type->elem_type : 0;
}

/* Runs the command with its messages in a file; the exit code, or 1000 and more for a signal. */
static int run(const struct bench *b, char *const *argv)
{
	char err[128];
	int status, messages, nothing = open("/dev/null", O_RDWR | O_CLOEXEC);

	snprintf(err, sizeof(err), "%s/err", b->dir);
	messages = open(err, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	pid_t pid = fork();

	if (!pid) {
		if (dup2(nothing, 0) == 0 && dup2(nothing, 1) == 1 && dup2(messages, 2) == 2) {
			alarm(60);
			execv(b->exe, argv);
		}
		_exit(127);
	}
	close(nothing);
	close(messages);
	if (pid < 0 || waitpid(pid, &status, 0) < 0)
		return 127;
	return WIFEXITED(status) ? WEXITSTATUS(status) : 1000 + WTERMSIG(status);
}

/* The first line of the messages with an error in it; what a sanitizer says is none. */
static bool message(const struct bench *b, char text[512])
{
	char path[128], line[512];
	bool found = false;

	snprintf(path, sizeof(path), "%s/err", b->dir);
	FILE *f = fopen(path, "r");

	while (f && !found && fgets(line, sizeof(line), f))
		if (strstr(line, "error: ") && !strstr(line, "runtime error: ") && strlen(line) > 12) {
			line[strcspn(line, "\n")] = 0;
			memcpy(text, line, strlen(line) + 1);
			found = true;
		}
	if (f)
		fclose(f);
	return found;
}

/* Writes the inputs of a data set and their arguments to argv; false if one is no tensor of numbers. */
static bool inputs(const struct bench *b, const struct test *t, const char *set, char **argv, int *argc)
{
	const Onnx__GraphProto *g = t->m->graph;
	int k = 0;

	for (size_t i = 0; i < g->n_input; i++) {
		char from[768], to[128];
		struct array a = { 0 };

		if (is_initializer(g, g->input[i]->name))
			continue;
		snprintf(from, sizeof(from), "%s/input_%d.pb", set, k);
		snprintf(to, sizeof(to), "%s/x%d.npy", b->dir, k++);
		bool ok = type_of(g->input[i]) && read_tensor(from, type_of(g->input[i]), &a) && write_npy(to, &a);

		free(a.v);
		if (!ok || *argc > 60)
			return false;
		argv[(*argc)++] = "-i";
		if (asprintf(&argv[(*argc)++], "%s=%s", g->input[i]->name, to) < 0)
			return false;
	}
	return true;
}

/* A result of half precision is rounded to that by those who made the tests. */
static bool equal(double got, double want, int type)
{
	double rounding = type == 10 ? 0x1p-11 : type == 16 ? 0x1p-8 : 0;

	return got == want || (isnan(got) && isnan(want)) || fabs(got - want) <= TOLERANCE + (TOLERANCE + rounding) * fabs(want);
}

static bool compare(struct test *t, const char *name, const struct array *got, const struct array *want)
{
	bool same = got->rank == want->rank;

	for (size_t d = 0; same && d < want->rank; d++)
		same = got->dim[d] == want->dim[d];
	if (!same) {
		snprintf(t->text, sizeof(t->text), "output %.100s has another shape", name);
		return false;
	}
	for (size_t i = 0; i < want->n; i++)
		if (!equal(got->v[i], want->v[i], want->type)) {
			snprintf(t->text, sizeof(t->text), "output %.100s: %g, not %g at element %zu", name, got->v[i], want->v[i], i);
			return false;
		}
	return true;
}

static bool outputs(struct test *t, const char *set, const char *archive)
{
	size_t n = 0;
	unsigned char *zip = read_file(archive, &n);
	bool ok = zip;

	snprintf(t->text, sizeof(t->text), "no output was written");
	for (size_t i = 0; ok && i < t->m->graph->n_output; i++) {
		const char *name = t->m->graph->output[i]->name;
		struct array got = { 0 }, want = { 0 };
		char path[768];

		snprintf(path, sizeof(path), "%s/output_%zu.pb", set, i);
		ok = read_tensor(path, type_of(t->m->graph->output[i]), &want) && read_member(zip, n, name, &got) && compare(t, name, &got, &want);
		free(got.v);
		free(want.v);
	}
	free(zip);
	return ok;
}

static enum verdict data_set(const struct bench *b, struct test *t, const char *set)
{
	char model[640], archive[128], *argv[64] = { (char *)b->exe, "predict", "-m", model, "-o", archive };
	int argc = 6, code;
	enum verdict v = NO_TENSORS;

	snprintf(model, sizeof(model), "%s/model.onnx", t->path);
	snprintf(archive, sizeof(archive), "%s/y.npz", b->dir);
	unlink(archive);
	if (inputs(b, t, set, argv, &argc) && argc > 6) {
		argv[argc] = NULL;
		code = run(b, argv);
		if (!code)
			v = outputs(t, set, archive) ? AGREES : FAILED;
		else if (code == 1 && message(b, t->text))
			v = REFUSED;
		else {
			snprintf(t->text, sizeof(t->text), "exit %d", code);
			v = FAILED;
		}
	}
	for (int i = 7; i < argc; i += 2)
		free(argv[i]);
	return v;
}

/* The worst verdict of its data sets. */
static enum verdict test(const struct bench *b, struct test *t)
{
	enum verdict worst = AGREES;
	bool any = false;

	for (int k = 0; k < 16; k++) {
		char set[640];
		struct stat st;

		snprintf(set, sizeof(set), "%s/test_data_set_%d", t->path, k);
		if (stat(set, &st))
			break;
		enum verdict v = data_set(b, t, set);

		any = true;
		worst = v > worst ? v : worst;
	}
	return any ? worst : NO_TENSORS;
}

static void folder(struct bench *b, const char *path)
{
	static const char *const word[VERDICTS] = { "agrees", "refused", "no tensors", "FAILED" };
	struct test t = { .path = path };
	char file[640];
	size_t n = 0;
	bool real = true;

	snprintf(file, sizeof(file), "%s/model.onnx", path);
	unsigned char *p = read_file(file, &n);

	if (p && (t.m = onnx__model_proto__unpack(NULL, n, p)) && t.m->graph) {
		for (size_t i = 0; i < t.m->graph->n_output; i++)
			real &= is_float(type_of(t.m->graph->output[i]));
		enum verdict v = test(b, &t);

		b->count[real][v]++;
		if (v == FAILED || b->verbose)
			printf("%s: %s %s\n", strrchr(path, '/') + 1, word[v], v == AGREES ? "" : t.text);
	}
	if (t.m)
		onnx__model_proto__free_unpacked(t.m, NULL);
	free(p);
}

static bool group(struct bench *b, const char *data, const char *name, const char *only)
{
	char path[512];
	struct dirent **e;

	snprintf(path, sizeof(path), "%s/%s", data, name);
	int n = scandir(path, &e, NULL, alphasort);

	for (int i = 0; i < n; i++) {
		snprintf(path, sizeof(path), "%s/%s/%s", data, name, e[i]->d_name);
		if (e[i]->d_name[0] != '.' && (!only || strstr(e[i]->d_name, only)))
			folder(b, path);
		free(e[i]);
	}
	if (n >= 0)
		free(e);
	return n > 0;
}

int main(int argc, char **argv)
{
	static const char *const groups[] = { "node", "pytorch-converted", "pytorch-operator", "simple" };
	struct bench b = { .exe = argc > 1 ? argv[1] : "", .dir = "/dev/shm/node-tests-XXXXXX", .verbose = argc > 3 && !strcmp(argv[3], "-v") };
	const char *only = argc > 3 + b.verbose ? argv[3 + b.verbose] : NULL;
	bool any = false;
	char path[128];

	if (argc < 3)
		return 2;
	if (!mkdtemp(b.dir)) { /* in memory the many small files take a tenth of the time */
		snprintf(b.dir, sizeof(b.dir), "/tmp/node-tests-XXXXXX");
		if (!mkdtemp(b.dir))
			return 2;
	}
	for (size_t i = 0; i < sizeof(groups) / sizeof(*groups); i++)
		any |= group(&b, argv[2], groups[i], only);
	snprintf(path, sizeof(path), "rm -rf %s", b.dir);
	if (system(path))
		return 2;
	if (!any) {
		printf("skipped: %s is not there (package libonnx-testdata)\n", argv[2]);
		return 77;
	}
	for (int real = 1; real >= 0; real--)
		printf("%s results: %u agree, %u refused, %u have no tensors, %u failed\n", real ? "floating-point" : "other",
		       b.count[real][AGREES], b.count[real][REFUSED], b.count[real][NO_TENSORS], b.count[real][FAILED]);
	return b.count[0][FAILED] || b.count[1][FAILED] || (!only && b.count[1][AGREES] < LEAST);
}
