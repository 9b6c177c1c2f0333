/* Any text as a run's configuration: included, bound, its findings told. Nothing of it is opened. */
#include "../../core/job/config.h"
#include "house.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

/* The defaults are read once, not for each execution. */
static const inn_job *house_job(void)
{
	static inn_job *job;

	if (!job && (!(job = inn_job_new()) || inn__defaults(job) < 0))
		abort();
	return job;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	int fd = memfd_create("run.yaml", MFD_CLOEXEC);
	char path[64];
	struct inn__run r;
	struct inn_job job = *house_job();

	if (fd < 0 || write(fd, data, size) != (ssize_t)size)
		abort();
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	job.ctx = house_ctx();
	job.finder = house_finder();
	if (!(job.reg = inn__registry_new(job.ctx)))
		abort();
	int status = inn__run_bind(&job, &(struct inn__config){ .path = path }, &r);

	if (status < 0 && !inn_error_count(&job))
		abort(); /* refused without a word */
	for (uint32_t i = 0; i < inn_error_count(&job); i++)
		if (!inn_error(&job, i))
			abort();
	inn__ctx_free(job.ctx);
	close(fd);
	return 0;
}
