/* Preloaded: the n-th call of one kind fails. FAULT=KIND:N[+] (+: and all after it). FAULT_OURS: only calls by the project itself count
 * and fail, not those of the libraries that it uses. FAULT_FD: where it tells that it failed a call (`x`) and, at the end, how many
 * blocks of memory taken by the project or the libraries it calls were never given back (`l` and a number). FAULT_CL: OpenCL's
 * platforms get another name, so that what the program knows of one of them does not count. */
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define SLOTS (1u << 18)

static void *live[SLOTS]; /* open addressing; a freed slot keeps TOMB */
#define TOMB ((void *)1)
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static const char *kind = "";
static long at = -1;
static bool on, ready, only_ours;
static int tell = -1;
static atomic_long count;

#define NEXT(type, name, ...) type (*f)(__VA_ARGS__) = (type (*)(__VA_ARGS__))(uintptr_t)dlsym(RTLD_NEXT, name)

static void *(*real_malloc)(size_t), *(*real_calloc)(size_t, size_t), *(*real_realloc)(void *, size_t);
static void (*real_free)(void *);

static char early[8192]; /* dlsym itself may allocate */
static size_t early_used;

static void start(void)
{
	const char *s = getenv("FAULT"), *fd = getenv("FAULT_FD"), *colon = s ? strchr(s, ':') : NULL;

	ready = true;
	real_calloc = (void *(*)(size_t, size_t))(uintptr_t)dlsym(RTLD_NEXT, "calloc");
	real_malloc = (void *(*)(size_t))(uintptr_t)dlsym(RTLD_NEXT, "malloc");
	real_realloc = (void *(*)(void *, size_t))(uintptr_t)dlsym(RTLD_NEXT, "realloc");
	real_free = (void (*)(void *))(uintptr_t)dlsym(RTLD_NEXT, "free");
	tell = fd ? atoi(fd) : -1;
	only_ours = getenv("FAULT_OURS");
	if (colon) {
		kind = s;
		at = atol(colon + 1);
		on = s[strlen(s) - 1] == '+';
	}
}

static ssize_t raw_write(const void *p, size_t n)
{
	ssize_t (*f)(int, const void *, size_t) = (ssize_t (*)(int, const void *, size_t))(uintptr_t)dlsym(RTLD_NEXT, "write");

	return tell >= 0 ? f(tell, p, n) : 0;
}

/* Who calls is asked of the linker once for each page of code. */
enum { FOREIGN = 1, LIBRARY, PROJECT };
static int owner(void *caller)
{
	static const char *const libraries[] = { "libyaml", "libpng", "libjpeg", "libz.", "libprotobuf-c" };
	static _Thread_local struct { uintptr_t page; int is; } seen[256] __attribute__((tls_model("initial-exec")));
	uintptr_t page = (uintptr_t)caller >> 12;
	Dl_info info;

	if (seen[page % 256].page == page)
		return seen[page % 256].is;
	const char *file = dladdr(caller, &info) && info.dli_fname ? info.dli_fname : "", *slash = strrchr(file, '/');
	int is = strstr(slash ? slash : file, "innvestigate") || strstr(file, "/plugins/") ? PROJECT : FOREIGN;

	for (size_t i = 0; is == FOREIGN && i < sizeof(libraries) / sizeof(*libraries); i++)
		is = strstr(slash ? slash : file, libraries[i]) ? LIBRARY : FOREIGN;
	seen[page % 256].page = page;
	seen[page % 256].is = is;
	return is;
}

#define CALLER __builtin_return_address(0)

static bool fails(const char *what, int error, void *caller)
{
	if (!ready)
		start();
	size_t n = strlen(what);

	if (strncmp(kind, what, n) || kind[n] != ':' || (only_ours && owner(caller) != PROJECT))
		return false;
	long k = atomic_fetch_add(&count, 1);

	if (k != at && !(on && k > at))
		return false;
	if (k == at)
		(void)!raw_write("x", 1);
	errno = error;
	return true;
}

/* ---- memory */

static uint32_t slot(void *p) { return (uint32_t)((uintptr_t)p >> 4) * 2654435761u % SLOTS; }

static void note(void *p, void *caller)
{
	if (!p || owner(caller) == FOREIGN)
		return;
	pthread_mutex_lock(&lock);
	for (uint32_t i = slot(p), k = 0; k < SLOTS; i = (i + 1) % SLOTS, k++)
		if (!live[i] || live[i] == TOMB) {
			live[i] = p;
			break;
		}
	pthread_mutex_unlock(&lock);
}

static bool forget(void *p)
{
	bool known = false;

	pthread_mutex_lock(&lock);
	for (uint32_t i = slot(p), k = 0; k < SLOTS && live[i] && !known; i = (i + 1) % SLOTS, k++)
		if ((known = live[i] == p))
			live[i] = TOMB;
	pthread_mutex_unlock(&lock);
	return known;
}

void *malloc(size_t n)
{
	if (!real_malloc && !ready)
		start();
	if (!real_malloc || fails("alloc", ENOMEM, CALLER))
		return NULL;
	void *p = real_malloc(n);

	note(p, CALLER);
	return p;
}

void *calloc(size_t n, size_t size)
{
	if (!real_calloc) {
		void *p = early + early_used;

		if (!ready) {
			start();
			return calloc(n, size);
		}
		early_used += (n * size + 15) / 16 * 16;
		return early_used <= sizeof(early) ? p : NULL;
	}
	if (fails("alloc", ENOMEM, CALLER))
		return NULL;
	void *p = real_calloc(n, size);

	note(p, CALLER);
	return p;
}

void *realloc(void *old, size_t n)
{
	if (!ready)
		start();
	if (fails("alloc", ENOMEM, CALLER))
		return NULL;
	bool known = old && forget(old);
	void *p = real_realloc(old, n);

	note(p ? p : known ? old : NULL, CALLER);
	return p;
}

void *aligned_alloc(size_t alignment, size_t n)
{
	NEXT(void *, "aligned_alloc", size_t, size_t);
	void *p = fails("alloc", ENOMEM, CALLER) ? NULL : f(alignment, n);

	note(p, CALLER);
	return p;
}

void free(void *p)
{
	if (!p || ((char *)p >= early && (char *)p < early + sizeof(early)))
		return;
	if (!ready)
		start();
	forget(p);
	real_free(p);
}

/* Programs that are started here run undisturbed. */
__attribute__((constructor)) static void begin(void)
{
	if (!ready)
		start();
	unsetenv("LD_PRELOAD");
	unsetenv("FAULT");
	unsetenv("FAULT_FD");
}

__attribute__((destructor)) static void finish(void)
{
	char text[32];
	unsigned blocks = 0;

	at = -1;
	on = false;
	for (uint32_t i = 0; i < SLOTS; i++)
		blocks += live[i] && live[i] != TOMB;
	snprintf(text, sizeof(text), "l%u\n", blocks);
	(void)!raw_write(text, strlen(text));
}

/* ---- files and threads */


static mode_t mode_of(int flags, va_list ap) { return flags & O_CREAT ? va_arg(ap, mode_t) : 0; }

int open(const char *path, int flags, ...)
{
	NEXT(int, "open", const char *, int, ...);
	va_list ap;

	va_start(ap, flags);
	mode_t mode = mode_of(flags, ap);

	va_end(ap);
	return fails("open", EMFILE, CALLER) ? -1 : f(path, flags, mode);
}

int openat(int dir, const char *path, int flags, ...)
{
	NEXT(int, "openat", int, const char *, int, ...);
	va_list ap;

	va_start(ap, flags);
	mode_t mode = mode_of(flags, ap);

	va_end(ap);
	return fails("open", EMFILE, CALLER) ? -1 : f(dir, path, flags, mode);
}

FILE *fopen(const char *path, const char *how)
{
	NEXT(FILE *, "fopen", const char *, const char *);
	return fails("open", EMFILE, CALLER) ? NULL : f(path, how);
}

DIR *opendir(const char *path)
{
	NEXT(DIR *, "opendir", const char *);
	return fails("open", EMFILE, CALLER) ? NULL : f(path);
}

int mkstemp(char *name)
{
	NEXT(int, "mkstemp", char *);
	return fails("open", EMFILE, CALLER) ? -1 : f(name);
}

ssize_t read(int fd, void *p, size_t n)
{
	NEXT(ssize_t, "read", int, void *, size_t);
	n -= n > 1 && fails("short", 0, CALLER) ? n / 2 : 0;
	return fails("read", EIO, CALLER) ? -1 : f(fd, p, n);
}

ssize_t pread(int fd, void *p, size_t n, off_t where)
{
	NEXT(ssize_t, "pread", int, void *, size_t, off_t);
	n -= n > 1 && fails("short", 0, CALLER) ? n / 2 : 0;
	return fails("read", EIO, CALLER) ? -1 : f(fd, p, n, where);
}

size_t fread(void *p, size_t size, size_t n, FILE *file)
{
	NEXT(size_t, "fread", void *, size_t, size_t, FILE *);
	if (!fails("read", EIO, CALLER))
		return f(p, size, n, file);
	file->_flags |= 0x20; /* glibc's mark that ferror() looks at */
	return 0;
}

ssize_t write(int fd, const void *p, size_t n)
{
	NEXT(ssize_t, "write", int, const void *, size_t);
	n -= n > 1 && fails("short", 0, CALLER) ? n / 2 : 0;
	return fails("write", ENOSPC, CALLER) ? -1 : f(fd, p, n);
}

ssize_t pwrite(int fd, const void *p, size_t n, off_t where)
{
	NEXT(ssize_t, "pwrite", int, const void *, size_t, off_t);
	n -= n > 1 && fails("short", 0, CALLER) ? n / 2 : 0;
	return fails("write", ENOSPC, CALLER) ? -1 : f(fd, p, n, where);
}

int ftruncate(int fd, off_t n)
{
	NEXT(int, "ftruncate", int, off_t);
	return fails("write", ENOSPC, CALLER) ? -1 : f(fd, n);
}

int fsync(int fd)
{
	NEXT(int, "fsync", int);
	return fails("fsync", EIO, CALLER) ? -1 : f(fd);
}

int close(int fd)
{
	NEXT(int, "close", int);
	int status = f(fd);

	return fails("close", EIO, CALLER) ? -1 : status;
}

int rename(const char *from, const char *to)
{
	NEXT(int, "rename", const char *, const char *);
	return fails("rename", EIO, CALLER) ? -1 : f(from, to);
}

int mkdir(const char *path, mode_t mode)
{
	NEXT(int, "mkdir", const char *, mode_t);
	return fails("mkdir", ENOSPC, CALLER) ? -1 : f(path, mode);
}

int fstat(int fd, struct stat *st)
{
	NEXT(int, "fstat", int, struct stat *);
	return fails("fstat", EIO, CALLER) ? -1 : f(fd, st);
}

void *mmap(void *p, size_t n, int prot, int flags, int fd, off_t where)
{
	NEXT(void *, "mmap", void *, size_t, int, int, int, off_t);
	return fails("mmap", ENOMEM, CALLER) ? MAP_FAILED : f(p, n, prot, flags, fd, where);
}

int pthread_create(pthread_t *t, const pthread_attr_t *a, void *(*body)(void *), void *user)
{
	NEXT(int, "pthread_create", pthread_t *, const pthread_attr_t *, void *(*)(void *), void *);
	return fails("thread", EAGAIN, CALLER) ? EAGAIN : f(t, a, body, user);
}

/* ---- OpenCL */

int clGetPlatformInfo(void *platform, unsigned what, size_t room, void *to, size_t *n)
{
	void *cl = dlopen("libOpenCL.so.1", RTLD_LAZY);
	int (*f)(void *, unsigned, size_t, void *, size_t *) =
		(int (*)(void *, unsigned, size_t, void *, size_t *))(uintptr_t)dlsym(cl, "clGetPlatformInfo");
	int status = f(platform, what, room, to, n);

	if (!status && to && what == 0x0902 && getenv("FAULT_CL")) /* CL_PLATFORM_NAME */
		*(char *)to = '*';
	return status;
}
