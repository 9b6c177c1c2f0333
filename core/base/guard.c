/* Guards over mapped files. A page behind the end of a file that was cut off since raises SIGBUS; the handler puts zeros in its
 * place and remembers, so that reading goes on and whoever reads asks afterwards. What lies under no guard is left alone. A guard is
 * freed when no handler walks over the list. */
#include "guard.h"
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

struct inn__guard {
	struct inn__guard *_Atomic next;
	uintptr_t from;
	size_t size;
	_Atomic bool lost;
};
static struct inn__guard *_Atomic guards;
static atomic_uint walkers;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER; /* over taking, giving back and the handler's place */
static struct sigaction before;
static uintptr_t page;

/* The guard over an address, NULL if there is none, for those who count among the walkers. Async-signal-safe. */
static struct inn__guard *over(uintptr_t at)
{
	for (struct inn__guard *g = atomic_load(&guards); g; g = atomic_load(&g->next))
		if (at >= g->from && at - g->from < g->size)
			return g;
	return NULL;
}

static void on_bus(int signo, siginfo_t *info, void *context)
{
	uintptr_t at = (uintptr_t)info->si_addr & ~(page - 1);
	int saved = errno;

	atomic_fetch_add(&walkers, 1);
	struct inn__guard *g = over(at);
	bool done = g && mmap((void *)at, g->from + g->size - at, PROT_READ, MAP_FIXED | MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) != MAP_FAILED;

	if (done) /* behind the new end nothing is left */
		atomic_store(&g->lost, true);
	atomic_fetch_sub(&walkers, 1);
	errno = saved;
	if (done)
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
	struct inn__guard *g = calloc(1, sizeof(*g));

	if (!g)
		return NULL;
	g->from = (uintptr_t)from;
	g->size = size;
	pthread_mutex_lock(&lock);
	bool watched = watch();

	if (watched) {
		atomic_store(&g->next, atomic_load(&guards));
		atomic_store(&guards, g);
	}
	pthread_mutex_unlock(&lock);
	if (watched)
		return g;
	free(g);
	return NULL;
}

bool inn__guard_lost(const struct inn__guard *g) { return atomic_load(&g->lost); }

void inn__guard_end(struct inn__guard *g)
{
	struct inn__guard *_Atomic *link = &guards;

	pthread_mutex_lock(&lock);
	while (atomic_load(link) != g)
		link = &atomic_load(link)->next;
	atomic_store(link, atomic_load(&g->next));
	pthread_mutex_unlock(&lock);
	while (atomic_load(&walkers))
		sched_yield();
	free(g);
}

void inn_done(const void *p, size_t n)
{
	uintptr_t at = (uintptr_t)p, end = at + n;

	atomic_fetch_add(&walkers, 1);
	struct inn__guard *g = n ? over(at) : NULL;
	bool whole = g && over(end - 1) == g;

	atomic_fetch_sub(&walkers, 1);
	if (!whole)
		return;
	at = (at + page - 1) & ~(page - 1);
	end &= ~(page - 1);
	if (at < end)
		madvise((void *)at, end - at, MADV_DONTNEED);
}

void inn__tensor_done(const struct inn_tensor *t)
{
	size_t n;

	if (t->data && inn_shape_count(&t->shape, &n))
		inn_done(t->data, n * inn_dtype_size(t->dtype));
}
