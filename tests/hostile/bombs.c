/* Small files that ask for much: pictures, archives, arrays and configurations below 1 MiB, each read or refused within 1 s of processor
 * time and 256 MiB. Usage: bombs <innvestigate> <source folder> [--show]. */
#include "bombs.h"
#include "bounded.h"
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define SECONDS 2u /* twice the bound: on a machine that shares its cores a second counts for more than one */

static char *exe, *src, net[512];
static bool show;
static unsigned count, failed;
static double slowest;
static long largest;

static void run(struct bytes *b, const char *name, int code, const char *text, char *const argv[])
{
	bytes_store(b, name);
	struct said s = bounded_run(argv, SECONDS);

	count++;
	failed += !bounded_as(&s, code, text, name);
	if (b->n > (size_t)1 << 20) {
		printf("FAILED: %s is no small file: %zu bytes\n", name, b->n);
		failed++;
	}
	if (show)
		printf("%-15s %7zu bytes, %.2f s, %ld KiB: %.140s", name, b->n, s.seconds, s.kib, s.text);
	slowest = s.seconds > slowest ? s.seconds : slowest;
	largest = s.kib > largest ? s.kib : largest;
	unlink(name);
	bytes_free(b);
}

void bombs_picture(struct bytes *b, char *name, const char *text)
{
	char *argv[] = { exe, "predict", "-m", net, "-i", name, "-p", "fashion_mnist", "-b", "reference", NULL };

	run(b, name, 1, text, argv);
}

void bombs_array(struct bytes *b, char *name, const char *text)
{
	char *argv[] = { exe, "predict", "-m", net, "-i", name, "-b", "reference", NULL };

	run(b, name, 1, text, argv);
}

void bombs_config(struct bytes *b, char *name, const char *text)
{
	char *argv[] = { exe, "check", name, NULL };

	run(b, name, 2, text, argv);
}

/* ---- arrays */

#define MOST 99000000u /* just what may be unpacked */

struct member { const char *name; int method; struct bytes data; uint32_t crc; uint64_t size; };

static void npy_head(struct bytes *b, const char *type, const char *shape)
{
	struct bytes text = { 0 };

	bytes_print(&text, "{'descr': '%s', 'fortran_order': False, 'shape': (%s), }\n", type, shape);
	bytes_add(b, "\x93NUMPY\1\0", 8);
	bytes_le(b, text.n, 2);
	bytes_add(b, text.p, text.n);
	bytes_free(&text);
}

/* `zeros` bytes of data behind the head of an array. */
static struct member packed(const char *type, const char *shape, uint64_t zeros)
{
	struct member m = { .name = "x.npy", .method = 8 };
	struct bytes head = { 0 };

	npy_head(&head, type, shape);
	m.crc = pack_zeros(&m.data, PACK_RAW, head.p, head.n, zeros);
	m.size = head.n + zeros;
	bytes_free(&head);
	return m;
}

/* What a member's two heads have in common. */
static void sizes(struct bytes *b, const struct member *m)
{
	bytes_le(b, (uint64_t)m->method << 16, 4); /* flags, method */
	bytes_le(b, 0, 4);                         /* time */
	bytes_le(b, m->crc, 4);
	bytes_le(b, m->data.n, 4);
	bytes_le(b, m->size, 4);
	bytes_le(b, strlen(m->name), 4);
}

/* The member `times` times under different names; shared: all of them in the same bytes. */
static void archive(char *file, const struct member *m, unsigned times, bool shared, const char *text)
{
	struct bytes b = { 0 }, directory = { 0 };
	char name[16];

	for (unsigned i = 0; i < times; i++) {
		struct member one = *m;
		size_t at = shared ? 0 : b.n;

		snprintf(name, sizeof(name), "%05u.npy", i);
		one.name = times > 1 ? name : m->name;
		if (!shared || !i) {
			bytes_add(&b, "PK\3\4\24\0", 6);
			sizes(&b, &one);
			bytes_add(&b, one.name, strlen(one.name));
			bytes_add(&b, one.data.p, one.data.n);
		}
		bytes_add(&directory, "PK\1\2\24\0\24\0", 8);
		sizes(&directory, &one);
		bytes_le(&directory, 0, 8);
		bytes_le(&directory, 0, 2);
		bytes_le(&directory, at, 4);
		bytes_add(&directory, one.name, strlen(one.name));
	}
	size_t at = b.n;

	bytes_add(&b, directory.p, directory.n);
	bytes_add(&b, "PK\5\6\0\0\0\0", 8);
	bytes_le(&b, times << 16 | times, 4);
	bytes_le(&b, directory.n, 4);
	bytes_le(&b, at, 4);
	bytes_le(&b, 0, 2);
	bytes_free(&directory);
	bombs_array(&b, file, text);
}

static void lone(char *file, struct member m, uint64_t claimed, const char *text)
{
	m.size = claimed ? claimed : m.size;
	archive(file, &m, 1, false, text);
	bytes_free(&m.data);
}

static void archives(void)
{
	struct member m, none = { .name = "x.npy" };

	lone("full.npz", packed("<f4", "30993, 784", 30993u * 784 * 4), 0, "has shape [30993,784]");
	lone("double.npz", packed("<f8", "15496, 784", 15496u * 784 * 8), 0, "has shape [15496,784]");
	lone("bytes.npz", packed("|u1", "123972, 784", 123972u * 784), 0, "has shape [123972,784]");
	lone("over.npz", packed("<f4", "313065, 784", 313065u * 784ull * 4), 0, "limits.unpacked");
	lone("less.npz", packed("<f4", "313065, 784", 313065u * 784ull * 4), 1000, "does not unpack to 1000 bytes");
	lone("more.npz", packed("<f4", "2, 784", 2 * 784 * 4), 20000, "does not unpack to 20000 bytes");
	lone("ratio.npz", packed("<f4", "2, 784", 2 * 784 * 4), 4000000, "claims a size that it cannot have");
	m = packed("<f4", "30000", MOST / 60 / 4 * 4);
	archive("overlap.npz", &m, 1000, true, "shares bytes with another");
	archive("sixty.npz", &m, 60, false, "no samples are given");
	bytes_free(&m.data);
	archive("names.npz", &none, 10000, false, "is no numpy array");
}

static void gzip(char *name, uint32_t n, uint32_t type, uint64_t zeros, const char *text)
{
	struct bytes b = { 0 }, head = { 0 };

	bytes_be32(&head, type << 8 | 3);
	bytes_be32(&head, n);
	bytes_be32(&head, 28);
	bytes_be32(&head, 28);
	pack_zeros(&b, PACK_GZIP, head.p, head.n, zeros);
	bytes_free(&head);
	bombs_array(&b, name, text);
}

static void arrays(void)
{
	struct bytes b = { 0 };

	gzip("full.gz", 126275, 0x08, 126275u * 784, "has shape [126275,28,28]");
	gzip("floats.gz", 31568, 0x0d, 31568u * 784 * 4, "has shape [31568,28,28]");
	gzip("more.gz", 10, 0x08, 1000000000, "has not the length");
	gzip("over.gz", 1275510, 0x08, 1275510ull * 784, "limits.unpacked");
	bytes_add(&b, "\x1f\x8b\x08\0\0\0\0\0\0\x03", 10);
	for (int i = 0; i < 200000; i++)
		bytes_add(&b, "\0\0\0\xff\xff", 5);
	bombs_array(&b, "empty.gz", "no IDX array");
	npy_head(&b, "<f4", "4294967295, 4294967295, 4294967295");
	bombs_array(&b, "huge.npy", "cut off");
	npy_head(&b, "<f4", "100000, 784");
	bombs_array(&b, "claims.npy", "cut off");
}

/* ---- configurations: the n-th item of a list, as often as it fits */

static void list(char *name, const char *before, const char *item, unsigned times, const char *after, const char *text)
{
	struct bytes b = { 0 };

	bytes_print(&b, "model: %s\ninput: x.npy\noutput: {dir: out}\n%s", net, before);
	for (unsigned i = 0; i < times; i++)
		bytes_print(&b, "%s%s", i ? ", " : "", item);
	bytes_print(&b, "%s\n", after);
	bombs_config(&b, name, text);
}

static void configurations(void)
{
	char path[600];
	struct bytes b = { 0 };
	const char *searches = "more than 4096 presets, kinds of layers and unknown names";

	snprintf(path, sizeof(path), "%s/configs/defaults.yaml", src);
	list("names.yaml", "analyzers: [", "abc", 90000, "]", "no analyzer is named abc");
	list("presets.yaml", "analyzers: [", "lrp.flat", 90000, "]", searches);
	list("alias.yaml", "analyzers: [&p lrp.epsilon_plus, ", "*p", 90000, "]", searches);
	list("kinds.yaml", "analyzers: [{type: lrp, rules: [{rule: lrp.epsilon, match: {kind: [", "relu", 90000, "]}}]}]", searches);
	list("nodes.yaml", "analyzers: [", "a", 100000, "]", "more than 100000 nodes");
	list("classes.yaml", "analyzers: [", "gradient", 90000, "]", "more than 512 of them");
	list("include.yaml", "analyzers: [gradient]\ninclude: [", path, 10000, "]", "more than 16 files in all");
	list("expand.yaml", "a: &a [x, x, x, x, x, x, x, x, x, x]\nb: &b [*a, *a, *a, *a, *a, *a, *a, *a, *a, *a]\nanalyzers: [", "*b", 40000, "]",
	     "aliases expand to more than 100000 nodes");
	bytes_print(&b, "model: %s\ninput: x.npy\noutput: {dir: out}\nanalyzers: [gradient", net);
	for (int i = 0; i < 19000; i++)
		bytes_print(&b, ", {type: gradient, as: g%d}", i);
	bytes_print(&b, "]\n");
	bombs_config(&b, "labels.yaml", "more than 512 of them");
	bytes_print(&b, "model: %s\ninput: x.npy\noutput: {dir: out}\nanalyzers: [gradient", net);
	for (int i = 0; i < 300; i++)
		bytes_print(&b, ", {type: gradient, as: g%d}", i);
	bytes_print(&b, "]\nmetrics: [abpc");
	for (int i = 0; i < 300; i++)
		bytes_print(&b, ", {type: abpc, as: m%d}", i);
	bytes_print(&b, "]\n");
	bombs_config(&b, "pairs.yaml", "metrics: 301 of them for 301 analyzers are more than 16384 pairs");
	for (int i = 0; i < 20000; i++)
		bytes_print(&b, "%s%050d", i ? "" : "model: x\ninput: x\noutput: {dir: x}\nanalyzers: [a", i);
	bytes_print(&b, "]\n");
	bombs_config(&b, "name.yaml", "no analyzer is named a0000");
	for (int i = 0; i < 1000000; i++)
		bytes_add(&b, "[", 1);
	bombs_config(&b, "deep.yaml", "nested deeper than 64");
	for (int i = 0; i < 4000; i++)
		bytes_print(&b, "%030d: 1\n", i);
	bombs_config(&b, "key.yaml", "run has no parameter");
}

int main(int argc, char **argv)
{
	char folder[] = "/tmp/inn-bombs-XXXXXX";

	if (argc < 3 || !(src = realpath(argv[2], NULL)) || !(exe = realpath(argv[1], NULL)) || !mkdtemp(folder) || chdir(folder))
		return fprintf(stderr, "usage: bombs <innvestigate> <source folder> [--show]\n"), 2;
	show = argc > 3;
	snprintf(net, sizeof(net), "%s/models/fashion/fashion.onnx", src);
	bombs_png();
	bombs_jpeg();
	archives();
	arrays();
	configurations();
	printf("%u files, %u failed; at most %.2f s and %ld KiB\n", count, failed, slowest, largest);
	free(src);
	free(exe);
	return chdir("/") || rmdir(folder) || failed;
}
