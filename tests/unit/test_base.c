/* Context, shapes and element types. */
#include "core/base/ctx.h"
#include "unit.h"
#include <math.h>
#include <stdio.h>
#include <string.h>

static inn_ctx *ctx;

static void setup(void)
{
	ctx = inn__ctx_new();
	ck_assert_ptr_nonnull(ctx);
	inn__ctx_level(ctx, INN__QUIET);
}

static void teardown(void)
{
	inn__ctx_free(ctx);
}

START_TEST(stack_holds_the_first_64)
{
	struct inn_loc loc = { "a.yaml", 3, 7 };

	for (int i = 0; i < 100; i++)
		ck_assert_int_eq(inn_fail(ctx, INN_ECONFIG, &loc, "finding %d", i), INN_ECONFIG);
	inn_nomem(ctx);
	ck_assert_uint_eq(inn__errors(ctx), 64);
	ck_assert_uint_eq(inn__errors_total(ctx), 101);
	ck_assert_str_eq(inn__error(ctx, 0)->text, "finding 0");
	ck_assert_str_eq(inn__error(ctx, 63)->text, "finding 63");
	ck_assert_str_eq(inn__error_text(ctx, inn__error(ctx, 0)), "a.yaml:3:7: error: finding 0");
	ck_assert_ptr_null(inn__error(ctx, 64));
}
END_TEST

START_TEST(texts_are_copied_whole_and_plain)
{
	char big[3000], file[] = "x.yaml";
	struct inn_loc loc = { file, 1, 1 };

	memset(big, 'x', sizeof(big) - 1);
	big[sizeof(big) - 1] = 0;
	big[1] = '\033';
	inn_fail(ctx, INN_EDATA, &loc, "%s", big);
	file[0] = 'y';
	ck_assert_uint_eq(strlen(inn__error(ctx, 0)->text), sizeof(big) - 1);
	ck_assert_int_eq(inn__error(ctx, 0)->text[1], '?');
	ck_assert_str_eq(inn__error(ctx, 0)->loc.file, "x.yaml");
	inn_while(ctx, INN_EDATA, NULL, "while reading");
	ck_assert(inn__error(ctx, 1)->context);
}
END_TEST

START_TEST(errors_move_and_stop_is_seen)
{
	inn_ctx *other = inn__ctx_new();

	inn_fail(other, INN_EDATA, NULL, "from a thread");
	inn__errors_move(ctx, other);
	inn__ctx_free(other);
	ck_assert_str_eq(inn__error(ctx, 0)->text, "from a thread");
	ck_assert(!inn_cancelled(ctx));
	inn__ctx_stop(ctx);
	ck_assert(inn_cancelled(ctx));
}
END_TEST

START_TEST(memory_is_zeroed_and_checked)
{
	for (size_t n = 1; n < 300000; n = n * 3 + 1) {
		unsigned char *p = inn_alloc(ctx, n, 1);

		for (size_t i = 0; i < n; i++)
			ck_assert_uint_eq(p[i], 0);
		memset(p, 0xff, n);
		ck_assert_uint_eq((uintptr_t)p % _Alignof(max_align_t), 0);
	}
	ck_assert_ptr_null(inn_alloc(ctx, SIZE_MAX / 2, 4));
	ck_assert_int_eq(inn__error(ctx, 0)->status, INN_ENOMEM);
	ck_assert_str_eq(inn_printf(ctx, "%d-%s", 5, "a"), "5-a");
}
END_TEST

START_TEST(shapes)
{
	struct inn_shape a = { 3, { 2, 1, 4 } }, b = { 2, { 3, 1 } }, big = { 4, { 1u << 31, 1u << 31, 1u << 31, 0 } }, out;
	struct inn_tensor t = { .shape = { 3, { 1u << 31, 1u << 31, 1u << 31 } }, .dtype = INN_F64 };
	char buf[INN_SHAPE_STR];
	size_t n;

	ck_assert(inn_shape_count(&a, &n) && n == 8);
	ck_assert(inn_shape_count(&big, &n) && n == 0);
	ck_assert(!inn_shape_count(&t.shape, &n));
	ck_assert(inn_shape_broadcast(&a, &b, &out));
	ck_assert_str_eq(inn_shape_str(&out, buf), "[2,3,4]");
	ck_assert_int_eq(inn_tensor_alloc(ctx, &t), INN_ELIMIT);
	t.dtype = 77;
	ck_assert_int_eq(inn_tensor_alloc(ctx, &t), INN_EBUG);
}
END_TEST

START_TEST(halves_round_once_to_nearest_even)
{
	static const struct { double v; uint16_t f16, bf16; } cases[] = {
		{ 1, 0x3c00, 0x3f80 }, { -2, 0xc000, 0xc000 }, { 65504, 0x7bff, 0x4780 }, { 65520, 0x7c00, 0x4780 },
		{ 0x1p-24, 0x0001, 0x3380 }, { 0x1p-25, 0x0000, 0x3300 }, { 0x1.8p-25, 0x0001, 0x3340 }, { 0x1p-14, 0x0400, 0x3880 },
		{ 1 + 0x1p-11, 0x3c00, 0x3f80 }, { 1 + 0x1p-11 + 0x1p-40, 0x3c01, 0x3f80 }, { INFINITY, 0x7c00, 0x7f80 }, { -0.0, 0x8000, 0x8000 },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		uint16_t h;

		inn_convert(&cases[i].v, INN_F64, &h, INN_F16, 1);
		ck_assert_uint_eq(h, cases[i].f16);
		inn_convert(&cases[i].v, INN_F64, &h, INN_BF16, 1);
		ck_assert_uint_eq(h, cases[i].bf16);
	}
	for (uint32_t type = INN_F16; type <= INN_BF16; type++)
		for (uint32_t bits = 0; bits < 65536; bits++) { /* every one reads back as itself */
			uint16_t h = (uint16_t)bits, back;
			double v;

			inn_convert(&h, type, &v, INN_F64, 1);
			inn_convert(&v, INN_F64, &back, type, 1);
			ck_assert(isnan(v) || back == h);
		}
}
END_TEST

START_TEST(integers_saturate_and_unaligned_is_fine)
{
	unsigned char bytes[33];
	int64_t big[2] = { INT64_MAX, -5 }, back;
	double real[4] = { 300.5, -1, NAN, 1.5 };
	uint8_t u8[4];
	uint64_t u = UINT64_MAX;
	struct inn_tensor t = { .shape = { 1, { 2 } }, .dtype = INN_I64, .data = bytes + 1 }, out;

	memcpy(bytes + 1, big, sizeof(big));
	ck_assert_int_eq(inn_tensor_int(&t, 0), INT64_MAX);
	inn_convert(real, INN_F64, u8, INN_U8, 4);
	ck_assert(u8[0] == 255 && u8[1] == 0 && u8[2] == 0 && u8[3] == 2);
	inn_convert(&u, INN_U64, &back, INN_I64, 1);
	ck_assert_int_eq(back, INT64_MAX);
	ck_assert_int_eq(inn_tensor_convert(ctx, &t, INN_F32, &out), INN_OK);
	ck_assert(((float *)out.data)[1] == -5);
	((float *)out.data)[1] = INFINITY;
	ck_assert_uint_eq(inn_tensor_nonfinite(&out), 1);
	inn_tensor_free(&out);
	inn_tensor_free(NULL);
}
END_TEST

int main(void)
{
	TCase *c = tcase_create("base");

	tcase_add_checked_fixture(c, setup, teardown);
	tcase_add_test(c, stack_holds_the_first_64);
	tcase_add_test(c, texts_are_copied_whole_and_plain);
	tcase_add_test(c, errors_move_and_stop_is_seen);
	tcase_add_test(c, memory_is_zeroed_and_checked);
	tcase_add_test(c, shapes);
	tcase_add_test(c, halves_round_once_to_nearest_even);
	tcase_add_test(c, integers_saturate_and_unaligned_is_fine);
	return run_case(c);
}
