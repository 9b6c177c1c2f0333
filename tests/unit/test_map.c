/* Mapped files: cut off, changed, beside a model; with openat2 and without it. */
#include "core/base/ctx.h"
#include "core/base/guard.h"
#include "core/job/job.h"
#include "unit.h"
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define PAGES 8

static inn_ctx *ctx;
static char dir[64], path[96];
static size_t page;

static const char *in(const char *name)
{
	static char p[160];

	snprintf(p, sizeof(p), "%s/%s", dir, name);
	return p;
}

static void put(const char *to, size_t n)
{
	FILE *f = fopen(to, "w");

	for (size_t i = 0; i < n; i++)
		fputc('a', f);
	ck_assert_int_eq(fclose(f), 0);
}

static void setup(void)
{
	page = (size_t)sysconf(_SC_PAGESIZE);
	snprintf(dir, sizeof(dir), "/tmp/inn-map-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/file", dir);
	put(path, PAGES * page);
	ctx = inn__ctx_new();
	inn__ctx_level(ctx, INN__QUIET);
}

static void teardown(void)
{
	char command[96];

	inn__ctx_free(ctx);
	snprintf(command, sizeof(command), "rm -rf %s", dir);
	ck_assert_int_eq(system(command), 0);
}

static struct inn_stream open_file(void)
{
	struct inn_stream s;

	ck_assert_int_eq(inn__file_map(ctx, path, INN_EDATA, &s), INN_OK);
	ck_assert_uint_eq(s.size, PAGES * page);
	return s;
}

static bool says(const char *text)
{
	uint32_t n = inn__errors(ctx);

	for (uint32_t i = 0; i < n; i++)
		if (strstr(inn__error(ctx, i)->text, text))
			return true;
	return false;
}

START_TEST(untouched)
{
	struct inn_stream s = open_file();

	ck_assert_int_eq(s.data[PAGES * page - 1], 'a');
	ck_assert_int_eq(inn__file_same(ctx, &s, INN_EMODEL), INN_OK);
	ck_assert_int_eq(inn__file_close(ctx, &s, INN_OK), INN_OK);
	ck_assert_ptr_null(s.data);
}
END_TEST

/* Cut off behind page _i, at its very end or within it. */
START_TEST(cut_off)
{
	size_t left = (size_t)_i / 2 * page - (_i % 2 ? 10 : 0);
	struct inn_stream s = open_file();
	unsigned long sum = 0;

	ck_assert_int_eq(truncate(path, (off_t)left), 0);
	for (size_t i = 0; i < s.size; i++) /* would raise SIGBUS */
		sum += s.data[i];
	ck_assert_uint_eq(sum, left * 'a');
	ck_assert_int_eq(inn__file_same(ctx, &s, INN_EMODEL), INN_EMODEL);
	ck_assert(says("cut off"));
	ck_assert_int_eq(inn__file_close(ctx, &s, INN_OK), INN_EDATA);
}
END_TEST

START_TEST(cut_off_after_its_name_is_gone)
{
	struct inn_stream s = open_file();
	int fd = open(path, O_RDWR);

	ck_assert_int_eq(unlink(path), 0);
	ck_assert_int_eq(inn__file_same(ctx, &s, INN_EMODEL), INN_OK); /* what is mapped is there to stay */
	ck_assert_int_eq(ftruncate(fd, 0), 0);
	ck_assert_int_eq(s.data[0], 0);
	ck_assert_int_eq(inn__file_close(ctx, &s, INN_OK), INN_EDATA);
	close(fd);
}
END_TEST

START_TEST(changed)
{
	struct inn_stream s = open_file();
	struct timespec t[2] = { { .tv_sec = 1 }, { .tv_sec = 1 } };

	ck_assert_int_eq(utimensat(AT_FDCWD, path, t, 0), 0);
	ck_assert_int_eq(inn__file_close(ctx, &s, INN_OK), INN_EDATA);
	ck_assert(says("was changed"));
}
END_TEST

/* A fault that is none of ours still ends a process that has no handler of its own. */
START_TEST(foreign_fault)
{
	struct inn_stream s = open_file();
	pid_t pid = fork();
	int status;

	if (!pid) {
		int fd = open(path, O_RDWR);
		volatile char *p = mmap(NULL, page, PROT_READ, MAP_SHARED, fd, 0);

		signal(SIGALRM, SIG_DFL);
		alarm(20);
		if (ftruncate(fd, 0) == 0)
			_exit(p[0]);
		_exit(100);
	}
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert(!WIFEXITED(status) || WEXITSTATUS(status) == 1); /* a sanitizer's report ends with 1 */
	if (!WIFEXITED(status))
		ck_assert_int_eq(WTERMSIG(status), SIGBUS);
	inn__file_unmap(&s);
}
END_TEST

START_TEST(cooling)
{
	struct inn_stream s = open_file();
	char *heap = malloc(4 * page);
	struct inn_tensor t = { .shape = { .rank = 1, .dim = { (uint32_t)(4 * page) } }, .dtype = INN_U8, .data = heap };

	memset(heap, 'b', 4 * page);
	inn__tensor_done(&t); /* not a file's */
	ck_assert_int_eq(heap[2 * page], 'b');
	t.data = (void *)(uintptr_t)(s.data + 5);
	inn__tensor_done(&t);
	ck_assert_int_eq(s.data[page + 5], 'a');
	inn__file_unmap(&s);
	free(heap);
}
END_TEST

static void beside(const struct inn_stream *s, const char *location, bool good)
{
	const struct inn_stream *a = NULL, *b = NULL;
	int status = inn_stream_beside(ctx, s, location, &a);

	ck_assert_msg((status == INN_OK) == good, "%s: %d", location, status);
	if (!good) {
		ck_assert_int_eq(status, INN_EMODEL);
		return;
	}
	ck_assert_uint_eq(a->size, 3);
	ck_assert_int_eq(inn_stream_beside(ctx, s, location, &b), INN_OK);
	ck_assert_ptr_eq(a, b);
}

static void confined(void)
{
	struct inn_stream s = open_file();

	beside(&s, "w", true);
	beside(&s, "sub/w", true);
	beside(&s, "sub//w", false);
	beside(&s, "", false);
	beside(&s, "sub/../w", false);
	beside(&s, "none", false);
	beside(&s, "sub", false);
	beside(&s, "link", false);
	beside(&s, "up/w", false);
	beside(&s, "../outside", false);
	beside(&s, "sub/../../outside", false);
	beside(&s, "/etc/passwd", false);
	beside(&s, "pipe", false); /* nor does it wait */
	inn__file_unmap(&s);
}

static void make_confined(void)
{
	char sub[96], outside[128];

	snprintf(sub, sizeof(sub), "%s/sub", dir);
	ck_assert_int_eq(mkdir(sub, 0700), 0);
	put(in("outside"), 3);
	put(in("sub/w"), 3);
	ck_assert_int_eq(mkdir(in("sub/sub"), 0700), 0);
	put(in("sub/sub/w"), 3);
	snprintf(outside, sizeof(outside), "%s/outside", dir);
	ck_assert_int_eq(symlink(outside, in("sub/link")), 0);
	ck_assert_int_eq(symlink("sub", in("sub/up")), 0);
	ck_assert_int_eq(mkfifo(in("sub/pipe"), 0600), 0);
	snprintf(path, sizeof(path), "%s/sub/file", dir);
	put(path, PAGES * page);
}

START_TEST(beside_a_file)
{
	make_confined();
	confined();
}
END_TEST

START_TEST(cut_off_beside)
{
	const struct inn_stream *w;

	make_confined();
	struct inn_stream s = open_file();

	ck_assert_int_eq(inn_stream_beside(ctx, &s, "w", &w), INN_OK);
	ck_assert_int_eq(truncate(in("sub/w"), 1), 0);
	ck_assert_int_eq(inn__file_same(ctx, &s, INN_EMODEL), INN_EMODEL);
	ck_assert(says("/w was cut off"));
	inn__file_unmap(&s);
}
END_TEST

/* The same answers where the kernel does not know openat2. */
START_TEST(beside_a_file_on_an_old_kernel)
{
	struct sock_filter filter[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_openat2, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENOSYS),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog program = { sizeof(filter) / sizeof(*filter), filter };
	int status;

	make_confined();
	pid_t pid = fork();

	if (!pid) {
		if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) || prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program))
			_exit(77);
		if (syscall(SYS_openat2, -1, "", NULL, 0) != -1 || errno != ENOSYS)
			_exit(78);
		confined();
		_exit(0);
	}
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert(WIFEXITED(status));
	if (WEXITSTATUS(status) == 77)
		printf("skipped: no filter over system calls here\n");
	else
		ck_assert_int_eq(WEXITSTATUS(status), 0);
}
END_TEST

int main(void)
{
	TCase *t = tcase_create("map");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, untouched);
	tcase_add_loop_test(t, cut_off, 2, 2 * PAGES);
	tcase_add_test(t, cut_off_after_its_name_is_gone);
	tcase_add_test(t, changed);
	tcase_add_test(t, foreign_fault);
	tcase_add_test(t, cooling);
	tcase_add_test(t, beside_a_file);
	tcase_add_test(t, cut_off_beside);
	tcase_add_test(t, beside_a_file_on_an_old_kernel);
	return run_case(t);
}
