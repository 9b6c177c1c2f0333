/* whole NET SHAPE PLUGINS BACKEND ANALYZER...: whole analyses of samples of that shape ("3,8,8"); "fit:ANALYZER" is fitted before, by
 * the same backend. Against the reference in double precision: within 1e-5 of the largest. Done again from the start, with other
 * samples beside it, and at another place among them: the same bits. Where the reference says that the place counts, as it does for
 * noise, the last is left out. */
#include <innvestigate/innvestigate.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define SAMPLES 3u
#define SKIPPED 77 /* what ctest takes for it */
#define REFERENCE "{type: reference, dtype: f64}"

struct setup { const char *net, *plugins; struct inn_shape shape; size_t n; /* of one sample */ };
struct use { inn_job *job; inn_analysis *a; char state[32]; /* "", or the file that fit wrote */ };

/* Samples, each given by a letter. */
static float *fill(const struct setup *s, const char *samples, struct inn_tensor *x)
{
	size_t count = strlen(samples);
	float *data = calloc(count * s->n, sizeof(*data));

	for (size_t i = 0; data && i < count * s->n; i++)
		data[i] = sinf((float)(i % s->n) * (1.1f + 0.37f * (float)(samples[i / s->n] - 'a'))) + 0.1f;
	*x = (struct inn_tensor){ .shape = s->shape, .dtype = INN_F32, .data = data };
	x->shape.dim[0] = (uint32_t)count;
	return data;
}

static bool fit(const struct setup *s, struct use *u)
{
	struct inn_tensor x;
	float *data = fill(s, "abcdefghijklmnop", &x);
	int fd, rc = INN_EIO;

	strcpy(u->state, "/tmp/whole-XXXXXX.npz");
	fd = mkstemps(u->state, 4);
	if (data && fd >= 0)
		rc = inn_fit(u->a, &x, 1, u->state);
	if (fd >= 0)
		close(fd);
	free(data);
	return rc == INN_OK;
}

static bool begin(const struct setup *s, const char *backend, const char *analyzer, struct use *u, bool *missing)
{
	bool fitted = strncmp(analyzer, "fit:", 4) == 0;
	inn_model *m;

	u->job = inn_job_new();
	if (u->job && inn_job_plugins(u->job, s->plugins) == INN_OK && inn_job_backend(u->job, backend) == INN_OK &&
	    inn_model_open(u->job, s->net, &m) == INN_OK && inn_analyzer(u->job, m, analyzer + (fitted ? 4 : 0), &u->a) == INN_OK &&
	    (!fitted || fit(s, u)))
		return true;
	*missing = u->job && inn_error_status(u->job) == INN_EPLUGIN;
	printf("%s: %s: %s\n", analyzer, backend, u->job ? inn_error(u->job, 0) : "out of memory");
	return false;
}

static void end(struct use *u)
{
	inn_job_free(u->job);
	if (*u->state)
		unlink(u->state);
}

/* Their maps. */
static float *maps(const struct setup *s, const struct use *u, const char *samples, bool *missing)
{
	struct inn_tensor x, r = { .dtype = INN_F32 };
	struct inn_target target = { .kind = INN_TARGET_MAX };
	float *data = fill(s, samples, &x);
	int rc = data ? inn_analyze(u->a, &x, 1, &target, &r) : INN_ENOMEM;

	free(data);
	if (rc == INN_OK)
		return r.data;
	*missing = inn_error_status(u->job) == INN_EPLUGIN;
	printf("%s\n", inn_error(u->job, 0) ? inn_error(u->job, 0) : "out of memory");
	return NULL;
}

static bool close_to(const float *a, const float *b, size_t n)
{
	double most = 0, off = 0;

	for (size_t i = 0; i < n; i++) {
		most = fmax(most, fabs((double)b[i]));
		off = fmax(off, fabs((double)a[i] - (double)b[i]));
		if (!isfinite(a[i]))
			return false;
	}
	return off <= 1e-5 * most;
}

static bool check(const struct setup *s, const char *backend, const char *analyzer, bool *missing)
{
	static const struct { int use; const char *samples; } runs[] = {
		{ 0, "abc" }, { 1, "abc" }, { 1, "ade" }, { 1, "dae" }, { 2, "abc" }, { 2, "dae" },
	};
	const char *on[] = { backend, backend, REFERENCE }, *wrong = NULL;
	struct use use[3] = { { 0 } };
	float *r[6] = { 0 };
	size_t n = s->n, bytes = n * sizeof(float);
	bool ok = true;

	for (int k = 0; ok && k < 3; k++)
		ok = begin(s, on[k], analyzer, &use[k], missing);
	for (int k = 0; ok && k < 6; k++)
		ok = (r[k] = maps(s, &use[runs[k].use], runs[k].samples, missing)) != NULL;
	if (ok) {
		bool place = memcmp(r[4], r[5] + n, bytes) != 0;

		wrong = !close_to(r[0], r[4], SAMPLES * n)            ? "far from the reference" :
			memcmp(r[0], r[1], SAMPLES * bytes)           ? "not the same again" :
			memcmp(r[0], r[2], bytes)                     ? "not the same beside other samples" :
			!place && memcmp(r[0], r[3] + n, bytes)       ? "not the same at another place" :
			!memcmp(r[0], r[0] + n, bytes)                ? "the same for different samples" : NULL;
		if (wrong)
			printf("%s: %s\n", analyzer, wrong);
	}
	for (int k = 0; k < 6; k++)
		free(r[k]);
	for (int k = 0; k < 3; k++)
		end(&use[k]);
	return ok && !wrong;
}

int main(int argc, char **argv)
{
	struct setup s = { .net = argc > 5 ? argv[1] : NULL, .plugins = argv[3], .shape = { .rank = 1, .dim = { SAMPLES } }, .n = 1 };
	int failed = 0;
	bool missing = false;

	if (argc < 6)
		return 2;
	for (char *at = argv[2]; *at && s.shape.rank < INN_MAX_RANK; at += *at == ',') {
		s.shape.dim[s.shape.rank] = (uint32_t)strtoul(at, &at, 10);
		s.n *= s.shape.dim[s.shape.rank++];
	}
	for (int i = 5; i < argc && !missing; i++)
		failed += !check(&s, argv[4], argv[i], &missing);
	printf("%d analyses, %d failed\n", argc - 5, failed);
	return missing ? SKIPPED : failed != 0;
}
