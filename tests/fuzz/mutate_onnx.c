/* libFuzzer's mutator for ONNX models: it edits fields and keeps the lengths around them right, so that most of its models get past
 * the wire format. One in eight is edited as bytes. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t max);
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max, unsigned seed);

#define MAX_FIELDS 512
#define MAX_BYTES (64 << 10)
#define MAX_WORDS 256

enum message { OTHER, MODEL, GRAPH, NODE, ATTRIBUTE, TENSOR, VALUE_INFO, TYPE, TENSOR_TYPE, SHAPE, DIM, OPSET, ENTRY };
static const struct { uint8_t in, number, is; } inner[] = {
	{ MODEL, 7, GRAPH }, { MODEL, 8, OPSET }, { GRAPH, 1, NODE }, { GRAPH, 5, TENSOR }, { GRAPH, 11, VALUE_INFO }, { GRAPH, 12, VALUE_INFO },
	{ GRAPH, 13, VALUE_INFO }, { NODE, 5, ATTRIBUTE }, { ATTRIBUTE, 5, TENSOR }, { ATTRIBUTE, 6, GRAPH }, { ATTRIBUTE, 10, TENSOR },
	{ VALUE_INFO, 2, TYPE }, { TYPE, 1, TENSOR_TYPE }, { TENSOR_TYPE, 2, SHAPE }, { SHAPE, 1, DIM }, { TENSOR, 13, ENTRY },
};
/* Names of tensors: each may stand where another one stood. */
static const struct { uint8_t in, number; } names[] = { { NODE, 1 }, { NODE, 2 }, { TENSOR, 8 }, { VALUE_INFO, 1 } };

struct field { uint8_t wire, is; uint32_t number; uint64_t v; const uint8_t *at; size_t n; }; /* v: numbers; at, n: the payload */
struct out { uint8_t *data; size_t n, max; bool full; };
struct words { const uint8_t *at[MAX_WORDS]; size_t n[MAX_WORDS], count; };

static uint32_t state;
static uint32_t dice(uint32_t n)
{
	state ^= state << 13;
	state ^= state >> 17;
	state ^= state << 5;
	return state % n;
}

static enum message type_of(uint8_t in, uint32_t number)
{
	for (size_t i = 0; i < sizeof(inner) / sizeof(*inner); i++)
		if (inner[i].in == in && inner[i].number == number)
			return inner[i].is;
	return OTHER;
}

static bool varint(const uint8_t **p, const uint8_t *end, uint64_t *v)
{
	*v = 0;
	for (unsigned shift = 0; shift < 64 && *p < end; shift += 7) {
		uint8_t b = *(*p)++;

		*v |= (uint64_t)(b & 127) << shift;
		if (b < 128)
			return true;
	}
	return false;
}

/* The fields of one message; what does not parse is left out. */
static size_t parse(const uint8_t *p, size_t n, uint8_t type, struct field *f)
{
	const uint8_t *end = p + n;
	size_t k = 0;
	uint64_t tag, length;

	for (; k < MAX_FIELDS && p < end && varint(&p, end, &tag); k++) {
		f[k] = (struct field){ .wire = tag & 7, .number = (uint32_t)(tag >> 3), .is = (uint8_t)type_of(type, (uint32_t)(tag >> 3)) };
		if (f[k].wire == 0) {
			if (!varint(&p, end, &f[k].v))
				break;
			continue;
		}
		if (f[k].wire == 2 && !varint(&p, end, &length))
			break;
		length = f[k].wire == 2 ? length : f[k].wire == 1 ? 8 : 4;
		if (length > (size_t)(end - p))
			break;
		f[k].at = p;
		f[k].n = (size_t)length;
		p += length;
	}
	return k;
}

static void put(struct out *o, const void *p, size_t n)
{
	if (o->full || n > o->max - o->n) {
		o->full = true;
		return;
	}
	if (n)
		memcpy(o->data + o->n, p, n);
	o->n += n;
}

static void put_varint(struct out *o, uint64_t v)
{
	do {
		uint8_t b = (uint8_t)((v & 127) | (v > 127 ? 128 : 0));

		put(o, &b, 1);
		v >>= 7;
	} while (v);
}

static void put_field(struct out *o, const struct field *f)
{
	put_varint(o, (uint64_t)f->number << 3 | f->wire);
	if (f->wire == 0) {
		put_varint(o, f->v);
		return;
	}
	if (f->wire == 2)
		put_varint(o, f->n);
	put(o, f->at, f->n);
}

static void gather(const uint8_t *data, size_t n, uint8_t type, unsigned depth, struct words *w)
{
	struct field *f = depth < 8 ? malloc(MAX_FIELDS * sizeof(*f)) : NULL;
	size_t k = f ? parse(data, n, type, f) : 0;

	for (size_t i = 0; i < k && w->count < MAX_WORDS; i++) {
		for (size_t j = 0; f[i].wire == 2 && j < sizeof(names) / sizeof(*names); j++)
			if (names[j].in == type && names[j].number == f[i].number && w->count < MAX_WORDS) {
				w->at[w->count] = f[i].at;
				w->n[w->count++] = f[i].n;
			}
		if (f[i].is && f[i].wire == 2)
			gather(f[i].at, f[i].n, f[i].is, depth + 1, w);
	}
	free(f);
}

static uint64_t number(uint64_t v)
{
	static const uint64_t edge[] = { 0, 1, 2, 3, 4, 7, 8, 64, 255, 65535, INT32_MAX, (uint64_t)INT32_MAX + 1, UINT32_MAX, (uint64_t)UINT32_MAX + 1,
					 INT64_MAX, (uint64_t)INT64_MAX + 1, UINT64_MAX, UINT64_MAX - 1, (uint64_t)-2, (uint64_t)-3 };

	switch (dice(4)) {
	case 0: return v + 1 + dice(3);
	case 1: return v - 1 - dice(3);
	case 2: return dice(24);
	default: return edge[dice(sizeof(edge) / sizeof(*edge))];
	}
}

/* One field as a value: `scratch` holds the new payload. */
static void change(struct field *f, uint8_t type, const struct words *w, uint8_t *scratch)
{
	bool name = false;

	for (size_t j = 0; j < sizeof(names) / sizeof(*names); j++)
		name |= names[j].in == type && names[j].number == f->number;
	if (f->wire == 0) {
		f->v = number(f->v);
		return;
	}
	if (name && w->count && dice(4)) {
		uint32_t i = dice((uint32_t)w->count);

		f->at = w->at[i];
		f->n = w->n[i];
		return;
	}
	if (f->n > MAX_BYTES / 2)
		return;
	if (f->n)
		memcpy(scratch, f->at, f->n);
	f->at = scratch;
	if (f->wire == 2)
		f->n = LLVMFuzzerMutate(scratch, f->n, f->n + 16);
	else
		LLVMFuzzerMutate(scratch, f->n, f->n);
}

static void edit(const uint8_t *data, size_t n, uint8_t type, unsigned depth, const struct words *w, struct out *o);

/* Field i is gone, doubled, moved, changed or edited inside. */
static void edit_field(struct field *f, size_t k, size_t i, uint8_t type, unsigned depth, const struct words *w, struct out *o)
{
	uint8_t *scratch = malloc(MAX_BYTES);
	struct out inside = { malloc(MAX_BYTES), 0, MAX_BYTES, false };
	struct field was = f[i];
	uint32_t how = dice(16), other = dice((uint32_t)k);

	if (!scratch || !inside.data)
		abort();
	if (f[i].is && f[i].wire == 2 && depth < 8 && how > 2) {
		edit(f[i].at, f[i].n, f[i].is, depth + 1, w, &inside);
		f[i].at = inside.data;
		f[i].n = inside.n;
	} else if (how == 1) {
		put_field(o, &f[i]);
	} else if (how == 2 || how == 3) {
		f[i] = f[other];
		f[other] = was;
	} else if (how == 4 && f[i].wire == f[other].wire) {
		f[i].at = f[other].at; /* one field's payload in the place of another's */
		f[i].n = f[other].n;
		f[i].v = f[other].v;
	} else if (how == 5) {
		f[i].number = 1 + dice(22);
	} else if (how) {
		change(&f[i], type, w, scratch);
	}
	for (size_t j = 0; j < k; j++)
		if (how || j != i)
			put_field(o, &f[j]);
	free(scratch);
	free(inside.data);
}

static void edit(const uint8_t *data, size_t n, uint8_t type, unsigned depth, const struct words *w, struct out *o)
{
	struct field *f = malloc(MAX_FIELDS * sizeof(*f));
	size_t k = f ? parse(data, n, type, f) : 0;

	if (k)
		edit_field(f, k, dice((uint32_t)k), type, depth, w, o);
	free(f);
}

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max, unsigned seed)
{
	static uint8_t space[MAX_BYTES];
	struct out o = { space, 0, max < sizeof(space) ? max : sizeof(space), false };
	struct words w = { .count = 0 };

	state = seed * 2654435761u | 1;
	if (!dice(8))
		return LLVMFuzzerMutate(data, size, max);
	gather(data, size, MODEL, 0, &w);
	for (uint32_t rounds = 1 + dice(3); rounds; rounds--) {
		o.n = 0;
		edit(data, size, MODEL, 0, &w, &o);
		if (o.full || !o.n)
			return LLVMFuzzerMutate(data, size, max);
		memcpy(data, o.data, o.n);
		size = o.n;
		w.count = 0; /* they lay in what was overwritten */
		gather(data, size, MODEL, 0, &w);
	}
	return size;
}
