/* Guards over mapped files. A page behind the end of a file that was cut off since raises SIGBUS; the handler puts zeros in its
 * place and remembers, so that reading goes on and whoever reads asks afterwards. What lies under no guard is left alone. Guards are used again but never freed: the
 * handler may be walking over them. */
#include "guard.h"
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

struct inn__guard {
	struct inn__guard *next;
	_Atomic uintptr_t from; /* 0: free */
	_Atomic size_t size;
	_Atomic bool lost;
};
static struct inn__guard *_Atomic guards;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER; /* over taking, giving back and the handler's place */
static struct sigaction before;
static uintptr_t page;

/* The guard over an address, NULL if there is none. Async-signal-safe. */
static struct inn__guard *over(uintptr_t at)
{
	for (struct inn__guard *g = atomic_load(&guards); g; g = g->next) {
		uintptr_t from = atomic_load(&g->from);

		if (from && at >= from && at - from < atomic_load(&g->size))
			return g;
	}
	return NULL;
}

static void on_bus(int signo, siginfo_t *info, void *context)
{
	uintptr_t at = (uintptr_t)info->si_addr & ~(page - 1);
	struct inn__guard *g = over(at);
	int saved = errno;

	if (g) { /* behind the new end nothing is left */
		size_t rest = atomic_load(&g->from) + atomic_load(&g->size) - at;

		atomic_store(&g->lost, true);
		if (mmap((void *)at, rest, PROT_READ, MAP_FIXED | MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == MAP_FAILED)
			g = NULL;
	}
	errno = saved;
	if (g)
		return;
	if (before.sa_flags & SA_SIGINFO)
		before.sa_sigaction(signo, info, context);
	else if (before.sa_handler == SIG_DFL || before.sa_handler == SIG_IGN)
		signal(signo, SIG_DFL); /* the instruction runs again, and this ends the process */
	else
		before.sa_handler(signo);
}

static bool watch(void)
{
	struct sigaction a = { .sa_sigaction = on_bus, .sa_flags = SA_SIGINFO | SA_ONSTACK };

	if (page)
		return true;
	page = (uintptr_t)sysconf(_SC_PAGESIZE);
	return !sigaction(SIGBUS, &a, &before);
}

struct inn__guard *inn__guard_new(const void *from, size_t size)
{
	struct inn__guard *g = NULL;

	pthread_mutex_lock(&lock);
	if (watch()) {
		for (g = atomic_load(&guards); g && atomic_load(&g->from); g = g->next)
			;
		if (!g && (g = calloc(1, sizeof(*g)))) {
			g->next = atomic_load(&guards);
			atomic_store(&guards, g);
		}
	}
	if (g) {
		atomic_store(&g->lost, false);
		atomic_store(&g->size, size);
		atomic_store(&g->from, (uintptr_t)from);
	}
	pthread_mutex_unlock(&lock);
	return g;
}

bool inn__guard_lost(const struct inn__guard *g) { return atomic_load(&g->lost); }

void inn__guard_end(struct inn__guard *g)
{
	pthread_mutex_lock(&lock);
	atomic_store(&g->from, 0);
	pthread_mutex_unlock(&lock);
}

void inn_done(const void *data, size_t n)
{
	uintptr_t at = (uintptr_t)data, end = at + n;

	if (!n || !over(at) || over(at) != over(end - 1))
		return;
	at = (at + page - 1) & ~(page - 1);
	end &= ~(page - 1);
	if (at < end)
		madvise((void *)at, end - at, MADV_DONTNEED);
}

void inn__tensor_done(const struct inn_tensor *t)
{
	size_t n;

	if (inn_shape_count(&t->shape, &n))
		inn_done(t->data, n * inn_dtype_size(t->dtype));
}
