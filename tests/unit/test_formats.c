/* Formats and stages through the loader: round trips, hostile bytes, sizes and colours known by hand. */
#include "../../core/base/ctx.h"
#include "../../core/load/load.h"
#include "unit.h"
#include <libgen.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static inn_ctx *ctx;
static struct inn__registry *reg;

static void setup(void)
{
	char exe[4096] = "", dir[4200];

	ctx = inn__ctx_new();
	reg = inn__registry_new(ctx);
	ck_assert(readlink("/proc/self/exe", exe, sizeof(exe) - 1) > 0);
	snprintf(dir, sizeof(dir), "%s/../plugins", dirname(exe));
	ck_assert_int_eq(inn__registry_dir(reg, dir), INN_OK);
}
static void teardown(void) { inn__ctx_free(ctx); }

static const struct inn_format_ops *format(const char *name)
{
	return (const struct inn_format_ops *)(const void *)inn__find(reg, INN_FORMAT, name, NULL);
}

static int bind(uint32_t kind, const char *yaml, struct inn_inst *inst)
{
	struct inn__yaml *y;

	ck_assert_int_eq(inn__yaml_text(ctx, "test", yaml, &y), INN_OK);
	return inn__bind_class(ctx, inn__registry_finder(reg), kind, y, inst);
}

static int apply(const char *yaml, const struct inn_tensor *in, struct inn_tensor *out)
{
	struct inn_inst inst;

	ck_assert_int_eq(bind(INN_STAGE, yaml, &inst), INN_OK);
	return ((const struct inn_stage_ops *)(const void *)inst.cls)->apply(ctx, in, out, inst.opts);
}

static int read_bytes(const struct inn_format_ops *f, const void *bytes, size_t n, struct inn_tensor *t)
{
	struct inn_stream s = { .path = "file", .data = bytes, .size = n };

	return f->read_tensor(ctx, &s, NULL, t);
}

/* Writes, reads back, compares; then every shorter file must be refused, and no flipped bit may crash. */
static void round_trip(const char *name, const struct inn_tensor *t)
{
	const struct inn_format_ops *f = format(name);
	struct inn_stream s = { .path = "file" };
	struct inn_tensor back;
	size_t n;

	if (!f)
		return; /* built without its library */
	ck_assert(inn_shape_count(&t->shape, &n));
	ck_assert_int_eq(f->write_tensor(ctx, &s, NULL, t), INN_OK);
	ck_assert_int_ge(f->probe(s.out, s.out_size), 50);
	ck_assert_int_eq(read_bytes(f, s.out, s.out_size, &back), INN_OK);
	ck_assert(inn_shape_eq(&t->shape, &back.shape));
	ck_assert_uint_eq(t->dtype, back.dtype);
	ck_assert_int_eq(memcmp(t->data, back.data, n * inn_dtype_size(t->dtype)), 0);
	inn_tensor_free(&back);
	for (size_t k = 0; k < s.out_size; k++) {
		ck_assert_int_lt(read_bytes(f, s.out, k, &back), 0);
		inn__errors_clear(ctx);
	}
	for (size_t k = 0; k < 8 * s.out_size; k++) {
		s.out[k / 8] ^= (uint8_t)(1 << k % 8);
		if (read_bytes(f, s.out, s.out_size, &back) == INN_OK)
			inn_tensor_free(&back);
		s.out[k / 8] ^= (uint8_t)(1 << k % 8);
		inn__errors_clear(ctx);
	}
	free(s.out);
}

START_TEST(round_trips)
{
	float real[6] = { 0, -1.5f, 3, 1e30f, -0.f, 7 };
	uint8_t rgb[18];

	for (int i = 0; i < 18; i++)
		rgb[i] = (uint8_t)(i * 14);
	round_trip("npy", &(struct inn_tensor){ .shape = { 2, { 2, 3 } }, .dtype = INN_F32, .data = real });
	round_trip("npz", &(struct inn_tensor){ .shape = { 2, { 2, 3 } }, .dtype = INN_F32, .data = real });
	round_trip("png", &(struct inn_tensor){ .shape = { 3, { 2, 3, 3 } }, .dtype = INN_U8, .data = rgb });
	round_trip("png", &(struct inn_tensor){ .shape = { 3, { 6, 3, 1 } }, .dtype = INN_U8, .data = rgb });
}
END_TEST

/* An .npy file from a header text and data. */
static int read_npy(const char *header, const void *data, size_t n, struct inn_tensor *t)
{
	uint8_t file[512] = "\x93NUMPY\x01";
	size_t length = strlen(header);

	file[8] = (uint8_t)length;
	memcpy(file + 10, header, length);
	memcpy(file + 10 + length, data, n);
	return read_bytes(format("npy"), file, 10 + length + n, t);
}

START_TEST(npy_orders)
{
	static const uint8_t big[] = { 0, 1, 0, 2, 0, 3, 0, 4, 0, 5, 0, 6 };
	static const int want[] = { 1, 3, 5, 2, 4, 6 }; /* columns first in the file */
	struct inn_tensor t;

	ck_assert_int_eq(read_npy("{'descr': '>i2', 'fortran_order': True, 'shape': (2, 3), }\n", big, sizeof(big), &t), INN_OK);
	ck_assert_uint_eq(t.dtype, INN_I16);
	for (size_t i = 0; i < 6; i++)
		ck_assert_int_eq((int)inn_tensor_int(&t, i), want[i]);
	inn_tensor_free(&t);
	ck_assert_int_eq(read_npy("{'descr': '|b1', 'fortran_order': False, 'shape': (), }", "\x02", 1, &t), INN_OK);
	ck_assert_uint_eq(*(uint8_t *)t.data, 1);
	inn_tensor_free(&t);
}
END_TEST

START_TEST(npy_refused)
{
	static const struct { const char *header; int status; } bad[] = {
		{ "{'descr': '|O', 'fortran_order': False, 'shape': (1,), }", INN_EUNSUP },
		{ "{'descr': '<c8', 'fortran_order': False, 'shape': (1,), }", INN_EUNSUP },
		{ "{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (1,), }", INN_EUNSUP },
		{ "{'descr': '<f4', 'fortran_order': False, 'shape': (4294967295, 4294967295, 4294967295), }", INN_EDATA },
		{ "{'descr': '<f4', 'fortran_order': False, 'shape': (1,1,1,1,1,1,1,1,1), }", INN_EDATA },
		{ "{'descr': '<f4', 'fortran_order': False, 'shape': (-1,), }", INN_EDATA },
		{ "{'descr': '<f4', 'descr': '<f4', 'shape': (1,), }", INN_EDATA },
		{ "{'descr': '<f4', 'shape': (1,), }", INN_EDATA },
		{ "", INN_EDATA },
	};
	struct inn_tensor t;

	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		ck_assert_int_eq(read_npy(bad[i].header, "\0\0\0\0\0\0\0", 8, &t), bad[i].status);
}
END_TEST

/* The bytes of an IDX file, packed by gzip: `printf ... | gzip -n9`. */
static const uint8_t idx_plain[] = { 0, 0, 0x0b, 2, 0, 0, 0, 2, 0, 0, 0, 3, 0, 1, 0, 2, 0, 3, 0xff, 0xff, 0, 5, 1, 0 };
static const uint8_t idx_packed[] = {
	0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 2, 0xff, 0x63, 0x60, 0xe0, 0x66, 0x62, 0x60, 0x60, 0, 0x61, 0x66, 6, 0x46, 0x20,
	0xcd, 0xfc, 0xff, 0x3f, 3, 0x2b, 0x23, 3, 0, 0x25, 0xce, 0x28, 0x41, 0x18, 0, 0, 0,
};

/* Reads both, and refuses every shorter file; no flipped bit may crash. */
static void read_idx(const uint8_t *bytes, size_t n)
{
	static const int want[] = { 1, 2, 3, -1, 5, 256 };
	const struct inn_format_ops *f = format("idx");
	uint8_t copy[128];
	struct inn_tensor t;

	ck_assert_int_ge(f->probe(bytes, n), 50);
	ck_assert_int_eq(read_bytes(f, bytes, n, &t), INN_OK);
	ck_assert(t.dtype == INN_I16 && t.shape.rank == 2 && t.shape.dim[0] == 2 && t.shape.dim[1] == 3);
	for (size_t i = 0; i < 6; i++)
		ck_assert_int_eq((int)inn_tensor_int(&t, i), want[i]);
	inn_tensor_free(&t);
	memcpy(copy, bytes, n);
	copy[n] = 0;
	ck_assert_int_lt(read_bytes(f, copy, n + 1, &t), 0);
	for (size_t k = 0; k < n; k++)
		ck_assert_int_lt(read_bytes(f, bytes, k, &t), 0);
	for (size_t k = 0; k < 8 * n; k++) {
		copy[k / 8] ^= (uint8_t)(1 << k % 8);
		if (read_bytes(f, copy, n, &t) == INN_OK)
			inn_tensor_free(&t);
		copy[k / 8] ^= (uint8_t)(1 << k % 8);
		inn__errors_clear(ctx);
	}
}

START_TEST(idx_arrays)
{
	if (!format("idx"))
		return; /* built without its library */
	read_idx(idx_plain, sizeof(idx_plain));
	read_idx(idx_packed, sizeof(idx_packed));
}
END_TEST

static int read_csv(const char *text, struct inn_listed **v, size_t *n)
{
	struct inn_stream s = { .path = "list.csv", .data = (const uint8_t *)text, .size = strlen(text) };

	return format("csv")->read_list(ctx, &s, NULL, v, n);
}

START_TEST(csv_lists)
{
	static const char *const bad[] = { "a,b\n", "a,1,2\n", "\"a\n", "\"a\"b\n", "a,-1", "a,99999999999" };
	struct inn_listed *v;
	size_t n;

	ck_assert_int_eq(read_csv("path,label\r\na.png,3\r\n\n\"b, \"\"c\"\".png\"\nd.png,", &v, &n), INN_OK);
	ck_assert_uint_eq(n, 3);
	ck_assert_str_eq(v[0].path, "a.png");
	ck_assert_int_eq(v[0].label, 3);
	ck_assert_str_eq(v[1].path, "b, \"c\".png");
	ck_assert(v[1].label == INN_NO_INT && v[2].label == INN_NO_INT);
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		ck_assert_int_eq(read_csv(bad[i], &v, &n), INN_EDATA);
}
END_TEST

START_TEST(resize_and_crop)
{
	uint8_t ramp[4] = { 0, 100, 200, 250 };
	struct inn_tensor in = { .shape = { 3, { 1, 4, 1 } }, .dtype = INN_U8, .data = ramp }, out;
	struct inn_inst inst;
	/* Pillow: Image.fromarray(ramp[None]).resize((2, 1), BILINEAR) */
	static const double want[] = { 71, 207 };

	ck_assert_int_eq(apply("{type: resize, size: [1, 2]}", &in, &out), INN_OK);
	for (int i = 0; i < 2; i++)
		ck_assert_double_eq(inn_tensor_real(&out, (size_t)i), want[i]);
	inn_tensor_free(&out);
	ck_assert_int_eq(apply("{type: center_crop, size: [1, 2]}", &in, &out), INN_OK);
	ck_assert_double_eq(inn_tensor_real(&out, 0), 100);
	inn_tensor_free(&out);
	ck_assert_int_lt(apply("{type: center_crop, size: [5, 5]}", &in, &out), 0);
	ck_assert_int_lt(apply("{type: resize, short_side: 9000}", &in, &out), 0);
	ck_assert_int_lt(bind(INN_STAGE, "{type: resize, short_side: 3, size: [1, 2]}", &inst), 0);
}
END_TEST

START_TEST(colours)
{
	float map[6] = { 0, 2, -2, 0, 0, 0 };
	struct inn_tensor in = { .shape = { 3, { 2, 1, 3 } }, .dtype = INN_F32, .data = map }, out;
	static const uint8_t want[9] = { 17, 34, 51, 255, 0, 0, 0, 0, 255 };
	struct inn_inst inst;

	ck_assert_int_eq(apply("{type: heat_map, colormap: '00f,80:123,f00'}", &in, &out), INN_OK);
	ck_assert_int_eq(memcmp(out.data, want, 9), 0);
	inn_tensor_free(&out);
	map[4] = NAN;
	ck_assert_int_eq(apply("heat_map", &in, &out), INN_ENONFINITE);
	ck_assert_int_lt(bind(INN_STAGE, "{type: heat_map, colormap: '00f,xx'}", &inst), 0);
	ck_assert_int_lt(bind(INN_STAGE, "{type: heat_map, colormap: 'ff:00f,00:f00'}", &inst), 0);
}
END_TEST

START_TEST(normalize_bounds)
{
	struct inn_inst inst;
	double low = 0, high = 255;

	ck_assert_int_eq(bind(INN_STAGE, "{type: normalize, mean: [127], std: [128]}", &inst), INN_OK);
	((const struct inn_stage_ops *)(const void *)inst.cls)->bounds(inst.opts, 2, &low, &high);
	ck_assert_double_eq(low, -127. / 128);
	ck_assert_double_eq(high, 1);
}
END_TEST

START_TEST(sheets)
{
	static uint8_t black[3 * 40 * 40 * 3];
	struct inn_tensor in = { .shape = { 4, { 3, 40, 40, 3 } }, .dtype = INN_U8, .data = black }, out;

	ck_assert_int_eq(apply("{type: sheet, columns: 2, labels: [input, 'a label that is far too long for its picture, and longer still', "
			       "\"\\u00e4\"]}", &in, &out), INN_OK);
	ck_assert_uint_eq(out.shape.rank, 3);
	ck_assert_uint_gt(out.shape.dim[0], 80);
	ck_assert_uint_gt(out.shape.dim[1], 80);
	ck_assert_uint_eq(*(uint8_t *)out.data, 255);
	inn_tensor_free(&out);
	in.dtype = INN_F32;
	ck_assert_int_lt(apply("sheet", &in, &out), 0);
}
END_TEST

int main(void)
{
	TCase *t = tcase_create("formats and stages");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_set_timeout(t, 60);
	tcase_add_test(t, round_trips);
	tcase_add_test(t, npy_orders);
	tcase_add_test(t, npy_refused);
	tcase_add_test(t, idx_arrays);
	tcase_add_test(t, csv_lists);
	tcase_add_test(t, resize_and_crop);
	tcase_add_test(t, colours);
	tcase_add_test(t, normalize_bounds);
	tcase_add_test(t, sheets);
	return run_case(t);
}
