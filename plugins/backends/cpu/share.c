/* The parts of a step among threads. Each thread has its own, in a row, as many as the others, so that it finds near what it left there in
 * the step before; when it is done it takes over what others have left: processors are not equally fast, those of virtual machines
 * least of all. Which thread computes a part shows nowhere. */
#include "cpu.h"
#include <stdatomic.h>

struct lot { _Alignas(2 * ALIGN) atomic_size_t next; size_t end; }; /* of one thread; where no other writes */

int cpu_make_lots(struct inn_exec *e)
{
	char *p = cpu_alloc(e, CPU_DEALS * (size_t)e->dev->threads + 1, sizeof(struct lot));

	e->lot = p ? (struct lot *)(void *)(p + (sizeof(struct lot) - (uintptr_t)p % sizeof(struct lot))) : NULL;
	return p ? INN_OK : INN_ENOMEM;
}

void cpu_deal(struct inn_exec *e, uint32_t deal, size_t n)
{
	size_t threads = (size_t)e->dev->threads;

	for (size_t t = 0; t < threads; t++) {
		struct lot *l = &e->lot[deal * threads + t];

		atomic_store_explicit(&l->next, n * t / threads, memory_order_relaxed);
		l->end = n * (t + 1) / threads;
	}
}

bool cpu_next(struct inn_exec *e, uint32_t deal, size_t thread, size_t *part)
{
	size_t threads = (size_t)e->dev->threads;

	for (size_t k = 0; k < threads; k++) {
		struct lot *l = &e->lot[deal * threads + (thread + k) % threads];

		if (atomic_load_explicit(&l->next, memory_order_relaxed) >= l->end)
			continue;
		*part = atomic_fetch_add_explicit(&l->next, 1, memory_order_relaxed);
		if (*part < l->end)
			return true;
	}
	return false;
}
