/* Any text as a run's configuration: included, bound, its findings told. Nothing of it is opened. */
#include "../../core/job/config.h"
#include "house.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	int fd = memfd_create("run.yaml", MFD_CLOEXEC);
	char path[64];
	struct inn__run r;
	inn_job *job = inn_job_new();

	if (fd < 0 || !job || write(fd, data, size) != (ssize_t)size)
		abort();
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	inn__job_verbosity(job, INN__SAY_ERRORS);
	job->finds = *house_finder();
	int status = inn__run_bind(job, &(struct inn__config){ .path = path }, &r);

	if (status < 0 && !inn_error_count(job))
		abort(); /* refused without a word */
	for (uint32_t i = 0; i < inn_error_count(job); i++)
		if (!inn_error(job, i))
			abort();
	inn_job_free(job);
	close(fd);
	return 0;
}
