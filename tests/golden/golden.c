/* golden DIR [plugin dir [part of a name [backend tolerance]]]: every line of DIR/cases.txt through the public interface, against
 * arrays that others computed; on the reference backend, or on another one with the larger of the two tolerances. Fields: name | net
 * | input | analyzer | target | expected | dtype | tolerance. A net may be followed by the passes that change it ("nets/a.onnx []"),
 * an analyzer by layers whose relevance is expected behind the maps ("lrp.z @ /conv1/Conv"). */
#include <innvestigate/innvestigate.h>
#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { NAME, NET, INPUT, ANALYZER, TARGET, EXPECTED, DTYPE, TOLERANCE, FIELDS };
#define MAX_TARGETS 64
#define MAX_PORTS 4
#define SKIPPED 77 /* what ctest takes for it */

static bool parse_shape(const char *header, struct inn_shape *s)
{
	const char *at = strstr(header, "'shape':");

	*s = (struct inn_shape){ 0 };
	if (!at || !(at = strchr(at, '(')))
		return false;
	for (at++; *at && *at != ')';) {
		char *end;
		unsigned long v = strtoul(at, &end, 10);

		if (end == at || s->rank == INN_MAX_RANK || v > UINT32_MAX)
			return false;
		s->dim[s->rank++] = (uint32_t)v;
		for (at = end; *at == ',' || *at == ' '; at++)
			;
	}
	return strstr(header, "'fortran_order': False") != NULL;
}

/* Little-endian f4, f8 and i8 in C order. */
static bool read_npy(const char *path, struct inn_tensor *t)
{
	static const struct { const char *descr; uint32_t dtype; } types[] = { { "'<f4'", INN_F32 }, { "'<f8'", INN_F64 }, { "'<i8'", INN_I64 } };
	FILE *f = fopen(path, "rb");
	unsigned char head[12];
	char text[4096];
	size_t n = 0, len = 0, count = 0;
	bool ok = f && fread(head, 1, 10, f) == 10 && !memcmp(head, "\x93NUMPY", 6);

	t->data = NULL;
	t->dtype = INN_DTYPES;
	if (ok && head[6] > 1)
		ok = fread(head + 10, 1, 2, f) == 2;
	if (ok) {
		len = head[8] | (size_t)head[9] << 8 | (head[6] > 1 ? (size_t)head[10] << 16 | (size_t)head[11] << 24 : 0);
		ok = len < sizeof(text) && fread(text, 1, len, f) == len;
		text[ok ? len : 0] = 0;
	}
	for (size_t i = 0; ok && i < sizeof(types) / sizeof(*types); i++)
		if (strstr(text, types[i].descr))
			t->dtype = types[i].dtype;
	ok = ok && t->dtype != INN_DTYPES && parse_shape(text, &t->shape) && inn_shape_count(&t->shape, &count) && count < (size_t)1 << 32;
	if (ok) {
		n = count * inn_dtype_size(t->dtype);
		t->data = malloc(n + 1);
		ok = t->data && fread(t->data, 1, n, f) == n;
	}
	if (f)
		fclose(f);
	return ok;
}

static char *trim(char *s)
{
	char *end = s + strlen(s);

	while (isspace((unsigned char)*s))
		s++;
	while (end > s && isspace((unsigned char)end[-1]))
		*--end = 0;
	return s;
}

/* max, all, each, an index, or indices separated by commas. */
static void parse_target(char *text, struct inn_target *t, int64_t index[MAX_TARGETS])
{
	*t = (struct inn_target){ .kind = INN_TARGET_INDEX, .index = index };
	if (!*text || !strcmp(text, "max"))
		t->kind = INN_TARGET_MAX;
	else if (!strcmp(text, "all"))
		t->kind = INN_TARGET_ALL;
	else if (!strcmp(text, "each"))
		t->kind = INN_TARGET_EACH;
	for (char *at = text; t->kind == INN_TARGET_INDEX && *at && t->n_index < MAX_TARGETS;) {
		index[t->n_index++] = strtoll(at, &at, 10);
		while (*at && !isdigit((unsigned char)*at) && *at != '-')
			at++;
	}
}

/* Fields with several files separate them by spaces. */
static uint32_t read_all(const char *dir, char *names, struct inn_tensor *t)
{
	char path[4096];
	uint32_t n = 0;

	for (char *save = NULL, *one = strtok_r(names, " ,", &save); one; one = strtok_r(NULL, " ,", &save)) {
		snprintf(path, sizeof(path), "%s/%s", dir, one);
		if (n == MAX_PORTS || !read_npy(path, &t[n])) {
			printf("%s: cannot be read as an array\n", path);
			return 0;
		}
		n++;
	}
	return n;
}

static bool close_to(const char *name, const struct inn_tensor *a, const struct inn_tensor *b, double tol)
{
	size_t n, m, at = 0;
	double largest = 0, worst = 0;

	if (!inn_shape_count(&a->shape, &n) || !inn_shape_count(&b->shape, &m) || n != m) {
		char s[2][INN_SHAPE_STR];

		printf("FAIL %s: shape %s, expected %s\n", name, inn_shape_str(&a->shape, s[0]), inn_shape_str(&b->shape, s[1]));
		return false;
	}
	for (size_t i = 0; i < n; i++) {
		double d = fabs(inn_tensor_real(a, i) - inn_tensor_real(b, i));

		largest = fmax(largest, fabs(inn_tensor_real(b, i)));
		if (!(d <= worst)) {
			worst = d;
			at = i;
		}
		if (isnan(d))
			break;
	}
	if (worst <= tol * largest)
		return true;
	printf("FAIL %s: off by %.3g of the largest at %zu (%.9g, expected %.9g), allowed %g\n", name, worst / largest, at,
	       inn_tensor_real(a, at), inn_tensor_real(b, at), tol);
	return false;
}

struct device { const char *backend; double tolerance; };

static int analyze(inn_job *job, const struct device *on, char *const *field, const char *dir, const struct inn_tensor *x, uint32_t n_x, struct inn_tensor *r)
{
	struct inn_target target;
	int64_t index[MAX_TARGETS];
	inn_model *m;
	inn_analysis *a;
	char path[4096], backend[64], *passes = strchr(field[NET], ' '), *layers = strstr(field[ANALYZER], " @ ");
	const char *layer[MAX_PORTS];
	size_t n_layer = 0;
	int rc;

	snprintf(path, sizeof(path), passes ? "{path: '%s/%.*s', passes: %s}" : "%s/%.*s", dir, (int)strcspn(field[NET], " "), field[NET], passes);
	if (layers) {
		*layers = 0;
		for (char *save = NULL, *one = strtok_r(layers + 3, " ", &save); one && n_layer < MAX_PORTS; one = strtok_r(NULL, " ", &save))
			layer[n_layer++] = one;
	}
	snprintf(backend, sizeof(backend), "{type: reference, dtype: %.8s}", field[DTYPE]);
	parse_target(field[TARGET], &target, index);
	if ((rc = inn_job_backend(job, on->backend ? on->backend : backend)) < 0 || (rc = inn_model_open(job, path, &m)) < 0)
		return rc;
	if (!strcmp(field[ANALYZER], "predict"))
		return inn_predict(m, x, n_x, r);
	if ((rc = inn_analyzer(job, m, field[ANALYZER], &a)) == INN_OK && n_layer)
		rc = inn_analysis_layers(a, layer, n_layer);
	return rc < 0 ? rc : inn_analyze(a, x, n_x, &target, r);
}

/* `missing`: the device of the backend asked for is not here. */
static bool run_case(char *const *field, const char *dir, const char *plugins, const struct device *on, bool *missing)
{
	inn_job *job = inn_job_new();
	struct inn_tensor x[MAX_PORTS] = { 0 }, r[MAX_PORTS] = { 0 }, want[MAX_PORTS] = { 0 };
	uint32_t n_x = read_all(dir, field[INPUT], x), n_want = read_all(dir, field[EXPECTED], want);
	bool ok = job && n_x && n_want;

	for (uint32_t i = 0; i < MAX_PORTS; i++)
		r[i].dtype = INN_F64;
	if (ok && plugins && inn_job_plugins(job, plugins) < 0)
		ok = false;
	if (ok && analyze(job, on, field, dir, x, n_x, r) < 0) {
		*missing = on->backend && inn_error_status(job) == INN_EPLUGIN;
		printf("%s %s: %s\n", *missing ? "skipped at" : "FAIL", field[NAME], inn_error(job, 0) ? inn_error(job, 0) : "no error recorded");
		ok = false;
	} else if (!ok) {
		printf("FAIL %s: not run\n", field[NAME]);
	}
	for (uint32_t i = 0; ok && i < n_want; i++)
		ok = close_to(field[NAME], &r[i], &want[i], fmax(strtod(field[TOLERANCE], NULL), on->tolerance));
	for (uint32_t i = 0; i < MAX_PORTS; i++) {
		inn_tensor_free(&r[i]);
		free(x[i].data);
		free(want[i].data);
	}
	inn_job_free(job);
	return ok;
}

int main(int argc, char **argv)
{
	char path[4096], line[4096];
	struct device on = { argc > 4 ? argv[4] : NULL, argc > 5 ? strtod(argv[5], NULL) : 0 };
	uint32_t passed = 0, failed = 0;
	bool missing = false;

	snprintf(path, sizeof(path), "%s/cases.txt", argc > 1 ? argv[1] : "tests/golden");
	FILE *f = fopen(path, "r");

	if (!f) {
		printf("%s: cannot be opened\n", path);
		return 1;
	}
	while (!missing && fgets(line, sizeof(line), f)) {
		char *field[FIELDS], *rest = line;
		uint32_t n = 0;

		if (*trim(line) == 0 || *trim(line) == '#')
			continue;
		while (n < FIELDS && rest)
			field[n++] = trim(strsep(&rest, "|"));
		if (n < FIELDS) {
			printf("FAIL %s: %u fields, not %d\n", field[0], n, FIELDS);
			failed++;
			continue;
		}
		if (argc > 3 && !strstr(field[NAME], argv[3]))
			continue;
		if (run_case(field, argc > 1 ? argv[1] : "tests/golden", argc > 2 ? argv[2] : NULL, &on, &missing))
			passed++;
		else
			failed++;
	}
	fclose(f);
	printf("%u passed, %u failed\n", passed, failed);
	return missing ? SKIPPED : failed != 0;
}
